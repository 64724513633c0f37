"""Things the bot says, as data: which words, with what in them, and which buttons.

The words themselves are in `locales/`; turning a message into text and markup is an adapter's
work. Nothing here may build a sentence: word order differs from language to language.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MINUTES_SHOWN: Final = 120
"""A wait of so many minutes or more is said in hours."""
_UNITS: Final = ("b", "kb", "mb", "gb")
COPY_LIMIT: Final = 256
"""Telegram's limit of the text that a copy button copies, in characters."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words under `key`, with `values` in them. A value may be a phrase itself.

    Texts are data: whoever renders them escapes them, whatever they hold.
    """

    key: str
    values: "tuple[tuple[str, Value], ...]" = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time (UTC). `seen` is when it is read: the date of the same day goes without."""

    time: datetime
    seen: datetime | None = None


Value = str | int | Phrase | Moment


def say(key: str, **values: Value) -> Phrase:
    return Phrase(key, tuple(values.items()))


class ButtonKind(StrEnum):
    CALLBACK = "callback"
    COPY = "copy"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Button:
    """`value`: the callback data, the text to copy, or the address, by kind."""

    label: Phrase
    kind: ButtonKind
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    lines: tuple[Phrase, ...]
    buttons: tuple[tuple[Button, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in one language, as Telegram takes it: HTML, and rows of (label, kind, value)."""

    html: str
    buttons: tuple[tuple[tuple[str, ButtonKind, str], ...], ...] = ()

    @property
    def fingerprint(self) -> str:
        """All that it says, for comparison with what a message says already."""
        rows = "\n".join(" ".join(":".join(button) for button in row) for row in self.buttons)
        return f"{self.html}\n{rows}".strip()


def duration(minutes: int) -> Phrase:
    """So many minutes, in hours where that is exact enough."""
    if minutes < MINUTES_SHOWN:
        return say("time-minutes", count=minutes)
    return say("time-hours", count=round(minutes / 60))


def size(count: int) -> Phrase:
    """So many bytes, in the unit that people use for them (powers of 1000)."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    amount = count / 1000**power
    digits = 1 if power > 0 and amount < 100 else 0  # noqa: PLR2004 - three digits are enough
    return say(f"size-{_UNITS[power]}", amount=f"{amount:.{digits}f}")
