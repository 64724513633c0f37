"""The database: the only place that knows SQL.

SQLite with write-ahead log and foreign keys; every transaction starts as a writer, so that
two processes can never both believe that they read the latest state. Migrations run at start.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.adapters.store.schema import cursors
from bot.adapters.store.unit import StoreUnit
from bot.errors import Temporary

log = logging.getLogger(__name__)

BUSY_TIMEOUT: Final = 5000
"""Milliseconds to wait for another process that writes."""


class SqliteStore:
    """Implements engine.ports.Store. Open it with `await SqliteStore.open(path)`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, create it where it is missing, and bring its schema up to date.

        Raises Temporary where the file cannot be opened or written.
        """
        try:
            await asyncio.to_thread(_try_to_open, path)
        except sqlite3.OperationalError as error:
            raise Temporary(f"the database {path}: {error}") from error
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        store = cls(engine)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(migrate)
        except OperationalError as error:
            await engine.dispose()
            raise Temporary(f"the database {path}: {error.orig}") from error
        return store

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StoreUnit]:
        """A transaction; one at a time. Raises Temporary where the file is locked or full."""
        async with self._connected() as connection:
            yield StoreUnit(connection)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn:
            try:
                async with self._engine.begin() as connection:
                    yield connection
            except OperationalError as error:
                raise Temporary(f"the database: {error.orig}") from error

    async def beat(self, name: str, at: datetime) -> None:
        """Note that something was alive at a time: what `check --alive` reads."""
        row = {"name": f"beat-{name}", "value": int(at.timestamp())}
        async with self._connected() as connection:
            await connection.execute(
                insert(cursors).values(row).on_conflict_do_update(["name"], set_=row)
            )

    async def last_beat(self, name: str) -> datetime | None:
        async with self._connected() as connection:
            wanted = select(cursors.c.value).where(cursors.c.name == f"beat-{name}")
            value = (await connection.execute(wanted)).scalar_one_or_none()
        return None if value is None else datetime.fromtimestamp(value, UTC)


def _try_to_open(path: Path) -> None:
    """The driver's own thread outlives a failure to open, and may complain at the very end."""
    sqlite3.connect(path).close()


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see _begin
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was answered as stored survives a power cut
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the schema of this connection's database to a revision, the newest if not named."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
