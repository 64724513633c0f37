"""A registry that times out delays the images of other registries by one check at most.

Time is virtual and passes only while every task waits: see virtual_time.py.
Alone: `pytest tests/engine/lanes/test_registry_checks.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fakes import POLICY, TARGET, Clock, FakeRegistries, digest_of
from store_fixture import database_of, fresh_store, plans
from virtual_time import LoopClock, VirtualTimeLoop

from bot.adapters.store import SqliteStore
from bot.core.batch import Batch, Via
from bot.core.decision import Ground, Verdict
from bot.core.errors import TransientError
from bot.core.events import Copied, Event, Found, Proof, RunSeen, Submitted
from bot.core.ids import BatchId, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.look import LookBy
from bot.core.policy import Ruling
from bot.core.registry import ImageInfo
from bot.core.retry import TroubleKind
from bot.core.transfer import State, Transfer, advance
from bot.engine.decided import Rules
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.registry_checks import (
    CHECKS_PER_REGISTRY,
    CHECKS_PER_TICK,
    RegistryChecksLane,
)
from bot.engine.lanes.registry_health import LONGEST_PAUSE, SlowRegistries

LOOK = 20.0
"""Seconds until an unanswered check times out: REGISTRY_BOUNDS.whole of the adapter."""
ONE_LOOK = timedelta(seconds=LOOK + 3)
"""One check, and the pause between two ticks of the lane."""
SILENT = "docker.io"
HEALTHY = "gcr.io"
LOOP_FACTORY = VirtualTimeLoop


class Slow(FakeRegistries):
    """Has every image. `silent` registries time out, `slow` ones answer after so many seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: set[str] = set()
        self.slow: dict[str, float] = {}
        self.timed: list[tuple[str, ImageRef]] = []

    async def source_digest(self, image: ImageRef) -> str | None:
        return await self._answer(image.registry, image)

    async def target_digest(self, image: ImageRef) -> str | None:
        return await self._answer(TARGET.host, image)

    async def _answer(self, registry: str, image: ImageRef) -> str:
        self.timed.append((registry, image))
        await asyncio.sleep(LOOK if registry in self.silent else self.slow.get(registry, 0.1))
        if registry in self.silent:
            raise TransientError(f"{registry} is away", kind=TroubleKind.SILENT, who=registry)
        return digest_of(str(image))

    def looks_at(self, registry: str) -> int:
        return sum(asked == registry for asked, _ in self.timed)


class Site:
    """The lane as the reconciler runs it, over a real database."""

    def __init__(self, store: SqliteStore, clock: LoopClock) -> None:
        self.store = store
        self.clock = clock
        self.registries = Slow()
        self.checks = RegistryChecksLane(
            store=store,
            registries=self.registries,
            rules=Rules(POLICY, ()),
            target=TARGET,
            who=WhoLooks(clock, {"*": LookBy.BOT}),
            clock=clock,
        )

    async def run(self) -> None:
        while True:
            await self.checks.tick()
            await asyncio.sleep(0.6)

    async def open(self, registry: str, count: int = 1, name: str = "one") -> list[Transfer]:
        images = [ImageRef.parse(f"{registry}/library/{name}{n}:1") for n in range(count)]
        async with self.store.begin() as unit:
            return [await unit.open_transfer(image, self.clock()) for image in images]

    async def copied(self, registry: str) -> Transfer:
        """Open a transfer for which only the target is to be checked."""
        (opened,) = await self.open(registry, name="copied")
        now, digest = self.clock(), digest_of(str(opened.image))
        async with self.store.begin() as unit:
            await unit.save_batch(Batch(id=BatchId("b"), via=Via.COMMIT, opened_at=now))
        return await self._after(
            opened,
            Found(now, digest, ImageInfo(), Ruling(Verdict.APPROVE, Ground.RULE), now),
            Submitted(now, BatchId("b")),
            RunSeen(now, RunId(1), ""),
            Copied(now, digest, None),
        )

    async def undecided(self) -> Transfer:
        """Open a transfer that waits for an admin's decision."""
        (opened,) = await self.open(HEALTHY, name="undecided")
        now = self.clock()
        asks = Ruling(Verdict.ASK, Ground.RULE)
        return await self._after(opened, Found(now, digest_of("a"), ImageInfo(), asks, now))

    async def _after(self, transfer: Transfer, *events: Event) -> Transfer:
        for each in events:
            after = advance(transfer, each)
            assert after is not None
            transfer = after
        async with self.store.begin() as unit:
            await unit.save_transfer(transfer)
        return transfer

    async def now_of(self, transfer: TransferId) -> Transfer:
        async with self.store.begin() as unit:
            found = await unit.transfer(transfer)
        assert found is not None
        return found

    async def waits_of(self, *transfers: Transfer, at_most: float = 10) -> list[timedelta]:
        """Return how long each takes to change its state, in at most so many minutes."""
        began, waits = self.clock(), dict[TransferId, timedelta]()
        while len(waits) < len(transfers):
            passed = self.clock() - began
            assert passed < timedelta(minutes=at_most), f"{len(waits)} of {len(transfers)} moved"
            async with self.store.begin() as unit:
                found = await unit.transfers([each.id for each in transfers])
            for each in transfers:
                if found[each.id].state is not each.state:
                    waits.setdefault(each.id, passed)
            await asyncio.sleep(0.5)
        return list(waits.values())


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    store, clock = await fresh_store(tmp_path / "bot.sqlite3"), LoopClock()
    made = Site(store, clock)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await store.close()


