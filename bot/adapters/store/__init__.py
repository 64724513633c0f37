"""The database: SQLite with a write-ahead log. All SQL of the bot is in this folder.

This module opens the file, runs migrations, and turns errors of the file into TransientError.
connection.py holds transactions. unit.py joins the queries.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError

from bot.adapters.store.connection import BUSY_SECONDS, Database, Statements, begin_writing
from bot.adapters.store.people import BEAT
from bot.adapters.store.unit import StoreUnit
from bot.core.errors import ConfigError, TransientError
from bot.core.ids import ChatId

log = logging.getLogger(__name__)

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
INCREMENTAL: Final = 2
"""SQLite's number of a mode in which unused pages are given back on request."""
MIGRATION_SECONDS: Final = 5.0
"""How long the bot waits at start for another process that is writing."""


class SqliteStore:
    """Implements the ports of engine.ports.store. Open it with `await SqliteStore.open(path)`."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, create it where it is missing, and bring its schema up to date.

        Raises TransientError where the file cannot be opened or written, or is no database, and
        ConfigError where a newer version of this program has changed its schema.
        """
        try:
            await asyncio.to_thread(_try_to_open, path)
        except sqlite3.OperationalError as error:
            raise trouble_of(path, error) from error
        with _troubled(path):
            await asyncio.to_thread(_migrated, path)
            return cls(Database.open(path), path)

    async def close(self) -> None:
        await self._database.aclose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        """A transaction, one at a time. Raises TransientError for errors of the file or disk."""
        async with self._statements() as statements:
            yield StoreUnit(statements)

    def ahead(self) -> "Ahead":
        return Ahead(self)

    @asynccontextmanager
    async def _statements(self, *, ahead: bool = False) -> AsyncIterator[Statements]:
        with _troubled(self._path):
            async with self._database.transaction(ahead=ahead) as statements:
                yield statements

    async def empty_journal(self) -> None:
        """Move what the journal holds into the file, so that no deleted text stays in it."""
        with _troubled(self._path):
            await asyncio.to_thread(_checkpoint, self._path)

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        """Store the new id of a group in a transaction of its own."""
        async with self.begin() as unit:
            await unit.move_chat(old, new)

    async def beat(self, name: str, at: datetime) -> None:
        """Store a heartbeat, which `check --alive` reads."""
        async with self.begin() as unit:
            await unit.beat(name, at)


def last_beat(path: Path, name: str) -> datetime | None:
    """The last heartbeat, or None where there is none yet. Read-only, even while a bot runs.

    Raises TransientError where it cannot be read.
    """
    found = _read(path, "SELECT value FROM cursors WHERE name = ?", f"{BEAT}{name}")
    return datetime.fromtimestamp(found[0][0], UTC) if found else None


def person_behind(path: Path, pseudonym: str) -> tuple[str, str] | None:
    """The id and the name of a person, the name empty where it is not kept. Read-only likewise.

    None where nobody has this pseudonym. Raises TransientError where it cannot be read.
    """
    found = _read(path, _PERSON_BEHIND, pseudonym)
    return (str(found[0][0]), str(found[0][1] or "")) if found else None


_PERSON_BEHIND: Final = (
    "SELECT pseudonyms.person, people.name FROM pseudonyms"
    " LEFT JOIN people ON people.id = pseudonyms.person WHERE pseudonyms.pseudonym = ?"
)


def approved_names(path: Path) -> set[tuple[str, str | None, str]]:
    """The name, tag and digest of every approval that is kept. Read-only likewise."""
    query = (
        "SELECT DISTINCT name, tag, digest FROM decisions"
        " WHERE verdict = 'approve' AND ground != 'removal'"
    )
    return {(name, tag, digest) for name, tag, digest in _read(path, query)}


def schema_of(path: Path) -> str | None:
    """The revision of the schema, such as 0012, or None where there is none. Read-only likewise."""
    found = _read(path, "SELECT version_num FROM alembic_version")
    return str(found[0][0]) if found else None


