"""What the app of a person does before it sends: cuts a long text, and makes an album of files.

Each part of a text and each file of an album is a message of its own.
"""

from collections.abc import Sequence
from typing import Any

from bot.sandbox.telegram import entities
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import (
    LONGEST_TEXT,
    ChatInfo,
    ChatMessage,
    StoredDocument,
    User,
)

LARGEST_ALBUM = 10
LARGEST_PASTE = 1 << 20


def send(
    state: TelegramState,
    person: User,
    chat: ChatInfo,
    text: str,
    documents: Sequence[StoredDocument] = (),
    *,
    caption_on: int = 0,
    **how: Any,
) -> list[ChatMessage]:
    """Send all messages that one press of the app's send button makes, in their order.

    An album has its caption on the file at the position `caption_on`. `how` is as in
    TelegramState.say.
    """
    if not documents:
        return [state.say(person, chat, part, **how) for part in cut(text)]
    if len(documents) == 1:
        return [state.say(person, chat, text, document=documents[0], **how)]
    if len(documents) > LARGEST_ALBUM:
        raise ValueError(f"an album has at most {LARGEST_ALBUM} files")
    album = state.new_album()
    return [
        state.say(
            person,
            chat,
            text if position == caption_on else "",
            document=document,
            album=album,
            **how,
        )
        for position, document in enumerate(documents)
    ]


def cut(text: str) -> list[str]:
    """The parts of a text: at the last line end or blank in the second half, else anywhere."""
    if len(text) > LARGEST_PASTE:
        raise ValueError(f"text is longer than {LARGEST_PASTE} characters: send a file")
    parts = []
    rest = text.strip()
    while entities.length(rest) > LONGEST_TEXT:
        end = _end_of_part(rest)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest]


def _end_of_part(text: str) -> int:
    end = LONGEST_TEXT
    while entities.length(text[:end]) > LONGEST_TEXT:
        end -= 1
    for mark in "\n", " ":
        found = text.rfind(mark, end // 2, end + 1)
        if found > 0:
            return found
    return end
