"""The rate limit of messages, above all for updates that come again because the store failed.

Nobody may lose a message by that, or be counted twice.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import GROUP, MALLORY, POLICY, WEI, Clock, World, world

from bot.adapters.store import SqliteStore
from bot.adapters.store.unit import StoreUnit
from bot.core.errors import TransientError
from bot.core.ids import MessageId, Person, Place
from bot.engine.intake.context import Incoming, Press
from bot.engine.intake.rate_limit import (
    ANSWERS_TO_STRANGERS,
    RATE_WINDOW,
    UPDATES_REMEMBERED,
    RateLimit,
    RateVerdict,
)

STRICT = replace(POLICY, minute_limit=3)


@dataclass
class Full:
    """A store on a full disk: every transaction fails when it is committed."""

    store: SqliteStore
    full: bool = True

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        async with self.store.begin() as unit:
            yield unit
            if self.full:
                raise TransientError("the database: database or disk is full")


def messages(who: Person, number: int) -> list[Incoming]:
    return [
        Incoming(
            update=200 + position,
            person=who,
            place=Place(GROUP),
            message=MessageId(f"telegram:{50 + position}"),
            text="/whoami",
            sent_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for position in range(number)
    ]


async def take_all(w: World, waiting: Sequence[Incoming]) -> None:
    """Deliver as polling does: together, and then one by one up to the first that fails."""
    for incoming in [*waiting, waiting[0]]:
        with pytest.raises(TransientError):
            await w.intake.receive(incoming)
    w.clock.pass_time(5)


async def answers(
    folder: Path, who: Person, number: int, *, cycles: int
) -> list[tuple[MessageId | None, str]]:
    async with world(folder, STRICT) as w:
        store = Full(w.store)
        w.wired = lambda port: store if port is w.store else port  # type: ignore[method-assign]
        w.start()
        for _ in range(cycles):
            await take_all(w, messages(who, number))
        store.full = False
        for incoming in messages(who, number):
            await w.intake.receive(incoming)
        await w.settle(70, step=5)
        return [(said.reply_to, said.text) for said in w.chat.messages.values()]


@pytest.mark.parametrize("cycles", [1, 2, 5, 11, 20])
@pytest.mark.parametrize(("who", "number"), [(WEI, 1), (WEI, 3), (WEI, 6), (MALLORY, 6)])
async def test_a_message_that_could_not_be_stored_is_answered_as_on_any_other_day(
    who: Person, number: int, cycles: int, tmp_path: Path
) -> None:
    for name in ("usual", "late"):
        (tmp_path / name).mkdir()
    usual = await answers(tmp_path / "usual", who, number, cycles=0)
    late = await answers(tmp_path / "late", who, number, cycles=cycles)
    assert [reply_to for reply_to, _ in late] == [reply_to for reply_to, _ in usual]
    # After the outage, the wait named to somebody who is too fast may differ.
    assert late[:3] == usual[:3]
    assert len(usual) == min(number, 4 if who is WEI else ANSWERS_TO_STRANGERS)


async def test_a_press_that_could_not_be_stored_begins_what_it_begins_on_any_other_day(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, STRICT) as w:
        w.repository.content = b"".join(b"docker.io/a/b%d:1\n" % n for n in range(60))
        await w.say(WEI, "/list")
        await w.settle(3)
        (number,) = w.chat.messages
        press = Press(update=300, person=WEI, place=Place(GROUP), message=number, data="list:1:")
        store = Full(w.store)
        w.wired = lambda port: store if port is w.store else port  # type: ignore[method-assign]
        w.start()
        for _ in range(8):
            with pytest.raises(TransientError):
                await w.pressed(press)
        store.full = False
        assert await w.pressed(press) == ""
        async with w.store.begin() as unit:
            assert len(await unit.questions()) == 1


def test_an_update_is_counted_once_and_answered_as_it_was() -> None:
    allowance, clock = RateLimit(), Clock()

    def take(update: int) -> RateVerdict:
        return allowance.take(WEI.id, clock.now, most=1, update=update)

    once = [take(1), take(2), take(3)]
    assert once == [RateVerdict.ALLOWED, RateVerdict.TOLD_ONCE, RateVerdict.IGNORED]
    assert [take(1), take(2), take(3)] == once
    clock.now += RATE_WINDOW
    assert [take(1), take(2), take(3)] == once
    assert take(4) is RateVerdict.ALLOWED


def test_only_the_last_updates_are_remembered() -> None:
    allowance, clock = RateLimit(), Clock()
    for update in range(3 * UPDATES_REMEMBERED):
        allowance.take(WEI.id, clock.now, most=1, update=update)
    assert len(allowance._answers) == UPDATES_REMEMBERED
    assert 3 * UPDATES_REMEMBERED - 1 in allowance._answers