# -- others wait for one check at most ------------------------------------------------------


async def test_images_of_others_wait_for_one_look_at_a_silent_registry(site: Site) -> None:
    site.registries.silent.add(SILENT)
    await site.open(SILENT, 60)
    for minute in range(3):
        await asyncio.sleep(60)
        asked = await site.open(HEALTHY, name=f"minute{minute}-")
        assert max(await site.waits_of(*asked)) <= ONE_LOOK


async def test_many_images_of_others_wait_no_longer(site: Site) -> None:
    site.registries.silent.add(SILENT)
    await site.open(SILENT, 60)
    await asyncio.sleep(61)
    asked = await site.open(HEALTHY, 3 * CHECKS_PER_TICK)
    assert max(await site.waits_of(*asked)) <= ONE_LOOK + timedelta(seconds=5)


async def test_what_arrived_and_what_is_over_wait_for_one_look(site: Site) -> None:
    site.registries.silent.add(SILENT)
    await site.open(SILENT, 60)
    await asyncio.sleep(61)
    copied, undecided = await site.copied(SILENT), await site.undecided()
    assert max(await site.waits_of(copied, undecided)) <= ONE_LOOK
    assert (await site.now_of(copied.id)).proof is Proof.TARGET
    assert (await site.now_of(undecided.id)).state is State.EXPIRED


async def test_a_slow_registry_that_answers_holds_up_others_no_longer(site: Site) -> None:
    site.registries.slow[SILENT] = LOOK / 2
    await site.open(SILENT, 60)
    await asyncio.sleep(1)
    assert max(await site.waits_of(*await site.open(HEALTHY))) <= ONE_LOOK


# -- and a silent registry is asked again ---------------------------------------------------


async def test_all_images_of_a_silent_registry_learn_of_it_and_are_looked_at_when_it_is_back(
    site: Site,
) -> None:
    site.registries.silent.add(SILENT)
    opened = await site.open(SILENT, 60)
    await asyncio.sleep(5 * 60)
    troubles = [(await site.now_of(each.id)).trouble for each in opened]
    assert all(trouble is not None and trouble.who == SILENT for trouble in troubles)
    assert site.registries.looks_at(SILENT) <= CHECKS_PER_REGISTRY * 5 * 60 / LOOK
    site.registries.silent.clear()
    await site.waits_of(*opened)


async def test_no_try_to_verify_is_spent_without_a_look(site: Site) -> None:
    site.registries.silent.add(TARGET.host)
    await site.open(HEALTHY, 8)
    await asyncio.sleep(30)
    copied = await site.copied(SILENT)
    tries = 0
    while tries < 3:
        await asyncio.sleep(1)
        tries = (await site.now_of(copied.id)).attempts
        looks = [image for who, image in site.registries.timed if image == copied.image]
        assert tries <= len(looks)
    site.registries.silent.clear()
    await site.waits_of(copied)
    assert (await site.now_of(copied.id)).proof is Proof.TARGET


