"""Queries for looks by runs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select

from bot.adapters.store.rows import LIMIT, Rows, at_time, fields_of, in_time
from bot.adapters.store.schema_told import looks
from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.look import Look


class LookQueries(Rows):
    """Reads and writes looks."""

    async def looks_at(self, images: Collection[ImageRef]) -> Sequence[Look]:
        return [Look(**row) for row in await self._all(_OF_IMAGES, images=list(images))]

    async def save_looks(self, changed: Collection[Look]) -> None:
        for look in changed:
            await self._upsert(looks, fields_of(look))

    async def waiting_looks(self, now: datetime, *, limit: int) -> Sequence[Look]:
        return [Look(**row) for row in await self._all(_WAITING, **at_time(now), limit=limit)]

    async def looks_in(self, batch: BatchId) -> Sequence[Look]:
        return [Look(**row) for row in await self._all(_IN_BATCH, batch=batch)]

    async def drop_looks(self, images: Collection[ImageRef], *, before: datetime) -> None:
        old = looks.c.answered_at < before
        await self._connection.execute(
            delete(looks).where(or_(old, looks.c.image.in_(list(images))))
        )


# -- the statements, built once: to build one takes longer than to run it

_OPEN = looks.c.answered_at.is_(None)
_OF_IMAGES = select(looks).where(looks.c.image.in_(bindparam("images", expanding=True)))
_WAITING = (
    select(looks)
    .where(_OPEN, looks.c.batch.is_(None), in_time(looks.c.not_before))
    .order_by(looks.c.asked_at, looks.c.image)
    .limit(LIMIT)
)
_IN_BATCH = select(looks).where(_OPEN, looks.c.batch == bindparam("batch")).order_by(looks.c.image)
