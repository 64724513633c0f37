"""The Telegram of the sandbox: its people, chats, messages and files.

State only: telegram.py shows it to the bot, chat_api.py to people. Messages are values; an edit
replaces one, so what was queued for the bot stays as it was when it happened.
"""

import asyncio
import html
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.sandbox import entities
from bot.sandbox.chat_values import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    PEOPLE,
    Answer,
    Button,
    ButtonKind,
    Chat,
    Document,
    Message,
    Person,
    Press,
)
from bot.sandbox.updates import Updates

PRESS_LIFE = 150.0  # seconds in which a button press can be answered


class UnknownError(LookupError):
    """Somebody or something that does not exist; the text is for people."""


class ChatWorld:
    """One group, a private chat with each person, and the bot's queue of updates.

    `first_message` is the id of the first message in each chat: a bot which kept its database
    over a restart of the sandbox must not find a stranger's message under an old id.
    """

    def __init__(
        self,
        *,
        bot_id: int = 7_000_000_001,
        bot_username: str = "imageto_bot",
        clock: Callable[[], float] = time.time,
        first_message: int = 1,
    ) -> None:
        self.bot_id, self.bot_username, self.clock = bot_id, bot_username, clock
        self.people = {person.name: person for person in PEOPLE}
        self.group = Chat(-1_001_000_000_001, "Images")
        private = [Chat(person.id, person.first_name, person) for person in PEOPLE]
        self.chats = {chat.id: chat for chat in [self.group, *private]}
        self.updates = Updates(clock)
        self.started: set[int] = {self.group.id}  # chats in which the bot may speak
        self.topics: set[tuple[int, int]] = set()
        self.commands: dict[str, list[dict[str, str]]] = {}
        self._messages: dict[tuple[int, int], Message] = {}  # in the order they were sent
        self._ids = {chat: itertools.count(first_message) for chat in self.chats}
        self._documents: dict[str, Document] = {}
        self._presses: dict[str, Press] = {}
        self._changed = asyncio.Event()

    # What both sides see

    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def message(self, chat: Chat, number: int) -> Message | None:
        return self._messages.get((chat.id, number))

    def document(self, file_id: str) -> Document | None:
        return self._documents.get(file_id)

    def documents(self) -> list[Document]:
        return list(self._documents.values())

    def keep(self, name: str, mime: str, content: bytes) -> Document:
        number = len(self._documents) + 1
        document = Document(f"BQACAgUAAxk{number:08d}", number, name, mime, content)
        self._documents[document.file_id] = document
        return document

    async def changed(self) -> None:
        """Wait until a message is sent, edited or deleted."""
        await self._changed.wait()

    # What people do

    def person(self, name: str) -> Person:
        if name not in self.people:
            raise UnknownError(
                f"nobody is called {name!r}; the people are: {', '.join(self.people)}"
            )
        return self.people[name]

    def chat_of(self, person: Person, named: str | int | None) -> Chat:
        """The chat a person means: an id, "group" (or nothing), or "private"."""
        match named:
            case None | "" | "group":
                return self.group
            case "private":
                return self.chats[person.id]
        try:
            chat = self.chats.get(int(named))
        except ValueError:
            chat = None
        if chat is None or chat.person not in (None, person):
            raise UnknownError(
                f"{person.name} is in no chat {named!r}; write group, private, "
                f"{self.group.id} or {person.id}"
            )
        return chat

    def say(
        self,
        person: Person,
        chat: Chat,
        text: str,
        *,
        reply_to: int | None = None,
        topic: int | None = None,
        document: Document | None = None,
    ) -> Message:
        """A person writes; the bot learns of it where its privacy mode lets it."""
        answered = self._existing(chat, reply_to) if reply_to is not None else None
        if topic is None and answered is not None:
            topic = answered.topic
        if topic is not None:
            self.topics.add((chat.id, topic))
        self.started.add(chat.id)
        message = self._add(
            Message(
                chat,
                self._number(chat),
                int(self.clock()),
                person,
                **_written(text, with_document=document is not None),
                reply_to=reply_to,
                topic=topic,
                document=document,
            )
        )
        if self._reaches_bot(message):
            self.updates.add("message", message)
        return message

    def rewrite(self, person: Person, chat: Chat, number: int, text: str) -> Message:
        """A person edits an own message; the bot gets edited_message."""
        message = self._existing(chat, number)
        if message.sender != person:
            raise ValueError(f"message {number} is not {person.name}'s own")
        written = _written(text, with_document=message.document is not None)
        message = self.edit(message, **written)
        if self._reaches_bot(message):
            self.updates.add("edited_message", message)
        return message

    def press(self, person: Person, chat: Chat, number: int, named: str) -> tuple[Button, Press]:
        """Press the first button whose text contains `named`; only callbacks reach the bot."""
        message = self._existing(chat, number)
        buttons = [button for row in message.keyboard for button in row]
        fitting = [button for button in buttons if named.casefold() in button.text.casefold()]
        if not fitting:
            there = ", ".join(button.text for button in buttons) or "none"
            raise UnknownError(f"message {number} has no button with {named!r}; it has: {there}")
        button = fitting[0]
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        query = f"{4_000_000_000_000_000_000 + len(self._presses) + 1}"
        press = Press(query, person, message, button.value, self.clock(), answer)
        if button.kind is ButtonKind.CALLBACK:
            self._presses[query] = press
            self.updates.add("callback_query", press)
        return button, press

    # What the bot does

    def post(self, chat: Chat, **parts: Any) -> Message:
        """The bot writes: `parts` are fields of Message."""
        return self._add(
            Message(chat=chat, id=self._number(chat), date=int(self.clock()), sender=None, **parts)
        )

    def edit(self, message: Message, **parts: Any) -> Message:
        """Replace a message; `parts` are fields of Message."""
        return self._add(
            replace(
                message,
                **parts,
                edited=int(self.clock()),
                history=(*message.history, message.text),
            )
        )

    def react(self, message: Message, reactions: Sequence[str]) -> None:
        self._add(replace(message, reactions=tuple(reactions)))

    def delete(self, message: Message) -> None:
        del self._messages[message.chat.id, message.id]
        self._wake()

    def answer(self, query: str, answer: Answer) -> bool:
        """Answer a button press: False when it is unknown, too old, or answered before."""
        press = self._presses.get(query)
        if press is None or press.answer.done() or self.clock() - press.at >= PRESS_LIFE:
            return False
        press.answer.set_result(answer)
        return True

    # Within

    def _existing(self, chat: Chat, number: int) -> Message:
        message = self.message(chat, number)
        if message is None:
            raise UnknownError(f"there is no message {number} in this chat ({chat.title})")
        return message

    def _reaches_bot(self, message: Message) -> bool:
        if message.chat.person is not None:
            return True
        if message.reply_to is not None:
            answered = self.message(message.chat, message.reply_to)
            if answered is not None and answered.sender is None:
                return True
        if not message.text.startswith("/"):
            return False
        addressee = message.text.split(maxsplit=1)[0].partition("@")[2]
        return not addressee or addressee.casefold() == self.bot_username.casefold()

    def _number(self, chat: Chat) -> int:
        return next(self._ids[chat.id])

    def _add(self, message: Message) -> Message:
        self._messages[message.chat.id, message.id] = message
        self._wake()
        return message

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _written(text: str, *, with_document: bool) -> dict[str, Any]:
    """What Telegram makes of a typed text; ValueError for one that no client can send."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\r", "")
    text = "".join(c if c >= " " or c == "\n" else " " for c in text).strip()
    longest = LONGEST_CAPTION if with_document else LONGEST_TEXT
    if not text and not with_document:
        raise ValueError("text is empty: write something, or send a document")
    if entities.length(text) > longest:
        raise ValueError(f"text has {entities.length(text)} characters; at most {longest} can be")
    found = entities.commands_in(text)
    return {"text": text, "html": html.escape(text, quote=False), "entities": tuple(found)}
