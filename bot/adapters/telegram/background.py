"""Reactions and popups: calls to Telegram that run in the background of the polling.

A few run at a time, and each is tried once. So nothing that a person must read may be sent here.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from telegram.error import TelegramError

log = logging.getLogger(__name__)

BACKGROUND_SECONDS: Final = 5.0
_AT_ONCE: Final = 4
_MOST: Final = 200


class BackgroundCalls:
    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        """Run the call. It is dropped where too many run already."""
        if len(self._tasks) >= _MOST:
            call.close()
            return
        task = asyncio.create_task(self._run(update, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._places, asyncio.timeout(BACKGROUND_SECONDS):
                await call
        except (TelegramError, TimeoutError) as error:  # no retry: the card says it too
            log.info("update %d: no reaction, no popup: %s", update, error)
        finally:
            call.close()

    async def aclose(self) -> None:
        """Wait for the calls in flight, at most BACKGROUND_SECONDS. Cancel those that remain."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=BACKGROUND_SECONDS)
            for task in late:
                task.cancel()
