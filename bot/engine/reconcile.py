"""Makes the world match what is stored: after every event, on a timer, and once at start.

Restart, retry, a late run, a missed message and a failed edit are all the same code path:
the next tick. A tick that fails is logged and followed by the next one; nothing is kept here
between ticks but the wish to wake up.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from bot.engine.lanes import Lane, Pulse
from bot.errors import BotError

log = logging.getLogger(__name__)

OPEN_INTERVAL: Final = 0.5
"""Seconds between two ticks while something is open: what is not due costs one query."""
REST: Final = 0.05
"""Seconds between two ticks at least: all that happens within them is one tick's work."""
IDLE_INTERVAL: Final = 30.0
TROUBLE_INTERVAL: Final = 5.0


class Reconciler:
    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes
        self._wakers = {name: asyncio.Event() for name in lanes}

    def wake(self) -> None:
        """Something may have changed: every lane looks now."""
        for waker in self._wakers.values():
            waker.set()

    async def tick(self) -> Pulse:
        """One tick of every lane, one after the other."""
        return max([await lane.tick() for lane in self._lanes.values()])

    async def run(self) -> None:
        """Tick until cancelled. Each lane has its own pace, so none holds up another."""
        async with asyncio.TaskGroup() as group:
            for name in self._lanes:
                group.create_task(self._run_lane(name))

    async def _run_lane(self, name: str) -> None:
        waker = self._wakers[name]
        while True:
            waker.clear()
            interval = await self._tick_lane(name)
            await asyncio.sleep(REST)
            try:
                async with asyncio.timeout(interval):
                    await waker.wait()
            except TimeoutError:
                continue

    async def _tick_lane(self, name: str) -> float:
        try:
            pulse = await self._lanes[name].tick()
        except BotError as trouble:
            log.warning("%s: %s", name, trouble)
            return TROUBLE_INTERVAL
        except Exception:  # one of two: a defect in one tick must not end the bot
            log.exception("%s: this tick failed, the next one follows", name)
            return TROUBLE_INTERVAL
        if pulse is Pulse.MOVED:
            self.wake()
        return IDLE_INTERVAL if pulse is Pulse.IDLE else OPEN_INTERVAL
