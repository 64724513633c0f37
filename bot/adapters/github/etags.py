"""Answers of GitHub that are kept, to ask only whether they are still so.

GitHub marks each answer with an ETag, and "not modified" counts against no limit and carries no
body: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
A run that is followed answers the same again and again. Nothing is ever taken from here without
GitHub having said that it holds.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 256 * 1024
"""Bytes of an answer; what is polled is smaller, and lists of images are read but now and then."""
MOST: Final = 16
"""So many answers at most: two for each run that is followed."""


@dataclass(frozen=True, slots=True)
class Version:
    """An answer as it was, and the mark by which GitHub knows it."""

    tag: str
    headers: Mapping[str, str]
    body: bytes


class Versions:
    """The last answers, by what was asked. One client has one token, so that it is no part of it.

    Headers are looked up as they are given: by a mapping that knows no case.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Version] = OrderedDict()

    def of(self, url: str, accept: str) -> Version | None:
        found = self._kept.get((url, accept))
        if found is not None:
            self._kept.move_to_end((url, accept))
        return found

    def keep(self, url: str, accept: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep an answer in place of the one before it, if it is marked and small enough."""
        self._kept.pop((url, accept), None)
        tag = headers.get("ETag", "")
        if not tag or len(body) > LARGEST:
            return
        self._kept[url, accept] = Version(tag, headers, body)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        self._kept.clear()
