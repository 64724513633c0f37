"""The lane that deletes old requests, images and people, once a day and a few at a time.

`retention_days` in the config says how long they are kept. Decisions are kept for ever. What people
sent may hold a password, so the journal of the database is emptied more often.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.core.retry import has_passed
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.retention import RetentionStore
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

SWEEP_INTERVAL: Final = timedelta(days=1)
JOURNAL_INTERVAL: Final = timedelta(minutes=10)
ROWS_AT_ONCE: Final = 100
"""Rows of each kind in one transaction: people wait for it."""
PAGES_AT_ONCE: Final = 200
"""Pages of 4 KiB that one transaction gives back to the disk."""


class RetentionLane:
    def __init__(
        self, *, store: RetentionStore, keep: timedelta, clock: Callable[[], datetime]
    ) -> None:
        """`keep`: how long a request is kept after it was closed."""
        self._store = store
        self._keep = keep
        self._clock = clock
        self._swept_at: datetime | None = None
        self._emptied_at = clock()
        self._deleted = 0

    async def tick(self, _stopped: Stopped = never) -> TickResult:
        now = self._clock()
        if has_passed(JOURNAL_INTERVAL, self._emptied_at, now):
            await self._store.empty_journal()
            self._emptied_at = now
        if self._swept_at is None or has_passed(SWEEP_INTERVAL, self._swept_at, now):
            return await self._sweep(now)
        return TickResult.IDLE

    async def _sweep(self, now: datetime) -> TickResult:
        async with self._store.begin() as unit:
            deleted = await unit.delete_before(now - self._keep, limit=ROWS_AT_ONCE)
            given_back = await unit.give_back(PAGES_AT_ONCE)
        self._deleted += deleted
        if deleted or given_back:
            return TickResult.SOON
        if self._deleted:
            await self._rebuild()
            return TickResult.SOON
        self._swept_at = now
        return TickResult.IDLE

    async def _rebuild(self) -> None:
        """After the last deletion. The pages that this frees are given back in the next ticks."""
        log.info("deleted %d rows older than %d days", self._deleted, self._keep.days)
        async with self._store.begin() as unit:
            await unit.rebuild_index()
        self._deleted = 0
