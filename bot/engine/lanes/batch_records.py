"""Stores a batch after a step, and when a step that could not be done is tried again."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.core.batch import Batch, Via
from bot.core.errors import TransientError
from bot.core.transfer import State, Transfer
from bot.engine.ports.looks import LooksInRuns
from bot.engine.ports.store import Batches, ManyTransfers, Store

log = logging.getLogger(__name__)


class RecordsUnit(Batches, ManyTransfers, LooksInRuns, Protocol):
    """What is read and written here."""


async def save_batch(store: Store[Batches], batch: Batch) -> Batch:
    """Store the batch, without its trouble where it has no retry to wait for. Returns it."""
    kept = replace(batch, trouble=None) if batch.not_before is None else batch
    async with store.begin() as unit:
        await unit.save_batch(kept)
    return kept


async def postpone_batch(
    store: Store[RecordsUnit], batch: Batch, trouble: TransientError, now: datetime
) -> None:
    """Store a later try, and the trouble for the cards of the images."""
    log.warning("batch %s: %s", batch.id, trouble)
    async with store.begin() as unit:
        current = next((b for b in await unit.open_batches() if b.id == batch.id), None)
        if current is None:
            return
        tried = replace(current, attempts=batch.attempts)
        later = tried.troubled(now, trouble.trouble, seed=batch.id, retry_after=trouble.retry_after)
        await unit.save_batch(later)
        waiting = (State.SUBMITTED, State.COPYING, State.CHECKING)
        shown = [
            replace(transfer, trouble=later.trouble, attempts=later.attempts)
            for transfer in await _transfers(unit, batch)
            if transfer.state in waiting
        ]
        if batch.via is Via.LOOK:  # they have a time of their own
            shown = [replace(transfer, not_before=later.not_before) for transfer in shown]
        await unit.save_transfers(shown)


async def _transfers(unit: RecordsUnit, batch: Batch) -> Sequence[Transfer]:
    """Those that go with the batch, or wait for what it looks at."""
    if batch.via is not Via.LOOK:
        return await unit.transfers_in(batch.id)
    looks = await unit.looks_in(batch.id)
    there = await unit.transfers([t for look in looks if (t := look.transfer) is not None])
    return list(there.values())
