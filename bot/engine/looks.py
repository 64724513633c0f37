"""Looks at both sides of an image that nobody waits for: who is in trouble is left alone.

The waits are kept in memory only. After a restart a registry in trouble is asked once more.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.backoff import is_due, wait_after
from bot.core.image import ImageRef
from bot.engine.ports import Registries
from bot.errors import Refused, Temporary


class Looks:
    def __init__(
        self, registries: Registries, *, target: str, clock: Callable[[], datetime]
    ) -> None:
        self._registries = registries
        self._target = target
        self._clock = clock
        self._troubles: dict[str, int] = {}
        self._not_before: dict[str, datetime] = {}

    def rest(self, source: str) -> bool:
        """Whether a look would trouble somebody who asked for patience, or does not answer."""
        now = self._clock()
        return not all(is_due(self._not_before.get(each), now) for each in (source, self._target))

    async def at_both(self, image: ImageRef) -> tuple[str, str | None]:
        """The digests at the source and at the target, empty where there is no such image.

        None where the target may not be read. Raises Temporary, and Refused for the source. The
        target first: it is our own, and while it is away others need not be troubled.
        """
        try:
            target = await self._asked(self._target, self._registries.target_digest(image))
        except Refused:
            target = None
        source = await self._asked(image.registry, self._registries.source_digest(image))
        return source, target

    async def _asked(self, registry: str, look: Awaitable[str | None]) -> str:
        try:
            found = await look
        except Temporary as trouble:
            self._troubles[registry] = troubles = self._troubles.get(registry, 0) + 1
            wait = wait_after(troubles, seed=registry, retry_after=trouble.retry_after)
            self._not_before[registry] = self._clock() + wait
            raise
        self._troubles.pop(registry, None)
        return found or ""
