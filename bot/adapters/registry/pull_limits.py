"""What registries say about their pull limits, and what follows for requests that could be saved.

Docker Hub names its limit on every answer; the numbers are its own and are not checked. They
are forgotten with their window, but never that a registry counts. Nothing here sends a request.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from bot.core.registry import PullLimit

_FIELD: Final = re.compile(r"([0-9]{1,9})(?:\s*;\s*w=([0-9]{1,9}))?")
_WINDOW: Final = 6 * 60 * 60.0  # Docker Hub's, taken where none is named
_LONGEST_WINDOW: Final = 24 * 60 * 60.0


class Budgets:
    """Pull limits by the name of the registry that named them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counting: set[str] = set()
        self._seen: dict[str, tuple[PullLimit, float]] = {}

    def note(self, registry: str, headers: httpx.Headers) -> None:
        limit = _FIELD.fullmatch(headers.get("ratelimit-limit", "").strip())
        if limit is None:
            return
        self._counting.add(registry)
        remaining = _FIELD.fullmatch(headers.get("ratelimit-remaining", "").strip())
        if remaining is not None:
            most = int(limit[1])
            window = min(float(limit[2] or _WINDOW), _LONGEST_WINDOW)
            budget = PullLimit(min(int(remaining[1]), most), most)
            self._seen[registry] = (budget, self._clock() + window)

    def counts(self, registry: str) -> bool:
        """Whether the registry has ever named a limit."""
        return registry in self._counting

    def known(self) -> Mapping[str, PullLimit]:
        """The limits whose window is not over yet."""
        now = self._clock()
        return {name: budget for name, (budget, until) in self._seen.items() if now < until}

    def spares(self, registry: str) -> bool:
        """Whether a request that could be left out may be sent all the same."""
        budget = self.known().get(registry)
        return budget is None or budget.remaining * 2 > budget.limit
