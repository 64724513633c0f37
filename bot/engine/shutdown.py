"""How what is under way comes to an end: a step that has begun is finished, no other is taken.

An effect that is cut off before its save may be repeated at the next start; so nobody is
cancelled who can come to a save by himself.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Stopped = Callable[[], bool]
"""Whether no further step is to be taken."""


def never() -> bool:
    return False


class Shutdown:
    """The wish that the program ends."""

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
        """What the work gives; None where the wish came first, and the work was called off.

        In the task of the caller: a task of its own would come two turns of the loop later.
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
            if self.is_requested():  # what a call says that was called off is of no account
                return None
            raise
