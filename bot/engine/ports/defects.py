"""The part of the store that holds defects, and the copies that show them. See core/defect.py."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.core.defect import SeenDefect
from bot.core.transfer import Transfer


class Defects(Protocol):
    async def defects(self) -> Mapping[str, SeenDefect]:
        """All that are stored, by their keys."""

    async def save_defect(self, defect: SeenDefect) -> None:
        """Store it in place of the one before with its key."""

    async def drop_defect(self, key: str) -> None:
        """Forget it."""

    async def last_copies(self, *, limit: int) -> Sequence[Transfer]:
        """At most `limit` transfers whose copy succeeded or failed, the latest first."""
