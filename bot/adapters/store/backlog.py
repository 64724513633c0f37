"""What lanes ask at each tick: which of all that is open is owed something now.

Each query costs by what is open or less, never by what is over, and answers a bounded number
of rows: whatever came in at once, a tick stays short. Which step is owed is decided by core; where
a query cannot know for sure it answers too much rather than too little.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
)

from bot.adapters.store.rows import Rows, note_of, request_of, without
from bot.adapters.store.schema import drafts, links, notes, requests, transfers
from bot.core.draft import Draft
from bot.core.ids import BatchId, ChatId, RequestId, TransferId
from bot.core.request import Request
from bot.core.retry import LONGEST_DELAY
from bot.core.transfer import Transfer
from bot.engine.ports.outbox import Note

_OPEN = requests.c.closed_at.is_(None)
_UNDER_WAY = transfers.c.ended.is_(None)

_NOW: BindParameter[datetime] = bindparam("now")
_TOO_FAR: BindParameter[datetime] = bindparam("too_far")
_LIMIT: BindParameter[int] = bindparam("limit")
_ASKED: BindParameter[Any] = bindparam("asked", expanding=True)
_SILENT: BindParameter[Any] = bindparam("silent", expanding=True)


class Backlog(Rows):
    # -- requests -----------------------------------------------------------------------

    async def untold(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        return await self._requests(_untold(), **_at(now), silent=silent, limit=limit)

    async def unshown(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        return await self._requests(_unshown(), **_at(now), silent=silent, limit=limit)

    async def open_requests_after(self, request: RequestId, *, limit: int) -> Sequence[Request]:
        return await self._requests(_following(), last=request, limit=limit)

    async def unconfirmed(self) -> Sequence[Request]:
        return await self._requests(_UNCONFIRMED)

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]:
        found: defaultdict[RequestId, list[Transfer]] = defaultdict(list)
        values: dict[TransferId, Transfer] = {}  # many ask for the same
        for row in await self._all(_transfers_of(), asked=asked):
            own = values.get(row["id"]) or Transfer(**without(row, "of"))
            values[own.id] = own
            found[RequestId(row["of"])].append(own)
        return {request: tuple(found[request]) for request in asked}

    async def firsts_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Mapping[TransferId, Request]]:
        found: dict[RequestId, dict[TransferId, Request]] = {request: {} for request in asked}
        for row in await self._all(_firsts(), asked=asked):
            found[row["by"]][row["of"]] = request_of(row, "by", "of")
        return found

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]:
        rows = await self._all(_drafts(), asked=asked)
        found = {row["request"]: Draft(**without(row, "request")) for row in rows}
        return {request: found.get(request, Draft()) for request in asked}

    # -- transfers ----------------------------------------------------------------------

    async def any_open(self) -> bool:
        return await self._any(_ANY_OPEN)

    async def due_looks(self, now: datetime, *, limit: int) -> Sequence[Transfer]:
        return await self._transfers(_due_looks(), **_at(now), limit=limit)

    async def due_submissions(self, now: datetime) -> Sequence[Transfer]:
        return await self._transfers(_due_submissions(), **_at(now))

    async def first_looks(self) -> bool:
        return await self._any(_ANY_UNSEEN)

    async def queue(self) -> Sequence[tuple[datetime, BatchId | None]]:
        return [(at, batch) for at, batch in await self._connection.execute(_queue())]

    # -- notes --------------------------------------------------------------------------

    async def any_notes(self) -> bool:
        return await self._any(_ANY_NOTES)

    async def due_notes(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Note]:
        rows = await self._all(_due_notes(), **_at(now), silent=silent, limit=limit)
        return [note_of(row) for row in rows]


# -- the statements: each is made once, since making one takes longer than running it ------

_UNCONFIRMED = (
    select(requests).where(_OPEN, requests.c.confirmed_at.is_(None)).order_by(requests.c.id)
)
_ANY_OPEN = select(transfers.c.id).where(_UNDER_WAY).limit(1)
_UNSEEN = and_(_UNDER_WAY, transfers.c.checked_at.is_(None), transfers.c.attempts == 0)
_ANY_UNSEEN = select(transfers.c.id).where(_UNSEEN).limit(1)
_ANY_NOTES = select(notes.c.id).limit(1)


@cache
def _untold() -> Select[Any]:
    own = select(links.c.transfer).where(links.c.request == requests.c.id)
    going = own.join(transfers, transfers.c.id == links.c.transfer).where(_UNDER_WAY)
    waiting = and_(requests.c.told_at.is_(None), requests.c.cancelled_at.is_(None))
    return _speakable().where(waiting, exists(own), ~exists(going))


@cache
def _unshown() -> Select[Any]:
    return _speakable().where(requests.c.card.is_(None), requests.c.shown == "")


def _speakable() -> Select[Any]:
    wanted = select(requests).where(_OPEN, _in_time(requests.c.not_before))
    return wanted.where(requests.c.chat.not_in(_SILENT)).order_by(requests.c.id).limit(_LIMIT)


@cache
def _following() -> Select[Any]:
    last: BindParameter[int] = bindparam("last")
    wanted = select(requests).where(_OPEN, requests.c.id > last)
    return wanted.order_by(requests.c.id).limit(_LIMIT)


@cache
def _transfers_of() -> Select[Any]:
    joined = transfers.join(links, links.c.transfer == transfers.c.id)
    wanted = select(links.c.request.label("of"), transfers).select_from(joined)
    return wanted.where(links.c.request.in_(_ASKED)).order_by(links.c.position)


@cache
def _firsts() -> Select[Any]:
    own = links.alias()
    shared = select(own.c.transfer).where(own.c.request.in_(_ASKED))
    first = (
        select(links.c.transfer, func.min(links.c.request).label("first"))
        .where(links.c.transfer.in_(shared))
        .group_by(links.c.transfer)
        .subquery()
    )
    return (
        select(own.c.request.label("by"), first.c.transfer.label("of"), requests)
        .join(first, first.c.transfer == own.c.transfer)
        .join(requests, requests.c.id == first.c.first)
        .where(own.c.request.in_(_ASKED), first.c.first < own.c.request)
    )


@cache
def _drafts() -> Select[Any]:
    return select(drafts).where(drafts.c.request.in_(_ASKED))


@cache
def _due_looks() -> Select[Any]:
    checking = transfers.c.checked_at.is_(None)
    expired = and_(transfers.c.approved_at.is_(None), transfers.c.expires_at <= _NOW)
    verifying = transfers.c.copied_digest.is_not(None)
    source = func.substr(transfers.c.image, 1, func.instr(transfers.c.image, "/"))
    asked = case((checking, source), (verifying, "target"), else_="nobody")
    since = func.coalesce(transfers.c.not_before, transfers.c.opened_at)
    turn = func.row_number().over(partition_by=asked, order_by=(since, transfers.c.id))
    # By their ids alone: the other columns of thousands are not to be sorted for those of a few.
    owed = select(transfers.c.id, turn.label("turn")).where(_due())
    line = owed.where(or_(checking, expired, verifying)).subquery()
    wanted = select(transfers).join(line, line.c.id == transfers.c.id)
    return wanted.where(line.c.turn <= _LIMIT).order_by(line.c.turn, transfers.c.id)


@cache
def _due_submissions() -> Select[Any]:
    ready = and_(transfers.c.approved_at.is_not(None), transfers.c.batch.is_(None))
    return select(transfers).where(_due(), ready).order_by(transfers.c.id)


def _due() -> ColumnElement[bool]:
    return and_(_UNDER_WAY, _in_time(transfers.c.not_before))


@cache
def _queue() -> Select[Any]:
    going = and_(transfers.c.approved_at.is_not(None), transfers.c.not_before.is_(None))
    wanted = select(transfers.c.approved_at, transfers.c.batch).where(_UNDER_WAY, going)
    return wanted.order_by(transfers.c.approved_at)


@cache
def _due_notes() -> Select[Any]:
    wanted = select(notes).where(_in_time(notes.c.not_before), notes.c.chat.not_in(_SILENT))
    return wanted.order_by(notes.c.id).limit(_LIMIT)


def _in_time(not_before: ColumnElement[datetime | None]) -> ColumnElement[bool]:
    """As core's `is_due` sees it."""
    return or_(not_before.is_(None), not_before <= _NOW, not_before > _TOO_FAR)


def _at(now: datetime) -> dict[str, datetime]:
    return {"now": now, "too_far": now + LONGEST_DELAY}
