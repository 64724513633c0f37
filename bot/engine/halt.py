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


class Halt:
    """The wish that the program ends."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wished(self) -> bool:
        return self._event.is_set()

    def wish(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    async def first(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What the work gives; None where the wish came first, and the work was called off."""
        working = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for task in (working, waiting):
                task.cancel()
            await asyncio.wait({working, waiting})
            if not working.cancelled():
                working.exception()  # what a call says that was called off is of no account
