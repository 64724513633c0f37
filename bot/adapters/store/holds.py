"""Queries for holds. No hold is ever deleted."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.adapters.store.rows import Rows, fields_of
from bot.adapters.store.schema import holds
from bot.core.hold import Hold


class HoldQueries(Rows):
    """Adds, reads and lifts holds."""

    async def holds(self) -> Sequence[Hold]:
        standing = select(holds).where(holds.c.lifted_at.is_(None)).order_by(holds.c.id)
        return [Hold(**row) for row in await self._all(standing)]

    async def add_hold(self, hold: Hold) -> None:
        row = fields_of(hold)
        del row["id"]
        await self._add(holds, row)

    async def save_hold(self, hold: Hold) -> None:
        await self._upsert(holds, fields_of(hold))
