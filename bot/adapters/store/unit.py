"""One transaction of the store: implements engine.ports.Unit, query by query."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Select,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.adapters.store.backlog import Backlog
from bot.adapters.store.fresh import Upkeep
from bot.adapters.store.rows import fields_of, note_of, place_of, placed, request_of, without
from bot.adapters.store.schema import (
    batches,
    cursors,
    drafts,
    files,
    greetings,
    links,
    moves,
    notes,
    people,
    questions,
    requests,
    transfers,
    watches,
)
from bot.core.batch import Batch
from bot.core.draft import Draft
from bot.core.ids import BatchId, ChatId, MessageId, Person, PersonId, Place, RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.dialog.message import Rendered
from bot.dialog.questions import Question
from bot.engine.ports.outbox import Note
from bot.engine.ports.store import File, NewRequest

UPDATE = "telegram-update"
LATE = 2000
"""So many of the newest requests are looked through for a message of theirs."""
BEAT = "beat-"


class StoreUnit(Backlog, Upkeep):
    # -- signs of life, updates and people ----------------------------------------------

    async def beat(self, name: str, at: datetime) -> datetime | None:
        cursor = f"{BEAT}{name}"
        last = await self._cursor(cursor)
        await self._upsert(cursors, {"name": cursor, "value": int(at.timestamp())})
        return None if last is None else datetime.fromtimestamp(last, UTC)

    async def last_update(self) -> int:
        return await self._cursor(UPDATE) or 0

    async def _cursor(self, name: str) -> int | None:
        found = await self._connection.execute(_CURSOR, {"name": name})
        return found.scalar_one_or_none()

    async def pass_update(self, update: int) -> None:
        await self._upsert(cursors, {"name": UPDATE, "value": update})

    async def remember(self, person: Person) -> None:
        row = {"id": person.id, "name": person.name, "language": person.language}
        await self._upsert(people, row)

    async def people(self, wanted: Collection[PersonId]) -> Mapping[PersonId, Person]:
        rows = await self._all(_PEOPLE, ids=wanted)
        return {PersonId(row["id"]): Person(**row) for row in rows}

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        await self._upsert(moves, {"chat": new, "origin": await self.origin(old)})
        lost: dict[Table, dict[str, Any]] = {
            requests: {"message": None, "card": None, "shown": "", "told_in": None},
            notes: {"reply_to": None, "edits": None},
            questions: {"message": None, "edits": None},
            watches: {"message": None},
        }
        for table, values in lost.items():
            moved = update(table).where(table.c.chat == old).values(chat=new, **values)
            await self._connection.execute(moved)

    async def origin(self, chat: ChatId) -> ChatId:
        wanted = select(moves.c.origin).where(moves.c.chat == chat)
        found = (await self._connection.execute(wanted)).scalar_one_or_none()
        return chat if found is None else ChatId(found)

    # -- requests -----------------------------------------------------------------------

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

    async def draft(self, request: RequestId) -> Draft:
        row = await self._one(_DRAFT, request=request)
        return Draft() if row is None else Draft(**without(row, "request"))

    async def save_draft(self, request: RequestId, draft: Draft) -> None:
        await self._upsert(drafts, {"request": request, **fields_of(draft)})

    async def file(self, request: RequestId) -> File | None:
        row = await self._one(_FILE, request=request)
        return None if row is None else File(**row)

    async def save_file(self, file: File) -> None:
        await self._upsert(files, fields_of(file))

    async def drop_file(self, request: RequestId) -> None:
        await self._connection.execute(files.delete().where(files.c.request == request))

    async def drop_files(self, *, closed_before: datetime) -> None:
        # By the few files there are, not by all requests that were ever closed.
        own = select(requests.c.id).where(requests.c.id == files.c.request)
        closed = own.where(requests.c.closed_at < closed_before).exists()
        await self._connection.execute(files.delete().where(closed))

    async def unread_files(self) -> Sequence[File]:
        return [File(**row) for row in await self._all(_UNREAD_FILES)]

    async def request(self, request: RequestId) -> Request | None:
        row = await self._one(_REQUEST, id=request)
        return None if row is None else request_of(row)

    async def shows_request(self, chat: ChatId, message: MessageId) -> bool:
        ours = or_(requests.c.card == message, requests.c.told_in == message)
        late = requests.c.id > select(func.max(requests.c.id) - LATE).scalar_subquery()
        wanted = select(requests.c.id).where(late, requests.c.chat == chat, ours).limit(1)
        return (await self._connection.execute(wanted)).first() is not None

    async def open_requests(self) -> Sequence[Request]:
        return await self._requests(_OPEN_REQUESTS)

    async def save_request(self, request: Request) -> None:
        await self._save(requests, placed(fields_of(request)))

    # -- transfers ----------------------------------------------------------------------

    async def open_transfer(self, image: ImageRef, at: datetime) -> Transfer:
        row = await self._one(_OPEN_TRANSFER, image=image)
        if row is not None:
            return Transfer(**row)
        values = {"image": image, "opened_at": at}
        added = await self._add(transfers, values)
        return Transfer(id=TransferId(added), image=image, opened_at=at)

    async def transfer(self, transfer: TransferId) -> Transfer | None:
        row = await self._one(_TRANSFER, id=transfer)
        return None if row is None else Transfer(**row)

    async def transfers_of(self, request: RequestId) -> tuple[Transfer, ...]:
        return tuple(await self._transfers(_TRANSFERS_OF, request=request))

    async def open_transfers(self) -> Sequence[Transfer]:
        return await self._transfers(_OPEN_TRANSFERS)

    async def latest_transfer(self, image: ImageRef) -> Transfer | None:
        wanted = select(transfers).where(transfers.c.image == image)
        row = await self._one(wanted.order_by(transfers.c.id.desc()).limit(1))
        return None if row is None else Transfer(**row)

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

    async def save_transfer(self, transfer: Transfer) -> None:
        await self._save(transfers, fields_of(transfer))

    async def transfers(self, wanted: Collection[TransferId]) -> Mapping[TransferId, Transfer]:
        found = await self._transfers(_TRANSFERS, ids=wanted)
        return {transfer.id: transfer for transfer in found}

    async def save_transfers(self, changed: Sequence[Transfer]) -> None:
        if changed:
            rows = [fields_of(transfer) for transfer in changed]
            await self._save_all(transfers, rows)

    async def last_failed(self) -> Transfer | None:
        wanted = select(transfers).where(transfers.c.failure.is_not(None))
        row = await self._one(wanted.order_by(transfers.c.ended_at.desc()).limit(1))
        return None if row is None else Transfer(**row)

    async def asked(self, person: PersonId, since: datetime) -> tuple[int, int]:
        of = {"person": person, "since": since}
        open_now, lately = [await self._connection.execute(each, of) for each in _ASKED]
        return open_now.scalar_one(), lately.scalar_one()

    # -- batches ------------------------------------------------------------------------

    async def open_batches(self) -> Sequence[Batch]:
        return [Batch(**row) for row in await self._all(_OPEN_BATCHES)]

    async def save_batch(self, batch: Batch) -> None:
        await self._upsert(batches, fields_of(batch))

    async def last_batch_at(self) -> datetime | None:
        rows = await self._connection.execute(_LAST_BATCHES)
        return max((row.committed_at or row.opened_at for row in rows), default=None)

    async def transfers_in(self, batch: BatchId) -> tuple[Transfer, ...]:
        return tuple(await self._transfers(_TRANSFERS_IN, batch=batch))

    # -- questions and notes ------------------------------------------------------------

    async def add_question(self, question: Question) -> None:
        row = placed(fields_of(question))
        del row["id"]
        await self._add(questions, row)

    async def questions(self) -> Sequence[Question]:
        rows = await self._all(_QUESTIONS)
        return [Question(place=place_of(row), **without(row, "chat", "thread")) for row in rows]

    async def save_question(self, question: Question) -> None:
        await self._upsert(questions, placed(fields_of(question)))

    async def drop_question(self, question: int) -> None:
        await self._connection.execute(questions.delete().where(questions.c.id == question))

    async def add_note(
        self,
        place: Place,
        text: Rendered,
        *,
        reply_to: MessageId | None,
        edits: MessageId | None = None,
    ) -> None:
        row = {
            "chat": place.chat,
            "thread": place.thread,
            "reply_to": reply_to,
            "edits": edits,
            "html": text.html,
            "buttons": json.dumps(text.buttons),
        }
        await self._add(notes, row)

    async def notes(self) -> Sequence[Note]:
        return [note_of(row) for row in await self._all(_NOTES)]

    async def save_note(self, note: Note) -> None:
        later = {"attempts": note.attempts, "not_before": note.not_before}
        await self._connection.execute(update(notes).where(notes.c.id == note.id).values(later))

    async def drop_note(self, note: int) -> None:
        await self._connection.execute(notes.delete().where(notes.c.id == note))

    async def greet(self, chat: ChatId, at: datetime, *, every: float) -> bool:
        wanted = select(greetings.c.at).where(greetings.c.chat == chat)
        last = (await self._connection.execute(wanted)).scalar_one_or_none()
        if last is not None and at < last + timedelta(seconds=every):
            return False
        await self._upsert(greetings, {"chat": chat, "at": at})
        return True


# -- the statements of ticks and messages: making one takes longer than running it ----------

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_CURSOR = select(cursors.c.value).where(cursors.c.name == bindparam("name"))
_PEOPLE = select(people).where(people.c.id.in_(_IDS))

_REQUEST = select(requests).where(requests.c.id == bindparam("id"))
_OPEN_REQUESTS = select(requests).where(requests.c.closed_at.is_(None)).order_by(requests.c.id)
_DRAFT = select(drafts).where(drafts.c.request == bindparam("request"))
_FILE = select(files).where(files.c.request == bindparam("request"))
_UNREAD_FILES = select(files).where(files.c.content.is_(None)).order_by(files.c.request)

_TRANSFER = select(transfers).where(transfers.c.id == bindparam("id"))
_TRANSFERS = select(transfers).where(transfers.c.id.in_(_IDS))
_OPEN_TRANSFERS = select(transfers).where(transfers.c.ended.is_(None)).order_by(transfers.c.id)
_OPEN_TRANSFER = _OPEN_TRANSFERS.where(transfers.c.image == bindparam("image"))
_TRANSFERS_OF = (
    select(transfers)
    .join(links, links.c.transfer == transfers.c.id)
    .where(links.c.request == bindparam("request"))
    .order_by(links.c.position)
)
_TRANSFERS_IN = (
    select(transfers).where(transfers.c.batch == bindparam("batch")).order_by(transfers.c.id)
)
_REQUESTS_FOR_ALL = (
    select(links.c.transfer.label("of"), requests)
    .join(requests, links.c.request == requests.c.id)
    .where(links.c.transfer.in_(_IDS))
    .order_by(requests.c.id)
)

_OPEN_BATCHES = select(batches).where(batches.c.closed_at.is_(None)).order_by(batches.c.opened_at)
_LAST_BATCHES = (
    select(batches.c.opened_at, batches.c.committed_at)
    .order_by(batches.c.opened_at.desc())
    .limit(2)
)
_QUESTIONS = select(questions).order_by(questions.c.id)
_NOTES = select(notes).order_by(notes.c.id)


def _asked() -> tuple[Select[tuple[int]], Select[tuple[int]]]:
    """Images of a person that are open, and those since a time; made once, asked at each message.

    Request by request, and the sum, keep SQLite to what is open: its own plan went through every
    link there is.
    """
    person: BindParameter[int] = bindparam("person")
    since: BindParameter[datetime] = bindparam("since")
    of_one = select(func.count()).where(links.c.request == requests.c.id)
    of_one = of_one.where(links.c.transfer == transfers.c.id, transfers.c.ended.is_(None))
    open_now = select(func.coalesce(func.sum(of_one.scalar_subquery()), 0)).select_from(requests)
    open_now = open_now.where(requests.c.closed_at.is_(None), (requests.c.person + 0) == person)
    joined = links.join(requests, requests.c.id == links.c.request)
    lately = select(func.count()).select_from(joined)
    return open_now, lately.where(requests.c.person == person, requests.c.opened_at >= since)


_ASKED = _asked()
