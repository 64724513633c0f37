"""What all lanes share: how a tick ends, how one item fails alone, and how an event is stored.

A lane reads what is open, does what is due outside of any transaction, and stores the outcome in
one. Between reading and storing a person may have decided otherwise. The table of transitions then
refuses the event, and the person's decision stands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from itertools import islice
from typing import Final, Protocol, TypeVar

from bot.core.errors import TransientError
from bot.core.events import Event
from bot.core.ids import TransferId
from bot.core.transfer import Transfer, advance
from bot.engine.changes import BUG, log_change
from bot.engine.decided import DecidedUnit, decided
from bot.engine.ports.store import ManyTransfers, Store, Transfers
from bot.engine.shutdown import Stopped

log = logging.getLogger(__name__)
T = TypeVar("T")

TRANSFERS_PER_TRANSACTION: Final = 20


class TickResult(IntEnum):
    """How a tick ended. Of several results the greatest counts."""

    IDLE = 0
    """Nothing is open."""
    OPEN = 1
    """Something is open, and nothing is due yet."""
    SOON = 2
    """As OPEN, but a person waits for the next step, so it must not be late."""
    CHANGED = 3
    """Something changed: the other lanes should tick at once."""


@contextmanager
def guarded(what: object) -> Iterator[None]:
    """Log what an item raises, so that the other items of its lane are still handled.

    Re-raises TransientError: here it can only come from the store, so no item could be stored.
    """
    try:
        yield
    except TransientError:
        raise
    except Exception:
        log.exception("%.80s: failed, skipped in this tick. %s", what, BUG)


async def attempt(what: object, *ways: Callable[[], Awaitable[T]]) -> T | None:
    """Call these functions in turn until one does not raise, and return its result.

    None where all raise: the item waits for the next tick. Raises TransientError as `guarded` does.
    """
    for way in ways:
        with guarded(what):
            return await way()
    return None


class Lane(Protocol):
    async def tick(self, stopped: Stopped = ...) -> TickResult:
        """Take the steps that are due, until there are none or `stopped` returns True."""


class RecordUnit(Transfers, DecidedUnit, Protocol):
    """What is needed to store one event."""


async def record(store: Store[RecordUnit], transfer: TransferId, event: Event) -> bool:
    """Store the event in its own transaction. False if the transfer's state does not allow it.

    A decision that it makes is kept in the same transaction.
    """
    async with store.begin() as unit:
        return await record_in(unit, transfer, event)


async def record_in(unit: RecordUnit, transfer: TransferId, event: Event) -> bool:
    current = await unit.transfer(transfer)
    after = advance(current, event) if current is not None else None
    if after is None:
        return False
    assert current is not None  # noqa: S101 - as there is one after it
    await unit.save_transfer(after)
    log_change(current, after)
    await decided(unit, after, event)
    return True


async def record_all(store: Store[ManyTransfers], events: Mapping[TransferId, Event]) -> None:
    """Store many independent events, a few per transaction, since intake waits for each."""
    waiting = iter(events.items())
    while portion := dict(islice(waiting, TRANSFERS_PER_TRANSACTION)):
        async with store.begin() as unit:
            await record_all_in(unit, portion)


async def record_all_in(unit: ManyTransfers, events: Mapping[TransferId, Event]) -> None:
    """Store many events in a few queries. Those that come too late are left out."""
    found = await unit.transfers(events.keys())
    moved = [(each, advance(each, events[number])) for number, each in found.items()]
    await unit.save_transfers([after for _, after in moved if after is not None])
    for before, after in moved:
        if after is not None:
            log_change(before, after)


async def postpone(store: Store[Transfers], transfer: Transfer, later: Transfer) -> None:
    """Store when the transfer is tried again, unless it has changed meanwhile."""
    async with store.begin() as unit:
        current = await unit.transfer(transfer.id)
        if current == transfer:
            await unit.save_transfer(later)


async def each(step: Callable[[T], Awaitable[bool]], items: Sequence[T], stopped: Stopped) -> bool:
    """Take a step with every item, even where others raise. True if one sent something."""
    sent = False
    for item in items:
        if stopped():
            break
        with guarded(item):
            sent = await step(item) or sent
        await asyncio.sleep(0)  # rendering a message takes a while: let others run in between
    return sent
