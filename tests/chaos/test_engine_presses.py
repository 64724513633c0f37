"""Presses and kills: whatever a card showed when, a press decides that and nothing else.

The process is killed on both sides of each write and each send of a card. Then every button that a
message ever had is pressed, also those of messages whose answer was lost.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from engine_kills import Killer
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, GROUP, STATIC, WEI, digest_of
from gathering import plain
from invariants import violations

from bot.core.ids import MessageId, Place, RequestId
from bot.core.image import ImageRef
from bot.core.transfer import State
from bot.engine.intake.context import Press

BASE = ImageRef.parse("gcr.io/distroless/base:nonroot")
SENDS = ("add_card_version", "FakeChat: before", "FakeChat: after")
"""Parts of the names of kill points on both sides of what is stored and sent of a card."""


@dataclass(frozen=True)
class Shown:
    """A button that a message had, and the text that stood above it."""

    message: MessageId
    data: str
    text: str


def buttons_ever(w: ChaosWorld) -> list[Shown]:
    return [
        Shown(number, data, plain(said.text))
        for number, said in w.chat.messages.items()
        for data in dict.fromkeys(said.ever)
        if data.startswith("approve:")
    ]


async def asked(w: ChaosWorld) -> None:
    """One image waits, its card is shown, and then another image waits too."""
    w.registries.tagged["gcr.io/distroless/base"] = ("nonroot",)
    w.upstream(STATIC, BASE)
    names = (str(STATIC), "gcr.io/distroless/base:nonrot")
    await w.say(WEI, "/mirror " + " ".join(names), images=names)
    await w.settle(8)
    await w.press(WEI, "➡️")
    await w.settle(8)


async def pressed(w: ChaosWorld, shown: Shown) -> str:
    w.last_update += 1
    press = Press(
        update=w.key,
        person=ANA,
        place=Place(GROUP),
        message=shown.message,
        data=shown.data,
    )
    return await w.pressed(press)


async def waiting(w: ChaosWorld) -> set[str]:
    async with w.store.begin() as unit:
        found = await unit.transfers_of(RequestId(1))
    return {str(t.image) for t in found if t.state is State.WAITING}


@pytest.fixture
async def passed(tmp_path: Path) -> list[str]:
    """Return the points that the conversation passes without a kill."""
    killer = Killer()
    async with chaos_world(tmp_path, killer) as w:
        await asked(w)
    return killer.passed


async def test_a_kill_on_either_side_of_a_send_makes_no_press_decide_what_was_not_shown(
    passed: list[str], tmp_path: Path, tally: Counter[str]
) -> None:
    chosen = [n for n, point in enumerate(passed, 1) if any(part in point for part in SENDS)]
    assert len(chosen) > 8
    for number in chosen:
        async with chaos_world(tmp_path, Killer([number])) as w:
            await asked(w)
            tally["kill points"] += w.killer.kills
            first, *_ = buttons_ever(w)
            async with w.store.begin() as unit:
                version = await unit.card_version(first.data.removeprefix("approve:"))
            assert version is not None, "a card was sent before its version was stored"
            before = await waiting(w)
            await pressed(w, first)
            decided = before - await waiting(w)
            covered = {digest for _, digest in version.pairs}
            assert decided == {n for n in before if digest_of(n) in covered}, passed[number - 1]
            for each in buttons_ever(w):
                await pressed(w, each)
            await w.rest()
            assert violations(await w.evidence()) == [], passed[number - 1]
