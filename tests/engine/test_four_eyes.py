"""Rules that ask for several admins, for certain ones, or for another than the one who asked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, LI, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.approvals import Approvals
from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import ChatId, RequestId
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule
from bot.core.transfer import State, Transfer

OTHER = ImageRef.parse("gcr.io/distroless/base:nonroot")


def asking(**needs: object) -> Policy:
    approvals = Approvals(**needs)  # type: ignore[arg-type]
    return replace(POLICY, rules=(Rule("**", Verdict.ASK, approvals=approvals),))


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, asking(count=2)) as here:
        here.admins |= {LI.id}
        here.start()
        yield here


async def asked(w: World, *images: ImageRef) -> None:
    w.upstream(*images)
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(6)


async def state(w: World, number: int = 0) -> State:
    return (await transfers(w))[number].state


async def transfers(w: World) -> tuple[Transfer, ...]:
    async with w.store.begin() as unit:
        return await unit.transfers_of(RequestId(1))


async def decisions(w: World) -> list[Decision]:
    async with w.store.begin() as unit:
        return list(await unit.decisions_of("gcr.io", "distroless/static", limit=9))


async def test_two_admins_have_to_approve_and_the_card_shows_the_first(w: World) -> None:
    await asked(w, STATIC)
    assert "waits for 2 admins" in w.card
    assert await w.press(ANA, "✅ Approve") == (
        "Your approval counts for gcr.io/distroless/static:nonroot. One more admin has to approve."
    )
    await w.settle(4)
    assert "1 of 2: Ana" in w.card
    assert "Who can approve" not in w.card  # Li has not written yet
    assert await state(w) is State.WAITING
    assert "You have approved" in await w.press(ANA, "✅ Approve")
    assert await state(w) is State.WAITING
    assert "已批准 1 个镜像" in await w.press(LI, "✅ Approve")
    await w.settle(4)
    assert await state(w) is not State.WAITING
    assert "\nApproved by Ana, Li." in w.card
    assert {d.person for d in await decisions(w)} == {ANA.id, LI.id}


async def test_a_restart_forgets_no_approval(w: World) -> None:
    await asked(w, STATIC)
    await w.press(ANA, "✅ Approve")
    w.start()
    await w.settle(4)
    await w.press(LI, "✅ Approve")
    assert await state(w) is State.APPROVED


async def test_a_typed_approval_counts_as_a_press(w: World) -> None:
    await asked(w, STATIC)
    await w.say(ANA, "/approve #1")
    await w.settle(4)
    assert any("One more admin has to approve." in text for text in w.chat.texts)
    await w.say(LI, "/approve #1")
    assert await state(w) is State.APPROVED


async def test_a_rejection_by_one_admin_is_enough(w: World) -> None:
    await asked(w, STATIC)
    await w.press(ANA, "✅ Approve")
    await w.press(LI, "❌ Reject")
    assert await state(w) is State.REJECTED


async def test_approvals_of_some_of_the_images_are_told_apart(w: World) -> None:
    await asked(w, STATIC, OTHER)
    await w.press(ANA, "Choose")
    await w.settle(4)
    await w.press(ANA, "☑️ gcr.io/distroless/base")
    await w.settle(4)
    await w.press(ANA, "Approve 1 image")
    await w.settle(4)
    assert "1 of 2: Ana" in w.card
    assert "waits for 2 admins" in w.card
    answer = await w.press(LI, "✅ Approve")
    assert "已批准 1 个镜像" in answer
    assert "还要 1 位管理员" in answer
    assert [await state(w, 0), await state(w, 1)] == [State.APPROVED, State.WAITING]


async def test_a_run_of_tags_says_that_its_approvals_differ(w: World) -> None:
    images = [ImageRef.parse(f"gcr.io/stefan/podinfo:6.8.{n}") for n in range(1, 5)]
    await asked(w, *images)
    await w.press(WEI, "all:1")
    await w.settle(6)
    await w.press(ANA, "Choose")
    await w.settle(4)
    await w.press(ANA, "☑️ gcr.io/stefan/podinfo:6.8.1")
    await w.settle(4)
    await w.press(ANA, "Approve these 3")
    await w.settle(4)
    assert "not all are approved by the same admins" in w.card


async def test_nobody_approves_alone_what_they_asked_for_alone(tmp_path: Path) -> None:
    async with world(tmp_path, asking(own=False)) as w:
        w.admins |= {LI.id}
        w.start()
        w.upstream(STATIC)
        await w.say(ANA, f"/mirror {STATIC}")
        await w.settle(6)
        answer = await w.press(ANA, "✅ Approve")
        assert answer == (
            "Nobody but you asked for gcr.io/distroless/static:nonroot,"
            " so another admin has to approve."
        )
        assert await decisions(w) == []
        await w.settle(4)
        assert "Who can approve" not in w.card
        await w.say(LI, "/status")
        await w.settle(4)
        assert "\nWho can approve: Li." in w.card
        await w.say(WEI, f"/mirror {STATIC}")
        await w.settle(6)
        await w.press(ANA, "approve:1")
        assert await state(w) is State.APPROVED


async def test_only_those_whom_the_rule_names_approve(tmp_path: Path) -> None:
    async with world(tmp_path, asking(by=frozenset({LI.id}))) as w:
        w.admins |= {LI.id}
        w.start()
        await asked(w, STATIC)
        await w.say(LI, "/status")
        assert await w.press(ANA, "✅ Approve") == (
            "Only Li can approve gcr.io/distroless/static:nonroot."
        )
        await w.settle(4)
        assert "\nWho can approve: Li." in w.card
        assert await state(w) is State.WAITING
        await w.press(LI, "✅ Approve")
        assert await state(w) is State.APPROVED


async def test_a_deny_rule_added_later_ends_what_waits_at_the_press(w: World) -> None:
    await asked(w, STATIC)
    w.policy = replace(w.policy, rules=(Rule("**", Verdict.DENY, "not any more"),))
    w.start()
    answer = await w.press(ANA, "✅ Approve")
    assert answer == (
        "The policy does not allow gcr.io/distroless/static:nonroot any more.\n"
        "Ask the maintainer if you need it: the policy is in my config."
    )
    (transfer,) = await transfers(w)
    assert (transfer.state, transfer.ground) == (State.REJECTED, Ground.RULE)


async def test_what_was_asked_in_private_is_decided_by_a_command_in_private_alone(
    w: World,
) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}", chat=ChatId(WEI.id))
    await w.settle(6)
    await w.say(ANA, "/approve #1")
    await w.settle(4)
    assert any("There is no request #1" in text for text in w.chat.texts)
    assert not any(digest_of(str(STATIC)) in text for text in w.chat.texts)
    assert await state(w) is State.WAITING
