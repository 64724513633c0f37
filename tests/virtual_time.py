"""An event loop whose time passes only while everything waits for it.

Nothing sleeps: where no callback is ready and no thread is at work, the loop's clock jumps to the
next timer. So a test of many seconds ends at once, and a busy machine changes nothing.
A test module opts in by `LOOP_FACTORY = VirtualTimeLoop`: see conftest.py.
"""

import asyncio
import selectors
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from fakes import Clock


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets and threads, but for no timer."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        if self.loop.threads_at_work and timeout != 0:
            return super().select(None)  # a thread that ends wakes the loop
        if not timeout:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.loop.passed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self.passed = 0.0
        self.threads_at_work = 0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def run_forever(self) -> None:
        submit = ThreadPoolExecutor.submit

        def counted(pool: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
            work = submit(pool, *args, **kwargs)
            self.threads_at_work += 1
            # Runs after the code that awaits the work is ready: only then is the work done.
            self.call_soon(work.add_done_callback, self._ended)
            return work

        with patch.object(ThreadPoolExecutor, "submit", counted):
            super().run_forever()

    def _ended(self, work: Future[Any]) -> None:
        def count() -> None:
            self.threads_at_work -= 1

        self.call_soon_threadsafe(count)


@dataclass
class LoopClock(Clock):
    """The clock of a world that follows the running loop's time."""

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=asyncio.get_running_loop().time())
