"""Reads what the metrics tell of the database, on a connection of its own beside the bot's.

It never writes and never makes the bot wait: the journal lets a reader read while others write.
What has ended is read by its time, so the cost does not grow with what is kept.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot.adapters.store import trouble_of
from bot.adapters.store.connection import BUSY_SECONDS
from bot.adapters.store.people import BEAT
from bot.core.failures import FailureKind
from bot.core.transfer import State
from bot.engine.ports.measures import Ended, Measures

OVERLAP: Final = timedelta(minutes=1)
"""An end is stored a little after the time that it bears, so the last minute is read again."""
LONGEST_GAP: Final = timedelta(days=1)
"""What ended longer ago without a reading is not counted. So no reading is of a whole history."""

_OPEN: Final = """
    SELECT CASE
        WHEN copied_digest IS NOT NULL THEN 'verifying'
        WHEN run IS NOT NULL THEN 'copying'
        WHEN batch IS NOT NULL THEN 'submitted'
        WHEN approved_at IS NOT NULL THEN 'approved'
        WHEN checked_at IS NOT NULL THEN 'waiting'
        ELSE 'checking' END AS state,
        count(*),
        min(coalesce(copied_at, copying_at, submitted_at, approved_at, checked_at, opened_at))
    FROM transfers WHERE ended IS NULL AND ground IS NOT 'offered' GROUP BY state"""
_ENDED: Final = """
    SELECT ended_at, id, ended, failure, CASE WHEN batch IS NULL THEN NULL ELSE approved_at END
    FROM transfers WHERE ended_at >= ?"""
_RUNS: Final = """
    SELECT closed_at, id, run_seen_at
    FROM batches WHERE closed_at >= ? AND run_seen_at IS NOT NULL"""
_BATCHES: Final = "SELECT count(*), min(opened_at) FROM batches WHERE closed_at IS NULL"
_REQUESTS: Final = "SELECT count(*) FROM requests WHERE closed_at IS NULL"
_MESSAGES: Final = "SELECT count(*) FROM notes"
_TRACKED: Final = "SELECT count(*) FROM tracked"
_NEXT_CHECK: Final = (
    "SELECT min(not_before) FROM tracked WHERE updated_at IS NULL AND transfer IS NULL"
)
_BEAT: Final = "SELECT value FROM cursors WHERE name = ?"


class _Ends:
    """Reads the rows of one query that have ended since `since`, each once."""

    def __init__(self, query: str, since: datetime) -> None:
        self._query = query
        self._from = since
        self._seen = set[object]()

    def read(
        self, file: sqlite3.Connection, now: datetime
    ) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        """The time of each new end, and what follows time and id in its row."""
        since = max(self._from, now - LONGEST_GAP)
        rows = file.execute(self._query, (_text(since),)).fetchall()
        for at, number, *rest in rows:
            if number not in self._seen:
                yield _time(at), tuple(rest)
        self._from = max(self._from, now - OVERLAP)
        self._seen = {row[1] for row in rows if _time(row[0]) >= self._from}


class MeasuresOfStore:
    """Counts what ends from `since` on. `read` may be called in any thread, one call at a time."""

    def __init__(self, path: Path, since: datetime, service: str) -> None:
        """`service`: whose last answer is told."""
        self._path = path
        self._service = service
        self._ended = _Ends(_ENDED, since)
        self._runs = _Ends(_RUNS, since)

    def read(self, now: datetime) -> Measures:
        """Raises TransientError where the database cannot be read."""
        address = f"{self._path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as file:
                return self._measures(file, now)
        except sqlite3.DatabaseError as error:
            raise trouble_of(self._path, error) from error

    def _measures(self, file: sqlite3.Connection, now: datetime) -> Measures:
        file.execute("BEGIN")  # all queries see the same moment
        ((batches, oldest),) = file.execute(_BATCHES)
        beat = file.execute(_BEAT, (f"{BEAT}{self._service}",)).fetchone()
        return Measures(
            transfers={State(name): (n, _time(at)) for name, n, at in file.execute(_OPEN)},
            ended=[_ended(at, *rest) for at, rest in self._ended.read(file, now)],
            runs=[at - _time(began) for at, (began,) in self._runs.read(file, now)],
            oldest_batch=_time(oldest) if oldest else None,
            batches=batches,
            requests=_number(file, _REQUESTS),
            messages=_number(file, _MESSAGES),
            tracked=_number(file, _TRACKED),
            next_check=_time(at) if (at := file.execute(_NEXT_CHECK).fetchone()[0]) else None,
            last_answer=datetime.fromtimestamp(beat[0], UTC) if beat else None,
            size=self._path.stat().st_size,
        )


def _ended(at: datetime, state: str, failure: str | None, approved: str | None) -> Ended:
    kind = FailureKind(failure.partition(": ")[0]) if failure else None
    return Ended(State(state), kind, at - _time(approved) if approved else None)


def _number(file: sqlite3.Connection, query: str) -> int:
    return int(file.execute(query).fetchone()[0])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    """As columns.py writes times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
