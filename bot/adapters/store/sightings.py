"""Queries for when digests were first seen at their sources."""

from datetime import datetime

from sqlalchemy import bindparam, select

from bot.adapters.store.rows import Rows, fields_of
from bot.adapters.store.schema_follow import sightings
from bot.core.image import ImageRef
from bot.core.sighting import Sighting


class SightingQueries(Rows):
    """Implements engine/ports/sightings.py."""

    async def saw(self, image: ImageRef, digest: str, now: datetime) -> Sighting:
        first = Sighting(image=image.place, digest=digest, since=now, at=now)
        seen = (await self.last_sighting(image) or first).after_look(digest, now)
        await self._upsert(sightings, fields_of(seen))
        return seen

    async def last_sighting(self, image: ImageRef) -> Sighting | None:
        row = await self._one(_OF_IMAGE, image=image.place)
        return None if row is None else Sighting(**row)


_OF_IMAGE = select(sightings).where(sightings.c.image == bindparam("image"))
