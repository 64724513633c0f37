"""The ports of a chat service, and of the words that are said there.

A message reaches the chat rendered. Nothing of a service's library passes through here. Each call
of `Chat` may raise `errors.TransientError`: the same call may work later.
"""

from dataclasses import dataclass
from typing import Protocol

from bot.core.ids import MessageId, Place
from bot.dialog.language import Language
from bot.dialog.message import Message, Phrase, Rendered


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is sent."""

    name: str
    content: bytes


class FileSource(Protocol):
    """Where the files are that people send."""

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """The content of a file that a person sent.

        Raises RefusedError where the file is gone or is longer than `limit` bytes.
        """


class Chat(FileSource, Protocol):
    """Sends and edits messages.

    Raises RefusedError where this chat or this message will never take it, and ChatMovedError
    where the chat has another id now: nothing of it can be reached under the old one.
    """

    async def send(self, place: Place, text: Rendered, *, reply_to: MessageId | None) -> MessageId:
        """Send a new message and return its id."""

    async def edit(self, place: Place, message: MessageId, text: Rendered) -> None:
        """Replace the text of a message. A message that has this text already is a success."""

    async def send_file(
        self, place: Place, document: Document, caption: Rendered, *, reply_to: MessageId | None
    ) -> None:
        """Send a file with a caption below it."""


class Words(Protocol):
    """Turns what is said into text. Neither method waits or raises."""

    def render(self, message: Message, language: Language) -> Rendered:
        """The message in that language, with the markup and the buttons of the service."""

    def plain(self, phrase: Phrase, language: Language) -> str:
        """One phrase without markup, as the answer to a press needs it."""
