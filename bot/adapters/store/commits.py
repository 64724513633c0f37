"""Commits: the one statement that waits for the disk.

On the loop as long as the disk is quick: to hand a commit to a thread and to be told of its end
costs a busy loop more. Beside the loop for a while after the disk was not quick. So where a disk
begins to stall, one commit keeps everything waiting, a signal to stop among it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

QUICK: Final = 0.005
"""Seconds: longer than a message may be kept waiting by what is written before it."""
BESIDE: Final = 1.0
"""So many seconds after a slow commit the loop waits for none."""


class Commits:
    def __init__(
        self, commit: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._beside_until = 0.0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commits")

    async def commit(self) -> None:
        """Raises what the commit raises. Whoever is cancelled meanwhile learns of it after it."""
        began = self._clock()
        if began < self._beside_until:
            await _ended(self._worker.submit(self._commit))
            return
        try:
            self._commit()
        finally:
            if self._clock() - began > QUICK:
                self._beside_until = self._clock() + BESIDE

    def close(self) -> None:
        self._worker.shutdown()


async def _ended(work: Future[Any]) -> None:
    """Wait for a thread's work. Sooner than asyncio's own way, by a turn of a busy loop."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    work.add_done_callback(lambda _: loop.call_soon_threadsafe(_fulfil, ended))
    try:
        await ended
    except asyncio.CancelledError:
        await asyncio.wait({asyncio.wrap_future(work)})
        raise
    work.result()


def _fulfil(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
