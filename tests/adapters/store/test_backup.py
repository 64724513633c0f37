"""`imageto-bot backup` and `restore`: a copy while the bot writes. No restore loses anything."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.store import SqliteStore, last_beat
from bot.adapters.store.backup import back_up, put_back
from bot.adapters.store.lock import alone
from bot.core.errors import RefusedError, TakenError

EARLY, LATE = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    try:
        yield store
    finally:
        await store.close()


async def beat(path: Path, at: datetime) -> None:
    async with opened(path) as store:
        await store.beat("poll", at)


async def test_a_copy_has_what_was_written_before_and_goes_back(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    async with opened(database) as store:
        await store.beat("poll", EARLY)
        back_up(database, copy)  # while it is open, and its journal holds the beat
        await store.beat("poll", LATE)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert last_beat(copy, "poll") == EARLY
    old = await put_back(copy, database)
    assert last_beat(database, "poll") == EARLY
    assert old is not None
    assert last_beat(old, "poll") == LATE
    assert not list(tmp_path.glob("*.part*")) + list(tmp_path.glob("*.restoring*"))  # noqa: ASYNC240 - a test
    await beat(database, LATE)  # it goes on as any other
    assert last_beat(copy, "poll") == EARLY


async def test_what_only_the_journal_holds_is_kept_of_the_database_before(tmp_path: Path) -> None:
    """As after a kill. That the file is damaged is a reason to restore, and hinders nothing."""
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    beside = tmp_path / "bot.sqlite3-wal"
    await beat(database, EARLY)
    back_up(database, copy)
    content = database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE late (at TEXT)")
        connection.commit()
        journal = beside.read_bytes()
    assert journal
    database.write_bytes(b"damaged " + content[8:])
    beside.write_bytes(journal)
    old = await put_back(copy, database)
    assert last_beat(database, "poll") == EARLY
    assert old is not None
    assert old.read_bytes()[:8] == b"damaged "
    assert old.with_name(f"{old.name}-wal").read_bytes() == journal


async def test_a_copy_is_whole_though_the_bot_writes_meanwhile(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    async with opened(database) as store:
        done = asyncio.Event()

        async def writing() -> None:
            number = 0
            while not done.is_set():
                number += 1
                await store.beat(f"lane {number % 500}", EARLY)

        writer = asyncio.create_task(writing())
        await asyncio.to_thread(back_up, database, copy)
        done.set()
        await writer
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_nothing_is_put_back_beside_a_bot_that_runs(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    await beat(database, LATE)
    back_up(database, copy)
    async with alone(database):
        with pytest.raises(TakenError, match="another bot uses the database"):
            await put_back(copy, database)
    assert last_beat(database, "poll") == LATE


async def test_a_first_restore_needs_no_database(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    await beat(database, LATE)
    back_up(database, copy)
    elsewhere = tmp_path / "other.sqlite3"
    assert await put_back(copy, elsewhere) is None
    assert last_beat(elsewhere, "poll") == LATE


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("DROP TABLE alembic_version", "is no database of this program"),
        ("UPDATE alembic_version SET version_num = '9999'", "is of a newer version"),
    ],
)
async def test_what_this_program_cannot_go_on_with_is_not_put_back(
    tmp_path: Path, spoil: str, words: str
) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    await beat(database, LATE)
    back_up(database, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(spoil)
    with pytest.raises(RefusedError, match=words):
        await put_back(copy, database)
    assert last_beat(database, "poll") == LATE


@pytest.mark.parametrize("content", [b"", b"hello" * 1000, None])
async def test_a_file_that_is_no_copy_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None
) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    await beat(database, LATE)
    if content is not None:
        copy.write_bytes(content)
    with pytest.raises(RefusedError) as caught:
        await put_back(copy, database)
    assert str(caught.value).startswith(f"{copy}: ")
    assert last_beat(database, "poll") == LATE


def test_a_copy_is_never_written_over(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.sqlite3", tmp_path / "copy.sqlite3"
    with pytest.raises(RefusedError, match="there is no database"):
        back_up(database, copy)
    database.touch()
    copy.write_bytes(b"mine")
    with pytest.raises(RefusedError, match="is there already"):
        back_up(database, copy)
    assert copy.read_bytes() == b"mine"
