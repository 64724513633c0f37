"""Queries for drafts, and for the files that they came from."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from bot.adapters.store.rows import REQUEST_IDS, Rows, fields_of, without
from bot.adapters.store.schema import drafts, files, requests
from bot.core.draft import Draft
from bot.core.ids import RequestId
from bot.engine.ports.store import File


class FileQueries(Rows):
    """Reads and writes drafts and files, each by the number of its request."""

    async def draft(self, request: RequestId) -> Draft:
        row = await self._one(_DRAFT, request=request)
        return Draft() if row is None else Draft(**without(row, "request"))

    async def save_draft(self, request: RequestId, draft: Draft) -> None:
        await self._upsert(drafts, {"request": request, **fields_of(draft)})

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]:
        rows = await self._all(_drafts(), asked=asked)
        found = {row["request"]: Draft(**without(row, "request")) for row in rows}
        return {request: found.get(request, Draft()) for request in asked}

    async def file(self, request: RequestId) -> File | None:
        row = await self._one(_FILE, request=request)
        return None if row is None else File(**row)

    async def save_file(self, file: File) -> None:
        await self._upsert(files, fields_of(file))

    async def drop_file(self, request: RequestId) -> None:
        await self._connection.execute(files.delete().where(files.c.request == request))

    async def drop_files(self, *, closed_before: datetime) -> None:
        # Start from the few files, not from all closed requests.
        own = select(requests.c.id).where(requests.c.id == files.c.request)
        closed = own.where(requests.c.closed_at < closed_before).exists()
        await self._connection.execute(files.delete().where(closed))

    async def unread_files(self) -> Sequence[File]:
        return [File(**row) for row in await self._all(_UNREAD_FILES)]


# -- the statements, built once: to build one takes longer than to run it

_DRAFT = select(drafts).where(drafts.c.request == bindparam("request"))


@cache
def _drafts() -> Select[Any]:
    return select(drafts).where(drafts.c.request.in_(REQUEST_IDS))


_FILE = select(files).where(files.c.request == bindparam("request"))
_UNREAD_FILES = select(files).where(files.c.content.is_(None)).order_by(files.c.request)
