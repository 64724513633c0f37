"""Converts rows to values and back, and holds the queries that the modules here share.

Statements for one table are in the module of that table. Conversion of columns is in columns.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Insert,
    RowMapping,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    or_,
    update,
)

from bot.adapters.store.connection import Statements
from bot.adapters.store.message_json import from_json
from bot.core.announcement import Announcement
from bot.core.batch import Batch
from bot.core.card_version import CardVersion
from bot.core.decision import Decision
from bot.core.defect import SeenDefect
from bot.core.draft import Draft
from bot.core.follow import Follow, News
from bot.core.fresh import TrackedImage, Watch
from bot.core.gathering import Gathering
from bot.core.hold import Hold
from bot.core.ids import ChatId, MessageId, Place
from bot.core.look import Look
from bot.core.private_cards import PrivateCards
from bot.core.request import Request
from bot.core.retry import LONGEST_DELAY
from bot.core.sighting import Sighting
from bot.core.statement import Statement
from bot.core.transfer import Transfer
from bot.dialog.questions import Question
from bot.engine.ports.chat import Document
from bot.engine.ports.files import File, HeardFile
from bot.engine.ports.outbox import Instead, Note
from bot.engine.ports.store import NewRequest

NOW: BindParameter[datetime] = bindparam("now")
LIMIT: BindParameter[int] = bindparam("limit")
IDS: BindParameter[Any] = bindparam("ids", expanding=True)
REQUEST_IDS: BindParameter[Any] = bindparam("asked", expanding=True)
SILENT: BindParameter[Any] = bindparam("silent", expanding=True)
_SERVICE: BindParameter[str] = bindparam("service")
_TOO_FAR: BindParameter[datetime] = bindparam("too_far")


def in_time(not_before: ColumnElement[datetime | None]) -> ColumnElement[bool]:
    """Whether the next try is due, by the same rule as `is_due` in core/retry.py."""
    return or_(not_before.is_(None), not_before <= NOW, not_before > _TOO_FAR)


def at_time(now: datetime) -> dict[str, datetime]:
    """The parameters of `in_time`."""
    return {"now": now, "too_far": now + LONGEST_DELAY}


def is_of_service(chat: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the chat is one of the service of `of_service`."""
    return chat.like(_SERVICE)


def of_service(name: str) -> dict[str, Any]:
    """The parameter of `is_of_service`."""
    return {"service": f"{name}:%"}


class Rows:
    """The base of the parts of a StoreUnit, which share one transaction."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def _one(self, wanted: Select[Any], **values: Any) -> RowMapping | None:
        return (await self._connection.execute(wanted, values)).mappings().one_or_none()

    async def _all(self, wanted: Select[Any], **values: Any) -> Sequence[RowMapping]:
        return (await self._connection.execute(wanted, values)).mappings().all()

    async def _any(self, wanted: Select[Any] | CompoundSelect[Any], **values: Any) -> bool:
        return (await self._connection.execute(wanted, values)).first() is not None

    async def _requests(self, wanted: Select[Any], **values: Any) -> list[Request]:
        return [request_of(row) for row in await self._all(wanted, **values)]

    async def _transfers(self, wanted: Select[Any], **values: Any) -> list[Transfer]:
        return [Transfer(**row) for row in await self._all(wanted, **values)]

    async def _add(self, table: Table, row: Mapping[str, Any]) -> int:
        """Insert a row. Returns its key, or 0 where the table generates none."""
        added = await self._connection.execute(_addition(table), row)
        return int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0

    async def _save(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Update the row that has this key. Returns False where there is none."""
        changed = await self._connection.execute(_change(table), _values(table, row))
        return changed.rowcount > 0

    async def _save_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        values = [_values(table, row) for row in rows]
        await self._connection.execute(_change(table), values)

    async def _upsert(self, table: Table, row: Mapping[str, Any]) -> None:
        # Not by ON CONFLICT: SQLAlchemy would compile such a statement each time.
        if not await self._save(table, row):
            await self._connection.execute(_addition(table), row)


_OF: Final = "of_"
"""The prefix of a parameter for a key in a WHERE clause."""


def _values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """With keys as parameters of WHERE: SQLite checks all references to a key that is set."""
    keys = _keys(table)
    return {keys.get(name, name): value for name, value in row.items()}


@cache
def _keys(table: Table) -> dict[str, str]:
    return {column.name: f"{_OF}{column.name}" for column in table.primary_key}


@cache
def _addition(table: Table) -> Insert:
    return insert(table)


@cache
def _change(table: Table) -> Update:
    return update(table).where(*(key == bindparam(f"{_OF}{key.name}") for key in table.primary_key))


Value = (
    Announcement
    | Request
    | NewRequest
    | Transfer
    | Batch
    | CardVersion
    | Decision
    | Draft
    | File
    | Follow
    | Gathering
    | HeardFile
    | Hold
    | Look
    | News
    | PrivateCards
    | Question
    | SeenDefect
    | Sighting
    | Statement
    | TrackedImage
    | Watch
)


def fields_of(value: Value) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def without(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def place_of(row: RowMapping) -> Place:
    return Place(ChatId(row["chat"]), row["thread"])


def placed(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a value, with its place as the columns `chat` and `thread`."""
    place: Place = values.pop("place")
    return values | {"chat": place.chat, "thread": place.thread}


def request_of(row: RowMapping, *others: str) -> Request:
    return Request(place=place_of(row), **without(row, "chat", "thread", *others))


def _instead_of(row: RowMapping) -> Instead | None:
    chat = row["instead_chat"]
    return None if chat is None else Instead(ChatId(chat), from_json(row["instead_text"]))


def note_of(row: RowMapping) -> Note:
    return Note(
        id=row["id"],
        place=place_of(row),
        edits=None if row["edits"] is None else MessageId(row["edits"]),
        reply_to=None if row["reply_to"] is None else MessageId(row["reply_to"]),
        text=from_json(row["text"]),
        instead=_instead_of(row),
        file=None if row["file"] is None else Document(row["file_name"], row["file"]),
        attempts=row["attempts"],
        not_before=row["not_before"],
    )
