"""The lane that keeps listed images fresh: it checks them, and lets its parts do what follows.

fresh_list.py knows what is listed, fresh_updates.py opens transfers, fresh_news.py tells people of
them, fresh_gone.py of what is gone upstream,
fresh_offers.py asks once after an upgrade.

It must not write to GitHub or send. Its transfers are approved (or wait for an admin) like any
other, and news are notes. The result of a check is stored before it is acted on, and each step is
one transaction, so a kill loses and repeats nothing. Only the time of the next work is in memory.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.errors import RefusedError, TransientError
from bot.core.fresh import BUDGET_WINDOW, FreshPlan, TrackedImage
from bot.core.image import Target
from bot.core.policy import Policy
from bot.core.retry import has_passed
from bot.engine.lanes.fresh_gone import FreshGone, FreshGoneUnit
from bot.engine.lanes.fresh_list import FreshList
from bot.engine.lanes.fresh_news import FreshNews, FreshNewsUnit
from bot.engine.lanes.fresh_offers import FreshOffers
from bot.engine.lanes.fresh_updates import FreshUpdates
from bot.engine.lanes.lane import TickResult, guarded
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.registry_health import RegistryHealth
from bot.engine.ports.fresh import TrackedList
from bot.engine.ports.registries import Digests
from bot.engine.ports.repository import ImageListFile
from bot.engine.ports.sightings import Sightings
from bot.engine.ports.store import CopiedBefore, Store
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

CHECKS_AT_ONCE: Final = 2
"""Checks at a time, of the few connections to a registry. Checks for people use the others."""
SHORT_PAUSE: Final = timedelta(seconds=30)
PULL_LIMIT_PAUSE: Final = timedelta(minutes=1)
"""The pause when the budgets of all registries with due images are used up."""
GATHERING_PAUSE: Final = timedelta(seconds=2)
"""The pause before images that wait for others are considered again."""


class FreshUnit(TrackedList, FreshGoneUnit, FreshNewsUnit, CopiedBefore, Sightings, Protocol):
    """What this lane reads and writes."""


class FreshLane:
    def __init__(
        self,
        *,
        store: Store[FreshUnit],
        registries: Digests,
        repository: ImageListFile,
        policy: Policy,
        target: Target,
        plan: FreshPlan,
        news: FreshNews,
        gone: FreshGone,
        updates: FreshUpdates,
        offers: FreshOffers,
        who: WhoLooks,
        clock: Callable[[], datetime],
    ) -> None:
        """Registries that are left to runs (`who`) are not asked: their images stay as they are."""
        self._store = store
        self._who = who
        self._registries = policy.registries
        self._host = target.host
        self._plan = plan
        self._news = news
        self._gone = gone
        self._clock = clock
        self._health = RegistryHealth(registries, target=target.host, clock=clock)
        self._list = FreshList(
            store=store, repository=repository, policy=policy, plan=plan, clock=clock
        )
        self._updates = updates
        self._offers = offers
        self._places = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._paused_at: datetime | None = None
        self._pause_time = timedelta()
        self._under_way = True

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Store results of transfers and news, check what is due, open transfers for updates."""
        moved = False
        if self._under_way:
            moved = await self._store_transfers()
            moved = await self._store_news() or moved
        if await self._offers.were_answered():
            self._paused_at = None
        if self._is_pause_over() and not stopped() and await self._check_due(stopped):
            await self._offers.open()
            moved = await self._open() or moved
        if moved:
            self._paused_at = None
            return TickResult.CHANGED
        return TickResult.OPEN if self._pause_time <= SHORT_PAUSE else TickResult.IDLE

    def _is_pause_over(self) -> bool:
        now = self._clock()
        return self._paused_at is None or has_passed(self._pause_time, self._paused_at, now)

    def _pause(self, wait: timedelta) -> None:
        self._paused_at, self._pause_time = self._clock(), max(wait, timedelta())

    # -- results of transfers -----------------------------------------------------------

    async def _store_transfers(self) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            going = await unit.tracked_transfers()
            over = [row.after_transfer(of, now) for row, of in going if of.state.is_final]
            await unit.save_tracked(over)
            waiting = len(going) > len(over) or bool(await unit.arrived(limit=1))
            waiting = waiting or bool(await unit.gone_news(limit=1))
        self._under_way = waiting or bool(over)
        return bool(over)

    async def _store_news(self) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            told = await self._news.tell(unit, now)
            return await self._gone.tell(unit, now) or told

    # -- checks -------------------------------------------------------------------------

    async def _check_due(self, stopped: Stopped) -> bool:
        """Check a portion of what is due.

        False where the list cannot be read: then no update is opened, since its line may be gone.
        """
        now = self._clock()
        async with self._store.begin() as unit:
            due = await unit.next_check()
        if not await self._list.refresh(due):
            self._pause(SHORT_PAUSE)
            return False
        portion = await self._due_images(now)
        checked = await asyncio.gather(*(self._check(each, stopped) for each in portion))
        seen = [each for each in checked if each is not None]
        async with self._store.begin() as unit:
            await unit.save_tracked(seen)
            await self._gone.judge(unit, seen, now)
            for each in seen:
                if each.source and each.looked_at is not None:
                    await unit.saw(each.image, each.source, each.looked_at)
            due = await unit.next_check()
        news = (each.arrived_at or each.missed or each.gone_news for each in seen)
        self._under_way = self._under_way or any(news)
        self._pause(timedelta() if seen else self._until(due, now))
        return True

    def _until(self, due: datetime | None, now: datetime) -> timedelta:
        """How long to pause. What is due but was not checked waits for a budget."""
        wait = self._plan.shortest
        if due is not None:
            wait = min(wait, due - now if due > now else min(PULL_LIMIT_PAUSE, wait))
        return wait

    async def _due_images(self, now: datetime) -> Sequence[TrackedImage]:
        own = [each for each in self._registries if not self._who.by_run(each)]
        allowed = [each for each in own if not self._health.is_paused(each)]
        due: list[TrackedImage] = []
        async with self._store.begin() as unit:
            spent = await unit.checks_since(now - BUDGET_WINDOW, now)
            rooms = self._plan.checks_allowed(allowed, spent, target=self._host)
            for registry, room in rooms.items():
                due += await unit.due_tracked(registry, now, limit=room)
        return due

    async def _check(self, each: TrackedImage, stopped: Stopped) -> TrackedImage | None:
        """Compare source and target. None where no registry was asked."""
        async with self._places:
            now = self._clock()
            if stopped() or self._health.is_paused(each.image.registry):
                return None
            compared = None
            with guarded(f"fresh: {each.image}"):
                compared = await self._compared(each, now)
            return compared or each.after_failed_check(now, self._plan)

    async def _compared(self, each: TrackedImage, now: datetime) -> TrackedImage:
        image = each.image
        try:
            source, target = await self._health.digests(image)
        except RefusedError as refusal:
            log.info("fresh: %s: %s", image, refusal)
            return each.after_refused_check(now, self._plan)
        except TransientError as trouble:
            log.info("fresh: %s: %s", image, trouble)
            return each.after_failed_check(now, self._plan, retry_after=trouble.retry_after)
        if target is None:  # it may not be read: what was copied last is there
            async with self._store.begin() as unit:
                target = await unit.last_copied(image)
        return each.after_check(source, target, now, self._plan)

    # -- what was updated upstream ------------------------------------------------------

    async def _open(self) -> bool:
        match await self._updates.open(self._list.may_copy):
            case TickResult.CHANGED:
                self._under_way = True
                return True
            case TickResult.OPEN:
                self._pause(GATHERING_PAUSE)
        return False
