"""The numbers for the metrics: the states as core derives them, and each end once."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_fixture import fresh_store

from bot.adapters.store import SqliteStore, measures
from bot.adapters.store.measures import MeasuresOfStore
from bot.adapters.telegram import TELEGRAM
from bot.core.batch import Batch, Via
from bot.core.decision import Ground
from bot.core.errors import TransientError
from bot.core.failures import Failure, FailureKind
from bot.core.fresh import TrackedImage
from bot.core.ids import BatchId, RunId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer
from bot.engine.ports.measures import Ended

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FACTS = [
    {},
    {"checked_at": NOW + MINUTE, "digest": "sha256:ab"},
    {"approved_at": NOW + 2 * MINUTE},
    {"batch": BatchId("b1"), "submitted_at": NOW + 3 * MINUTE},
    {"run": RunId(5), "copying_at": NOW + 4 * MINUTE},
    {"copied_digest": "sha256:ab", "copied_at": NOW + 5 * MINUTE},
]
"""What is added to the facts of a transfer in each of the states of one that is under way."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await fresh_store(tmp_path / "bot.sqlite3")
    async with store.begin() as unit:
        await unit.save_batch(Batch(id=BatchId("b1"), via=Via.COMMIT, opened_at=NOW))
    yield store
    await store.close()


async def stored(store: SqliteStore, number: int, **facts: object) -> Transfer:
    async with store.begin() as unit:
        new = await unit.open_transfer(ImageRef.parse(f"gcr.io/a/b:{number}"), NOW)
        transfer = replace(new, **facts)  # type: ignore[arg-type]
        await unit.save_transfer(transfer)
    return transfer


async def test_each_state_is_counted_and_dated_as_core_derives_it(
    store: SqliteStore, tmp_path: Path
) -> None:
    facts: dict[str, object] = {}
    states = []
    for number, more in enumerate(FACTS):
        facts |= more
        states.append((await stored(store, number, **facts)).state)
    await stored(store, 90, ground=Ground.OFFERED, checked_at=NOW)  # it asks, and copies nothing
    read = MeasuresOfStore(tmp_path / "bot.sqlite3", NOW, TELEGRAM).read(NOW)
    assert states == [state for state in State if not state.is_final]
    assert read.transfers == {s: (1, NOW + n * MINUTE) for n, s in enumerate(states)}


async def test_each_end_is_read_once_also_where_it_is_stored_late(
    store: SqliteStore, tmp_path: Path
) -> None:
    reader = MeasuresOfStore(tmp_path / "bot.sqlite3", NOW, TELEGRAM)
    facts = {key: value for more in FACTS for key, value in more.items()}
    failure = Failure(FailureKind.TARGET_QUOTA, "full: no room")
    failed = {"ended": State.FAILED, "ended_at": NOW + 9 * MINUTE, "failure": failure}
    await stored(store, 1, **facts, ended=State.MIRRORED, ended_at=NOW + 9 * MINUTE)
    await stored(store, 2, **failed)
    await stored(store, 3, ended=State.CANCELLED, ended_at=NOW - MINUTE)  # before the start
    assert reader.read(NOW + 9 * MINUTE).ended == [
        Ended(State.MIRRORED, None, 7 * MINUTE),
        Ended(State.FAILED, FailureKind.TARGET_QUOTA, None),
    ]
    await stored(store, 4, ended=State.EXPIRED, ended_at=NOW + 9 * MINUTE)  # its commit took long
    assert reader.read(NOW + 10 * MINUTE).ended == [Ended(State.EXPIRED, None, None)]
    await stored(store, 5, ended=State.EXPIRED, ended_at=NOW + 10 * MINUTE)
    assert len(reader.read(NOW + measures.LONGEST_GAP + 30 * MINUTE).ended) == 0  # nobody read it
    assert reader._ended._seen == set()


async def test_what_else_is_told_of_the_database(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    reader = MeasuresOfStore(path, NOW, TELEGRAM)
    nothing = reader.read(NOW)
    assert (nothing.batches, nothing.oldest_batch) == (1, NOW)
    assert (nothing.next_check, nothing.last_answer, nothing.tracked) == (None, None, 0)
    closed = {"run": RunId(5), "run_seen_at": NOW, "closed_at": NOW + 2 * MINUTE}
    nginx = ImageRef.parse("nginx:1.27")
    given_up = Batch(id=BatchId("b2"), via=Via.DISPATCH, opened_at=NOW, closed_at=NOW)
    async with store.begin() as unit:
        await unit.save_batch(given_up)  # no run was seen
        await unit.save_batch(
            Batch(id=BatchId("b1"), via=Via.COMMIT, opened_at=NOW, **closed)  # type: ignore[arg-type]
        )
        await unit.track([TrackedImage(image=nginx, not_before=NOW)])
    await store.beat(TELEGRAM, NOW)
    read = reader.read(NOW + 2 * MINUTE)
    assert (read.batches, read.runs, read.last_answer) == (0, [2 * MINUTE], NOW)
    assert (read.tracked, read.next_check) == (1, NOW)
    assert read.size == path.stat().st_size


async def test_no_reading_goes_through_what_is_kept(store: SqliteStore, tmp_path: Path) -> None:
    queries = [measures._OPEN, measures._ENDED, measures._RUNS, measures._BATCHES]
    queries += [measures._REQUESTS, measures._NEXT_CHECK]
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as file:
        for query in queries:
            plan = file.execute(f"EXPLAIN QUERY PLAN {query}", ("",) * query.count("?"))
            for *_, step in plan:
                assert "USING" in step or "TEMP B-TREE" in step or "SCALAR" in step, (query, step)


async def test_a_database_that_cannot_be_read_is_a_transient_error(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    with pytest.raises(TransientError, match="the database"):
        MeasuresOfStore(path, NOW, TELEGRAM).read(NOW)
