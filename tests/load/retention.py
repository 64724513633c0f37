"""What a sweep leaves of 120 days with 1,000 requests a day, and how long people wait for it.

The history is that of history.py, spread over the days before now. The file that the sweep leaves
is compared with one that only ever held what is kept.
"""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from history import write_history
from store_fixture import database_of

from bot.adapters.store import SqliteStore
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.retention import RetentionLane

DAYS, KEPT, A_DAY = 120, 30, 1000
LARGEST = 1.1
"""The file after the sweep, by the one that only ever held what is kept."""
LONGEST_MS = 250.0
"""One tick of the sweep, for which a person may have to wait."""
_AGO = "'-' || ((:last - {}) * 86400 / :a_day) || ' seconds'"
_SPREAD = tuple(
    f"UPDATE {table} SET {column} ="
    f" strftime('%Y-%m-%dT%H:%M:%f+00:00', :now, {_AGO.format(number)})"
    for table, column, number in (
        ("requests", "closed_at", "id"),
        ("transfers", "ended_at", "id"),
        ("batches", "closed_at", "substr(id, 4) * 100"),
    )
)


@dataclass(frozen=True)
class Swept:
    """Bytes of the files, and the seconds of each tick of the sweep."""

    before: int
    after: int
    kept: int
    ticks: tuple[float, ...]


async def sweep(days: int = DAYS, kept: int = KEPT, a_day: int = A_DAY) -> Swept:
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="imageto-retention-") as made:
        path, other = Path(made) / "bot.sqlite3", Path(made) / "kept.sqlite3"
        store = await _with_history(path, days, a_day, now)
        before = path.stat().st_size
        lane = RetentionLane(store=store, keep=timedelta(days=kept), clock=lambda: now)
        ticks = []
        while True:
            began = time.perf_counter()
            result = await lane.tick()
            ticks.append(time.perf_counter() - began)
            if result is not TickResult.SOON:
                break
        await store.empty_journal()
        await store.close()
        await (await _with_history(other, kept, a_day, now)).close()
        return Swept(before, path.stat().st_size, other.stat().st_size, tuple(ticks))


async def _with_history(path: Path, days: int, a_day: int, now: datetime) -> SqliteStore:
    store = await SqliteStore.open(path)
    connection = database_of(store).connection
    last = days * a_day
    write_history(connection.exec_driver_sql, last)
    for statement in _SPREAD:
        given = {"now": now.isoformat(), "last": last, "a_day": a_day}
        connection.exec_driver_sql(statement, given)
    await store.empty_journal()
    return store