async def _away(clock: Clock, seconds: float) -> str:
    clock.pass_time(seconds)
    raise TransientError("away", kind=TroubleKind.SILENT, who=SILENT)


async def _here() -> str:
    return "here"


async def test_a_trouble_that_shows_at_once_is_no_silence() -> None:
    clock = Clock()
    silences = SlowRegistries(clock)
    with pytest.raises(TransientError):
        await silences.timed(SILENT, _away(clock, 0.5))
    assert silences.of(SILENT) is None


async def test_a_silence_lasts_a_while_longer_each_time_until_there_is_an_answer() -> None:
    clock = Clock()
    silences = SlowRegistries(clock)
    rests = []
    for _ in range(6):
        with pytest.raises(TransientError):
            await silences.timed(SILENT, _away(clock, LOOK))
        began = clock()
        while silences.of(HEALTHY, SILENT):
            clock.pass_time(0.1)
        rests.append(clock() - began)
    assert rests == sorted(rests)
    assert rests[0] < timedelta(seconds=3)
    assert rests[-1] == LONGEST_PAUSE
    with pytest.raises(TransientError):
        await silences.timed(SILENT, _away(clock, LOOK))
    await silences.timed(SILENT, _here())
    assert silences.of(SILENT) is None


async def test_several_that_wait_at_the_same_time_are_one_silence() -> None:
    clock = Clock()
    silences, over = SlowRegistries(clock), asyncio.Event()

    async def look() -> str:
        await over.wait()
        return await _away(clock, 0)

    looks = [
        asyncio.create_task(silences.timed(SILENT, look())) for _ in range(CHECKS_PER_REGISTRY)
    ]
    await asyncio.sleep(0)
    clock.pass_time(LOOK)
    over.set()
    await asyncio.wait(looks)
    assert all(isinstance(each.exception(), TransientError) for each in looks)
    assert silences.of(SILENT) is not None
    clock.pass_time(3)
    assert silences.of(SILENT) is None


async def test_a_clock_that_is_set_back_makes_no_silence_last() -> None:
    clock = Clock()
    silences = SlowRegistries(clock)
    with pytest.raises(TransientError):
        await silences.timed(SILENT, _away(clock, LOOK))
    clock.pass_time(-3600)
    assert silences.of(SILENT) is None


# -- what the database answers ----------------------------------------------------------------


async def test_each_registry_has_its_turns_and_who_waited_longest_has_the_first(
    site: Site,
) -> None:
    now = datetime(2026, 3, 2, tzinfo=site.clock().tzinfo)
    async with site.store.begin() as unit:
        images = [ImageRef.parse(f"{SILENT}/library/a{n}:1") for n in range(9)]
        opened = [await unit.open_transfer(image, now) for image in images]
        other = await unit.open_transfer(ImageRef.parse(f"{HEALTHY}/b:1"), now)
        due = await unit.due_checks(now, limit=3)
        assert {each.id for each in due} == {opened[0].id, opened[1].id, opened[2].id, other.id}
        trouble = TransientError("away").trouble
        await unit.save_transfers(
            [each.troubled(now, trouble, seed=each.id) for each in opened[:4]]
        )
        later = now + timedelta(minutes=1)
        due = await unit.due_checks(later, limit=6)
        assert [each.id for each in due if each.image.registry == SILENT][:5] == [
            each.id for each in opened[4:]
        ]
        assert len(due) == 7


async def test_what_is_over_is_not_gone_through_for_what_is_due(site: Site) -> None:
    async with site.store.begin() as unit:
        with plans(database_of(site.store).connection) as found:
            await unit.due_checks(site.clock(), limit=CHECKS_PER_TICK)
    reads = [step for step in found if " transfers" in step]
    assert reads, found
    assert all("open_transfers" in step or "PRIMARY KEY" in step for step in reads), found
