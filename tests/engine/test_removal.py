"""/remove: admins are asked, and a commit takes the image's lines out of image.list, or nothing."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import (
    ANA,
    GROUP,
    LI,
    NGINX,
    POLICY,
    STATIC,
    WEI,
    World,
    digest_of,
    fresh_plan,
    world,
)

from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError, StaleError, TransientError
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer
from bot.engine.ports.repository import WorkflowState

ROOMY = replace(POLICY, open_limit=999, daily_limit=999, request_limit=999)
LIST = b"# wei's\r\nredis:7\r\nnginx:1.27  # web\r\n\xff\r\ndocker.io/library/nginx:1.27\r\nbusybox"
WITHOUT = b"# wei's\r\nredis:7\r\n\xff\r\nbusybox"


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY, plan=fresh_plan(version=6)) as made:
        made.repository.content = LIST
        yield made


async def removals(w: World) -> list[Transfer]:
    async with w.store.begin() as unit:
        found = [await unit.transfers_of(request) for request in range(1, 9)]  # type: ignore[arg-type]
    return [each for of in found for each in of if each.is_removal]


async def decisions(w: World, image: ImageRef = NGINX) -> list[Decision]:
    async with w.store.begin() as unit:
        return list(await unit.newest_decisions(about=image, limit=50))


async def asked(w: World, image: ImageRef = NGINX) -> None:
    await w.say(WEI, f"/remove {image}")
    await w.settle(4)


async def approved(w: World, number: int = 1) -> None:
    await asked(w)
    await w.press(ANA, f"approve:{number}")
    await w.settle(20)


async def test_a_member_asks_and_an_admin_takes_the_lines_out_with_one_commit(w: World) -> None:
    await asked(w)
    assert "leave image.list" in w.last
    assert w.repository.content == LIST
    await w.press(ANA, "approve:1")
    await w.settle(20)
    assert w.repository.content == WITHOUT
    ((_, message),) = w.repository.commits
    block = r"Batch: \w+\nTime: \S+\nRemoved: \S+; asked p:\w{8}; approved p:\w{8}\nSeal: \w{64}"
    assert re.fullmatch(rf"Remove {re.escape(str(NGINX))}\n\n{block}\n", message)
    assert w.last.startswith("Out of image.list")
    (done,) = await removals(w)
    assert (done.state, done.approved_by) == (State.REMOVED, ANA.id)
    (kept,) = await decisions(w)
    assert (kept.ground, kept.verdict, kept.person) == (Ground.REMOVAL, Verdict.APPROVE, ANA.id)
    async with w.store.begin() as unit:
        assert await unit.open_batches() == []
        assert not await unit.is_tracked(NGINX)
    await w.settle(60, step=6)
    assert (len(w.repository.commits), w.repository.dispatched) == (1, [])


async def test_an_admin_decides_on_the_own_question_by_the_same_press(w: World) -> None:
    await w.say(ANA, "/remove nginx:1.27")
    await w.settle(4)
    assert w.repository.commits == []
    await w.press(ANA, "approve:1")
    await w.settle(20)
    assert w.repository.content == WITHOUT


async def test_a_member_cannot_decide_and_a_rejection_changes_nothing(w: World) -> None:
    await asked(w)
    await w.press(LI, "approve:1")
    await w.settle(8)
    assert (await removals(w))[0].state is State.WAITING
    await w.press(ANA, "reject:1")
    await w.settle(8)
    assert (await removals(w))[0].state is State.REJECTED
    assert w.last.startswith("Still in image.list")
    assert "/remove" in w.last
    assert (w.repository.content, w.repository.commits) == (LIST, [])
    await w.say(WEI, "/retry #1")
    await w.settle(4)
    assert "nothing in #1 to retry" in w.last


async def test_what_is_not_listed_is_said_with_what_is(w: World) -> None:
    await asked(w, STATIC)
    assert f"<code>{STATIC}</code> is not in image.list." in w.last
    await asked(w, ImageRef.parse("nginx:1.26"))
    assert f"It has {NGINX}.\n" in w.last
    assert await removals(w) == []


async def test_two_who_ask_share_one_question_and_both_are_told(w: World) -> None:
    await asked(w)
    await w.say(LI, "/remove docker.io/library/nginx:1.27")
    await w.settle(4)
    assert len({each.id for each in await removals(w)}) == 1
    await w.press(ANA, "approve:2")
    await w.settle(20)
    assert sum(text.startswith("Out of image.list") for text in w.chat.texts) == 2


async def test_it_waits_for_open_transfers_of_the_image_and_later_ones_wait_for_it(
    w: World,
) -> None:
    w.registries.source[str(NGINX)] = TransientError("no answer")
    await w.say(LI, "/mirror nginx:1.27")
    await approved(w, 2)
    assert (await removals(w))[0].state is State.APPROVED
    assert "after open requests for it" in w.chat.texts[-1]
    w.registries.source[str(NGINX)] = digest_of("new")
    await w.settle(400, step=8)
    assert (await w.newest(NGINX)).state is State.COPYING
    assert (await removals(w))[0].state is State.APPROVED
    await w.arrive(NGINX, digest_of("new"))
    await w.settle(20)
    assert w.repository.content == WITHOUT


async def test_a_later_request_puts_the_line_back_after_the_removal(w: World) -> None:
    await asked(w)
    w.upstream(NGINX)
    await w.press(ANA, "approve:1")
    w.clock.pass_time(1)
    await w.say(LI, "/mirror nginx:1.27")
    await w.settle(60)
    assert [m.partition(" ")[0] for _, m in w.repository.commits] == ["Remove", "Mirror"]
    assert w.repository.content == WITHOUT + b"\r\n" + str(NGINX).encode() + b"\r\n"


async def test_what_is_kept_fresh_and_watched_ends_and_that_is_said(w: World) -> None:
    w.repository.content = b"gcr.io/distroless/static:nonroot\n"
    w.upstream(STATIC)
    await w.settle(20)
    await w.say(LI, f"/watch {STATIC}")
    async with w.store.begin() as unit:
        await unit.keep_decision(
            Decision(
                request=None,
                transfer=99,  # type: ignore[arg-type]
                image=STATIC,
                digest=digest_of("old"),
                verdict=Verdict.APPROVE,
                ground=Ground.KEPT,
                person=ANA.id,
                at=w.clock() - timedelta(days=9),
            )
        )
    await asked(w, STATIC)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    newest = (await decisions(w, STATIC))[0]
    assert (newest.ground, newest.verdict, newest.person) == (Ground.KEPT, Verdict.DENY, ANA.id)
    async with w.store.begin() as unit:
        assert await unit.watches_of(LI.id) == []
        assert not await unit.is_tracked(STATIC)
    assert any("I no longer tell you of its updates" in text for text in w.chat.texts)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("write_list", StaleError("changed")),
        ("write_list", TransientError("502")),
        ("read_list", TransientError("502")),
        ("find_commit", TransientError("502")),
    ],
)
async def test_trouble_delays_it_and_loses_nothing(w: World, call: str, fault: Exception) -> None:
    await asked(w)
    w.repository.trouble[call] = [fault]
    await w.press(ANA, "approve:1")
    await w.settle(60)
    assert w.repository.content == WITHOUT
    assert len(w.repository.commits) == 1


async def test_a_lost_answer_repeats_nothing_and_a_line_that_people_took_needs_none(
    w: World,
) -> None:
    w.repository.lost["write_list"] = [TransientError("502")]
    await approved(w)
    w.start()
    await w.settle(60)
    assert len(w.repository.commits) == 1
    assert (await removals(w))[0].state is State.REMOVED
    w.repository.content = LIST
    await asked(w)
    w.repository.content = b"busybox"
    await w.press(ANA, "approve:2")
    await w.settle(20)
    assert (await removals(w))[1].state is State.REMOVED
    assert len(w.repository.commits) == 1


async def test_what_github_refuses_is_said_and_the_line_stays(w: World) -> None:
    w.repository.trouble["write_list"] = [RefusedError("branch is protected")]
    await approved(w)
    assert (await removals(w))[0].state is State.FAILED
    assert w.last.startswith("Still in image.list")
    assert w.repository.content == LIST


async def test_no_workflow_is_needed_and_one_that_differs_holds_it(w: World) -> None:
    w.repository.state = WorkflowState.DIFFERS
    await approved(w)
    assert w.repository.content == LIST
    w.repository.state = WorkflowState.OFF
    await w.settle(120)
    assert w.repository.content == WITHOUT


async def test_who_is_no_admin_any_more_removes_nothing(w: World) -> None:
    w.repository.state = WorkflowState.DIFFERS
    await approved(w)
    w.admins = frozenset({LI.id})
    w.start()
    w.repository.state = WorkflowState.ACTIVE
    await w.settle(120)
    assert (await removals(w))[0].state is State.WAITING
    assert w.repository.content == LIST


async def test_nothing_asks_whether_it_was_read_and_history_says_who(w: World) -> None:
    w.repository.trouble["read_list"] = [TransientError("502", retry_after=60)]
    await w.say(WEI, "/remove nginx:1.27")
    await w.settle(90)
    assert "I could not read image.list" in w.last
    w.start()
    await approved(w)
    await w.say(ANA, "/history")
    await w.settle(4)
    assert "took out of image.list" in w.last
    await w.say(ANA, "/why nginx:1.27")
    await w.settle(4)
    assert "took out of image.list" in w.last
    assert GROUP in {said.place.chat for said in w.chat.messages.values()}
