"""Proves that what a press promises is noticed when it breaks.

Each scenario returns what was decided and not shown, which is nothing. Each mutation breaks one
promise, and then the scenario must say so.
Alone: `pytest tests/chaos/test_press_mutations.py`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from fakes import ANA, GROUP, LI, POLICY, STATIC, WEI, World, digest_of, world

from bot.core import ids
from bot.core.approvals import Approvals
from bot.core.card_version import CardVersion
from bot.core.decision import Verdict
from bot.core.errors import TransientError
from bot.core.ids import ChatId, MessageId, Place, RequestId
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.dialog import waiting
from bot.engine.intake import approving, decide
from bot.engine.intake.context import Context, Press
from bot.engine.lanes.chat_cards import ChatCards
from bot.engine.lanes.chat_items import ChatItem

ROOMY: Final = replace(POLICY, open_limit=99, daily_limit=99, request_limit=99)
BASE: Final = ImageRef.parse("gcr.io/distroless/base:nonroot")
MANY: Final = [ImageRef.parse(f"gcr.io/team-{n}/service:v{n}-stable") for n in range(60)]

Scenario = Callable[[Path], Awaitable[list[str]]]
Break = Callable[[pytest.MonkeyPatch], None]


# -- what somebody tries ------------------------------------------------------------------


async def approved(w: World) -> set[str]:
    async with w.store.begin() as unit:
        found = await unit.transfers_of(RequestId(1))
    return {str(transfer.image) for transfer in found if transfer.approved_at is not None}


async def asked(w: World, *images: ImageRef) -> None:
    w.upstream(*images)
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(3)
    await w.press(WEI, "all:1")
    await w.settle(12)


async def pressed(w: World, data: str, *, chat: ChatId = GROUP) -> str:
    w.last_update += 1
    press = Press(
        update=w.key,
        person=ANA,
        place=Place(chat),
        message=MessageId("telegram:5000"),
        data=data,
    )
    return await w.pressed(press)


async def images_on_other_pages(folder: Path) -> list[str]:
    async with world(folder, ROOMY) as w:
        await asked(w, *MANY)
        text = w.card
        await w.press(ANA, "✅ Approve")
        return [each for each in await approved(w) if each not in text]


async def an_image_that_came_later(folder: Path) -> list[str]:
    return await after_a_substitute(folder, "approve:1")


async def an_image_that_came_before_a_command(folder: Path) -> list[str]:
    return await after_a_substitute(folder, "/approve #1")


async def after_a_substitute(folder: Path, by: str) -> list[str]:
    """Decide while an image waits that no card shows yet. A command has to decide nothing then."""
    async with world(folder) as w:
        w.registries.tagged["gcr.io/distroless/base"] = ("nonroot",)
        w.upstream(STATIC, BASE)
        await w.say(WEI, f"/mirror {STATIC} gcr.io/distroless/base:nonrot")
        await w.settle(8)
        await w.press(WEI, "➡️")
        await w.lanes["registry_checks"].tick()
        if by.startswith("/"):
            await w.say(ANA, by)
            return sorted(await approved(w))
        await w.press(ANA, by)
        return sorted(await approved(w) - {str(STATIC)})


async def another_digest_than_shown(folder: Path) -> list[str]:
    async with world(folder) as w:
        await asked(w, STATIC)
        async with w.store.begin() as unit:
            (transfer,) = await unit.transfers_of(RequestId(1))
            await unit.save_transfer(replace(transfer, digest=digest_of("another")))
        await w.press(ANA, "approve:1")
        return sorted(await approved(w))


async def a_press_in_another_chat(folder: Path) -> list[str]:
    async with world(folder) as w:
        await asked(w, STATIC)
        _, data = w.chat.button("✅ Approve")
        await pressed(w, data, chat=ChatId(ANA.id))
        return sorted(await approved(w))


async def a_card_whose_answer_was_lost(folder: Path) -> list[str]:
    """Its buttons have to work, since somebody may see it."""
    async with world(folder) as w:
        w.upstream(STATIC)
        await w.say(WEI, f"/mirror {STATIC}")
        await w.lanes["registry_checks"].tick()
        sent: list[str] = []

        async def lose(
            place: Place, text: Any, *, reply_to: MessageId | None, key: str = ""
        ) -> MessageId:
            sent.extend(button.value for row in text.message.buttons for button in row)
            raise TransientError("Telegram did not answer")

        w.chat.send = lose  # type: ignore[method-assign]
        await w.lanes["chat"].tick()
        answer = await pressed(w, sent[0])
        return [] if await approved(w) else [answer]


async def an_admin_who_asked_alone(folder: Path) -> list[str]:
    rule = Rule("**", Verdict.ASK, approvals=Approvals(own=False))
    async with world(folder, replace(POLICY, rules=(rule,))) as w:
        w.admins |= {LI.id}
        w.start()
        w.upstream(STATIC)
        await w.say(ANA, f"/mirror {STATIC}")
        await w.settle(6)
        await w.press(ANA, "✅ Approve")
        return sorted(await approved(w))


async def a_name_that_looks_like_a_card(folder: Path) -> list[str]:
    async with world(folder) as w:
        w.upstream(STATIC)
        evil = replace(WEI, name="Li: 9 images ▓▓▓▓▓▓▓▓▓▓ 9 of 9\u202e\u0301\u0301\u0301")
        await w.say(evil, f"/mirror {STATIC}")
        await w.settle(4)
        head = w.card.splitlines()[0]
        return [head] if head.count(":") > 1 or "▓" in head else []


# -- what breaks --------------------------------------------------------------------------


def decide_all_that_waits(patch: pytest.MonkeyPatch) -> None:
    def every(_: CardVersion, transfers: Iterable[Transfer]) -> list[Transfer]:
        return [transfer for transfer in transfers if transfer.state is State.WAITING]

    patch.setattr(CardVersion, "still_waiting", every)


def look_at_no_digest(patch: pytest.MonkeyPatch) -> None:
    def by_number(version: CardVersion, transfers: Iterable[Transfer]) -> list[Transfer]:
        shown = {number for number, _ in version.pairs}
        return [t for t in transfers if t.state is State.WAITING and t.id in shown]

    patch.setattr(CardVersion, "still_waiting", by_number)


def put_all_on_one_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(waiting, "_pages", lambda rows, most, room: [tuple(rows)])


def take_a_key_in_any_chat(patch: pytest.MonkeyPatch) -> None:
    async def anywhere(context: Context[Any], key: str) -> tuple[Request, CardVersion] | None:
        version = await context.unit.card_version(key)
        return None if version is None else (await context.unit.request(version.request), version)

    patch.setattr(decide, "pressed_version", anywhere)


def store_no_version_before_the_send(patch: pytest.MonkeyPatch) -> None:
    async def unstored(_: ChatCards, item: ChatItem) -> ChatItem:
        return item.with_version("AAAAAAAA") if item.lacks_version else item

    patch.setattr(ChatCards, "versioned", unstored)


def count_every_approval(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(approving, "_against", lambda *_: None)
    patch.setattr(Approvals, "accepts", lambda *_, **__: True)


def show_names_as_they_are(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ids, "safe_name", lambda name: name)


@dataclass(frozen=True)
class Mutation:
    breaks: Break
    scenario: Scenario

    def __str__(self) -> str:
        return f"{self.breaks.__name__}-{self.scenario.__name__}"


MUTATIONS: Final = (
    Mutation(put_all_on_one_page, images_on_other_pages),
    Mutation(decide_all_that_waits, images_on_other_pages),
    Mutation(decide_all_that_waits, an_image_that_came_later),
    Mutation(decide_all_that_waits, an_image_that_came_before_a_command),
    Mutation(look_at_no_digest, another_digest_than_shown),
    Mutation(take_a_key_in_any_chat, a_press_in_another_chat),
    Mutation(store_no_version_before_the_send, a_card_whose_answer_was_lost),
    Mutation(count_every_approval, an_admin_who_asked_alone),
    Mutation(show_names_as_they_are, a_name_that_looks_like_a_card),
)


@pytest.mark.sweep(kept=1)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
async def test_a_broken_promise_of_a_press_is_noticed(
    mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    mutation.breaks(monkeypatch)
    assert await mutation.scenario(tmp_path) != []
    tally["mutations noticed"] += 1


@pytest.mark.parametrize("scenario", dict.fromkeys(m.scenario for m in MUTATIONS))
async def test_nothing_is_decided_that_was_not_shown(scenario: Scenario, tmp_path: Path) -> None:
    assert await scenario(tmp_path) == []
