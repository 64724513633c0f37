"""Small values that several rooms share: typed ids, and what a look at a registry tells.

No rules live here; a value that decides something belongs beside its rule.
"""

from dataclasses import dataclass
from typing import NewType

PersonId = NewType("PersonId", int)
"""The numeric id by which Telegram knows a person; names change, this does not."""
ChatId = NewType("ChatId", int)
MessageId = NewType("MessageId", int)
RequestId = NewType("RequestId", int)
TransferId = NewType("TransferId", int)
BatchId = NewType("BatchId", str)
CommitSha = NewType("CommitSha", str)
RunId = NewType("RunId", int)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat. `name` is what they call themselves: shown, never trusted."""

    id: PersonId
    name: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in Telegram something is said: a chat, and its topic if it has topics."""

    chat: ChatId
    thread: int | None = None
