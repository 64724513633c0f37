"""Notes: answers and news that are stored as finished text, and sent or edited once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.engine.lanes.chat_sending import NOT_STORED, Sending
from bot.engine.ports.chat import Chat
from bot.engine.ports.outbox import Instead, Note, Outbox
from bot.engine.ports.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatNotes:
    store: Store[Outbox]
    chat: Chat
    sending: Sending
    clock: Callable[[], datetime]

    async def send(self, note: Note) -> bool:
        now, chat = self.clock(), note.place.chat
        if not note.is_due(now):
            return False
        edit = note.edits is not None
        if not (
            self.sending.rate.can_edit(chat, now) if edit else self.sending.rate.can_send(chat, now)
        ):
            return False
        key = f"note {note.id}"
        try:
            if note.edits is not None:
                await self.chat.edit(note.place, note.edits, note.text)
            elif note.file is not None:
                await self.chat.send_file(
                    note.place, note.file, note.text, reply_to=note.reply_to, key=key
                )
            else:
                await self.chat.send(note.place, note.text, reply_to=note.reply_to, key=key)
        except ChatMovedError as moved:
            return await self.sending.move_chat(chat, moved)
        except TransientError as trouble:
            await self._postpone(note, trouble)
            return False
        except RefusedError as refusal:
            log.warning("%s cannot be sent, let the bot write there: %s", note, refusal)
            return await self._sent(note, now, instead=note.instead)
        return await self._sent(note, now)

    async def _sent(self, note: Note, now: datetime, *, instead: Instead | None = None) -> bool:
        """Count it and store that it was sent, or what is to be sent instead."""
        chat, edit = note.place.chat, note.edits is not None
        self.sending.rate.record_sent(chat, now, edit=edit)
        later = partial(self._postpone, note, TransientError(NOT_STORED))
        await self.sending.save(lambda: self._drop(note, instead), later)
        return True

    async def _drop(self, note: Note, instead: Instead | None) -> None:
        async with self.store.begin() as unit:
            await unit.drop_note(note.id, instead=instead)

    async def _postpone(self, note: Note, trouble: TransientError) -> None:
        log.warning("%s: %s", note, trouble)
        self.sending.block_chat(note.place.chat, trouble)
        later = note.postponed(self.clock(), seed=note.id, retry_after=trouble.retry_after)
        async with self.store.begin() as unit:
            await unit.save_note(later)
