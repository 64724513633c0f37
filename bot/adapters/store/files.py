"""Queries for drafts, and for the files and texts that they came from."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, delete, select

from bot.adapters.store.rows import REQUEST_IDS, Rows, fields_of, without
from bot.adapters.store.schema import drafts, files, gatherings, heard_files, requests
from bot.core.draft import Draft
from bot.core.gathering import Gathering
from bot.core.ids import ChatId, PersonId, Place, RequestId
from bot.engine.ports.files import File, HeardFile


class FileQueries(Rows):
    """Reads and writes drafts and files by the number of their request."""

    async def draft(self, request: RequestId) -> Draft:
        row = await self._one(_DRAFT, request=request)
        return Draft() if row is None else Draft(**without(row, "request"))

    async def save_draft(self, request: RequestId, draft: Draft) -> None:
        await self._upsert(drafts, {"request": request, **fields_of(draft)})

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]:
        rows = await self._all(_drafts(), asked=asked)
        found = {row["request"]: Draft(**without(row, "request")) for row in rows}
        return {request: found.get(request, Draft()) for request in asked}

    async def files(self, request: RequestId) -> Sequence[File]:
        return [File(**row) for row in await self._all(_FILES, request=request)]

    async def save_file(self, file: File) -> None:
        await self._upsert(files, fields_of(file))

    async def drop_file(self, request: RequestId, position: int) -> None:
        of_one = (files.c.request == request, files.c.position == position)
        await self._connection.execute(files.delete().where(*of_one))

    async def drop_files_of(self, request: RequestId) -> None:
        for table in (files, gatherings):
            await self._connection.execute(delete(table).where(table.c.request == request))

    async def drop_files(self, *, closed_before: datetime) -> None:
        # Start from the few files, not from all closed requests.
        own = select(requests.c.id).where(requests.c.id == files.c.request)
        closed = own.where(requests.c.closed_at < closed_before).exists()
        await self._connection.execute(files.delete().where(closed))

    async def gathering(self, request: RequestId) -> Gathering | None:
        row = await self._one(_GATHERING, request=request)
        return None if row is None else Gathering(**row)

    async def gatherings(self) -> Sequence[Gathering]:
        return [Gathering(**row) for row in await self._all(_GATHERINGS)]

    async def gatherings_of(self, person: PersonId, place: Place) -> Sequence[Gathering]:
        of = {"person": person, "chat": place.chat, "thread": place.thread}
        return [Gathering(**row) for row in await self._all(_GATHERINGS_OF, **of)]

    async def save_gathering(self, gathering: Gathering) -> None:
        await self._upsert(gatherings, fields_of(gathering))

    async def drop_gathering(self, request: RequestId) -> None:
        await self._connection.execute(gatherings.delete().where(gatherings.c.request == request))

    async def add_heard_file(self, file: HeardFile, *, since: datetime) -> None:
        old = heard_files.c.at < since
        await self._connection.execute(heard_files.delete().where(old))
        await self._add(heard_files, fields_of(file))

    async def take_heard_files(
        self, album: str, person: PersonId, chat: ChatId
    ) -> Sequence[HeardFile]:
        rows = await self._all(_HEARD_FILES, album=album, person=person, chat=chat)
        for row in rows:
            await self._connection.execute(
                heard_files.delete().where(heard_files.c.id == row["id"])
            )
        return [HeardFile(**without(row, "id")) for row in rows]


# -- the statements, built once: to build one takes longer than to run it

_DRAFT = select(drafts).where(drafts.c.request == bindparam("request"))


@cache
def _drafts() -> Select[Any]:
    return select(drafts).where(drafts.c.request.in_(REQUEST_IDS))


_FILES = select(files).where(files.c.request == bindparam("request")).order_by(files.c.position)
_GATHERING = select(gatherings).where(gatherings.c.request == bindparam("request"))
_GATHERINGS = select(gatherings).order_by(gatherings.c.request)
_GATHERINGS_OF = (
    select(gatherings)
    .join(requests, requests.c.id == gatherings.c.request)
    .where(
        requests.c.person == bindparam("person"),
        requests.c.chat == bindparam("chat"),
        requests.c.thread.is_not_distinct_from(bindparam("thread", type_=BigInteger)),
        requests.c.confirmed_at.is_(None),
        requests.c.cancelled_at.is_(None),
    )
    .order_by(gatherings.c.request.desc())
)
_HEARD_FILES = (
    select(heard_files)
    .where(
        heard_files.c.album == bindparam("album"),
        heard_files.c.person == bindparam("person"),
        heard_files.c.chat == bindparam("chat"),
    )
    .order_by(heard_files.c.id)
)
