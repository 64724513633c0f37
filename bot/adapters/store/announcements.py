"""Queries for announcements, and for the requests that they are about."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, exists, select

from bot.adapters.store.rows import LIMIT, Rows, fields_of, place_of, placed, without
from bot.adapters.store.schema import links, requests, transfers
from bot.adapters.store.schema_told import announcements
from bot.core.announcement import Announcement
from bot.core.request import Request


class AnnouncementQueries(Rows):
    """Implements engine/ports/announcements.py."""

    async def announcements(self) -> Sequence[Announcement]:
        rows = await self._all(_ANNOUNCEMENTS)
        return [Announcement(place=place_of(row), **without(row, "chat", "thread")) for row in rows]

    async def save_announcement(self, announcement: Announcement) -> None:
        await self._upsert(announcements, placed(fields_of(announcement)))

    async def waiting_requests(self, *, limit: int) -> Sequence[Request]:
        return await self._requests(_waiting(), limit=limit)


# -- the statements, built once: to build one takes longer than to run it

_ANNOUNCEMENTS = select(announcements).order_by(announcements.c.chat)


@cache
def _waiting() -> Select[Any]:
    """By the same rule as `Transfer.state`."""
    own = select(links.c.transfer).where(links.c.request == requests.c.id)
    asks = own.join(transfers, transfers.c.id == links.c.transfer).where(
        transfers.c.ended.is_(None),
        transfers.c.approved_at.is_(None),
        transfers.c.checked_at.is_not(None),
    )
    wanted = select(requests).where(requests.c.closed_at.is_(None), exists(asks))
    wanted = wanted.where(requests.c.cancelled_at.is_(None))
    return wanted.order_by(requests.c.id).limit(LIMIT)
