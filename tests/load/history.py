"""How a history of a million closed transfers changes the time of a tick.

The engine runs over a real database, twice: with a young one, and with the history. In the young
one everything was requested once, so that the answers are the same. In both a few requests are
open. Registries, GitHub and the chat are the fakes of the engine's tests, so only the database
makes a difference. The history is written by plain SQL: one request per transfer, by one of 200
people, and 100 transfers to a batch.
"""

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes import GROUP, WEI, World, fresh_plan, world
from store_fixture import database_of

from bot.core.ids import ChatId, MessageId, Person, PersonId, Place
from bot.core.image import ImageRef
from bot.engine.lanes.fresh_news import REQUESTS_PER_IMAGE
from bot.engine.ports.store import NewRequest

YOUNG = 50
TRANSFERS = 1_000_000
TIMES = 41
OPEN = 5
LIMIT = 2.0
FLOOR = 0.0005
"""Seconds. Below this a ratio compares only noise."""
PLAN = fresh_plan(version=168)
_NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) INSERT INTO "
)
WANTED = "docker.io/library/wanted:1"
_LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
_AT = "'2025-01-01T00:00:00.000000+00:00'"
_HISTORY = (
    (
        "INSERT INTO people (id, name) SELECT 'telegram:1001', 'Wei' WHERE NOT EXISTS"
        " (SELECT 1 FROM people WHERE id = 'telegram:1001')"
    ),
    _NUMBERS + "people (id, name) SELECT 'telegram:' || (5000 + i), 'member' FROM n WHERE i <= 200",
    _NUMBERS + "batches (id, via, opened_at, committed_at, closed_at)"
    f" SELECT 'old' || i, 'commit', {_AT}, {_AT}, {_AT} FROM n WHERE i <= :count / 100 + 1",
    _NUMBERS + "transfers (id, image, opened_at, checked_at, digest, approved_at, batch, run,"
    " copied_digest, ended, ended_at, failure) SELECT i,"
    " 'docker.io/library/old' || (i % 5000) || ':' || (i % 7),"
    f" {_AT}, {_AT}, 'sha256:0', {_AT}, 'old' || (i / 100 + 1), i / 100 + 1, 'sha256:0',"
    f" CASE WHEN i % 50 THEN 'mirrored' ELSE 'failed' END, {_AT},"
    " CASE WHEN i % 50 THEN NULL ELSE 'network: no answer' END FROM n",
    _NUMBERS + "requests (id, person, chat, opened_at, confirmed_at, told_at, closed_at)"
    " SELECT i, 'telegram:' || CASE WHEN i % 10 THEN 5000 + i % 200 + 1 ELSE 1001 END,"
    f" '{GROUP}', {_AT}, {_AT}, {_AT}, {_AT} FROM n",
    # One image that equally many have requested in both databases.
    _NUMBERS + "transfers (id, image, opened_at, digest, copied_digest, ended, ended_at)"
    f" SELECT :count + i, '{WANTED}', {_AT}, 'sha256:0', 'sha256:0', 'mirrored', {_AT}"
    " FROM n WHERE i <= 40",
    _NUMBERS + "requests (id, person, chat, opened_at, confirmed_at, told_at, closed_at)"
    f" SELECT :count + i, 'telegram:' || (5000 + i), '{GROUP}', {_AT}, {_AT}, {_AT}, {_AT}"
    " FROM n WHERE i <= 40",
    _NUMBERS + "request_transfers (request, transfer, position)"
    " SELECT :count + i, :count + i, 0 FROM n WHERE i <= 40",
    _NUMBERS + "request_transfers (request, transfer, position) SELECT i, i, 0 FROM n",
)


async def compare(transfers: int = TRANSFERS) -> dict[str, tuple[float, float]]:
    """Return the median seconds of each repeated operation: without, and with the history."""
    found = {}
    for count in (YOUNG, transfers):
        with tempfile.TemporaryDirectory(prefix="imageto-history-") as made:
            async with world(Path(made), plan=PLAN) as played:
                write_history(database_of(played.store).connection.exec_driver_sql, count)
                await _open_some(played)
                found[count] = await _times(played)
    return {what: (found[YOUNG][what], found[transfers][what]) for what in found[YOUNG]}


def ratio(without: float, with_history: float) -> float:
    return max(with_history, FLOOR) / max(without, FLOOR)


def write_history(run: Callable[[str], Any], count: int) -> None:
    """`run` executes one statement on a connection that begins no transactions itself."""
    run("PRAGMA synchronous=OFF")
    run("PRAGMA foreign_keys=OFF")
    run("BEGIN IMMEDIATE")
    for statement in _HISTORY:
        run(statement.replace(":count", str(count)))
    run("COMMIT")
    # In years a bot's log is truncated many times, so later commits must not pay for a long one.
    run("PRAGMA wal_checkpoint(TRUNCATE)").close()
    run("PRAGMA foreign_keys=ON")
    run("PRAGMA synchronous=FULL")


async def _open_some(played: World) -> None:
    """Open transfers that wait for an admin, since others would change from tick to tick."""
    for number in range(OPEN):
        image = f"gcr.io/some/open{number}:1"
        played.registries.source[image] = "sha256:" + "1" * 64
        await played.say(WEI, f"/mirror {image}")
    await played.settle(40)
    async with played.store.begin() as unit:
        person = Person(PersonId("telegram:4001"), "member")
        await unit.save_person(person)
        transfer = await unit.open_transfer(ImageRef.parse("gcr.io/some/open0:1"), played.clock())
        request = await unit.open_request(
            NewRequest(
                person=person.id,
                place=Place(ChatId("telegram:4001")),
                message=MessageId("telegram:1"),
                opened_at=played.clock(),
                confirmed_at=played.clock(),
            )
        )
        await unit.link(request.id, [transfer.id])
    await played.settle(40)


async def _times(played: World) -> dict[str, float]:
    lanes = {f"tick of {name}": lane.tick for name, lane in played.lanes.items()}
    asks = {
        "/mirror (and the limits)": "/mirror gcr.io/some/open1:1",
        "/status": "/status",
        "/status of an image": "/status docker.io/library/old6:6",
        "/status of a number": "/status 1",
    }

    def saying(text: str) -> Callable[[], Awaitable[object]]:
        return lambda: played.say(WEI, text)

    async def round_of_upkeep() -> object:
        upkeep = played.lanes["fresh"]
        upkeep._rested_at, upkeep._under_way = None, True  # type: ignore[attr-defined]
        return await upkeep.tick()

    async def askers() -> object:
        image = ImageRef.parse(WANTED)
        async with played.store.begin() as unit:
            return await unit.recent_requests_for(
                image, since=_LONG_AGO, but_for="", limit=REQUESTS_PER_IMAGE
            )

    async def asked() -> object:
        async with played.store.begin() as unit:
            return await unit.count_asked(WEI.id, played.clock())

    async def failed() -> object:
        async with played.store.begin() as unit:
            return await unit.last_failed()

    every = {
        **lanes,
        "tick of upkeep": round_of_upkeep,  # otherwise it knows that nothing is due
        **{what: saying(text) for what, text in asks.items()},
        "what a person asked": asked,
        "who hears that an image arrived": askers,
        "the last failure": failed,
    }
    return {what: await _median(do) for what, do in every.items()}


async def _median(do: Callable[[], Awaitable[object]]) -> float:
    await do()
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        await do()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
