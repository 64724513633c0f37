"""How rows become values and values rows, and the few ways in which both are asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping, Select, Table
from sqlalchemy.dialects.sqlite import insert

from bot.adapters.store.connection import Statements
from bot.core.batch import Batch
from bot.core.draft import Draft
from bot.core.facts import ChatId, MessageId, Place
from bot.core.inquiry import Inquiry
from bot.core.message import ButtonKind, Rendered
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.engine.ports import File, NewRequest, Note


class Rows:
    """What the parts of a unit share: one transaction."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def _one(self, wanted: Select[Any]) -> RowMapping | None:
        return (await self._connection.execute(wanted)).mappings().one_or_none()

    async def _all(self, wanted: Select[Any]) -> Sequence[RowMapping]:
        return (await self._connection.execute(wanted)).mappings().all()

    async def _any(self, wanted: Select[Any]) -> bool:
        return (await self._connection.execute(wanted.limit(1))).first() is not None

    async def _requests(self, wanted: Select[Any]) -> list[Request]:
        return [request_of(row) for row in await self._all(wanted)]

    async def _transfers(self, wanted: Select[Any]) -> list[Transfer]:
        return [Transfer(**row) for row in await self._all(wanted)]

    async def _upsert(self, table: Table, row: Mapping[str, Any]) -> None:
        keys = [column.name for column in table.primary_key]
        added = insert(table).values(row)
        # Without the key: setting it, even to what it is, SQLite looks at all that refers to it.
        rest = {name: value for name, value in row.items() if name not in keys}
        await self._connection.execute(added.on_conflict_do_update(keys, set_=rest))


Value = Request | NewRequest | Transfer | Batch | Draft | File | Inquiry


def fields_of(value: Value) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def without(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def place_of(row: RowMapping) -> Place:
    return Place(ChatId(row["chat"]), row["thread"])


def placed(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a value with its place as columns have it."""
    place: Place = values.pop("place")
    return values | {"chat": place.chat, "thread": place.thread}


def request_of(row: RowMapping, *others: str) -> Request:
    return Request(place=place_of(row), **without(row, "chat", "thread", *others))


def note_of(row: RowMapping) -> Note:
    buttons = tuple(
        tuple((label, ButtonKind(kind), value) for label, kind, value in line)
        for line in json.loads(row["buttons"])
    )
    return Note(
        id=row["id"],
        place=place_of(row),
        edits=None if row["edits"] is None else MessageId(row["edits"]),
        reply_to=None if row["reply_to"] is None else MessageId(row["reply_to"]),
        text=Rendered(row["html"], buttons),
        attempts=row["attempts"],
        not_before=row["not_before"],
    )
