"""A rule that demands a signature lets nothing through that is not signed so, whoever approves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, NGINX, POLICY, WEI, World, digest_of, fresh_plan, world

from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError, TransientError, UnsignedError
from bot.core.failures import FailureKind
from bot.core.look import LookBy
from bot.core.policy import Policy, Rule
from bot.core.signature import Signer
from bot.core.transfer import State
from bot.engine.decided import Rules
from bot.engine.refill import refill

SIGNER = Signer(key="PEM", fingerprint="0123456789abcdef")
OTHER = Signer(identity="https://github.com/example/**", issuer="https://issuer.example.com")
OLD, NEW = digest_of("old"), digest_of("new")


def demands(signer: Signer | None = SIGNER, then: Verdict = Verdict.APPROVE) -> Policy:
    rule = Rule("docker.io/library/**", then, signer=signer)
    return replace(POLICY, rules=(rule, *POLICY.rules), open_limit=99, daily_limit=99)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, demands(), plan=fresh_plan(version=6)) as made:
        yield made


async def asked(w: World, signed: str | Exception | None, digest: str = OLD) -> None:
    """Let WEI ask for NGINX, whose source has this signature. None: it has none."""
    w.registries.source[str(NGINX)] = digest
    if signed is not None:
        w.registries.signed[f"{NGINX} {digest}"] = signed
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(12)


async def state(w: World) -> State:
    return (await w.newest(NGINX)).state


async def kept(w: World) -> list[Decision]:
    transfer = (await w.newest(NGINX)).id
    async with w.store.begin() as unit:
        return list((await unit.decisions_on([transfer]))[transfer])


async def test_what_is_signed_goes_on_and_everything_says_by_whom(w: World) -> None:
    await asked(w, SIGNER.name)
    await w.arrive(NGINX, OLD)
    (decision,) = await kept(w)
    assert (decision.signer, decision.signed_by) == (SIGNER.name, SIGNER.name)
    assert "Signed by key:0123456789abcdef: nginx:1.27" in w.card
    await w.say(WEI, "/why nginx:1.27")
    await w.settle(4)
    assert "signed by key:0123456789abcdef, as a rule demands it" in w.last


@pytest.mark.parametrize("then", [Verdict.APPROVE, Verdict.ASK])
async def test_what_is_not_signed_fails_before_anybody_is_asked(w: World, then: Verdict) -> None:
    w.policy = demands(then=then)
    w.start()
    await asked(w, UnsignedError("2 signatures there, none by key:0123456789abcdef"))
    transfer = await w.newest(NGINX)
    assert transfer.failure is not None
    assert transfer.failure.kind is FailureKind.UNSIGNED
    assert "not signed as a rule demands it: 2 signatures there" in w.last
    assert w.repository.commits == []


async def test_a_signature_that_comes_later_is_found_by_a_retry(w: World) -> None:
    await asked(w, None)
    w.registries.signed[str(NGINX)] = SIGNER.name
    await w.say(WEI, "/retry #1")
    await w.settle(12)
    assert len(w.repository.commits) == 1


async def test_a_registry_in_trouble_is_asked_again_and_a_refusal_is_told(w: World) -> None:
    await asked(w, TransientError("docker.io answers 502"))
    assert await state(w) is State.CHECKING
    w.registries.signed[f"{NGINX} {OLD}"] = RefusedError("no redirects")
    await w.settle(60)
    assert await state(w) is State.FAILED
    assert "no redirects" in w.last


async def test_where_a_run_looks_an_admin_is_asked_and_told_so(w: World) -> None:
    w.look = {"*.io": LookBy.RUN}
    w.start()
    await asked(w, SIGNER.name)  # which the bot does not see
    w.repository.look(NGINX, f"{OLD} none")
    w.repository.finish()
    await w.settle(20)
    transfer = await w.newest(NGINX)
    assert (transfer.state, transfer.ground) == (State.WAITING, Ground.SIGNATURE)
    assert "Signature not checked" in w.card
    await w.say(WEI, "/why nginx:1.27")
    await w.settle(4)
    assert "which a rule demands, was not checked" in w.last
    await w.press(ANA, "approve:1")
    await w.settle(12)
    assert "approved p:" in w.repository.blocks[-1]


async def test_a_demand_that_came_after_the_approval_is_looked_at_before_the_commit(
    w: World,
) -> None:
    w.policy = demands(None, Verdict.ASK)
    w.start()
    await asked(w, None)
    w.policy = demands(then=Verdict.ASK)
    w.start()
    await w.press(ANA, "approve:1")
    await w.settle(30)
    assert await state(w) is State.FAILED
    assert w.repository.commits == []


async def test_another_demand_than_the_one_that_was_checked_is_looked_at_anew(w: World) -> None:
    w.policy = demands(then=Verdict.ASK)
    w.start()
    await asked(w, SIGNER.name)
    w.policy = demands(OTHER, then=Verdict.ASK)
    w.registries.signed[f"{NGINX} {OLD}"] = "https://github.com/example/x"
    w.start()
    await w.press(ANA, "approve:1")
    await w.settle(30)
    assert (await w.newest(NGINX)).signed_by == "https://github.com/example/x"
    assert len(w.repository.commits) == 1


async def test_a_demand_that_is_gone_or_a_denial_needs_no_look(w: World) -> None:
    await asked(w, "")
    w.policy = demands(None, Verdict.DENY)
    w.start()
    await w.press(ANA, "approve:1")
    await w.settle(12)
    assert await state(w) is State.REJECTED


# -- updates upstream, rollbacks and refills ----------------------------------------------


async def listed(w: World) -> None:
    await asked(w, SIGNER.name)
    await w.arrive(NGINX, OLD)
    w.repository.content = f"{NGINX}\n".encode()
    await w.settle(7 * 3600, step=60)


@pytest.mark.parametrize(
    ("signed", "ends", "says"),
    [
        (SIGNER.name, State.SUBMITTED, ""),
        (UnsignedError("no signature there"), State.FAILED, "not signed as a rule demands it"),
        ("", State.WAITING, "Signature not checked"),
    ],
)
async def test_an_update_upstream_has_to_be_signed_too(
    w: World, signed: str | Exception, ends: State, says: str
) -> None:
    await listed(w)
    w.policy = replace(w.policy, floating=("1.27",))
    w.start()
    w.registries.source[str(NGINX)] = NEW
    w.registries.signed[f"{NGINX} {NEW}"] = signed
    await w.settle(7 * 3600, step=60)
    transfer = await w.newest(NGINX)
    assert (transfer.digest or NEW) == NEW
    assert transfer.state is ends or ends is State.SUBMITTED
    assert says in "".join(w.chat.texts)


async def test_an_update_whose_signature_cannot_be_looked_for_is_seen_later(w: World) -> None:
    await listed(w)
    w.registries.source[str(NGINX)] = NEW
    w.registries.signed[f"{NGINX} {NEW}"] = TransientError("away")
    await w.settle(7 * 3600, step=60)
    assert (await w.newest(NGINX)).digest == OLD
    w.registries.signed[f"{NGINX} {NEW}"] = SIGNER.name
    await w.settle(7 * 3600, step=60)
    assert (await w.newest(NGINX)).digest == NEW


@pytest.mark.parametrize("signer", [SIGNER, OTHER])
async def test_a_rollback_says_what_is_known_of_the_older_digest(w: World, signer: Signer) -> None:
    for digest in (OLD, NEW):
        await asked(w, SIGNER.name, digest)
        await w.press(ANA, f"approve:{(digest == NEW and 2) or 1}")
        await w.settle(12)
        await w.arrive(NGINX, digest)
    w.policy = demands(signer)
    w.start()
    await w.say(WEI, "/rollback nginx:1.27")
    await w.settle(4)
    transfer = await w.newest(NGINX)
    assert transfer.signed_by == (SIGNER.name if signer is SIGNER else "")
    w.policy = demands(OTHER if signer is SIGNER else SIGNER)
    w.start()
    await w.press(ANA, "approve:3")
    await w.settle(12)
    assert await state(w) is State.REJECTED  # the rule of now says something else of it


async def test_a_refill_takes_what_was_signed_then(w: World) -> None:
    await asked(w, SIGNER.name)
    await w.arrive(NGINX, OLD)
    async with w.store.begin() as unit:
        assert await refill(unit, NGINX, Rules(w.policy, w.admins), w.clock()) == OLD
    async with w.store.begin() as unit:
        with pytest.raises(RefusedError, match="now the rules say ask"):
            await refill(unit, NGINX, Rules(demands(OTHER), w.admins), w.clock())
