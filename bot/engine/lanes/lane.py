"""What the lanes of the reconciler share: how a tick ends, and how an event is stored.

A lane looks at what is open, does what is owed outside a transaction, and stores what came of
it in one. Between the look and the store a person may have decided otherwise: the table then
refuses the event, and the person wins.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from itertools import islice
from typing import Final, Protocol, TypeVar

from bot.core.errors import TransientError
from bot.core.events import Event
from bot.core.ids import TransferId
from bot.core.transfer import Transfer, advance
from bot.engine.ports.store import ManyTransfers, Store, Transfers
from bot.engine.shutdown import Stopped

log = logging.getLogger(__name__)
T = TypeVar("T")

TRANSFERS_PER_TRANSACTION: Final = 20


class TickResult(IntEnum):
    """How a tick ended; the greater one wins where several come together."""

    IDLE = 0
    """Nothing is open."""
    OPEN = 1
    """Something is open, and its time has not come."""
    SOON = 2
    """The same, and somebody waits for what is looked at then."""
    CHANGED = 3
    """Something changed: whoever depends on it should look again."""


@contextmanager
def guarded(what: object) -> Iterator[None]:
    """One poisoned item is logged, and the rest of its lane goes on.

    TransientError passes: what a lane leaves of it is of the store, and then no item can be stored.
    """
    try:
        yield
    except TransientError:
        raise
    except Exception:
        log.exception("%.80s: passed over in this tick", what)


async def attempt(what: object, *ways: Callable[[], Awaitable[T]]) -> T | None:
    """What the first way brings that is not poisoned, each tried where the one before it was.

    None where all of them are: the item waits for the next tick, and the others go on.
    """
    for way in ways:
        with guarded(what):
            return await way()
    return None


class Lane(Protocol):
    async def tick(self, stopped: Stopped = ...) -> TickResult:
        """Take the steps that are owed, until there are none or `stopped` says so."""


async def record(store: Store[Transfers], transfer: TransferId, event: Event) -> bool:
    """Store the event in a transaction of its own; False where it came too late."""
    async with store.begin() as unit:
        return await record_in(unit, transfer, event)


async def record_in(unit: Transfers, transfer: TransferId, event: Event) -> bool:
    current = await unit.transfer(transfer)
    after = advance(current, event) if current is not None else None
    if after is None:
        return False
    await unit.save_transfer(after)
    return True


async def record_all(store: Store[ManyTransfers], events: Mapping[TransferId, Event]) -> None:
    """For many that do not belong together: in portions, since intake waits for a transaction."""
    waiting = iter(events.items())
    while portion := dict(islice(waiting, TRANSFERS_PER_TRANSACTION)):
        async with store.begin() as unit:
            await record_all_in(unit, portion)


async def record_all_in(unit: ManyTransfers, events: Mapping[TransferId, Event]) -> None:
    """The same for many, in a few queries; events that come too late are left out."""
    found = await unit.transfers(events.keys())
    moved = [advance(transfer, events[number]) for number, transfer in found.items()]
    await unit.save_transfers([transfer for transfer in moved if transfer is not None])


async def postpone(store: Store[Transfers], transfer: Transfer, later: Transfer) -> None:
    """Keep the later try of a transfer, unless it has moved on meanwhile."""
    async with store.begin() as unit:
        current = await unit.transfer(transfer.id)
        if current == transfer:
            await unit.save_transfer(later)
