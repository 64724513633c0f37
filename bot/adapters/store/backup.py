"""Copies of the database: one that is taken while a bot runs, and one that is put back.

SQLite's online backup copies a consistent state: https://www.sqlite.org/backup.html. A copied file
alone would lack what is still in the journal.
"""

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.adapters.store import newest_migration, schema_of
from bot.adapters.store.lock import alone
from bot.core.errors import RefusedError

PAGES: Final = 1000
"""Copied at a time. Between two steps the bot can write."""
_PAUSE: Final = 0.01
_ENDINGS: Final = ("", "-wal", "-shm", "-journal")


def back_up(database: Path, copy: Path) -> None:
    """Write a copy that only its owner may read. A bot may run and write meanwhile.

    Raises RefusedError where the database is missing, the copy is there already, or a file cannot
    be read or written.
    """
    if not database.exists():
        raise RefusedError(f"{database}: there is no database")
    if copy.exists():
        raise RefusedError(f"{copy}: is there already")
    try:
        _copy(database, copy)
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(f"{copy}: {_words(error)}") from error


async def put_back(copy: Path, database: Path) -> Path | None:
    """Let the database be this copy. Returns where the one before was moved to, if there was one.

    Raises TakenError while a bot uses the database, and RefusedError for a copy that is damaged,
    of a newer version or no database of this program.
    """
    async with alone(database, patience=0):
        return await asyncio.to_thread(_swapped, copy, database)


def _swapped(copy: Path, database: Path) -> Path | None:
    """Put the copy in the place of the database. There is one at each moment, old or new."""
    expect_good(copy)
    old = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%d%H%M%S}")
    draft = database.with_name(f"{database.name}.restoring")
    try:
        draft.unlink(missing_ok=True)
        _copy(copy, draft)
        there = database.exists()
        for ending in _ENDINGS:  # its journal goes along: it may hold what the file lacks
            if Path(f"{database}{ending}").exists():
                os.link(f"{database}{ending}", f"{old}{ending}")
        for ending in _ENDINGS[1:]:
            Path(f"{database}{ending}").unlink(missing_ok=True)
        draft.rename(database)
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(f"{database}: {_words(error)}") from error
    return old if there else None


def expect_good(copy: Path) -> None:
    """Raise RefusedError unless this program can go on with the copy."""
    try:
        with closing(_reading(copy)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(f"{copy}: {_words(error)}") from error
    if found != ("ok",):
        raise RefusedError(f"{copy}: is damaged")
    schema = schema_of(copy)
    if schema is None:
        raise RefusedError(f"{copy}: is no database of this program")
    if schema > newest_migration():
        raise RefusedError(f"{copy}: is of a newer version of this program")


def _copy(source: Path, copy: Path) -> None:
    """Copy by way of a draft, so that a copy with this name is always whole."""
    draft = copy.with_name(f"{copy.name}.part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with closing(_reading(source)) as reading, closing(sqlite3.connect(draft)) as writing:
            reading.backup(writing, pages=PAGES, sleep=_PAUSE)
            writing.execute("PRAGMA journal_mode=DELETE")  # one file, without a journal beside it
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(copy)
    finally:
        for ending in _ENDINGS:
            with suppress(OSError):
                Path(f"{draft}{ending}").unlink(missing_ok=True)


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
