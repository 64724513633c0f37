"""Which images are tracked: those in image.list that can be updated and may be copied.

The list is read seldom. While it cannot be read, its old content must not cause copies: an image
may have been removed from it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from bot.core import image_list
from bot.core.decision import Verdict
from bot.core.errors import BotError, TransientError
from bot.core.fresh import BUDGET_WINDOW, FreshPlan, TrackedImage
from bot.core.image import ImageRef
from bot.core.policy import Policy, decide
from bot.core.retry import Retried, has_passed
from bot.engine.ports.fresh import TrackedList
from bot.engine.ports.repository import ImageListFile
from bot.engine.ports.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")

TRACKED_ROWS_PER_TRANSACTION: Final = 200
"""Rows written in one transaction: intake waits for it."""


class FreshList:
    def __init__(
        self,
        *,
        store: Store[TrackedList],
        repository: ImageListFile,
        policy: Policy,
        plan: FreshPlan,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._repository = repository
        self._policy = policy
        self._plan = plan
        self._clock = clock
        self._blob: str | None = None  # not "", which is what a missing list has
        self._read_at: datetime | None = None
        self._reading = Retried()

    def may_copy(self, image: ImageRef) -> bool:
        return decide(self._policy, image).verdict is not Verdict.DENY

    async def refresh(self, due: datetime | None) -> bool:
        """Bring what is tracked up to date. False where the list cannot be read.

        `due` is the time of the next check: while none is due, the list is read less often.
        """
        now = self._clock()
        if self._was_read_lately(due, now):
            return True
        if not self._reading.is_due(now):
            return False
        try:
            file = await self._repository.read_list()
        except BotError as trouble:
            self._postpone(trouble, now)
            return False
        if file.blob != self._blob:
            await self._update(file.content, now)
            self._blob = file.blob
        async with self._store.begin() as unit:
            await unit.bring_forward(self._plan, now)
        self._read_at, self._reading = now, Retried()
        return True

    def _was_read_lately(self, due: datetime | None, now: datetime) -> bool:
        if self._read_at is None:
            return False
        shortest = self._plan.shortest
        looking = due is not None and due <= now
        return not has_passed(
            min(BUDGET_WINDOW, shortest) if looking else shortest, self._read_at, now
        )

    def _postpone(self, trouble: BotError, now: datetime) -> None:
        asked = trouble.retry_after if isinstance(trouble, TransientError) else None
        self._reading = self._reading.postponed(now, seed="list", retry_after=asked)
        log.warning("image.list: %s, so no image is checked until it can be read", trouble)

    async def _update(self, content: bytes, now: datetime) -> None:
        """Untrack what left the list. Track what is new in it, with a time for its first check."""
        wanted = await asyncio.to_thread(self._wanted, content)
        async with self._store.begin() as unit:
            known = await unit.tracked_names()
        for gone in _portions(sorted(known - wanted.keys())):
            async with self._store.begin() as unit:
                await unit.untrack([ImageRef.parse(name) for name in gone])
        for new in _portions(image for name, image in wanted.items() if name not in known):
            fresh = [TrackedImage(image=i, not_before=self._plan.first_check(i, now)) for i in new]
            async with self._store.begin() as unit:
                await unit.track(fresh)

    def _wanted(self, content: bytes) -> dict[str, ImageRef]:
        return {
            str(image): image
            for image in image_list.listed_images(content)
            if image.digest is None and self.may_copy(image)
        }


def _portions(items: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(items)
    while portion := list(islice(waiting, TRACKED_ROWS_PER_TRANSACTION)):
        yield portion
