"""Small values that several rooms share: typed ids, and what a look at a registry tells.

No rules live here; a value that decides something belongs beside its rule.
"""

from dataclasses import dataclass
from datetime import datetime
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
class Shape:
    """What a registry tells of an image without the image itself.

    `platforms` as `os/architecture[/variant]`, empty where it was not told; `size` in bytes of
    all its blobs, each counted once, None where not all of them are known; `created` in UTC,
    None where it was not told or is the placeholder that reproducible builds write.
    """

    platforms: tuple[str, ...] = ()
    size: int | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """How many pulls a registry still gives away, of how many; both as it says itself."""

    remaining: int
    limit: int


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
