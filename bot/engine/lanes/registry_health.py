"""Circuit breakers for registries: after an error, a registry is not asked for a while.

`SlowRegistries` is for checks that people wait for: after one slow error, other checks do not wait
for the same. `RegistryHealth` is for the fresh lane, which nobody waits for. The pauses are in
memory only: after a restart a registry in trouble is asked once more.
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
"""An error that takes this long is slow: other checks would wait for it."""
LONGEST_PAUSE: Final = timedelta(seconds=20)
"""Short, since people wait. As long as one answer may take, so half of the time is not blocked."""


class SlowRegistries:
    """Registries that failed slowly a short while ago, and are not asked again yet.

    A fast error is not counted: it delays nobody, and may concern one image only.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._slow: dict[str, RetriedWithTrouble] = {}

    def of(self, *registries: str) -> Trouble | None:
        """The trouble of the first of these registries that must not be asked yet, or None."""
        now = self._clock()
        kept = [self._slow[each] for each in registries if each in self._slow]
        resting = (s.trouble for s in kept if not s.is_due(now, at_most=LONGEST_PAUSE))
        return next(resting, None)

    async def timed(self, registry: str, look: Awaitable[T]) -> T:
        """Await a call to a registry: return or raise what it does, and note slow errors."""
        began = self._clock()
        try:
            found = await look
        except TransientError as trouble:
            if self._clock() - began >= SLOW_ANSWER:
                self._note(registry, trouble.trouble)
            raise
        self._slow.pop(registry, None)
        return found

    def _note(self, registry: str, trouble: Trouble) -> None:
        if self.of(registry):
            return  # several calls waited at the same time: they count as one
        before = self._slow.get(registry, RetriedWithTrouble())
        self._slow[registry] = before.troubled(
            self._clock(), trouble, seed=registry, longest=LONGEST_PAUSE
        )


class RegistryHealth:
    """Asks for the digests at source and target, and pauses a registry after its errors."""

    def __init__(self, registries: Digests, *, target: str, clock: Callable[[], datetime]) -> None:
        self._registries = registries
        self._target = target
        self._clock = clock
        self._retries: dict[str, Retried] = {}

    def is_paused(self, source: str) -> bool:
        """Whether the source or the target must not be asked now, after an error."""
        now = self._clock()
        return not all(self._of(each).is_due(now) for each in (source, self._target))

    async def digests(self, image: ImageRef) -> tuple[str, str | None]:
        """The digests at the source and at the target, empty where there is no such image.

        None where the target may not be read. Raises TransientError, and RefusedError for the
        source. The target is asked first: while it fails, no source needs to be asked.
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
