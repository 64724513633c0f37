"""How values of core are converted to columns of the database and back.

The tables are in schema.py. What is stored here outlives versions of the bot: a changed form needs
a migration.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Dialect, LargeBinary, String, Text, TypeDecorator

from bot.core.bad_image import BadImage, Correction, Gap, Mistake
from bot.core.card_version import Pair
from bot.core.failures import Failure, FailureKind
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef, Problem
from bot.core.private_cards import PrivateCard
from bot.core.retry import Trouble, TroubleKind


def time_text(at: datetime) -> str:
    """UTC as ISO 8601 text: it sorts by time, and is readable in a shell."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class Time(TypeDecorator[datetime]):
    """As `time_text` writes it."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else time_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Image(TypeDecorator[ImageRef]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: ImageRef | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> ImageRef | None:
        return None if value is None else ImageRef.parse(value)


class Images(TypeDecorator[tuple[ImageRef, ...]]):
    """Separated by spaces, which no reference contains."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[ImageRef, ...] | None, dialect: Dialect) -> str:
        return " ".join(map(str, value or ()))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[ImageRef, ...]:
        return tuple(map(ImageRef.parse, (value or "").split()))


class Positions(TypeDecorator[frozenset[int]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, dialect: Dialect) -> str:
        return " ".join(map(str, sorted(value or ())))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> frozenset[int]:
        return frozenset(map(int, (value or "").split()))


class BadTexts(TypeDecorator[tuple[BadImage, ...]]):
    """As JSON: what a person wrote may contain any character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[BadImage, ...] | None, dialect: Dialect) -> str:
        return json.dumps([_plain(bad) for bad in value or ()])

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[BadImage, ...]:
        return tuple(_bad(*row) for row in json.loads(value or "[]"))


def _plain(bad: BadImage) -> list[str | None]:
    meant = bad.correction
    row = [bad.text, bad.problem, meant and meant.mistake, meant and str(meant.image)]
    return [None if each is None else str(each) for each in row]


def _bad(text: str, problem: str | None, mistake: str | None, image: str | None) -> BadImage:
    meant = Correction(Mistake(mistake), ImageRef.parse(image)) if mistake and image else None
    return BadImage(text, _reason(problem) if problem else None, meant)


def _reason(value: str) -> Problem | Gap:
    return Gap(value) if value in set(Gap) else Problem(value)


class Pairs(TypeDecorator[tuple[Pair, ...]]):
    """As JSON: `[[transfer, digest], …]`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Pair, ...] | None, dialect: Dialect) -> str:
        return json.dumps(value or (), separators=(",", ":"))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Pair, ...]:
        return tuple(
            (TransferId(transfer), digest) for transfer, digest in json.loads(value or "[]")
        )


class Envelopes(TypeDecorator[tuple[bytes, ...]]):
    """One a line: JSON on one line holds none."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[bytes, ...] | None, dialect: Dialect) -> bytes:
        return b"\n".join(value or ())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[bytes, ...]:
        return tuple((value or b"").split())


class Platforms(TypeDecorator[tuple[str, ...]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return " ".join(value or ())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple((value or "").split())


class Word(TypeDecorator[StrEnum]):
    """A member of an enum, by its value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Words(TypeDecorator[frozenset[str]]):
    """Separated by spaces, which none of them contains."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str:
        return " ".join(sorted(value or ()))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> frozenset[str]:
        return frozenset((value or "").split())


class PrivateCardsText(TypeDecorator[Mapping[RequestId, PrivateCard]]):
    """As JSON: the number of a request, and the message with what it shows."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: Mapping[RequestId, PrivateCard] | None, dialect: Dialect
    ) -> str:
        cards = {
            number: [card.message, card.shown, card.version]
            for number, card in (value or {}).items()
        }
        return json.dumps(cards)

    def process_result_value(
        self, value: Any | None, dialect: Dialect
    ) -> Mapping[RequestId, PrivateCard]:
        found = json.loads(value or "{}")
        return {RequestId(int(number)): PrivateCard(*card) for number, card in found.items()}


class FailureText(TypeDecorator[Failure]):
    """As `kind: line`, so that people can read and search the history in SQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Failure | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value.kind}: {value.line}"

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Failure | None:
        if value is None:
            return None
        kind, _, line = value.partition(": ")
        return Failure(FailureKind(kind), line)


class TroubleText(TypeDecorator[Trouble]):
    """As `kind who line`. `who` is a service or a registry, so it contains no space."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Trouble | None, dialect: Dialect) -> str:
        return "" if value is None else f"{value.kind} {value.who} {value.line}"

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Trouble | None:
        if not value:
            return None
        kind, who, line = value.split(" ", 2)
        return Trouble(TroubleKind(kind), who, line)


Id = Text
"""`service:number` of a person, a chat or a message: see core/ids.py."""
