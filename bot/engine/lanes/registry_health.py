"""Looks at registries that leave alone who is in trouble, as long as nothing is gained by asking.

The waits are kept in memory only. After a restart a registry in trouble is asked once more.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.core.retry import Retried, RetriedWithTrouble, Trouble
from bot.engine.ports.registries import Digests

T = TypeVar("T")

SLOW_ANSWER: Final = timedelta(seconds=2)
"""A look that takes this long keeps others waiting."""
LONGEST_PAUSE: Final = timedelta(seconds=20)
"""Short, since people wait for looks; as long as a look may take, so half of the time is free."""


class SlowRegistries:
    """Registries that lately let a look wait in vain: for a while nobody else waits for them.

    A trouble that shows at once is none of these: it holds up nobody, and may be one image's.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._silences: dict[str, RetriedWithTrouble] = {}

    def of(self, *registries: str) -> Trouble | None:
        """The trouble of one of them that is not to be asked again yet."""
        now = self._clock()
        kept = [self._silences[each] for each in registries if each in self._silences]
        resting = (s.trouble for s in kept if not s.is_due(now, at_most=LONGEST_PAUSE))
        return next(resting, None)

    async def timed(self, registry: str, look: Awaitable[T]) -> T:
        """The same answer or trouble, noted where it was long in coming."""
        began = self._clock()
        try:
            found = await look
        except TransientError as trouble:
            if self._clock() - began >= SLOW_ANSWER:
                self._note(registry, trouble.trouble)
            raise
        self._silences.pop(registry, None)
        return found

    def _note(self, registry: str, trouble: Trouble) -> None:
        if self.of(registry):
            return  # several waited at the same time: that is one silence
        before = self._silences.get(registry, RetriedWithTrouble())
        self._silences[registry] = before.troubled(
            self._clock(), trouble, seed=registry, longest=LONGEST_PAUSE
        )


class RegistryHealth:
    """At both sides of an image that nobody waits for."""

    def __init__(self, registries: Digests, *, target: str, clock: Callable[[], datetime]) -> None:
        self._registries = registries
        self._target = target
        self._clock = clock
        self._retries: dict[str, Retried] = {}

    def rest(self, source: str) -> bool:
        """Whether a look would trouble somebody who asked for patience, or does not answer."""
        now = self._clock()
        return not all(self._of(each).is_due(now) for each in (source, self._target))

    async def at_both(self, image: ImageRef) -> tuple[str, str | None]:
        """The digests at the source and at the target, empty where there is no such image.

        None where the target may not be read. Raises TransientError, and RefusedError for the
        source. The
        target first: it is our own, and while it is away others need not be troubled.
        """
        try:
            target = await self._asked(self._target, self._registries.target_digest(image))
        except RefusedError:
            target = None
        source = await self._asked(image.registry, self._registries.source_digest(image))
        return source, target

    async def _asked(self, registry: str, look: Awaitable[str | None]) -> str:
        try:
            found = await look
        except TransientError as trouble:
            self._retries[registry] = self._of(registry).postponed(
                self._clock(), seed=registry, retry_after=trouble.retry_after
            )
            raise
        self._retries[registry] = replace(self._of(registry), attempts=0)
        return found or ""

    def _of(self, registry: str) -> Retried:
        return self._retries.get(registry, Retried())
