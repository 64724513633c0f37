"""Queries for notes: answers that wait to be sent."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, select, update

from bot.adapters.store.message_json import to_json
from bot.adapters.store.rows import (
    LIMIT,
    SILENT,
    Rows,
    at_time,
    in_time,
    is_of_service,
    note_of,
    of_service,
)
from bot.adapters.store.schema import notes
from bot.core.ids import ChatId, MessageId, Place
from bot.dialog.message import Text
from bot.engine.ports.chat import Document
from bot.engine.ports.outbox import Instead, Note


class NoteQueries(Rows):
    """Reads and writes notes."""

    async def add_note(
        self,
        place: Place,
        text: Text,
        *,
        reply_to: MessageId | None,
        edits: MessageId | None = None,
        instead: Instead | None = None,
        file: Document | None = None,
    ) -> None:
        row: dict[str, Any] = {
            "chat": place.chat,
            "thread": place.thread,
            "reply_to": reply_to,
            "edits": edits,
            "text": to_json(text),
        }
        if instead is not None:
            row |= {"instead_chat": instead.chat, "instead_text": to_json(instead.text)}
        if file is not None:
            row |= {"file_name": file.name, "file": file.content}
        await self._add(notes, row)

    async def notes(self) -> Sequence[Note]:
        return [note_of(row) for row in await self._all(_NOTES)]

    async def any_notes(self, *, service: str) -> bool:
        return await self._any(_ANY_NOTES, **of_service(service))

    async def due_notes(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Note]:
        these: dict[str, Any] = at_time(now) | of_service(service)
        rows = await self._all(_due_notes(), **these, silent=silent, limit=limit)
        return [note_of(row) for row in rows]

    async def save_note(self, note: Note) -> None:
        later = {"attempts": note.attempts, "not_before": note.not_before}
        await self._connection.execute(update(notes).where(notes.c.id == note.id).values(later))

    async def drop_note(self, note: int, *, instead: Instead | None = None) -> None:
        await self._connection.execute(notes.delete().where(notes.c.id == note))
        if instead is not None:
            await self.add_note(Place(instead.chat), instead.text, reply_to=None)


# -- the statements, built once: to build one takes longer than to run it

_NOTES = select(notes).order_by(notes.c.id)
_HERE = is_of_service(notes.c.chat)
_ANY_NOTES = select(notes.c.id).where(_HERE).limit(1)


@cache
def _due_notes() -> Select[Any]:
    wanted = select(notes).where(_HERE, in_time(notes.c.not_before), notes.c.chat.not_in(SILENT))
    return wanted.order_by(notes.c.id).limit(LIMIT)
