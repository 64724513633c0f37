"""What lanes ask at each tick: which of all that is open is owed something now.

Each query costs by what is open or less, never by what is over, and answers a bounded number
of rows: whatever came in at once, a tick stays short. Which step is owed is decided by core; where
a query cannot know for sure it answers too much rather than too little.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from bot.adapters.store.rows import Rows, note_of, request_of, without
from bot.adapters.store.schema import drafts, links, notes, requests, transfers
from bot.core.backoff import FURTHEST
from bot.core.draft import Draft
from bot.core.facts import BatchId, ChatId, RequestId, TransferId
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.engine.ports import Note

_OPEN = requests.c.closed_at.is_(None)
_UNDER_WAY = transfers.c.ended.is_(None)


class Backlog(Rows):
    # -- requests -----------------------------------------------------------------------

    async def untold(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        own = select(links.c.transfer).where(links.c.request == requests.c.id)
        going = own.join(transfers, transfers.c.id == links.c.transfer).where(_UNDER_WAY)
        waiting = and_(requests.c.told_at.is_(None), requests.c.cancelled_at.is_(None))
        wanted = _speakable(now, silent).where(waiting, exists(own), ~exists(going))
        return await self._requests(wanted.limit(limit))

    async def unshown(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        wanted = _speakable(now, silent).where(requests.c.card.is_(None), requests.c.shown == "")
        return await self._requests(wanted.limit(limit))

    async def open_requests_after(self, request: RequestId, *, limit: int) -> Sequence[Request]:
        wanted = select(requests).where(_OPEN, requests.c.id > request)
        return await self._requests(wanted.order_by(requests.c.id).limit(limit))

    async def unconfirmed(self) -> Sequence[Request]:
        wanted = select(requests).where(_OPEN, requests.c.confirmed_at.is_(None))
        return await self._requests(wanted.order_by(requests.c.id))

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]:
        joined = transfers.join(links, links.c.transfer == transfers.c.id)
        wanted = select(links.c.request.label("of"), transfers).select_from(joined)
        wanted = wanted.where(links.c.request.in_(asked)).order_by(links.c.position)
        found: defaultdict[RequestId, list[Transfer]] = defaultdict(list)
        values: dict[TransferId, Transfer] = {}  # many ask for the same
        for row in await self._all(wanted):
            own = values.get(row["id"]) or Transfer(**without(row, "of"))
            values[own.id] = own
            found[RequestId(row["of"])].append(own)
        return {request: tuple(found[request]) for request in asked}

    async def firsts_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Mapping[TransferId, Request]]:
        own = links.alias()
        shared = select(own.c.transfer).where(own.c.request.in_(asked))
        first = (
            select(links.c.transfer, func.min(links.c.request).label("first"))
            .where(links.c.transfer.in_(shared))
            .group_by(links.c.transfer)
            .subquery()
        )
        wanted = (
            select(own.c.request.label("by"), first.c.transfer.label("of"), requests)
            .join(first, first.c.transfer == own.c.transfer)
            .join(requests, requests.c.id == first.c.first)
            .where(own.c.request.in_(asked), first.c.first < own.c.request)
        )
        found: dict[RequestId, dict[TransferId, Request]] = {request: {} for request in asked}
        for row in await self._all(wanted):
            found[row["by"]][row["of"]] = request_of(row, "by", "of")
        return found

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]:
        rows = await self._all(select(drafts).where(drafts.c.request.in_(asked)))
        found = {row["request"]: Draft(**without(row, "request")) for row in rows}
        return {request: found.get(request, Draft()) for request in asked}

    # -- transfers ----------------------------------------------------------------------

    async def any_open(self) -> bool:
        return await self._any(select(transfers.c.id).where(_UNDER_WAY))

    async def due_looks(self, now: datetime, *, limit: int) -> Sequence[Transfer]:
        checking = transfers.c.checked_at.is_(None)
        expired = and_(transfers.c.approved_at.is_(None), transfers.c.expires_at <= now)
        verifying = transfers.c.copied_digest.is_not(None)
        wanted = _due(now).where(or_(checking, expired, verifying))
        return await self._transfers(wanted.limit(limit))

    async def due_submissions(self, now: datetime) -> Sequence[Transfer]:
        approved = and_(transfers.c.approved_at.is_not(None), transfers.c.batch.is_(None))
        return await self._transfers(_due(now).where(approved))

    async def first_looks(self) -> bool:
        unseen = and_(_UNDER_WAY, transfers.c.checked_at.is_(None), transfers.c.attempts == 0)
        return await self._any(select(transfers.c.id).where(unseen))

    async def queue(self) -> Sequence[tuple[datetime, BatchId | None]]:
        going = and_(transfers.c.approved_at.is_not(None), transfers.c.not_before.is_(None))
        wanted = select(transfers.c.approved_at, transfers.c.batch).where(_UNDER_WAY, going)
        rows = await self._connection.execute(wanted.order_by(transfers.c.approved_at))
        return [(at, batch) for at, batch in rows]

    # -- notes --------------------------------------------------------------------------

    async def any_notes(self) -> bool:
        return await self._any(select(notes.c.id))

    async def due_notes(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Note]:
        wanted = select(notes).where(_in_time(notes.c.not_before, now))
        wanted = wanted.where(notes.c.chat.not_in(silent)).order_by(notes.c.id)
        return [note_of(row) for row in await self._all(wanted.limit(limit))]


def _speakable(now: datetime, silent: Collection[ChatId]) -> Select[tuple[Request]]:
    wanted = select(requests).where(_OPEN, _in_time(requests.c.not_before, now))
    return wanted.where(requests.c.chat.not_in(silent)).order_by(requests.c.id)


def _due(now: datetime) -> Select[tuple[Transfer]]:
    wanted = select(transfers).where(_UNDER_WAY, _in_time(transfers.c.not_before, now))
    return wanted.order_by(transfers.c.id)


def _in_time(not_before: ColumnElement[datetime | None], now: datetime) -> ColumnElement[bool]:
    """As core's `is_due` sees it."""
    return or_(not_before.is_(None), not_before <= now, not_before > now + FURTHEST)
