"""A rule lets a digest wait until the bot has known it under its tag for long enough."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, POLICY, STATIC, WEI, World, digest_of, fresh_plan, world

from bot.core.decision import Decision, Verdict
from bot.core.errors import TransientError
from bot.core.ids import RequestId
from bot.core.policy import Rule
from bot.core.transfer import State, Transfer

HOUR = 3600
DAY = 24 * HOUR
WAIT = timedelta(days=3)
WAITING = replace(
    POLICY,
    rules=(
        Rule("docker.io/library/*", Verdict.APPROVE, wait=WAIT),
        Rule("gcr.io/**", Verdict.ASK, wait=WAIT),
    ),
)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, WAITING) as here:
        here.upstream(NGINX, STATIC)
        yield here


async def only(w: World, request: int = 1) -> Transfer:
    async with w.store.begin() as unit:
        (transfer,) = await unit.transfers_of(RequestId(request))
    return transfer


async def decisions(w: World) -> Sequence[Decision]:
    number = (await only(w)).id
    async with w.store.begin() as unit:
        made = await unit.decisions_on([number])
    return made[number]


async def asked(w: World, text: str = "/mirror nginx:1.27") -> None:
    await w.say(WEI, text)
    await w.settle(6)


async def later(w: World, seconds: float) -> None:
    await w.settle(seconds, step=1800)


async def test_it_goes_on_by_itself_when_its_digest_is_old_enough(w: World) -> None:
    await asked(w)
    assert "waits until 2026-03-04 12:00" in w.card
    assert "/approve #1</code> and a reason" in w.card
    await later(w, 3 * DAY - HOUR)
    assert (await only(w)).is_held
    assert not w.repository.runs
    await later(w, 2 * HOUR)
    assert w.repository.runs
    assert (await only(w)).held_until is None


async def test_a_rule_that_asks_asks_after_the_wait(w: World) -> None:
    await asked(w, f"/mirror {STATIC}")
    await later(w, 2 * DAY)
    assert (await only(w)).is_held
    await later(w, DAY + HOUR)
    assert (await only(w)).state is State.WAITING


async def test_the_wait_begins_anew_when_the_tag_is_updated(w: World) -> None:
    await asked(w)
    await later(w, 2 * DAY)
    w.registries.source[str(NGINX)] = digest_of("another")
    await later(w, 2 * DAY)
    transfer = await only(w)
    assert transfer.is_held
    assert transfer.digest == digest_of("another")
    await later(w, DAY + 2 * HOUR)
    assert w.repository.runs


@pytest.mark.parametrize("back", [2 * HOUR, 20 * HOUR, 40 * DAY])
async def test_a_clock_that_is_set_back_makes_nothing_older(w: World, back: float) -> None:
    await asked(w)
    await later(w, DAY)
    w.clock.pass_time(-back)
    w.start()
    await later(w, 2 * DAY - HOUR)
    assert not w.repository.runs
    await later(w, back if back < DAY else 0)
    await later(w, DAY + 3 * HOUR)
    assert w.repository.runs


async def test_the_age_counts_from_before_a_restart_and_before_the_request(w: World) -> None:
    await asked(w)
    await later(w, DAY)
    await w.say(WEI, "/cancel #1")
    await later(w, DAY)
    w.start()
    await asked(w)
    assert "waits until 2026-03-04 12:00" in w.card
    w.start()
    await later(w, DAY + HOUR)
    assert w.repository.runs


async def test_an_admin_lets_it_go_on_with_a_reason_that_is_kept(w: World) -> None:
    await asked(w)
    await w.say(ANA, "/approve #1")
    await w.settle(3)
    assert "I keep the reason" in w.last
    await w.say(LI, "/approve #1 now")
    await w.settle(3)
    assert not w.repository.runs
    await w.say(ANA, "/approve #1 a fix for an attack that is under way")
    await w.settle(20)
    assert w.repository.runs
    reasons = {d.reason for d in await decisions(w) if d.person == ANA.id}
    assert reasons == {"a fix for an attack that is under way"}


async def test_the_key_of_a_card_is_no_reason(w: World) -> None:
    await asked(w)
    async with w.store.begin() as unit:
        request = await unit.request(RequestId(1))
    assert request is not None
    await w.say(ANA, f"/approve #1 {request.version}")
    await w.settle(6)
    assert "I keep the reason" in w.last
    assert not await decisions(w)


async def test_a_reason_counts_for_the_digest_that_was_shown_alone(w: World) -> None:
    await asked(w)
    w.registries.source[str(NGINX)] = digest_of("another")
    await w.say(ANA, "/approve #1 urgent security fix")
    await w.settle(20)
    assert (await only(w)).is_held
    assert not w.repository.runs


async def test_a_digest_that_the_card_has_not_shown_is_not_let_go_on(w: World) -> None:
    await asked(w)
    changed = replace(await only(w), digest=digest_of("another"))
    async with w.store.begin() as unit:
        await unit.save_transfer(changed)  # the card is not edited yet
    await w.say(ANA, "/approve #1 urgent")
    await w.settle(1)
    assert not await decisions(w)


async def test_a_rule_that_denies_meanwhile_ends_it(w: World) -> None:
    await asked(w)
    w.policy = replace(POLICY, rules=(Rule("**", Verdict.DENY, "not this one"),))
    w.start()
    await later(w, 2 * HOUR)
    assert (await only(w)).state is State.REJECTED


async def test_a_rule_that_waits_since_the_approval_holds_the_commit(w: World) -> None:
    w.policy = replace(POLICY, rules=(Rule("**", Verdict.ASK),))
    w.start()
    await asked(w)
    w.policy = WAITING
    w.start()
    await w.press(ANA, "approve:1")
    await w.settle(20)
    assert (await only(w)).is_held
    assert not w.repository.runs


async def test_an_outage_at_the_end_of_the_wait_is_waited_out(w: World) -> None:
    await asked(w)
    digest = w.registries.source[str(NGINX)]
    await later(w, 2.9 * DAY)
    w.registries.source[str(NGINX)] = TransientError("down")
    await later(w, 12 * HOUR)
    assert (await only(w)).state is State.CHECKING
    w.registries.source[str(NGINX)] = digest
    await later(w, HOUR)
    assert w.repository.runs


async def test_no_commit_of_others_waits_for_it(w: World) -> None:
    w.policy = replace(WAITING, rules=(WAITING.rules[0], Rule("**", Verdict.APPROVE)))
    w.start()
    await asked(w, f"/mirror nginx:1.27 {STATIC}")
    assert [str(STATIC) in w.repository.content.decode()] == [True]


async def test_what_is_listed_waits_since_its_first_look(tmp_path: Path) -> None:
    async with world(tmp_path, WAITING, plan=fresh_plan(floating=6)) as w:
        w.upstream(NGINX)
        w.registries.target[str(NGINX)] = digest_of(str(NGINX))
        w.repository.content = f"{NGINX}\n".encode()
        await later(w, DAY)
        w.registries.source[str(NGINX)] = digest_of("another")
        await later(w, 2 * DAY)
        assert not w.repository.runs
        await w.say(WEI, "/mirror nginx:1.27")
        await w.settle(6)
        assert "waits until" in w.card
        await w.say(WEI, "/cancel #1", chat=GROUP)
        await later(w, 2 * DAY)
        assert w.repository.runs
