"""/rollback: admins are asked to put back what a tag had before, and nothing undoes it unasked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, LI, NGINX, POLICY, STATIC, WEI, World, digest_of, fresh_plan, world

from bot.core.approvals import Approvals
from bot.core.decision import Decision, Ground, Verdict
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.transfer import State, Transfer

ROOMY = replace(POLICY, open_limit=999, daily_limit=999, request_limit=999)
OLD, NEW = digest_of("old"), digest_of("new")
HOUR = timedelta(hours=1)
PLAN = fresh_plan(version=6)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY, plan=PLAN) as made:
        yield made


async def mirrored(w: World, image: ImageRef, digest: str) -> None:
    w.upstream(image)
    w.registries.source[str(image)] = digest
    await w.say(WEI, f"/mirror {image}")
    await w.settle(20)
    await w.arrive(image, digest)


async def twice(w: World, image: ImageRef = NGINX) -> None:
    await mirrored(w, image, OLD)
    await mirrored(w, image, NEW)


async def decisions(w: World, transfer: Transfer) -> list[Decision]:
    async with w.store.begin() as unit:
        return list((await unit.decisions_on([transfer.id]))[transfer.id])


async def asked(w: World, image: ImageRef = NGINX) -> None:
    await w.say(WEI, f"/rollback {image}")
    await w.settle(4)


async def test_an_admin_is_asked_though_a_rule_approves_and_the_tag_gets_it_back(w: World) -> None:
    await twice(w)
    await asked(w)
    assert (await w.newest(NGINX)).state is State.WAITING
    assert f"back from <code>{NEW}</code> to <code>{OLD}</code>, waits" in w.last
    await w.press(ANA, "approve:3")
    await w.settle(20)
    assert f"{NGINX}@{OLD}; asked p:" in w.repository.blocks[-1]
    assert "approved rollback p:" in w.repository.blocks[-1]
    await w.arrive(NGINX, OLD)
    done = await w.newest(NGINX)
    assert (done.state, done.copied_digest) == (State.MIRRORED, OLD)
    kept = [(d.verdict, d.ground, d.digest, d.person) for d in await decisions(w, done)]
    assert kept == [
        (Verdict.APPROVE, Ground.ROLLBACK, OLD, ANA.id),
        (Verdict.DENY, Ground.ROLLBACK, NEW, ANA.id),
    ]


async def test_what_was_taken_out_does_not_come_back_unasked(w: World) -> None:
    await twice(w)
    await asked(w)
    await w.press(ANA, "approve:3")
    await w.settle(20)
    await w.arrive(NGINX, OLD)
    blocks = len(w.repository.blocks)
    for _ in range(20):
        await w.settle(9, step=3)
        w.clock.pass_time(3591)
    assert w.repository.blocks[blocks:] == []
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(8)
    assert (await w.newest(NGINX)).ground is Ground.REJECTED
    assert (await w.newest(NGINX)).state is State.WAITING


async def test_a_second_rollback_puts_the_newer_digest_back(w: World) -> None:
    await twice(w)
    for number, digest in ((3, OLD), (4, NEW)):
        await asked(w)
        await w.press(ANA, f"approve:{number}")
        await w.settle(20)
        await w.arrive(NGINX, digest)
        assert (await w.newest(NGINX)).copied_digest == digest


async def test_a_rollback_that_failed_is_not_retried_with_the_tag_of_today(w: World) -> None:
    await twice(w)
    await asked(w)
    await w.say(WEI, "/cancel #3")
    await w.say(WEI, "/retry #3")
    await w.settle(4)
    assert any("nothing in #3 to retry" in text for text in w.chat.texts)
    assert (await w.newest(NGINX)).state is State.CANCELLED


async def test_a_rejected_rollback_changes_nothing_at_the_target(w: World) -> None:
    await twice(w)
    await asked(w)
    await w.press(ANA, "reject:3")
    await w.settle(4)
    assert (await w.newest(NGINX)).state is State.REJECTED
    (kept,) = await decisions(w, await w.newest(NGINX))
    assert (kept.verdict, kept.ground) == (Verdict.DENY, Ground.PERSON)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"/rollback {STATIC}", "no digest that"),
        (f"/rollback {NGINX.registry}/{NGINX.repository}@{OLD}", "/rollback IMAGE"),
        ("/rollback docker.io/evil/miner:1", "known to be harmful"),
        (f"/rollback {NGINX}", "no digest that"),
    ],
)
async def test_what_cannot_be_put_back_is_answered(w: World, command: str, words: str) -> None:
    await mirrored(w, NGINX, OLD)
    await w.say(WEI, command)
    await w.settle(4)
    assert words in w.last


async def test_one_rollback_at_a_time(w: World) -> None:
    await twice(w)
    await asked(w)
    await asked(w)
    assert "under way already" in w.last


async def test_the_limits_of_a_person_hold(w: World) -> None:
    await twice(w)
    w.policy = replace(ROOMY, daily_limit=2)
    w.start()
    await asked(w)
    assert "2 images" in w.last or "a day" in w.last


# --- tried hard


THIRD = digest_of("third")


async def approved_by_one_of_two(w: World, image: ImageRef, digest: str, number: int) -> None:
    w.registries.source[str(image)] = digest
    await w.say(WEI, f"/mirror {image}")
    await w.settle(8)
    await w.press(ANA, f"approve:{number}")
    await w.say(WEI, f"/cancel #{number}")
    await w.settle(8)


async def test_no_digest_is_put_back_that_was_never_there(w: World) -> None:
    w.admins = {ANA.id, LI.id}
    two = Approvals(count=2, own=False)
    w.policy = replace(ROOMY, rules=(Rule("**", Verdict.ASK, approvals=two),))
    w.start()
    for number, digest in ((1, OLD), (3, NEW)):
        w.registries.source[str(NGINX)] = digest
        await w.say(WEI, f"/mirror {NGINX}")
        await w.settle(8)
        for admin in (ANA, LI):
            await w.press(admin, f"approve:{number}")
        await w.settle(20)
        await w.arrive(NGINX, digest)
        if digest == OLD:
            await approved_by_one_of_two(w, NGINX, THIRD, 2)
    await asked(w)
    assert f"back from <code>{NEW}</code> to <code>{OLD}</code>" in w.last


async def test_a_question_to_put_back_ends_when_the_tag_gets_another_digest(w: World) -> None:
    w.policy = replace(ROOMY, rules=(Rule("**", Verdict.ASK),))
    w.start()
    for number, digest in ((1, OLD), (2, NEW)):
        w.registries.source[str(NGINX)] = digest
        await w.say(WEI, f"/mirror {NGINX}")
        await w.settle(8)
        await w.press(ANA, f"approve:{number}")
        await w.settle(20)
        await w.arrive(NGINX, digest)
    third = NGINX.at(THIRD)
    w.registries.source[str(NGINX)] = w.registries.source[str(third)] = THIRD
    await w.say(LI, f"/mirror {third}")
    await w.settle(8)
    await asked(w)
    back = await w.newest(NGINX)
    assert (back.state, back.replaces) == (State.WAITING, NEW)
    await w.press(ANA, "approve:3")
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.REPLACED


async def test_nothing_is_put_back_while_another_digest_is_under_way(w: World) -> None:
    await twice(w)
    third = NGINX.at(THIRD)
    w.registries.source[str(NGINX)] = w.registries.source[str(third)] = THIRD
    await w.say(LI, f"/mirror {third}")
    await w.settle(20)
    assert (await w.newest(third)).state is State.COPYING
    await asked(w)
    assert "under way already" in w.last


async def test_an_admin_puts_nothing_back_alone_where_there_are_two(w: World) -> None:
    w.admins = {ANA.id, LI.id}
    w.policy = replace(ROOMY, rules=(Rule("**", Verdict.APPROVE, approvals=Approvals(own=False)),))
    w.start()
    await twice(w)
    await w.say(ANA, f"/rollback {NGINX}")
    await w.settle(4)
    await w.press(ANA, "approve:3")
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.WAITING
    await w.press(LI, "approve:3")
    await w.settle(20)
    assert (await w.newest(NGINX)).state is State.COPYING


async def test_who_watches_is_not_told_that_upstream_put_it_back(w: World) -> None:
    await twice(w)
    await w.say(LI, f"/watch {NGINX}")
    w.clock.pass_time(7 * 3600)
    await w.settle(60)
    await asked(w)
    await w.press(ANA, "approve:3")
    await w.settle(20)
    await w.arrive(NGINX, OLD)
    said = len(w.chat.texts)
    for _ in range(10):
        w.clock.pass_time(3600)
        await w.settle(30, step=3)
    assert not any("updated upstream" in text for text in w.chat.texts[said:])
