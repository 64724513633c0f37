"""What the bot has to know of a service where people talk. The adapter of the service says it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one message holds: characters, and those that a button copies."""

    characters: int = 4000
    copied: int = 256

    def share(self, part: float) -> int:
        """So many characters of the message, where `part` is below 1."""
        return int(self.characters * part)


ROOM: Final = Room()
"""What a person reads at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many messages may be sent. An edit counts as a message.

    `messages` in a `window` to one chat, of which `cards` may be cards, so that a result never
    waits for an edit. A private chat may get `private_factor` times as many. `edit_interval`
    between two edits in a chat. `burst` in a second to all chats, of which `edits` may be edits.
    """

    messages: int
    cards: int
    window: timedelta = timedelta(seconds=60)
    private_factor: int = 1
    edit_interval: timedelta
    burst: int
    edits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """How the apps of a service cut a long text. Lengths are in UTF-16 code units.

    They cut at the last line end or blank before `at`. Some look for it in the last `looked_at`
    only, others up to `possible_from`. So a text from `likely_from` on probably was cut.
    """

    at: int
    looked_at: int
    possible_from: int
    likely_from: int

    def may_be(self, text: str) -> bool:
        """Whether the text may have been cut."""
        return units(text) >= self.possible_from

    def probably(self, text: str) -> bool:
        """Whether the text was probably cut."""
        return units(text) >= self.likely_from

    def joined(self, parts: tuple[str, ...]) -> str:
        """The whole text. Apps drop the line end or the blank at which they cut.

        A part of full length that has none near its end was cut within a word.
        """
        whole = ""
        for position, part in enumerate(parts):
            before = parts[position - 1] if position else ""
            near = before[-self.looked_at :]
            hard = units(before) == self.at and not any(map(str.isspace, near))
            whole += part if hard or not position else f"\n{part}"
        return whole


def units(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The facts of a service.

    `name` begins its ids, `title` is what people call it. `cuts` None: texts arrive whole. `keeps`
    is how long it keeps messages for a bot that is away, None for ever. `deletes` is how long a bot
    may delete its own messages, None for ever. Where it has no buttons, a command names the version
    of the card that it decides on. Where it is public, others than the members of a chat read it.
    `private`: people have private chats with the bot.
    """

    name: str
    title: str
    pace: Pace
    room: Room = ROOM
    cuts: Cuts | None = None
    keeps: timedelta | None = None
    deletes: timedelta | None = None
    has_buttons: bool = True
    is_public: bool = False
    private: bool = True
