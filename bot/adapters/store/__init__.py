"""The database: the only place that knows SQL.

SQLite with write-ahead log and foreign keys; every transaction starts as a writer, so that
two processes can never both believe that they read the latest state. Migrations run at start.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import OperationalError

from bot.adapters.store.connection import Database, Statements, begin
from bot.adapters.store.schema import cursors
from bot.adapters.store.unit import StoreUnit
from bot.errors import Temporary

log = logging.getLogger(__name__)

MIGRATION_SECONDS: Final = 5.0
"""How long a start waits for another process that writes."""


class SqliteStore:
    """Implements engine.ports.Store. Open it with `await SqliteStore.open(path)`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, create it where it is missing, and bring its schema up to date.

        Raises Temporary where the file cannot be opened or written.
        """
        try:
            await asyncio.to_thread(_try_to_open, path)
        except sqlite3.OperationalError as error:
            raise Temporary(f"the database {path}: {error}") from error
        with _troubled(f"the database {path}"):
            await asyncio.to_thread(_migrated, path)
            return cls(Database.open(path))

    async def close(self) -> None:
        await self._database.aclose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        """A transaction; one at a time. Raises Temporary where the file is locked or full."""
        async with self._statements() as statements:
            yield StoreUnit(statements)

    def ahead(self) -> "Ahead":
        return Ahead(self)

    @asynccontextmanager
    async def _statements(self, *, ahead: bool = False) -> AsyncIterator[Statements]:
        with _troubled("the database"):
            async with self._database.transaction(ahead=ahead) as statements:
                yield statements

    async def beat(self, name: str, at: datetime) -> None:
        """Note that something was alive at a time: what `check --alive` reads."""
        row = {"name": f"beat-{name}", "value": int(at.timestamp())}
        async with self._statements() as statements:
            await statements.execute(
                insert(cursors).values(row).on_conflict_do_update(["name"], set_=row)
            )

    async def last_beat(self, name: str) -> datetime | None:
        async with self._statements() as statements:
            wanted = select(cursors.c.value).where(cursors.c.name == f"beat-{name}")
            value = (await statements.execute(wanted)).scalar_one_or_none()
        return None if value is None else datetime.fromtimestamp(value, UTC)


class Ahead:
    """The same store, for what people wait for: a message is taken before the lanes go on."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        async with self._store._statements(ahead=True) as statements:  # noqa: SLF001 - its own kind
            yield StoreUnit(statements)


@contextmanager
def _troubled(what: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Temporary(f"{what}: {error.orig}") from error


def _try_to_open(path: Path) -> None:
    sqlite3.connect(path).close()


def _migrated(path: Path) -> None:
    """On a connection of its own: a migration is one transaction of SQLAlchemy's own kind."""
    timeout = {"timeout": MIGRATION_SECONDS, "isolation_level": None}
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args=timeout)
    event.listen(engine, "begin", begin)
    with engine.begin() as connection:
        migrate(connection)


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the schema of this connection's database to a revision, the newest if not named."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
