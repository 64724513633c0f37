"""The port of a chat service. A message is data: the adapter renders it.

Types and markup of a service must not occur here.
Each call of `Chat` may raise `errors.TransientError`: the same call may work later.
"""

from dataclasses import dataclass
from typing import Protocol

from bot.core.ids import MessageId, Place
from bot.core.service import Service
from bot.dialog.message import Text


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is sent."""

    name: str
    content: bytes


class Chat(Protocol):
    """Sends, edits and deletes messages in the chats of one service.

    Raises RefusedError where the chat refuses the message for good, and ChatMovedError where the
    chat has another id now. Its messages cannot be reached under the old id.
    """

    service: Service

    async def send(
        self, place: Place, text: Text, *, reply_to: MessageId | None, key: str
    ) -> MessageId:
        """Send a new message and return its id.

        `key` names what it says, such as `card 41`, and is the same for a repetition. A service may
        find by it what it sent already.
        """

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:
        """Replace the text of a message. A message that has this text already is a success."""

    async def delete(self, place: Place, message: MessageId) -> None:
        """Delete a message of the bot. A message that is gone already is a success."""

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,
        key: str,
    ) -> None:
        """Send a file with a caption. `key` as in `send`."""

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """The content of a file that a person sent.

        Raises RefusedError where the file is gone or is longer than `limit` bytes.
        """
