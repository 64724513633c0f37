"""Immutable values of the sandbox's Telegram: people, chats, messages, buttons."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024


class MemberStatus(StrEnum):
    MEMBER = "member"
    ADMIN = "administrator"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    role: MemberStatus = MemberStatus.MEMBER
    language: str = "en"  # the setting of this person's client

    @property
    def first_name(self) -> str:
        return self.name.capitalize()


PEOPLE = (
    User(1001, "wei"),
    User(1002, "li", language="zh-hans"),
    User(1003, "ana", MemberStatus.ADMIN),
    User(1004, "mallory"),
)
STRANGER = "mallory"  # in the groups, but not in the bot's config


class ChatKind(StrEnum):
    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


@dataclass(frozen=True, slots=True)
class ChatInfo:
    id: int
    title: str
    kind: ChatKind
    person: User | None = None  # whose private chat with the bot it is


class ButtonKind(StrEnum):
    CALLBACK = "callback"
    COPY = "copy"
    URL = "url"


@dataclass(frozen=True, slots=True)
class InlineButton:
    text: str
    kind: ButtonKind
    value: str


Keyboard = tuple[tuple[InlineButton, ...], ...]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    file_id: str
    number: int
    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatMigration:
    """The service message about an upgrade to a supergroup. `id` is the other chat."""

    direction: Literal["migrate_to_chat_id", "migrate_from_chat_id"]
    id: int


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """The original of a forwarded message."""

    date: int
    sender: User | None  # None is the bot
    chat: ChatInfo | None = None  # the group in whose name an anonymous admin wrote


@dataclass(frozen=True, slots=True)
class ChatMessage:
    chat: ChatInfo
    id: int
    date: int
    sender: User | None  # None is the bot
    text: str  # the caption when there is a document
    html: str
    anonymous: bool = False  # an admin who writes in the name of the group
    entities: tuple[dict[str, Any], ...] = ()
    keyboard: Keyboard = ()
    reply_to: int | None = None
    answered: "ChatMessage | None" = field(default=None, repr=False)  # as the bot sees it
    topic: int | None = None
    thread: int | None = None  # the first message of a chain of replies, in a supergroup
    origin: MessageOrigin | None = None
    upgrade: ChatMigration | None = None
    document: StoredDocument | None = None
    album: str = ""  # the same in all files of an album
    edited: int | None = None
    history: tuple[str, ...] = ()  # former texts, oldest first
    reactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BotPromotion:
    """An admin made the bot an admin of the chat, or took that back."""

    chat: ChatInfo
    by: User
    at: int
    old: MemberStatus
    new: MemberStatus


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    text: str = ""
    alert: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class CallbackQuery:
    id: str
    by: User
    message: ChatMessage
    data: str
    at: float
    answer: asyncio.Future[CallbackAnswer] = field(repr=False)
