"""Queries for requests: one by its number, those of a transfer, those with something to show.

The cost of a query of a tick must not grow with closed requests. It returns a bounded number of
rows, so a tick stays short. Core decides what is due: where SQL cannot decide, a query returns too
many rows rather than too few.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, exists, func, insert, or_, select

from bot.adapters.store.rows import (
    IDS,
    LIMIT,
    REQUEST_IDS,
    SILENT,
    Rows,
    at_time,
    fields_of,
    in_time,
    is_of_service,
    of_service,
    placed,
    request_of,
)
from bot.adapters.store.schema import links, requests, retries, transfers
from bot.adapters.store.schema_told import private_cards
from bot.core.ids import ChatId, MessageId, PersonId, RequestId, TransferId
from bot.core.private_cards import PrivateCards
from bot.core.request import Request
from bot.engine.ports.store import NewRequest

LATE = 2000
"""How many of the newest requests are searched for a message."""
_OPEN = requests.c.closed_at.is_(None)
_UNDER_WAY = transfers.c.ended.is_(None)


class RequestQueries(Rows):
    """Reads and writes requests, and links them to transfers."""

    async def open_request(self, request: NewRequest) -> Request:
        values = fields_of(request)
        added = await self._add(requests, placed(dict(values)))
        return Request(id=RequestId(added), **values)

    async def link(self, request: RequestId, linked: Sequence[TransferId]) -> None:
        await self._connection.execute(links.delete().where(links.c.request == request))
        rows = [
            {"request": request, "transfer": transfer, "position": position}
            for position, transfer in enumerate(dict.fromkeys(linked))
        ]
        await self._connection.execute(insert(links), rows)

    async def request(self, request: RequestId) -> Request | None:
        row = await self._one(_REQUEST, id=request)
        return None if row is None else request_of(row)

    async def request_shown(self, chat: ChatId, message: MessageId) -> Request | None:
        ours = or_(requests.c.card == message, requests.c.told_in == message)
        late = requests.c.id > select(func.max(requests.c.id) - LATE).scalar_subquery()
        wanted = select(requests).where(late, requests.c.chat == chat, ours)
        row = await self._one(wanted.order_by(requests.c.id.desc()).limit(1))
        return request_of(row) if row else await self._shown_in_private(chat, message)

    async def _shown_in_private(self, chat: ChatId, message: MessageId) -> Request | None:
        row = await self._one(select(private_cards).where(private_cards.c.person == chat))
        number = None if row is None else PrivateCards(**row).request_of(message)
        return None if number is None else await self.request(number)

    async def open_requests(self) -> Sequence[Request]:
        return await self._requests(_OPEN_REQUESTS)

    async def save_request(self, request: Request) -> None:
        await self._save(requests, placed(fields_of(request)))

    async def requests_for(self, transfer: TransferId) -> Sequence[Request]:
        joined = requests.join(links, links.c.request == requests.c.id)
        wanted = select(requests).select_from(joined).where(links.c.transfer == transfer)
        return await self._requests(wanted.order_by(requests.c.id))

    async def requests_for_all(
        self, wanted: Collection[TransferId]
    ) -> Mapping[TransferId, Sequence[Request]]:
        found: dict[TransferId, list[Request]] = {transfer: [] for transfer in wanted}
        for row in await self._all(_REQUESTS_FOR_ALL, ids=wanted):
            found[row["of"]].append(request_of(row, "of"))
        return found

    async def count_asked(self, person: PersonId, since: datetime) -> tuple[int, int]:
        of = {"person": person, "since": since}
        counts = [(await self._connection.execute(each, of)).scalar_one() for each in _ASKED]
        open_now, lately, again = counts
        return open_now, lately + again

    async def count_retry(self, person: PersonId, images: int, at: datetime) -> None:
        row = {"person": person, "images": images, "at": at}
        await self._connection.execute(insert(retries), row)

    async def count_drafts(self, person: PersonId) -> int:
        return len(await self._all(_UNCONFIRMED.where(requests.c.person == person)))

    async def requests_without_result(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        return await self._requests(
            _untold(), **at_time(now), **of_service(service), silent=silent, limit=limit
        )

    async def requests_without_card(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        return await self._requests(
            _unshown(), **at_time(now), **of_service(service), silent=silent, limit=limit
        )

    async def requests_to_refresh(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        return await self._requests(
            _refused(), **at_time(now), **of_service(service), silent=silent, limit=limit
        )

    async def open_requests_after(
        self, request: RequestId, *, service: str, limit: int
    ) -> Sequence[Request]:
        return await self._requests(_following(), **of_service(service), last=request, limit=limit)

    async def newest_requests(self, *, service: str, limit: int) -> Sequence[Request]:
        return await self._requests(_newest(), **of_service(service), limit=limit)

    async def open_drafts(self) -> Sequence[Request]:
        return await self._requests(_UNCONFIRMED)

    async def first_requests_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Mapping[TransferId, Request]]:
        found: dict[RequestId, dict[TransferId, Request]] = {request: {} for request in asked}
        for row in await self._all(_firsts(), asked=asked):
            found[row["by"]][row["of"]] = request_of(row, "by", "of")
        return found


# -- the statements, built once: to build one takes longer than to run it

_HERE = is_of_service(requests.c.chat)
_REQUEST = select(requests).where(requests.c.id == bindparam("id"))
_OPEN_REQUESTS = select(requests).where(requests.c.closed_at.is_(None)).order_by(requests.c.id)
_UNCONFIRMED = (
    select(requests).where(_OPEN, requests.c.confirmed_at.is_(None)).order_by(requests.c.id)
)
_REQUESTS_FOR_ALL = (
    select(links.c.transfer.label("of"), requests)
    .join(requests, links.c.request == requests.c.id)
    .where(links.c.transfer.in_(IDS))
    .order_by(requests.c.id)
)


def _asked() -> tuple[Select[tuple[int]], ...]:
    """Counts of a person's images: those that are open, and those asked for and retried since.

    Counting per request, and then the sum, makes SQLite read open requests only. For a plain join
    its plan read all links.
    """
    person: BindParameter[str] = bindparam("person")
    since: BindParameter[datetime] = bindparam("since")
    of_one = select(func.count()).where(links.c.request == requests.c.id)
    of_one = of_one.where(links.c.transfer == transfers.c.id, transfers.c.ended.is_(None))
    open_now = select(func.coalesce(func.sum(of_one.scalar_subquery()), 0)).select_from(requests)
    open_now = open_now.where(requests.c.closed_at.is_(None), (requests.c.person + "") == person)
    joined = links.join(requests, requests.c.id == links.c.request)
    lately = select(func.count()).select_from(joined)
    lately = lately.where(requests.c.person == person, requests.c.opened_at >= since)
    again = select(func.coalesce(func.sum(retries.c.images), 0))
    again = again.where(retries.c.person == person, retries.c.at >= since)
    return open_now, lately, again


_ASKED = _asked()


@cache
def _untold() -> Select[Any]:
    own = select(links.c.transfer).where(links.c.request == requests.c.id)
    going = own.join(transfers, transfers.c.id == links.c.transfer).where(_UNDER_WAY)
    waiting = and_(requests.c.told_at.is_(None), requests.c.cancelled_at.is_(None))
    return _speakable().where(waiting, exists(own), ~exists(going))


@cache
def _unshown() -> Select[Any]:
    return _speakable().where(requests.c.card.is_(None), requests.c.shown == "")


@cache
def _refused() -> Select[Any]:
    return _speakable().where(requests.c.refused_at.is_not(None))


def _speakable() -> Select[Any]:
    wanted = select(requests).where(_OPEN, in_time(requests.c.not_before), _HERE)
    return wanted.where(requests.c.chat.not_in(SILENT)).order_by(requests.c.id).limit(LIMIT)


@cache
def _newest() -> Select[Any]:
    return select(requests).where(_HERE).order_by(requests.c.id.desc()).limit(LIMIT)


@cache
def _following() -> Select[Any]:
    last: BindParameter[int] = bindparam("last")
    wanted = select(requests).where(_OPEN, requests.c.id > last, _HERE)
    return wanted.order_by(requests.c.id).limit(LIMIT)


@cache
def _firsts() -> Select[Any]:
    own = links.alias()
    shared = select(own.c.transfer).where(own.c.request.in_(REQUEST_IDS))
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
        .where(own.c.request.in_(REQUEST_IDS), first.c.first < own.c.request)
    )
