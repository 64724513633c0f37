"""Fast test databases: migrated once and copied, with one cache of compiled SQL and no fsync.

Each database is a file of its own. They share SQLAlchemy's dialect and its compiled statements.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, Select, event

from bot.adapters.store import SqliteStore
from bot.adapters.store.connection import Database, engine_of
from bot.adapters.store.unit import StoreUnit

_MIGRATED: Final[list[bytes]] = []
_FIRST: Final[list[Engine]] = []


async def fresh_store(path: Path) -> SqliteStore:
    """Open an empty database, replacing what was at `path`."""
    if not _MIGRATED:
        made = path.with_name("migrated.sqlite3")
        await (await SqliteStore.open(made)).close()
        _MIGRATED.append(made.read_bytes())
        made.unlink()
    _replace(path, _MIGRATED[0])
    return reopened(path)


def _replace(path: Path, content: bytes) -> None:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    path.write_bytes(content)


def reopened(path: Path) -> SqliteStore:
    """Open it like SqliteStore.open, without migrations and without fsync."""
    engine = engine_of(path)
    if _FIRST:
        engine.dialect = _FIRST[0].dialect
        engine._compiled_cache = _FIRST[0]._compiled_cache
    database = Database(engine)
    database._file.execute("PRAGMA synchronous=OFF")
    _FIRST[:] = _FIRST or [engine]
    return SqliteStore(database, path)


def database_of(store: SqliteStore) -> Database:
    """Return the database for tests of SQL, which no port offers."""
    return store._database


async def rows_of(unit: StoreUnit, statement: Select[Any]) -> Sequence[RowMapping]:
    """Run a query that the bot itself does not need."""
    return await unit._all(statement)


@contextmanager
def plans(connection: Connection) -> Iterator[list[str]]:
    """Collect SQLite's query plan for every statement that runs."""
    found: list[str] = []

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[3] for row in cursor.fetchall())

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", explain)
