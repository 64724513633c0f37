"""Commits: on the event loop while the disk is fast, in a worker thread after a slow one.

A switch to a thread costs a busy loop more than a fast commit. The price: the first slow commit
blocks the loop, and delays a signal to stop too. Transactions are in connection.py.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

QUICK: Final = 0.005
"""A commit that takes more seconds than this is slow."""
BESIDE: Final = 1.0
"""Seconds after a slow commit for which a worker thread is used."""


class Commits:
    def __init__(
        self, commit: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._beside_until = 0.0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commits")

    async def commit(self) -> None:
        """Raises what the commit raises. A cancellation takes effect only after the commit."""
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
    """Wait for a thread's work. asyncio.wrap_future would take one more iteration of the loop."""
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
