"""The one connection to the database file, and one transaction on it at a time.

A statement here takes some microseconds, which is far less than to hand it to a thread and to be
told of its end: so statements run on the loop. A commit waits for the disk: see commits.py. For
another process that writes, it is asked again after a pause.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Executable,
    StaticPool,
    create_engine,
    event,
)

from bot.adapters.store.commits import Commits

BUSY_SECONDS: Final = 5.0
"""How long to wait for another process that writes."""
BUSY_PAUSE: Final = 0.02


class Statements:
    """What a transaction offers those who ask: statements, and their results."""

    def __init__(self, connection: Connection, file: sqlite3.Connection) -> None:
        self._connection = connection
        self._file = file

    async def execute(
        self,
        statement: Executable,
        rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        return self._connection.execute(statement, rows)

    @contextmanager
    def part(self) -> Iterator[None]:
        """All of what is done within is kept with the rest of the transaction, or nothing."""
        self._file.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._file.in_transaction:  # a full disk may have ended it already
                self._file.execute("ROLLBACK TO part")
                self._file.execute("RELEASE part")
            raise
        self._file.execute("RELEASE part")


class Turns:
    """Whose transaction is next: in the order of asking, but first those that are `ahead`."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())

    @asynccontextmanager
    async def turn(self, *, ahead: bool) -> AsyncIterator[None]:
        if self._taken:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[0 if ahead else 1].append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():  # it was given, and nobody takes it
                    self._give()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._give()

    def _give(self) -> None:
        """Straight to who waits: nobody can come in between."""
        for waiting in self._waiting:
            while waiting:
                following = waiting.popleft()
                if not following.done():
                    following.set_result(None)
                    return
        self._taken = False


class Database:
    """Open it with `Database.open(path)`. Raises the errors of sqlite3, and of SQLAlchemy.

    Where transactions begin and end SQLAlchemy is not asked: it would take longer than SQLite.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._file: sqlite3.Connection = self.connection.connection.dbapi_connection  # type: ignore[assignment]
        self.busy_seconds = BUSY_SECONDS
        self._turns = Turns()
        self._commits = Commits(self._say_commit)

    @classmethod
    def open(cls, path: Path) -> Self:
        return cls(engine_of(path))

    async def aclose(self) -> None:
        self._commits.close()
        self.connection.close()
        self._engine.dispose()

    @asynccontextmanager
    async def transaction(self, *, ahead: bool = False) -> AsyncIterator[Statements]:
        """All of it is kept, or nothing. `ahead` of those that wait already."""
        deadline = asyncio.get_running_loop().time() + self.busy_seconds
        async with self._turns.turn(ahead=ahead):
            await self._begin(deadline)
            before = self._file.total_changes
            try:
                yield Statements(self.connection, self._file)
                if self._file.total_changes == before:
                    self._say_commit()
                else:
                    await self._commits.commit()
            finally:
                if self._file.in_transaction:  # a full disk may have ended it already
                    self._file.execute("ROLLBACK")
        if not ahead:
            await asyncio.sleep(0)  # what a lane does next, it does after those who wait

    def _say_commit(self) -> None:
        self._file.execute("COMMIT")

    async def _begin(self, deadline: float) -> None:
        """Whoever has waited for a turn that waited for the file does not wait for it again."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                begin(self._file)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or loop.time() >= deadline:
                    raise
                await asyncio.sleep(BUSY_PAUSE)
            else:
                return


def engine_of(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        # Two threads, but never at the same time: see Database.
        connect_args={"check_same_thread": False, "timeout": 0},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def begin(file: sqlite3.Connection) -> None:
    """As a writer: two processes must never both believe that they read the latest state."""
    file.execute("BEGIN IMMEDIATE")


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",  # what was answered as stored survives a power cut
        "foreign_keys=ON",
        "busy_timeout=0",  # a wait in here would keep the whole bot waiting
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
