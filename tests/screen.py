"""Plays a conversation over the fake world and writes down what people see on their phones.

The transcript has the time since the start, a number for each message, the text without its
markup, and the buttons in their rows. An edit without a visible change is left out.
"""

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from fakes import GROUP, FakeChat, World, digest_of, rendered

from bot.adapters.telegram.rendering import Rendered
from bot.core.batch import CopyResult
from bot.core.ids import ChatId, MessageId, Person, Place, is_private_chat_of
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.engine.intake.context import Attachment, Press
from bot.engine.ports.chat import Document

_LINK: Final = re.compile(r'<a href="([^"]*)">(.*?)</a>')
_TAG: Final = re.compile(r"<[^<>]*>")
_MARGIN: Final = "      "
LONGEST_LINE: Final = 2000
"""Characters of a line that people write. Of longer ones, the beginning is written down."""


def visible(text: Rendered) -> list[str]:
    """Return the lines that a person reads: an address follows its link, buttons follow text."""
    plain = html.unescape(_TAG.sub("", _LINK.sub(r"\2 ‹\1›", text.html)))  # noqa: RUF001 - no address holds them
    rows = (" ".join(f"[{label}]" for label, _, _ in row) for row in text.buttons)
    return [*plain.splitlines(), *rows]


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:60]}… ({len(line)} characters)"


class WatchedChat(FakeChat):
    """Reports each message to the screen when it is sent."""

    def __init__(self, screen: "Screen") -> None:
        super().__init__()
        self._screen = screen

    async def send(
        self, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        number = await super().send(place, text, reply_to=reply_to)
        self._screen.said(number, text, reply_to)
        return number

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:
        await super().edit(place, message, text)
        self._screen.edited(message, text)

    async def delete(self, place: Place, message: MessageId) -> None:
        await super().delete(place, message)
        self._screen.deleted(message)

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,
        key: str = "",
    ) -> None:
        await super().send_file(place, document, caption, reply_to=reply_to)
        self._screen.attached(document.name, document.content)


class Screen:
    """People act through `say`, `send` and `press`. `text` is the transcript."""

    def __init__(self, world: World, language: Language) -> None:
        self.world = world
        self._language = language
        self._start = world.clock.now
        self._lines: list[str] = []
        self._numbers: dict[MessageId, int] = {}
        self._seen: dict[MessageId, list[str]] = {}
        world.chat = WatchedChat(self)
        world.start()

    @property
    def text(self) -> str:
        return "\n".join(self._lines).strip() + "\n"

    # -- what people do -----------------------------------------------------------------

    async def say(self, person: Person, text: str, *, chat: ChatId = GROUP, **more: Any) -> None:
        number = MessageId(f"telegram:{self.world.last_message + 1}")
        speaker = "an anonymous admin" if more.get("faceless") else person.name
        head = f"({self._number(number)}) {speaker}{_where(person, chat)}"
        self._note(head, list(map(_shortened, text.splitlines())))
        if "file" in more:
            self._add([f"📎 {more['file'].name}"])
        if await self.world.say(self._here(person), text, chat=chat, **more):
            self._add(["👀"])

    async def send(self, person: Person, name: str, content: bytes, *, size: int = 0) -> None:
        """Send a file with /mirror as its caption. `size` overrides what Telegram names."""
        self.world.chat.files[name] = content
        await self.say(person, "/mirror", file=Attachment(name, name, size or len(content)))

    async def press(self, person: Person, data: str, *, chat: ChatId = GROUP) -> None:
        """Press a button that is there: see `FakeChat.button`."""
        world = self.world
        message, data = world.chat.button(data)
        labels = {carried: label for label, carried in world.chat.messages[message].data.items()}
        assert data in labels, f"no button carries {data}"
        label = labels[data]
        self._note(f"{person.name} presses [{label}] under ({self._number(message)})", [])
        world.last_update += 1
        press = Press(
            update=world.key,
            person=self._here(person),
            place=Place(chat),
            message=message,
            data=data,
        )
        toast = await world.pressed(press)
        self._add(f"“{toast}”".splitlines() if toast else [])

    async def wait(self, seconds: float = 8, *, step: float = 1) -> None:
        await self.world.settle(seconds, step)

    # -- what the world does ------------------------------------------------------------

    def upstream(self, image: ImageRef, size: int, *platforms: str) -> None:
        """Put an image of so many bytes into the source."""
        self.world.upstream(image)
        shape = ImageInfo(platforms or ("linux/amd64", "linux/arm64"), size)
        self.world.registries.shapes[str(image)] = shape

    def copied(self, *images: ImageRef, run: int = -1) -> None:
        """Let the run copy the images, report them, and end."""
        found = self.world.repository.runs[run]
        for image in images:
            digest = digest_of(str(image))
            self.world.registries.target[str(image)] = digest
            shape = self.world.registries.shapes[str(image)]
            assert isinstance(shape, ImageInfo)
            found.results.append(CopyResult(str(image), digest, shape.size, ""))
        self.world.repository.finish(run=run)

    def failed(self, image: ImageRef, line: str, *, run: int = -1) -> None:
        """Let the run report why it did not copy the image, and go on."""
        self.world.repository.report(image, None, line, run=run)

    # -- what is seen of it -------------------------------------------------------------

    def said(self, message: MessageId, text: Text, reply_to: MessageId | None) -> None:
        to = f", to ({self._number(reply_to)})" if reply_to in self._numbers else ""
        self._seen[message] = visible(rendered(text))
        self._note(f"({self._number(message)}) bot{to}", self._seen[message])

    def edited(self, message: MessageId, text: Text) -> None:
        lines = visible(rendered(text))
        if lines != self._seen[message]:
            self._seen[message] = lines
            self._note(f"({self._number(message)}) becomes", lines)

    def deleted(self, message: MessageId) -> None:
        self._note(f"({self._number(message)}) is deleted", [])

    def attached(self, name: str, content: bytes) -> None:
        self._add([f"📎 {name}", *(f"| {line}" for line in content.decode().splitlines())])

    def _note(self, head: str, lines: list[str]) -> None:
        passed = self.world.clock.now - self._start
        self._lines += ["", f"{_timer(passed)}  {head}"]
        self._add(lines)

    def _add(self, lines: list[str]) -> None:
        self._lines += [f"{_MARGIN}{line}".rstrip() for line in lines]

    def _number(self, message: MessageId | None) -> int:
        assert message is not None
        return self._numbers.setdefault(message, len(self._numbers) + 1)

    def _here(self, person: Person) -> Person:
        """Return the person with the screen's language, since a toast is in the reader's own."""
        return replace(person, language=self._language)


def _where(person: Person, chat: ChatId) -> str:
    if is_private_chat_of(chat, person.id):
        return ", in private"
    return "" if chat == GROUP else ", in another group"


def _timer(passed: timedelta) -> str:
    minutes, seconds = divmod(int(passed.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"
