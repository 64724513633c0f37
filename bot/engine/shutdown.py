"""The request to stop: a step that has begun is finished, and no new step begins.

An effect that is interrupted before it is stored may be repeated at the next start. So work that
ends by itself is never cancelled.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Stopped = Callable[[], bool]
"""Returns True as soon as no further step may begin."""


def never() -> bool:
    return False


class Shutdown:
    """Tells every part of the program that it has to stop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._under_way: set[asyncio.Timeout] = set()

    def is_requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        if self.is_requested():
            return
        self._event.set()
        for limit in self._under_way:
            limit.reschedule(0)

    async def wait(self) -> None:
        await self._event.wait()

    async def unless_requested(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of the work. None where a shutdown is requested first: the work is cancelled.

        The work runs in the task of the caller. A new task would start it two iterations of the
        event loop later.
        """
        if self.is_requested():
            work.close()
            return None
        try:
            async with asyncio.timeout(None) as limit:
                self._under_way.add(limit)
                try:
                    return await work
                finally:
                    self._under_way.discard(limit)
        except Exception:
            if self.is_requested():  # errors of work that was cancelled do not matter
                return None
            raise
