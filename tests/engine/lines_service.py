"""A third service for the tests: plain lines without buttons, with other limits than Telegram's."""

import html
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.adapters.words import LocaleWords
from bot.core.errors import RefusedError
from bot.core.ids import ChatId, MessageId, Place, RequestId
from bot.core.service import Pace, Room, Service
from bot.dialog.message import ButtonKind, Text
from bot.dialog.typed_buttons import typed_instead
from bot.engine.ports.chat import Document

LIMIT: Final = 700
LINES: Final = Service(
    name="lines",
    title="Lines",
    pace=Pace(messages=9, cards=6, edit_interval=timedelta(seconds=10), burst=3, edits=2),
    room=Room(characters=LIMIT, copied=0),
    private=False,
    has_buttons=False,
)
HALL: Final = ChatId("lines:-5")
_MARKS: Final = (
    (re.compile(r"</?b>"), "*"),
    (re.compile(r"</?code>"), "`"),
    (re.compile(r'<a href="person:lines:(\d+)">.*?</a>'), r"@\1"),
    (re.compile(r'<a href="person:[^"]*">(.*?)</a>'), r"\1"),
    (re.compile(r'<a href="([^"]*)">(.*?)</a>'), r"\2 (\1)"),
)


class LinesWords(LocaleWords):
    def text(self, text: Text) -> str:
        lines = [marked(line) for line in self.lines(text.message, text.language)]
        numbers = [v for line in text.message.lines[:1] for n, v in line.values if n == "request"]
        request = RequestId(int(str(numbers[0]))) if numbers else None
        buttons = [button for row in text.message.buttons for button in row]
        pressed = [b.value for b in buttons if b.kind is ButtonKind.CALLBACK]
        typed = [typed_instead(value, request) for value in pressed]
        return "\n".join([*lines, *filter(None, typed)])


def marked(line: str) -> str:
    for tag, mark in _MARKS:
        line = tag.sub(mark, line)
    return html.unescape(line)


@dataclass
class LinesChat:
    """Keeps what it was sent. Each exception in `trouble` is raised once."""

    messages: dict[MessageId, str] = field(default_factory=dict)
    places: dict[MessageId, Place] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    service = LINES
    words = LinesWords()

    async def send(
        self, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        number = MessageId(f"lines:{len(self.messages) + 1}")
        self._write(number, text)
        self.places[number] = place
        return number

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:
        assert self.places[message] == place
        self._write(message, text)

    async def delete(self, place: Place, message: MessageId) -> None:
        del self.messages[message]

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,
        key: str,
    ) -> None:
        await self.send(place, caption, reply_to=reply_to)

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        raise RefusedError("there are no files")

    def _write(self, number: MessageId, text: Text) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        said = self.words.text(text)
        assert not re.search(r"</?[a-z]+>|person:", said)
        self.messages[number] = said

    def typed(self, verb: str) -> str:
        """Return the newest command of this name that a message shows."""
        found = re.findall(
            rf"^/{verb} \S+ \S{{8}}$", "\n".join(self.messages.values()), re.MULTILINE
        )
        return str(found[-1])
