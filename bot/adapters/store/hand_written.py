"""Queries for the lines of image.list that were written by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, bindparam, delete, insert, select, union

from bot.adapters.store.offers import IS_COPY
from bot.adapters.store.rows import Rows
from bot.adapters.store.schema import decisions, transfers
from bot.adapters.store.schema_told import told_lines
from bot.core.decision import Ground, Verdict
from bot.core.image import ImageRef


class HandWrittenQueries(Rows):
    """Implements engine/ports/hand_written.py."""

    async def told_lines(self) -> set[str]:
        return {str(row["name"]) for row in await self._all(_TOLD)}

    async def save_told_lines(self, images: Collection[ImageRef], at: datetime) -> None:
        rows = [{"name": str(image), "at": at} for image in images]
        await self._connection.execute(insert(told_lines), rows)

    async def drop_told_lines(self, names: Collection[str]) -> None:
        await self._connection.execute(_LEFT, {"names": names})

    async def decided_lines(self, images: Sequence[ImageRef]) -> set[ImageRef]:
        names = sorted({f"{image.registry}/{image.repository}" for image in images})
        found = await self._connection.execute(_decided(), {"images": images, "names": names})
        return set(found.scalars())


# -- the statements, built once: to build one takes longer than to run it

_TOLD = select(told_lines.c.name)
_LEFT = delete(told_lines).where(told_lines.c.name.in_(bindparam("names", expanding=True)))


@cache
def _decided() -> CompoundSelect[Any]:
    images: BindParameter[Any] = bindparam("images", expanding=True)
    names: BindParameter[Any] = bindparam("names", expanding=True)
    kept = select(decisions.c.image).where(
        decisions.c.name.in_(names),
        decisions.c.image.in_(images),
        decisions.c.verdict == Verdict.APPROVE,
        decisions.c.ground != Ground.REMOVAL,
    )
    approved = select(transfers.c.image).where(
        transfers.c.image.in_(images), transfers.c.approved_at.is_not(None), IS_COPY
    )
    return union(kept, approved)
