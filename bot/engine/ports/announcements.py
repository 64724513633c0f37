"""The port of announcements: see core/announcement.py. Values as in store.py."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.announcement import Announcement
from bot.core.request import Request


class Announcements(Protocol):
    async def announcements(self) -> Sequence[Announcement]:
        """The last one of each chat where there was one."""

    async def save_announcement(self, announcement: Announcement) -> None:
        """Store it in place of the one before of its chat."""

    async def waiting_requests(self, *, limit: int) -> Sequence[Request]:
        """At most `limit` open requests in which an image waits for a decision."""
