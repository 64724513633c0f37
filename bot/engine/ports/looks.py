"""The part of the store that keeps looks by runs: see core/look.py."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.ids import BatchId
from bot.core.image import ImageRef
from bot.core.look import Look


class SavesLooks(Protocol):
    async def save_looks(self, looks: Collection[Look]) -> None:
        """Store new or changed looks. One at an image replaces the one before it."""


class AsksForLooks(SavesLooks, Protocol):
    async def looks_at(self, images: Collection[ImageRef]) -> Sequence[Look]:
        """The looks at these images, asked for or answered. At most one for each."""


class LooksInRuns(SavesLooks, Protocol):
    async def waiting_looks(self, now: datetime, *, limit: int) -> Sequence[Look]:
        """Looks that are due and in no batch, the oldest first."""

    async def looks_in(self, batch: BatchId) -> Sequence[Look]:
        """The looks that go with this batch and have no answer yet."""

    async def drop_looks(self, images: Collection[ImageRef], *, before: datetime) -> None:
        """Delete the looks at these images, and all that were answered before this time."""
