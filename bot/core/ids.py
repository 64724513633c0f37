"""Typed ids, and the small values that are made of them.

Persons, chats and messages are `service:number`. So the same number at two
services gives two ids, and an id in the history keeps its meaning. Inside the bot, ids are only
compared. The adapters and config.py build them from numbers. This module must not hold rules, other
than those for the form of an id.

The private chat with a person has the number of that person. A conversation of many has a number
below zero. An adapter whose service counts otherwise maps its numbers.
"""

import re
from dataclasses import dataclass
from typing import Final, NewType

from bot.core.person_name import safe_name

PersonId = NewType("PersonId", str)
"""`service:number`, by which a service knows a person. Names change, this does not."""
ChatId = NewType("ChatId", str)
"""`service:number` of a conversation: a group, or the private chat with one person."""
MessageId = NewType("MessageId", str)
"""`service:number` of a message within its chat."""
UpdateKey = NewType("UpdateKey", str)
"""`service:` and what tells an update of it from all others, so that it is handled once."""
RequestId = NewType("RequestId", int)
TransferId = NewType("TransferId", int)
BatchId = NewType("BatchId", str)
CommitSha = NewType("CommitSha", str)
RunId = NewType("RunId", int)

BOT_ITSELF: Final = PersonId("bot:0")
"""The bot as the person of requests that it opens itself. No service is called "bot"."""
_ID: Final = re.compile(r"([a-z]+):(0|-?[1-9][0-9]*)")
_NUMBER_LIMIT: Final = 2**63
"""The database stores 64 bits."""


def person_id(service: str, number: int) -> PersonId:
    """Raises ValueError where the service or the number cannot be part of an id."""
    return PersonId(_joined(service, number))


def chat_id(service: str, number: int) -> ChatId:
    """Raises ValueError as person_id does."""
    return ChatId(_joined(service, number))


def message_id(service: str, number: int) -> MessageId:
    """Raises ValueError as person_id does."""
    return MessageId(_joined(service, number))


def split_id(text: str) -> tuple[str, int]:
    """The service and the number of an id. Raises ValueError for any other text."""
    found = _ID.fullmatch(text)
    if found is None or not -_NUMBER_LIMIT <= (number := int(found[2])) < _NUMBER_LIMIT:
        raise ValueError(f"{text[:80]!r} is no id of the form service:number")
    return found[1], number


def number_of(text: PersonId | ChatId | MessageId) -> int:
    """The number by which the service itself knows this id."""
    return split_id(text)[1]


def service_of(text: PersonId | ChatId | MessageId | UpdateKey) -> str:
    return text.partition(":")[0]


def is_private(chat: ChatId) -> bool:
    """Whether the chat is private, and no conversation of many."""
    return number_of(chat) > 0


def is_private_chat_of(chat: ChatId, person: PersonId) -> bool:
    """Whether it is the private chat with this person."""
    return str(chat) == str(person)


def _joined(service: str, number: int) -> str:
    text = f"{service}:{number}"
    split_id(text)
    return text


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat. `name` is what they call themselves, made safe to show."""

    id: PersonId
    name: str
    language: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", safe_name(self.name))


BOT: Final = Person(BOT_ITSELF, "🤖")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is: a chat, and its topic if it has topics."""

    chat: ChatId
    thread: int | None = None
