"""Queries for defects, and for the copies that show them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from bot.adapters.store.rows import LIMIT, Rows, fields_of
from bot.adapters.store.schema import transfers
from bot.adapters.store.schema_told import defects
from bot.core.defect import SeenDefect
from bot.core.transfer import State, Transfer


class DefectQueries(Rows):
    """Implements engine/ports/defects.py."""

    async def defects(self) -> Mapping[str, SeenDefect]:
        return {row["key"]: SeenDefect(**row) for row in await self._all(_DEFECTS)}

    async def save_defect(self, defect: SeenDefect) -> None:
        await self._upsert(defects, fields_of(defect))

    async def drop_defect(self, key: str) -> None:
        await self._connection.execute(defects.delete().where(defects.c.key == key))

    async def last_copies(self, *, limit: int) -> Sequence[Transfer]:
        return await self._transfers(_LAST_COPIES, limit=limit)


# -- the statements, built once: to build one takes longer than to run it

_DEFECTS = select(defects)
_LAST_COPIES = (
    select(transfers)
    .where(
        transfers.c.ended_at.is_not(None),
        transfers.c.batch.is_not(None),
        transfers.c.ended.in_([State.MIRRORED, State.FAILED]),
    )
    .order_by(transfers.c.ended_at.desc())
    .limit(LIMIT)
)
