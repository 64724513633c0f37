"""Keeps the pull limits that registries report, and tells whether an optional request may be sent.

Docker Hub reports its limit in every response: https://docs.docker.com/docker-hub/usage/pulls/
The numbers are forgotten when their window is over. That a registry counts pulls is not.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from bot.core.registry import PullLimit

_HEADER: Final = re.compile(r"([0-9]{1,9})(?:\s*;\s*w=([0-9]{1,9}))?")
_DEFAULT_WINDOW: Final = 6 * 60 * 60.0  # seconds, as at Docker Hub
_LONGEST_WINDOW: Final = 24 * 60 * 60.0


class PullLimits:
    """The reported limits by registry."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counting: set[str] = set()
        self._seen: dict[str, tuple[PullLimit, float]] = {}

    def record(self, registry: str, headers: httpx.Headers) -> None:
        """Read `ratelimit-limit` and `ratelimit-remaining`, such as `100;w=21600`."""
        limit = _HEADER.fullmatch(headers.get("ratelimit-limit", "").strip())
        if limit is None:
            return
        self._counting.add(registry)
        remaining = _HEADER.fullmatch(headers.get("ratelimit-remaining", "").strip())
        if remaining is not None:
            allowed = int(limit[1])
            window = min(float(limit[2] or _DEFAULT_WINDOW), _LONGEST_WINDOW)
            budget = PullLimit(min(int(remaining[1]), allowed), allowed)
            self._seen[registry] = (budget, self._clock() + window)

    def is_counting(self, registry: str) -> bool:
        """Whether the registry has ever reported a limit."""
        return registry in self._counting

    def current(self) -> Mapping[str, PullLimit]:
        """The limits whose window is not over."""
        now = self._clock()
        return {name: budget for name, (budget, until) in self._seen.items() if now < until}

    def allows_optional(self, registry: str) -> bool:
        """Whether a request that is not necessary may be sent: more than half is left."""
        budget = self.current().get(registry)
        return budget is None or budget.remaining * 2 > budget.limit
