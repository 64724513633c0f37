"""The tables, and how values of core are converted to columns and back.

A column has the name of the field that it stores. Every change here needs a migration: a test
compares the two. Queries are in the other modules of this folder.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

from bot.core.bad_image import BadImage, Correction, Gap, Mistake
from bot.core.batch import Via
from bot.core.events import Proof
from bot.core.failures import Failure, FailureKind
from bot.core.image import ImageRef, Problem
from bot.core.policy import Ground
from bot.core.request import PullFormat
from bot.core.retry import Trouble, TroubleKind
from bot.core.tag_class import TagClass
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.questions import QuestionKind


class Time(TypeDecorator[datetime]):
    """UTC as ISO 8601 text: it sorts by time, and is readable in a shell."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

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

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", String(16), nullable=False, server_default=""),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("message", Id),
    Column("opened_at", Time, nullable=False),
    Column("confirmed_at", Time),
    Column("untagged", Images, nullable=False, server_default=""),
    Column("card", Id),
    Column("shown", Text, nullable=False, server_default=""),
    Column("cancelled_at", Time),
    Column("told_at", Time),
    Column("told_in", Id),
    Column("told", Text, nullable=False, server_default=""),
    Column("form", Word(PullFormat), nullable=False, server_default=str(PullFormat.DOCKER)),
    Column("returned_at", Time),
    Column("closed_at", Time),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Index("open_requests", "id", sqlite_where=text("closed_at IS NULL")),
    Index("requests_of_person", "person", "opened_at"),
    sqlite_autoincrement=True,
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("via", Word(Via), nullable=False),
    Column("opened_at", Time, nullable=False, index=True),
    Column("committing_at", Time),
    Column("sha", String(64)),
    Column("committed_at", Time),
    Column("dispatching_at", Time),
    Column("dispatched_at", Time),
    Column("run", BigInteger),
    Column("run_url", Text, nullable=False, server_default=""),
    Column("run_seen_at", Time),
    Column("closed_at", Time),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Column("trouble", TroubleText, nullable=False, server_default=""),
    Index("open_batches", "opened_at", sqlite_where=text("closed_at IS NULL")),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image", Image, nullable=False, index=True),
    Column("opened_at", Time, nullable=False),
    Column("checked_at", Time),
    Column("digest", Text),
    Column("replaces", Text),
    Column("platforms", Platforms, nullable=False, server_default=""),
    Column("size", BigInteger),
    Column("ground", Word(Ground)),
    Column("expires_at", Time),
    Column("approved_at", Time),
    Column("approved_by", Id),
    Column("batch", ForeignKey("batches.id")),
    Column("submitted_at", Time),
    Column("run", BigInteger),
    Column("run_url", Text, nullable=False, server_default=""),
    Column("copying_at", Time),
    Column("copied_digest", Text),
    Column("copied_at", Time),
    Column("ended", Word(State)),
    Column("ended_at", Time),
    Column("ended_by", Id),
    Column("reason", Text, nullable=False, server_default=""),
    Column("failure", FailureText),
    Column("meant", Images, nullable=False, server_default=""),
    Column("proof", Word(Proof)),
    Column("requeue_cause", FailureText),
    Column("requeues", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Column("trouble", TroubleText, nullable=False, server_default=""),
    Index("one_open_transfer", "image", unique=True, sqlite_where=text("ended IS NULL")),
    Index("open_transfers", "id", sqlite_where=text("ended IS NULL")),
    # Without transfers that never had a batch: a query for those must not use this index.
    Index("transfers_in_batch", "batch", sqlite_where=text("batch IS NOT NULL")),
    Index("failed_transfers", "ended_at", sqlite_where=text("failure IS NOT NULL")),
    sqlite_autoincrement=True,
)

links = Table(
    "request_transfers",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("transfer", ForeignKey("transfers.id"), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("images", Images, nullable=False, server_default=""),
    Column("left_out", Positions, nullable=False, server_default=""),
    Column("page", Integer),
    Column("bad", BadTexts, nullable=False, server_default="[]"),
    Column("file", Text, nullable=False, server_default=""),
)

files = Table(
    "files",
    metadata,
    Column("request", ForeignKey("requests.id"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("content", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

questions = Table(
    "questions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Word(QuestionKind), nullable=False),
    Column("text", Text, nullable=False),
    Column("person", Id, nullable=False),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("language", Word(Language), nullable=False),
    Column("opened_at", Time, nullable=False),
    Column("page", Integer, nullable=False, server_default="0"),
    Column("message", Id),
    Column("edits", Id),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

tracked = Table(
    "tracked",
    metadata,
    Column("image", Image, primary_key=True),
    Column("registry", Text, nullable=False),
    Column("tag_class", Word(TagClass), nullable=False),
    Column("not_before", Time, nullable=False),
    Column("looked_at", Time),
    Column("source", Text, nullable=False, server_default=""),
    Column("target", Text, nullable=False, server_default=""),
    Column("told", Text, nullable=False, server_default=""),
    Column("alarmed", Text, nullable=False, server_default=""),
    Column("updated_at", Time),
    Column("transfer", ForeignKey("transfers.id")),
    Column("arrived_at", Time),
    # Rows with an update or a transfer are not due. Without them, the index stays small.
    Index(
        "tracked_due",
        *("registry", "not_before"),
        sqlite_where=text("updated_at IS NULL AND transfer IS NULL"),
    ),
    Index(
        "tracked_next", "not_before", sqlite_where=text("updated_at IS NULL AND transfer IS NULL")
    ),
    Index("tracked_far", "tag_class", "not_before"),
    Index("tracked_looked", "looked_at", "registry"),
    Index("tracked_updated", "updated_at", sqlite_where=text("updated_at IS NOT NULL")),
    Index("tracked_on_way", "transfer", sqlite_where=text("transfer IS NOT NULL")),
    Index("tracked_arrived", "arrived_at", sqlite_where=text("arrived_at IS NOT NULL")),
)

watches = Table(
    "watches",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("image", Image, primary_key=True, index=True),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("message", Id),
    Column("since", Time, nullable=False),
)

moves = Table(
    "moves",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("origin", Id, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat", Id, nullable=False),
    Column("thread", BigInteger),
    Column("reply_to", Id),
    Column("edits", Id),
    Column("html", Text, nullable=False),
    Column("buttons", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
)

greetings = Table(
    "greetings",
    metadata,
    Column("chat", Id, primary_key=True),
    Column("at", Time, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
