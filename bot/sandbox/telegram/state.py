"""The state of the sandbox's Telegram: its people, chats, messages and files.

server.py shows it to the bot, page_api.py to people. Messages are immutable. An edit replaces
one, so a queued update keeps the text of its time.
"""

import asyncio
import html
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.sandbox.telegram import entities
from bot.sandbox.telegram.updates import UpdateQueue
from bot.sandbox.telegram.values import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    PEOPLE,
    BotPromotion,
    ButtonKind,
    CallbackAnswer,
    CallbackQuery,
    ChatInfo,
    ChatKind,
    ChatMessage,
    ChatMigration,
    InlineButton,
    MemberStatus,
    MessageOrigin,
    StoredDocument,
    User,
)

PRESS_LIFE = 150.0  # seconds in which a button press can be answered
GENERAL_TOPIC = 1
_UPGRADED_TEAM = -1_001_000_004_001


class NotFoundError(LookupError):
    """Somebody or something does not exist. The text is for people."""


class TelegramState:
    """A supergroup, a plain group, a private chat with each person, and the bot's updates.

    `first_message` is the id of the first message in each chat. A bot that kept its database over
    a restart of the sandbox must not see an old id on a new message. `people` and `groups` are
    added to those that are always there.
    """

    def __init__(
        self,
        *,
        bot_id: int = 7_000_000_001,
        bot_username: str = "imageto_bot",
        clock: Callable[[], float] = time.time,
        first_message: int = 1,
        people: Sequence[User] = (),
        groups: Sequence[ChatInfo] = (),
    ) -> None:
        self.bot_id, self.bot_username, self.clock = bot_id, bot_username, clock
        self.people = {person.name: person for person in (*PEOPLE, *people)}
        self.group = ChatInfo(-1_001_000_000_001, "Images", ChatKind.SUPERGROUP)
        self.team = ChatInfo(-4001, "Team", ChatKind.GROUP)
        private = [
            ChatInfo(each.id, each.first_name, ChatKind.PRIVATE, each)
            for each in self.people.values()
        ]
        shared = [self.group, self.team, *groups]
        self.chats = {chat.id: chat for chat in [*shared, *private]}
        self.teams = [self.team]  # the chats it has been, `team` is the last
        self.upgraded: dict[int, ChatInfo] = {}  # by the id of the former plain group
        self.updates = UpdateQueue(clock)
        self.started = {chat.id for chat in shared}  # chats in which the bot may speak
        self.privacy_mode = True
        self.bot_roles: dict[int, MemberStatus] = {}  # by chat, where it is not a member
        self.closed_topics: set[tuple[int, int | None]] = set()
        self.topics: dict[tuple[int, int], int] = {}  # (chat, topic) -> time of opening
        self.commands: dict[str, list[dict[str, str]]] = {}
        self._messages: dict[tuple[int, int], ChatMessage] = {}  # in the order they were sent
        self._first = first_message
        self._ids = {chat: itertools.count(first_message) for chat in self.chats}
        self._documents: dict[str, StoredDocument] = {}
        self._presses: dict[str, CallbackQuery] = {}
        self._albums = itertools.count(13_000_000_000_000_000)
        self._changed = asyncio.Event()
        self.changes = 0  # of messages, so that who did not wait sees that there were some

    # For the bot and for people

    def messages(self) -> list[ChatMessage]:
        return list(self._messages.values())

    def message(self, chat: ChatInfo, number: int) -> ChatMessage | None:
        return self._messages.get((chat.id, number))

    def existing(self, chat: ChatInfo, number: int) -> ChatMessage:
        """Return the message with this id. Raises NotFoundError."""
        message = self.message(chat, number)
        if message is None:
            raise NotFoundError(f"there is no message {number} in this chat ({chat.title})")
        return message

    def seen(self, message: ChatMessage) -> ChatMessage:
        """Return a message as the bot sees it now, with the message it answers if that exists."""
        if message.reply_to is None:
            return message
        return replace(message, answered=self.message(message.chat, message.reply_to))

    def document(self, file_id: str) -> StoredDocument | None:
        return self._documents.get(file_id)

    def documents(self) -> list[StoredDocument]:
        return list(self._documents.values())

    def keep(self, name: str, mime: str, content: bytes) -> StoredDocument:
        number = len(self._documents) + 1
        document = StoredDocument(f"BQACAgUAAxk{number:08d}", number, name, mime, content)
        self._documents[document.file_id] = document
        return document

    async def changed(self) -> None:
        """Wait until a message is sent, edited or deleted."""
        await self._changed.wait()

    # For people

    def person(self, name: str) -> User:
        if name not in self.people:
            raise NotFoundError(
                f"nobody is called {name!r}; the people are: {', '.join(self.people)}"
            )
        return self.people[name]

    def chat_of(self, person: User, named: str | int | None) -> ChatInfo:
        """Return the chat for an id, "group" (or nothing), "team" or "private"."""
        match named:
            case None | "" | "group":
                return self.group
            case "team":
                return self.team
            case "private":
                return self.chats[person.id]
        try:
            chat = self.chats.get(int(named))
        except ValueError:
            chat = None
        if chat is None or chat.person not in (None, person):
            raise NotFoundError(
                f"{person.name} is in no chat {named!r}; write group, team, private, "
                f"{self.group.id}, {self.team.id} or {person.id}"
            )
        if chat.id in self.upgraded:
            newer = self.upgraded[chat.id].id
            raise ValueError(f"the group {chat.id} became the supergroup {newer}: go on there")
        return chat

    def say(
        self,
        person: User,
        chat: ChatInfo,
        text: str,
        *,
        reply_to: int | None = None,
        topic: int | None = None,
        document: StoredDocument | None = None,
        album: str = "",
        anonymous: bool = False,
    ) -> ChatMessage:
        """Post a message of a person. The bot gets it if its privacy mode allows.

        `anonymous` means in the name of the group, as only its admins can.
        """
        answered = self.existing(chat, reply_to) if reply_to is not None else None
        parts = _written(text, with_document=document is not None)
        parts |= {"document": document, "album": album, "anonymous": anonymous}
        return self._arrive(person, chat, answered=answered, topic=topic, **parts)

    def forward(
        self,
        person: User,
        chat: ChatInfo,
        message: ChatMessage,
        *,
        topic: int | None = None,
        anonymous: bool = False,
    ) -> ChatMessage:
        """Forward a message of any chat to `chat`, without its buttons."""
        if message.upgrade is not None:
            raise ValueError(f"message {message.id} only says what happened; it can't be forwarded")
        return self._arrive(
            person,
            chat,
            topic=topic,
            anonymous=anonymous,
            origin=message.origin or _origin(message),
            text=message.text,
            html=message.html,
            entities=message.entities,
            document=message.document,
        )

    def take_away(self, person: User, chat: ChatInfo, number: int) -> None:
        """Delete a message for everybody. Telegram sends a bot no update about this."""
        message = self.existing(chat, number)
        free = chat.kind is ChatKind.PRIVATE or person.role is MemberStatus.ADMIN
        if message.sender != person and not free:
            raise ValueError(f"message {number} is not {person.name}'s own")
        self.delete(message)

    def upgrade(self, person: User, chat: ChatInfo) -> ChatInfo:
        """Upgrade a plain group to a supergroup, which is a new chat with its own message ids."""
        if chat.kind is not ChatKind.GROUP:
            raise ValueError(f"{chat.title} is no plain group: only one such can be upgraded")
        if person.role is not MemberStatus.ADMIN:
            raise ValueError(f"{person.name} is no admin of {chat.title}")
        new = ChatInfo(_UPGRADED_TEAM, chat.title, ChatKind.SUPERGROUP)
        self.chats[new.id] = self.upgraded[chat.id] = self.team = new
        self.teams.append(new)
        self._ids[new.id] = itertools.count(self._first)
        self.started.add(new.id)
        nothing: dict[str, Any] = {"text": "", "html": ""}
        self._arrive(person, chat, **nothing, upgrade=ChatMigration("migrate_to_chat_id", new.id))
        back = ChatMigration("migrate_from_chat_id", chat.id)
        self._arrive(person, new, **nothing, upgrade=back, anonymous=True)
        return new

    def bot_role(self, chat: ChatInfo) -> MemberStatus:
        return self.bot_roles.get(chat.id, MemberStatus.MEMBER)

    def promote(self, person: User, chat: ChatInfo, role: MemberStatus) -> None:
        """Make the bot an admin of a group, or a member again, or remove it (LEFT).

        The bot gets my_chat_member.
        """
        if chat.kind is ChatKind.PRIVATE or person.role is not MemberStatus.ADMIN:
            raise ValueError(f"{person.name} is no admin of a group here")
        old, self.bot_roles[chat.id] = self.bot_role(chat), role
        if old is not role:
            changed = BotPromotion(chat, person, int(self.clock()), old, role)
            self.updates.add("my_chat_member", changed)

    def new_album(self) -> str:
        return str(next(self._albums))

    def rewrite(self, person: User, chat: ChatInfo, number: int, text: str) -> ChatMessage:
        """Edit a message of this person. The bot gets edited_message."""
        message = self.existing(chat, number)
        if message.sender != person:
            raise ValueError(f"message {number} is not {person.name}'s own")
        if message.origin is not None or message.upgrade is not None:
            raise ValueError(f"message {number} was not typed by {person.name}: it can't be edited")
        written = _written(text, with_document=message.document is not None)
        message = self.edit(message, **written)
        if self._reaches_bot(message):
            self.updates.add("edited_message", self.seen(message))
        return message

    def press(
        self, person: User, chat: ChatInfo, number: int, named: str, *, value: str = ""
    ) -> tuple[InlineButton, CallbackQuery]:
        """Press a button. Only callback buttons reach the bot.

        Takes the first whose text is `named`, or else contains it. `value` distinguishes buttons
        with the same text.
        """
        message = self.existing(chat, number)
        buttons = [button for row in message.keyboard for button in row]
        fitting = [
            button
            for button in buttons
            if named.casefold() in button.text.casefold() and value in {"", button.value}
        ]
        fitting.sort(key=lambda button: button.text != named)
        if not fitting:
            there = ", ".join(button.text for button in buttons) or "none"
            raise NotFoundError(f"message {number} has no button with {named!r}; it has: {there}")
        button = fitting[0]
        answer: asyncio.Future[CallbackAnswer] = asyncio.get_running_loop().create_future()
        query = f"{4_000_000_000_000_000_000 + len(self._presses) + 1}"
        press = CallbackQuery(query, person, self.seen(message), button.value, self.clock(), answer)
        if button.kind is ButtonKind.CALLBACK:
            self._presses[query] = press
            self.updates.add("callback_query", press)
        return button, press

    # For the bot

    def post(self, chat: ChatInfo, **parts: Any) -> ChatMessage:
        """Post a message of the bot. `parts` are fields of ChatMessage."""
        return self._write(chat, None, **parts)

    def edit(self, message: ChatMessage, **parts: Any) -> ChatMessage:
        """Edit a message. `parts` are fields of ChatMessage."""
        return self._add(
            replace(
                message,
                **parts,
                edited=int(self.clock()),
                history=(*message.history, message.text),
            )
        )

    def react(self, message: ChatMessage, reactions: Sequence[str]) -> None:
        self._add(replace(message, reactions=tuple(reactions)))

    def delete(self, message: ChatMessage) -> None:
        del self._messages[message.chat.id, message.id]
        self._wake()

    def answer(self, query: str, answer: CallbackAnswer) -> bool:
        """Answer a button press. False when it is unknown, too old, or answered before."""
        press = self._presses.get(query)
        if press is None or press.answer.done() or self.clock() - press.at >= PRESS_LIFE:
            return False
        press.answer.set_result(answer)
        return True

    # Internal

    def _arrive(
        self,
        person: User,
        chat: ChatInfo,
        *,
        answered: ChatMessage | None = None,
        topic: int | None = None,
        **parts: Any,
    ) -> ChatMessage:
        """Store a message of a person, and queue an update if the bot may see it."""
        _check_author(person, chat, topic=topic, anonymous=parts.get("anonymous", False))
        if topic is None and answered is not None:
            topic = answered.topic
        if topic is not None:
            self.topics.setdefault((chat.id, topic), int(self.clock()))
        self.started.add(chat.id)
        message = self._write(chat, person, answered=answered, topic=topic, **parts)
        if self._reaches_bot(message):
            self.updates.add("message", self.seen(message))
        return message

    def _write(
        self,
        chat: ChatInfo,
        sender: User | None,
        *,
        answered: ChatMessage | None = None,
        **parts: Any,
    ) -> ChatMessage:
        reply_to = thread = None
        if answered is not None:
            reply_to = answered.id
            if chat.kind is ChatKind.SUPERGROUP:
                thread = answered.thread or answered.id
        return self._add(
            ChatMessage(
                chat=chat,
                id=next(self._ids[chat.id]),
                date=int(self.clock()),
                sender=sender,
                reply_to=reply_to,
                thread=thread,
                **parts,
            )
        )

    def _reaches_bot(self, message: ChatMessage) -> bool:
        if message.chat.kind is ChatKind.PRIVATE or message.upgrade is not None:
            return True
        if not self.privacy_mode or self.bot_role(message.chat) is MemberStatus.ADMIN:
            return True
        if message.reply_to is not None:
            answered = self.message(message.chat, message.reply_to)
            if answered is not None and answered.sender is None:
                return True
        if not message.text.startswith("/"):
            return False
        addressee = message.text.split(maxsplit=1)[0].partition("@")[2]
        return not addressee or addressee.casefold() == self.bot_username.casefold()

    def _add(self, message: ChatMessage) -> ChatMessage:
        self._messages[message.chat.id, message.id] = message
        self._wake()
        return message

    def _wake(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _check_author(person: User, chat: ChatInfo, *, topic: int | None, anonymous: bool) -> None:
    is_supergroup = chat.kind is ChatKind.SUPERGROUP
    if anonymous and not (is_supergroup and person.role is MemberStatus.ADMIN):
        raise ValueError("only an admin of a supergroup can write in its name")
    if topic is not None and (not is_supergroup or topic <= GENERAL_TOPIC):
        raise ValueError("topics are in supergroups, numbered from 2; leave it out for General")


def _origin(message: ChatMessage) -> MessageOrigin:
    if message.anonymous:
        return MessageOrigin(message.date, None, message.chat)
    return MessageOrigin(message.date, message.sender)


def _written(text: str, *, with_document: bool) -> dict[str, Any]:
    """Return the fields for a typed text. Raises ValueError for what no client can send."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\r", "")
    text = "".join(c if c >= " " or c == "\n" else " " for c in text).strip()
    longest = LONGEST_CAPTION if with_document else LONGEST_TEXT
    if not text and not with_document:
        raise ValueError("text is empty: write something, or send a document")
    if entities.length(text) > longest:
        raise ValueError(f"text has {entities.length(text)} characters; at most {longest} can be")
    found = entities.commands_in(text)
    return {"text": text, "html": html.escape(text, quote=False), "entities": tuple(found)}
