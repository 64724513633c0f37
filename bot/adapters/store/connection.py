"""The one connection to the database file, and one transaction on it at a time.

Statements run on the event loop: they take microseconds, far less than a switch to a thread.
A commit waits for the disk: see commits.py. A file that another process has locked is retried
after a pause, never waited for inside SQLite.
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
"""How long to wait for another process that is writing."""
BUSY_PAUSE: Final = 0.02


class Statements:
    """Executes statements in a transaction that is open."""

    def __init__(self, connection: Connection, file: sqlite3.Connection) -> None:
        self._connection = connection
        self._file = file

    async def execute(
        self,
        statement: Executable,
        rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        return self._connection.execute(statement, rows)

    def give_back(self, pages: int) -> int:
        """Give unused pages of the file back to the disk. Returns how many.

        One by one: Python runs this statement for its first page only.
        https://www.sqlite.org/pragma.html#pragma_incremental_vacuum
        """
        (unused,) = self._file.execute("PRAGMA freelist_count").fetchone()
        freed: int = min(pages, unused)
        for _ in range(freed):
            self._file.execute("PRAGMA incremental_vacuum(1)")
        return freed

    @contextmanager
    def part(self) -> Iterator[None]:
        """A savepoint: an exception undoes what was done within, not the whole transaction."""
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
    """A queue for transactions: first come, first served, but those that are `ahead` go first."""

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
                if mine.done() and not mine.cancelled():  # granted and cancelled: pass it on
                    self._give()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._give()

    def _give(self) -> None:
        """Grant the turn directly to the next in the queue, so that no newcomer overtakes it."""
        for waiting in self._waiting:
            while waiting:
                following = waiting.popleft()
                if not following.done():
                    following.set_result(None)
                    return
        self._taken = False


class Database:
    """Open it with `Database.open(path)`. Raises errors of sqlite3 and of SQLAlchemy.

    BEGIN and COMMIT bypass SQLAlchemy, which takes longer for them than SQLite does.
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
        """A transaction: committed at the end, rolled back at an exception.

        `ahead`: before those that already wait without it.
        """
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
            await asyncio.sleep(0)  # let those who wait run before this lane goes on

    def _say_commit(self) -> None:
        self._file.execute("COMMIT")

    async def _begin(self, deadline: float) -> None:
        """`deadline` counts from before the turn, so a locked file is not waited for twice."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                begin_writing(self._file)
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
        # The loop and the thread of commits.py use it, but never at the same time.
        connect_args={"check_same_thread": False, "timeout": 0},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def begin_writing(file: sqlite3.Connection) -> None:
    """As a writer, so that no other process changes what this transaction has read.

    https://www.sqlite.org/lang_transaction.html
    """
    file.execute("BEGIN IMMEDIATE")


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
        "journal_mode=WAL",
        "journal_size_limit=0",  # after a checkpoint nothing that was deleted stays in the journal
        "secure_delete=ON",
        "synchronous=FULL",  # what was answered as stored survives a power cut
        "foreign_keys=ON",
        "busy_timeout=0",  # a wait inside SQLite would block the event loop
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
