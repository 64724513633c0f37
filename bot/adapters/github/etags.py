"""A cache of GitHub's answers for conditional requests.

A 304 answer has no body and does not count against the rate limit. See "Use conditional requests"
at https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
A cached body is used only after GitHub confirmed it with 304.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CACHED_BODY_BYTES: Final = 256 * 1024
"""Larger bodies are not kept. What is polled is smaller."""
CACHED_RESPONSES: Final = 16
"""Two per run that is followed."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A 200 answer and its ETag."""

    tag: str
    headers: Mapping[str, str]
    body: bytes


class EtagCache:
    """The latest answers by URL and Accept header. One cache serves one token."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], CachedResponse] = OrderedDict()

    def get(self, url: str, accept: str) -> CachedResponse | None:
        found = self._kept.get((url, accept))
        if found is not None:
            self._kept.move_to_end((url, accept))
        return found

    def keep(self, url: str, accept: str, headers: Mapping[str, str], body: bytes) -> None:
        """Replace the cached answer, or drop it if the new one has no ETag or is too large.

        `headers` must be case-insensitive.
        """
        self._kept.pop((url, accept), None)
        tag = headers.get("ETag", "")
        if not tag or len(body) > CACHED_BODY_BYTES:
            return
        self._kept[url, accept] = CachedResponse(tag, headers, body)
        if len(self._kept) > CACHED_RESPONSES:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()
