"""The port by which old requests are deleted. Values as in store.py."""

from datetime import datetime
from typing import Protocol

from bot.engine.ports.store import Store


class Retention(Protocol):
    """Deletes what is older than the config wants to keep. Decisions stay."""

    async def delete_before(self, before: datetime, *, limit: int) -> int:
        """Delete requests that were closed before then, and what only they refer to.

        At most `limit` rows of each kind, the oldest first. Returns how many rows went: 0 where
        nothing is left to delete.
        """

    async def rebuild_index(self) -> None:
        """Rebuild the index that deletions leave half empty. Takes some 2 ms for 1,000 images."""

    async def give_back(self, pages: int) -> int:
        """Give up to so many unused pages of the file back to the disk. Returns how many."""


class Journal(Protocol):
    async def empty_journal(self) -> None:
        """Make sure that no deleted text stays in a journal beside the database."""


class RetentionStore(Store[Retention], Journal, Protocol):
    """What the lane of retention needs of a store."""
