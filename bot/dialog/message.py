"""Messages as data: the key of each line, the values in it, and the buttons.

The texts are in `locales/`, and the adapter of a service renders them. This module must not build
sentences: word order differs between languages.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from bot.dialog.language import Language

MINUTES_SHOWN: Final = 120
"""From so many minutes on, a duration is shown in hours."""
_UNITS: Final = ("b", "kb", "mb", "gb")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The text under `key`, with `values` in it. A value may be a phrase itself.

    Values are not escaped here: the renderer escapes them.
    """

    key: str
    values: "tuple[tuple[str, Value], ...]" = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time (UTC). `seen` is when it is read: on the same day the date is left out."""

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
    """`value`: the callback data, the text to copy, or the URL, depending on the kind."""

    label: Phrase
    kind: ButtonKind
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    lines: tuple[Phrase, ...]
    buttons: tuple[tuple[Button, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A message in the language of its readers."""

    message: Message
    language: Language

    @property
    def fingerprint(self) -> str:
        """A hash to compare with what a message shows. Equal where people would read the same."""
        rows = [[(_shape(b.label), b.kind, b.value) for b in row] for row in self.message.buttons]
        lines = [_shape(line) for line in self.message.lines]
        return sha256(repr((self.language, lines, rows)).encode()).hexdigest()[:32]


def _shape(value: Value) -> object:
    """The value without what no reader sees of it: seconds, and when a day is looked at."""
    match value:
        case Phrase(key, values):
            return key, [(name, _shape(each)) for name, each in values]
        case Moment(time, seen):
            today = seen is not None and seen.date() == time.date()
            return f"{time:%Y-%m-%d %H:%M}", today
        case _:
            return value


def duration(minutes: int) -> Phrase:
    """A number of minutes, in hours from MINUTES_SHOWN on."""
    if minutes < MINUTES_SHOWN:
        return say("time-minutes", count=minutes)
    return say("time-hours", count=round(minutes / 60))


def size(count: int) -> Phrase:
    """A number of bytes in a decimal unit, such as MB (powers of 1000)."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    amount = count / 1000**power
    digits = 1 if power > 0 and amount < 100 else 0  # noqa: PLR2004 - three digits are enough
    return say(f"size-{_UNITS[power]}", amount=f"{amount:.{digits}f}")
