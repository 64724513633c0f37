"""The lane that keeps listed images fresh: it looks, opens transfers for what moved, and tells.

It writes nothing to GitHub and says nothing itself: the transfers that it opens are approved (or
wait for an admin) like any other, and news are notes. What it has seen is stored before anything
comes of it, each step in one transaction, so a kill loses nothing and doubles nothing. In memory
is only what spares work: when to look again, and which registries are better left alone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from bot.core import image_list
from bot.core.backoff import has_passed, is_due, wait_after
from bot.core.facts import Person, Place, TransferId
from bot.core.image import ImageRef, Target
from bot.core.policy import Policy, Verdict, decide
from bot.core.request import ITSELF
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import State, Transfer, advance
from bot.core.upkeep import GATHER, HOUR, Plan, Tracked, by_repository, is_ripe
from bot.engine.halt import Stopped, never
from bot.engine.lanes import Pulse, guarded
from bot.engine.news import News
from bot.engine.ports import NewRequest, Registries, Repository, Store, Unit
from bot.errors import BotError, Refused, Temporary

log = logging.getLogger(__name__)
T = TypeVar("T")

AT_ONCE: Final = 2
"""Of the few places that there are at a registry: people who ask have all the others."""
PORTION: Final = 200
"""Rows written in one transaction: intake waits for it."""
BATCH: Final = 200
"""Images opened at a time; one dispatch names them all, and GitHub takes 65535 characters."""
SOON: Final = timedelta(seconds=30)
BUDGET_PAUSE: Final = timedelta(minutes=1)
"""So long nothing is tried where registries have been asked all that they may be for now."""
LATER: Final = timedelta(seconds=2)
"""After this, what is to be opened together is looked at again."""
_FACE: Final = Person(ITSELF, "🤖")


class Upkeep:
    def __init__(
        self,
        *,
        store: Store,
        registries: Registries,
        repository: Repository,
        policy: Policy,
        target: Target,
        plan: Plan,
        news: News,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._registries = registries
        self._repository = repository
        self._policy = policy
        self._host = target.host
        self._plan = plan
        self._news = news
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)
        self._blob = ""
        self._listed_at: datetime | None = None
        self._list_troubles = 0
        self._list_not_before: datetime | None = None
        self._troubles: dict[str, int] = {}
        self._resting: dict[str, datetime] = {}
        self._rested_at: datetime | None = None
        self._rest = timedelta()
        self._under_way = True

    async def tick(self, stopped: Stopped = never) -> Pulse:
        """Take in what came of transfers, tell it, look at what is due, open what moved."""
        steps: tuple[Callable[[], Awaitable[bool]], ...] = (
            *((self._take_in, self._tell) if self._under_way else ()),
            *((lambda: self._round(stopped), self._open) if self._is_time() else ()),
        )
        moved = False
        for step in steps:
            moved = (not stopped() and await step()) or moved
        if moved:
            self._rested_at = None
            return Pulse.MOVED
        return Pulse.OPEN if self._rest <= SOON else Pulse.IDLE

    def _is_time(self) -> bool:
        now = self._clock()
        return self._rested_at is None or has_passed(self._rest, self._rested_at, now)

    def _pause(self, wait: timedelta) -> None:
        self._rested_at, self._rest = self._clock(), max(wait, timedelta())

    # -- what came of it ----------------------------------------------------------------

    async def _take_in(self) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            going = await unit.on_way()
            over = [each.after(transfer, now) for each, transfer in going if transfer.state.over]
            await unit.save_tracked(over)
            waiting = len(going) > len(over) or bool(await unit.arrived(limit=1))
        self._under_way = waiting or bool(over)
        return bool(over)

    async def _tell(self) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            return await self._news.tell(unit, now)

    # -- the list -----------------------------------------------------------------------

    async def _is_listed_anew(self, now: datetime, due: datetime | None) -> bool:
        """Whether the list is known well enough to go by; it is read where it is not."""
        shortest = self._plan.shortest
        read = self._listed_at
        if read is not None and not has_passed(shortest, read, now):
            looks = due is not None and due <= now
            if not looks or not has_passed(min(HOUR, shortest), read, now):
                return True
        if not is_due(self._list_not_before, now):
            return False
        try:
            content = await self._repository.read_list()
        except BotError as trouble:
            self._list_troubles += 1
            asked = trouble.retry_after if isinstance(trouble, Temporary) else None
            wait = wait_after(self._list_troubles, seed="list", retry_after=asked)
            self._list_not_before = now + wait
            log.warning("image.list: %s; nothing is looked at until it can be read", trouble)
            return False
        if content.blob != self._blob:
            await self._follow(content.content, now)
            self._blob = content.blob
        async with self._store.begin() as unit:
            await unit.bring_forward(self._plan, now)
        self._listed_at, self._list_troubles, self._list_not_before = now, 0, None
        return True

    async def _follow(self, content: bytes, now: datetime) -> None:
        """What left the list is forgotten; what is new in it has its first look some time."""
        wanted = await asyncio.to_thread(self._wanted, content)
        async with self._store.begin() as unit:
            known = await unit.tracked_names()
        for gone in _portions(sorted(known - wanted.keys())):
            async with self._store.begin() as unit:
                await unit.untrack([ImageRef.parse(name) for name in gone])
        for new in _portions(image for name, image in wanted.items() if name not in known):
            fresh = [Tracked(image=i, not_before=self._plan.first_look(i, now)) for i in new]
            async with self._store.begin() as unit:
                await unit.track(fresh)

    def _wanted(self, content: bytes) -> dict[str, ImageRef]:
        """Those that can move, and may be copied."""
        return {
            str(image): image
            for image in image_list.entries(content)
            if tag_class(image) is not TagClass.DIGEST and self._may_copy(image)
        }

    def _may_copy(self, image: ImageRef) -> bool:
        return decide(self._policy, image).verdict is not Verdict.DENY

    # -- looks --------------------------------------------------------------------------

    async def _round(self, stopped: Stopped) -> bool:
        """Looks at a portion of what is due; True where there was any."""
        now = self._clock()
        async with self._store.begin() as unit:
            due = await unit.next_look()
        if not await self._is_listed_anew(now, due):
            self._pause(SOON)
            return False
        portion = await self._portion(now)
        looked = await asyncio.gather(*(self._look(each, stopped) for each in portion))
        seen = [each for each in looked if each is not None]
        async with self._store.begin() as unit:
            await unit.save_tracked(seen)
            due = await unit.next_look()
        self._under_way = self._under_way or any(each.arrived_at for each in seen)
        self._pause(self._until(due, now))
        return bool(seen)

    def _until(self, due: datetime | None, now: datetime) -> timedelta:
        """How long there is nothing to look at. What is due and was not taken waits for budgets."""
        wait = self._plan.shortest
        if due is not None:
            wait = min(wait, due - now if due > now else min(BUDGET_PAUSE, wait))
        return wait

    async def _portion(self, now: datetime) -> Sequence[Tracked]:
        if self._rests(self._host, now):
            return ()
        allowed = [each for each in self._policy.registries if not self._rests(each, now)]
        due: list[Tracked] = []
        async with self._store.begin() as unit:
            spent = await unit.looks_since(now - HOUR, now)
            rooms = self._plan.room(allowed, spent, target=self._host)
            for registry, room in rooms.items():
                due += await unit.due_tracked(registry, now, limit=room)
        return due

    async def _look(self, each: Tracked, stopped: Stopped) -> Tracked | None:
        """At both sides; None where nobody was asked."""
        async with self._places:
            now = self._clock()
            if stopped() or any(self._rests(r, now) for r in (each.image.registry, self._host)):
                return None
            compared = None
            with guarded(f"keeping {each.image} fresh"):
                compared = await self._compared(each, now)
            return compared or each.put_off(now, self._plan)

    async def _compared(self, each: Tracked, now: datetime) -> Tracked:
        """The target first: it is our own, and while it is away others need not be troubled."""
        image = each.image
        try:
            target = await self._at_target(image)
            source = await self._asked(image.registry, self._registries.source_digest(image))
        except Refused as refusal:
            log.info("keeping %s fresh: %s", image, refusal)
            return each.refused(now, self._plan)
        except Temporary as trouble:
            log.info("keeping %s fresh: %s", image, trouble)
            return each.put_off(now, self._plan, retry_after=trouble.retry_after)
        return each.looked(source or "", target, now, self._plan)

    async def _at_target(self, image: ImageRef) -> str | None:
        """None where the target may not be read."""
        try:
            return await self._asked(self._host, self._registries.target_digest(image)) or ""
        except Refused:
            return None

    async def _asked(self, registry: str, look: Awaitable[str | None]) -> str | None:
        """A registry in trouble is left alone, longer each time."""
        try:
            found = await look
        except Temporary as trouble:
            self._troubles[registry] = troubles = self._troubles.get(registry, 0) + 1
            wait = wait_after(troubles, seed=registry, retry_after=trouble.retry_after)
            self._resting[registry] = self._clock() + wait
            raise
        self._troubles.pop(registry, None)
        return found

    def _rests(self, registry: str, now: datetime) -> bool:
        return not is_due(self._resting.get(registry), now)

    # -- what moved ---------------------------------------------------------------------

    async def _open(self) -> bool:
        """Transfers for all that moved in a round, so that one dispatch takes them."""
        now = self._clock()
        async with self._store.begin() as unit:
            moved = await unit.moved(limit=BATCH)
            if not moved:
                return False
            due = await unit.next_look()
            looking = due is not None and due <= now
            since = [each.moved_at for each in moved]
            if not is_ripe(since, now, under_way=looking, wait=GATHER):
                self._pause(LATER)
                return False
            if any(_is_queued(transfer) for _, transfer in await unit.on_way()):
                self._pause(LATER)
                return False  # the last ones have not gone yet: these go with the next dispatch
            await self._open_all(unit, moved, now)
        self._under_way = True
        return True

    async def _open_all(self, unit: Unit, moved: Sequence[Tracked], now: datetime) -> None:
        there = await unit.open_of([each.image for each in moved])
        after = [await self._after(unit, each, there.get(each.image), now) for each in moved]
        opened = [each for each in after if each.transfer is not None]
        await self._raise([each for each in opened if each.is_version], unit, now)
        await unit.save_tracked(after)
        log.info("moved at their sources: %d; on their way: %d", len(moved), len(opened))

    async def _after(
        self, unit: Unit, each: Tracked, there: Transfer | None, now: datetime
    ) -> Tracked:
        """With a transfer of its own, or the one that is `there` already, or none."""
        if not self._may_copy(each.image):
            return replace(each, moved_at=None)
        if there is not None:
            return each.opened(there.id) if each.shares(there) else each.joined(now, self._plan)
        return await self._opened(unit, each, now)

    async def _opened(self, unit: Unit, each: Tracked, now: datetime) -> Tracked:
        transfer = await unit.open_transfer(each.image, now)
        after = advance(transfer, each.found(now, now + self._policy.expire_after))
        assert after is not None  # noqa: S101 - a new transfer takes what was found
        await unit.save_transfer(after)
        return each.opened(transfer.id)

    async def _raise(self, alarms: Sequence[Tracked], unit: Unit, now: datetime) -> None:
        """A request of the bot's own: its card is the alarm, its buttons are the admins'."""
        if alarms:
            await unit.remember(_FACE)
        for group in by_repository(alarms):
            request = await unit.open_request(
                NewRequest(
                    person=ITSELF,
                    place=Place(self._plan.alarms),
                    message=None,
                    opened_at=now,
                    confirmed_at=now,
                )
            )
            await unit.link(request.id, _ids(group))


def _ids(opened: Iterable[Tracked]) -> list[TransferId]:
    return [each.transfer for each in opened if each.transfer is not None]


def _is_queued(transfer: Transfer) -> bool:
    """Whether it waits for the next batch, not for the time of a copy that was put off."""
    return transfer.state is State.APPROVED and transfer.not_before is None


def _portions(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while portion := list(islice(waiting, PORTION)):
        yield portion
