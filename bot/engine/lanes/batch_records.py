"""Stores a batch after a step, and when a step that could not be done is tried again."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.core.batch import Batch
from bot.core.errors import TransientError
from bot.core.transfer import State
from bot.engine.ports.store import Batches, ManyTransfers, Store

log = logging.getLogger(__name__)


class RecordsUnit(Batches, ManyTransfers, Protocol):
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
        waiting = (State.SUBMITTED, State.COPYING)
        shown = [
            replace(transfer, trouble=later.trouble, attempts=later.attempts)
            for transfer in await unit.transfers_in(batch.id)
            if transfer.state in waiting
        ]
        await unit.save_transfers(shown)
