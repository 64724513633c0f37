"""Runs the lanes: each ticks after every event, on a timer, and once at start.

A lane compares what is stored with the outside world, and does what is missing. So a restart, a
retry, a late run and a failed edit need no special code: the next tick handles them. An exception
of a tick is logged, and must not end the bot.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from bot.core.errors import BotError
from bot.engine.changes import BUG
from bot.engine.lanes.lane import Lane, TickResult
from bot.engine.shutdown import Shutdown

log = logging.getLogger(__name__)

OPEN_INTERVAL: Final = 0.5
"""Seconds between two ticks while something is open. A tick without due work is one query."""
SOON_INTERVAL: Final = 0.1
"""The same where a step must not be late, such as the poll of a run each second."""
SHORTEST_INTERVAL: Final = 0.1
"""The least seconds between two ticks, so that events close together share one tick."""
IDLE_INTERVAL: Final = 30.0
ERROR_INTERVAL: Final = 5.0
_INTERVALS: Final = {
    TickResult.IDLE: IDLE_INTERVAL,
    TickResult.OPEN: OPEN_INTERVAL,
    TickResult.SOON: SOON_INTERVAL,
    TickResult.CHANGED: OPEN_INTERVAL,
}


class Reconciler:
    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes
        self._wakers = {name: asyncio.Event() for name in lanes}
        self._held = False
        self._ticked = dict[str, float]()

    def idle_for(self) -> Mapping[str, float]:
        """Seconds since each lane ended a tick, or came to one that is held. Empty before `run`."""
        now = asyncio.get_running_loop().time()
        return {name: now - at for name, at in self._ticked.items()}

    def wake(self) -> None:
        """Something may have changed: every lane ticks now."""
        for waker in self._wakers.values():
            waker.set()

    def hold(self, *, held: bool) -> None:
        """Take no step while held: another bot may be doing the same work."""
        if self._held and not held:
            self.wake()
        self._held = held

    async def tick(self) -> TickResult:
        """One tick of every lane, one after the other."""
        return max([await lane.tick() for lane in self._lanes.values()])

    async def run(self, shutdown: Shutdown) -> None:
        """Tick until the shutdown. The lanes run side by side, so none waits for another."""
        async with asyncio.TaskGroup() as group:
            for name in self._lanes:
                self._note_tick(name)
                group.create_task(self._run_lane(name, shutdown))
            await shutdown.wait()
            self.wake()

    async def _run_lane(self, name: str, shutdown: Shutdown) -> None:
        waker = self._wakers[name]
        while not shutdown.is_requested():
            waker.clear()
            interval = IDLE_INTERVAL if self._held else await self._tick_lane(name, shutdown)
            self._note_tick(name)
            if shutdown.is_requested():
                return
            await asyncio.sleep(SHORTEST_INTERVAL)
            try:
                async with asyncio.timeout(interval):
                    await waker.wait()
            except TimeoutError:
                continue

    def _note_tick(self, name: str) -> None:
        self._ticked[name] = asyncio.get_running_loop().time()

    async def _tick_lane(self, name: str, shutdown: Shutdown) -> float:
        try:
            pulse = await self._lanes[name].tick(lambda: self._held or shutdown.is_requested())
        except BotError as trouble:
            log.warning("Tick of lane %s failed: %s", name, trouble)
            return ERROR_INTERVAL
        except Exception:  # a bug in one tick must not end the bot
            log.exception("Unhandled exception in lane %s. %s", name, BUG)
            return ERROR_INTERVAL
        if pulse is TickResult.CHANGED:
            self.wake()
        return _INTERVALS[pulse]
