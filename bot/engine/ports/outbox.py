"""The part of the store that holds notes: answers that are to be sent once.

A note is stored in the transaction that stores its cause, so a stop of the process loses no answer.
The chat lane alone sends notes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.ids import ChatId, MessageId, Place
from bot.core.retry import Retried
from bot.dialog.message import Text
from bot.engine.ports.chat import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Retried):
    """An answer that is sent once.

    `edits` is the message that gets this text, instead of a new message. Where the chat refuses
    the note, such as a person who never started the bot, `instead` is sent. A `file` has the text
    as its caption.
    """

    id: int
    place: Place
    reply_to: MessageId | None
    text: Text
    edits: MessageId | None = None
    instead: "Instead | None" = None
    file: Document | None = None

    def __str__(self) -> str:
        """For the log."""
        return f"note {self.id}"


@dataclass(frozen=True, slots=True)
class Instead:
    """Another chat, and what is said there. It has no buttons."""

    chat: ChatId
    text: Text


class NewNotes(Protocol):
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
        """Store a note. It is sent as a reply to `reply_to`, or as an edit of `edits`."""


class Outbox(Protocol):
    """The notes that wait to be sent."""

    async def any_notes(self, *, service: str) -> bool:
        """Whether a note waits for a chat of the service, due or not."""

    async def due_notes(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Note]:
        """At most `limit` notes that are due in the chats of the service, the oldest first.

        Those for the chats in `silent`, where nothing may be sent now, are left out.
        """

    async def save_note(self, note: Note) -> None:
        """Store when the note is tried again, and how often it was tried."""

    async def drop_note(self, note: int, *, instead: Instead | None = None) -> None:
        """Delete a note that was sent, by its id. Stores a note with `instead` where given."""
