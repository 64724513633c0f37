"""Reactions and popups: small answers that no update waits for.

Beside the polling, a few at a time, tried once. Nothing that a person must read is sent here.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from telegram.error import TelegramError

log = logging.getLogger(__name__)

COURTESY_SECONDS: Final = 5.0
_AT_ONCE: Final = 4
_MOST: Final = 200


class Courtesies:
    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def owe(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        if len(self._tasks) >= _MOST:
            call.close()
            return
        task = asyncio.create_task(self._pay(update, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pay(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._places, asyncio.timeout(COURTESY_SECONDS):
                await call
        except (TelegramError, TimeoutError) as error:  # too old by now: the card says it too
            log.info("update %d: no reaction, no popup: %s", update, error)
        finally:
            call.close()

    async def aclose(self) -> None:
        """What was begun is brought to its end, within bounds."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=COURTESY_SECONDS)
            for task in late:
                task.cancel()
