"""Queries for people, chats, what was handled, how far services were read, and heartbeats."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, exists, insert, select, text, update

from bot.adapters.store.rows import IDS, Rows
from bot.adapters.store.schema import (
    cursors,
    handled,
    heard_files,
    moves,
    notes,
    people,
    pseudonyms,
    questions,
    requests,
    watches,
)
from bot.adapters.store.schema_follow import follows, news
from bot.adapters.store.schema_told import announcements, greetings, private_cards, running
from bot.core.ids import ChatId, Person, PersonId, UpdateKey
from bot.core.person_name import NAMELESS
from bot.core.retry import REPEATED_WITHIN

BEAT = "beat-"


class PeopleQueries(Rows):
    """Reads and writes people, new ids of chats, updates and cursors."""

    async def beat(self, name: str, at: datetime) -> datetime | None:
        cursor = f"{BEAT}{name}"
        last = await self.cursor(cursor)
        await self.save_cursor(cursor, int(at.timestamp()))
        return None if last is None else datetime.fromtimestamp(last, UTC)

    async def take(self, update: UpdateKey, at: datetime) -> bool:
        await self._connection.execute(_FORGET, {"before": at - REPEATED_WITHIN})
        if await self._any(_HANDLED, key=update):
            return False
        await self._connection.execute(_TAKE, {"key": update, "at": at})
        return True

    async def cursor(self, name: str) -> int | None:
        found = await self._connection.execute(_CURSOR, {"name": name})
        return found.scalar_one_or_none()

    async def save_cursor(self, name: str, value: int) -> None:
        await self._upsert(cursors, {"name": name, "value": value})

    async def save_person(self, person: Person) -> None:
        row = {"id": person.id, "name": person.name, "language": person.language}
        await self._upsert(people, row)

    async def people(self, wanted: Collection[PersonId]) -> Mapping[PersonId, Person]:
        rows = await self._all(_PEOPLE, ids=wanted)
        return {PersonId(row["id"]): Person(**row) for row in rows}

    async def forget(self, person: PersonId) -> bool:
        forgotten = delete(pseudonyms).where(pseudonyms.c.person == person)
        known = (await self._connection.execute(forgotten)).rowcount > 0
        for table in (watches, follows, heard_files, private_cards):
            await self._connection.execute(delete(table).where(table.c.person == person))
        private = delete(announcements).where(announcements.c.chat == person)
        await self._connection.execute(private)
        nameless = {"id": person, "name": NAMELESS, "language": ""}
        known = await self._save(people, nameless) or known
        unneeded = ~exists().where(requests.c.person == people.c.id)
        await self._connection.execute(delete(people).where(people.c.id == person, unneeded))
        return known

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        await self._upsert(moves, {"chat": new, "origin": await self.origin(old)})
        lost: dict[Table, dict[str, Any]] = {
            requests: {"message": None, "card": None, "shown": "", "told_in": None},
            notes: {"reply_to": None, "edits": None},
            questions: {"message": None, "edits": None},
            watches: {"message": None},
            follows: {"message": None},
            news: {},
        }
        for table, values in lost.items():
            moved = update(table).where(table.c.chat == old).values(chat=new, **values)
            await self._connection.execute(moved)
        moved = update(notes).where(notes.c.instead_chat == old).values(instead_chat=new)
        await self._connection.execute(moved)
        if old != new:
            await self._move_announcement(old, new)
            await self._connection.execute(
                delete(private_cards).where(private_cards.c.person == old)
            )
            moved = update(running).where(running.c.chat == old).prefix_with("OR IGNORE")
            await self._connection.execute(moved.values(chat=new))

    async def _move_announcement(self, old: ChatId, new: ChatId) -> None:
        """The one of the new id counts, where it has one already."""
        moved = update(announcements).where(announcements.c.chat == old)
        values = {"chat": new, "message": None, "shown": ""}
        await self._connection.execute(moved.prefix_with("OR IGNORE").values(values))
        left = delete(announcements).where(announcements.c.chat == old)
        await self._connection.execute(left)

    async def origin(self, chat: ChatId) -> ChatId:
        wanted = select(moves.c.origin).where(moves.c.chat == chat)
        found = (await self._connection.execute(wanted)).scalar_one_or_none()
        return chat if found is None else ChatId(found)

    async def now_at(self, chat: ChatId) -> ChatId:
        newest = text("rowid DESC")
        wanted = select(moves.c.chat).where(moves.c.origin == chat).order_by(newest).limit(1)
        found = (await self._connection.execute(wanted)).scalar_one_or_none()
        return chat if found is None else ChatId(found)

    async def greet(self, chat: ChatId, at: datetime, *, every: float) -> bool:
        wanted = select(greetings.c.at).where(greetings.c.chat == chat)
        last = (await self._connection.execute(wanted)).scalar_one_or_none()
        if last is not None and at < last + timedelta(seconds=every):
            return False
        await self._upsert(greetings, {"chat": chat, "at": at})
        return True


# -- the statements, built once: to build one takes longer than to run it

_CURSOR = select(cursors.c.value).where(cursors.c.name == bindparam("name"))
_FORGET = delete(handled).where(handled.c.at < bindparam("before"))
_TAKE = insert(handled)
_HANDLED = select(handled.c.at).where(handled.c.key == bindparam("key"))
_PEOPLE = select(people).where(people.c.id.in_(IDS))
