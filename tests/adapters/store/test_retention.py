"""Old requests go with all that only they need. Decisions, and what is open, stay."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import GROUP, LI, NGINX, STATIC, WEI, Clock
from sqlalchemy import func, select
from store_fixture import database_of, fresh_store, plans, rows_of

from bot.adapters.store import SqliteStore
from bot.adapters.store.schema import batches, decisions, metadata, people, requests, transfers
from bot.core.batch import Batch, Via
from bot.core.decision import Decision, Ground, Verdict
from bot.core.draft import Draft
from bot.core.ids import BatchId, Person, Place, RequestId
from bot.core.image import ImageRef
from bot.core.transfer import State
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.retention import JOURNAL_INTERVAL, ROWS_AT_ONCE, RetentionLane
from bot.engine.ports.files import File
from bot.engine.ports.store import NewRequest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "1" * 64
SECRET = b"a-password-that-somebody-pasted"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await fresh_store(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


async def ended_request(
    store: SqliteStore, days: int, image: ImageRef = NGINX, person: Person = WEI
) -> RequestId:
    """A request that was closed so many days ago, with everything that belongs to one."""
    at = NOW - timedelta(days=days)
    batch = Batch(id=BatchId(f"{days:016x}"), via=Via.COMMIT, opened_at=at, closed_at=at)
    async with store.begin() as unit:
        await unit.save_person(person)
        request = await unit.open_request(
            NewRequest(
                person=person.id, place=Place(GROUP), message=None, opened_at=at, confirmed_at=at
            )
        )
        transfer = await unit.open_transfer(image, at)
        await unit.link(request.id, [transfer.id])
        await unit.save_draft(request.id, Draft())
        await unit.save_file(File(request=request.id, name="x", file_id="y", content=SECRET))
        await unit.save_batch(batch)
        seen = replace(transfer, checked_at=at, digest=DIGEST, approved_at=at, submitted_at=at)
        over = replace(seen, batch=batch.id, ended=State.CANCELLED, ended_at=at)
        await unit.save_transfer(over)
        await unit.save_request(replace(request, closed_at=at))
        await unit.keep_decision(
            Decision(
                request=request.id,
                transfer=transfer.id,
                image=image,
                digest=DIGEST,
                verdict=Verdict.APPROVE,
                ground=Ground.RULE,
                at=at,
            )
        )
    return request.id


async def counts(store: SqliteStore) -> dict[str, int]:
    async with store.begin() as unit:
        tables = metadata.sorted_tables
        return {
            table.name: (await rows_of(unit, select(func.count()).select_from(table)))[0]["count_1"]
            for table in tables
        }


async def swept(store: SqliteStore, keep: int = 30) -> int:
    """Sweep until nothing is left to delete. Returns the number of transactions."""
    clock = Clock()
    clock.now = NOW
    lane, ticks = RetentionLane(store=store, keep=timedelta(days=keep), clock=clock), 0
    while await lane.tick() is TickResult.SOON:
        ticks += 1
    assert await lane.tick() is TickResult.IDLE
    return ticks


async def test_a_request_goes_with_all_that_only_it_needs_but_its_decisions(
    store: SqliteStore,
) -> None:
    await ended_request(store, 40)
    await swept(store)
    left = {name: count for name, count in (await counts(store)).items() if count}
    assert left == {"decisions": 1}


async def test_what_is_younger_or_open_stays(store: SqliteStore) -> None:
    await ended_request(store, 20)
    async with store.begin() as unit:
        opened = await unit.open_request(
            NewRequest(
                person=WEI.id,
                place=Place(GROUP),
                message=None,
                opened_at=NOW - timedelta(days=99),
                confirmed_at=None,
            )
        )
        await unit.link(opened.id, [(await unit.open_transfer(STATIC, opened.opened_at)).id])
    before = await counts(store)
    await swept(store)
    assert await counts(store) == before


async def test_an_image_that_another_request_has_too_stays_for_that_one(store: SqliteStore) -> None:
    old, young = await ended_request(store, 40), await ended_request(store, 10, STATIC, LI)
    async with store.begin() as unit:
        shared = await unit.transfers_of(old)
        own = await unit.transfers_of(young)
        await unit.link(young, [transfer.id for transfer in (*own, *shared)])
    await swept(store)
    async with store.begin() as unit:
        assert await unit.request(old) is None
        assert len(await unit.transfers_of(young)) == 2
        assert list(await unit.people([WEI.id, LI.id])) == [LI.id]


async def test_few_rows_go_at_a_time_and_are_found_by_an_index(store: SqliteStore) -> None:
    for number in range(ROWS_AT_ONCE + 1):
        await ended_request(store, 40 + number, ImageRef.parse(f"a/b:{number}"))
    with plans(database_of(store).connection) as used:
        assert await swept(store) >= 2
    scanned = [step for step in used if step.startswith("SCAN") and "INDEX" not in step]
    assert [step for step in scanned if "greetings" not in step] == []
    async with store.begin() as unit:
        for table in (requests, transfers, batches, people):
            assert await rows_of(unit, select(table)) == []
        assert len(await rows_of(unit, select(decisions.c.id))) == ROWS_AT_ONCE + 1


async def test_the_file_shrinks_and_holds_nothing_that_was_deleted(
    tmp_path: Path, store: SqliteStore
) -> None:
    for number in range(50):
        await ended_request(store, 40 + number, ImageRef.parse(f"a/b:{number}"))
        async with store.begin() as unit:
            padded = SECRET + b"x" * 50_000
            await unit.save_file(
                File(request=RequestId(1 + number), name="x", file_id="y", content=padded)
            )
    await store.empty_journal()
    path = tmp_path / "bot.sqlite3"
    size = await asyncio.to_thread(lambda: path.stat().st_size)
    clock = Clock()
    clock.now = NOW
    lane = RetentionLane(store=store, keep=timedelta(days=30), clock=clock)
    for _ in range(30):
        await lane.tick()
    clock.pass_time(JOURNAL_INTERVAL.total_seconds())
    await lane.tick()
    files = await asyncio.to_thread(lambda: [each.read_bytes() for each in tmp_path.iterdir()])
    assert SECRET not in b"".join(files)
    assert await asyncio.to_thread(lambda: path.stat().st_size) < size / 3


def test_an_older_file_learns_to_shrink(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE something (x)")
    asyncio.run(_opened(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


async def _opened(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
