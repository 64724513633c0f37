"""How much new content GitHub lets one account create: 80 a minute, and 500 an hour.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections import deque
from collections.abc import Callable
from typing import Final

LIMITS: Final = ((60.0, 80), (3600.0, 500))
"""Seconds, and how many comments may be created in them."""
RESERVED: Final = 0.2
"""The share that cards leave to answers and results, which people wait for."""


class ContentBudget:
    """Counts what was created since the start. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: deque[float] = deque(maxlen=max(most for _, most in LIMITS))

    def wait(self, *, card: bool) -> float:
        """Seconds until another comment may be created. 0 where it may be now."""
        now = self._clock()
        waits = [0.0]
        for seconds, most in LIMITS:
            allowed = int(most * (1 - RESERVED)) if card else most
            inside = [at for at in self._made if at > now - seconds]
            if len(inside) >= allowed:
                waits.append(inside[-allowed] + seconds - now)
        return max(waits)

    def count(self) -> None:
        self._made.append(self._clock())