def _read(path: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """The rows, without any change of the file. Empty where the file or its table is missing."""
    if not path.exists():
        return []
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return []
        raise trouble_of(path, error) from error


_REMEDIES: Final = (
    ("locked", "another program holds it. The bot continues as soon as that lets go"),
    ("full", "make room on its disk. The bot then continues by itself"),
    ("disk i/o", "check its disk, and whether it is full. The bot then continues by itself"),
    ("readonly", "let the bot write the file and its folder"),
    ("unable to open", "let the bot write the file and its folder"),
    ("malformed", "the file is damaged. Stop the bot and put a copy of it back"),
    ("not a database", "the file is something else. Name another one in the config"),
)
"""A part of SQLite's message about its file, and what somebody can do about it."""


def _is_of_the_file(error: Exception) -> bool:
    """Whether the file or disk is the cause. An error of a statement is a bug of ours."""
    return any(words in str(error).lower() for words, _ in _REMEDIES) or isinstance(
        getattr(error, "orig", error), sqlite3.OperationalError
    )


def trouble_of(path: Path, error: Exception) -> TransientError:
    """SQLite's error about the file, with what somebody can do about it."""
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    remedy = next((what for words, what in _REMEDIES if words in said.lower()), "")
    return TransientError(f"the database {path}: {said}" + (f": {remedy}" if remedy else ""))


class Ahead:
    """The same store for updates of people: its transactions go before those of the lanes."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._shared: Statements | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        if self._shared is not None:
            with _troubled(self._store._path), self._shared.part():  # noqa: SLF001 - its own kind
                yield StoreUnit(self._shared)
            return
        async with self._store._statements(ahead=True) as statements:  # noqa: SLF001 - as above
            yield StoreUnit(statements)

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Transactions that begin within become parts of one: one wait for the disk, not many."""
        async with self._store._statements(ahead=True) as statements:  # noqa: SLF001 - as above
            self._shared = statements
            try:
                yield
            finally:
                self._shared = None


@contextmanager
def _troubled(path: Path) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if not _is_of_the_file(error):
            raise
        raise trouble_of(path, error) from error


def _try_to_open(path: Path) -> None:
    with suppress(OSError):  # SQLite then says what is wrong with the file
        _make_private(path)
    sqlite3.connect(path).close()


def _make_private(path: Path) -> None:
    """Let nobody else read the file. SQLite gives its journals the same mode.

    https://www.sqlite.org/tempfiles.html
    """
    path.touch(mode=0o600)
    for file in (path, *(Path(f"{path}{ending}") for ending in ("-wal", "-shm", "-journal"))):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _migrated(path: Path) -> None:
    """Migrate on a separate connection: SQLAlchemy handles the transaction of a migration."""
    timeout = {"timeout": MIGRATION_SECONDS, "isolation_level": None}
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args=timeout)
    event.listen(engine, "begin", lambda its: begin_writing(its.connection.dbapi_connection))
    with engine.begin() as connection:
        revision = _revision(connection)
        if revision is not None and revision > newest_migration():
            text = f"the database {path} is of a newer version of this program"
            raise ConfigError(f"{text}: use that version, or restore a backup")
        if revision != newest_migration():
            migrate(connection)
    with suppress(sqlite3.OperationalError):  # a full disk or another program: at a later start
        _make_reclaimable(path)


def _make_reclaimable(path: Path) -> None:
    """Let the file give space back in small steps. An older file is written anew for it, once.

    https://www.sqlite.org/pragma.html#pragma_auto_vacuum
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if connection.execute("PRAGMA auto_vacuum").fetchone() != (INCREMENTAL,):
            connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
            connection.execute("VACUUM")


def _checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _revision(connection: Connection) -> str | None:
    """The revision of the schema, or None for a new database."""
    tables = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.exec_driver_sql(tables).first() is None:
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def newest_migration() -> str:
    """The newest revision, by the numbers in the names of the migrations."""
    return max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))[:4]


def migrate(connection: Connection, to: str = "head") -> None:
    """Upgrade the schema of this connection's database to a revision, by default the newest."""
    from alembic import command  # noqa: PLC0415 - a fifth of all imports, seldom needed
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
