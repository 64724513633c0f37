"""The part of the store that holds when digests were first seen at their sources."""

from datetime import datetime
from typing import Protocol

from bot.core.image import ImageRef
from bot.core.sighting import Sighting


class Sightings(Protocol):
    async def saw(self, image: ImageRef, digest: str, now: datetime) -> Sighting:
        """Store that the image's name and tag has this digest at its source now."""


class LastSightings(Protocol):
    async def last_sighting(self, image: ImageRef) -> Sighting | None:
        """What the last look found under the image's name and tag."""
