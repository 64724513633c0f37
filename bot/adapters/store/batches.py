"""Queries for batches, and for the transfers of each."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from bot.adapters.store.rows import Rows, fields_of
from bot.adapters.store.schema import batches, transfers
from bot.core.batch import Batch, Via
from bot.core.ids import BatchId
from bot.core.transfer import Transfer


class BatchQueries(Rows):
    """Reads and writes batches."""

    async def open_batches(self) -> Sequence[Batch]:
        return [Batch(**row) for row in await self._all(_OPEN_BATCHES)]

    async def save_batch(self, batch: Batch) -> None:
        await self._upsert(batches, fields_of(batch))

    async def batch(self, batch: BatchId) -> Batch | None:
        row = await self._one(_BATCH, batch=batch)
        return None if row is None else Batch(**row)

    async def last_batch_at(self, *, look: bool = False) -> datetime | None:
        rows = await self._connection.execute(_LAST_LOOKS if look else _LAST_BATCHES)
        return max((row.committed_at or row.opened_at for row in rows), default=None)

    async def transfers_in(self, batch: BatchId) -> tuple[Transfer, ...]:
        return tuple(await self._transfers(_TRANSFERS_IN, batch=batch))


# -- the statements, built once: to build one takes longer than to run it

_OPEN_BATCHES = select(batches).where(batches.c.closed_at.is_(None)).order_by(batches.c.opened_at)
_BATCH = select(batches).where(batches.c.id == bindparam("batch"))
_LAST = (
    select(batches.c.opened_at, batches.c.committed_at)
    .order_by(batches.c.opened_at.desc())
    .limit(2)
)
_LAST_BATCHES = _LAST.where(batches.c.via != Via.LOOK)
_LAST_LOOKS = _LAST.where(batches.c.via == Via.LOOK)
_TRANSFERS_IN = (
    select(transfers).where(transfers.c.batch == bindparam("batch")).order_by(transfers.c.id)
)
