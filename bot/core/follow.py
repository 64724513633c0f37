"""A follow: a chat is told when a repository has a newer version in a range.

The tags of a repository are listed once a day. `news` is what was found and not told yet. A chat is
told at most once a day, of all its news together. What is told has a key, which its buttons carry,
so that a press decides on exactly the digest that was shown. Nothing here does I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self
from zlib import crc32

from bot.core.ids import ChatId, MessageId, PersonId, Place, RequestId
from bot.core.image import ImageRef
from bot.core.retry import Retried, has_passed
from bot.core.version_range import VersionRange, parse_range

FOLLOWS_OF_CHAT: Final = 100
NEWS_PER_MESSAGE: Final = 20
"""The others are told a day later."""
NEWS_INTERVAL: Final = timedelta(hours=20)
"""The least time between two messages of a chat. All lists are read at about the same hour."""
NEWS_KEPT: Final = timedelta(days=30)
"""How long the buttons of a message work."""
LIST_INTERVAL: Final = timedelta(days=1)
_LISTED_FROM: Final = time(6)
"""UTC. Afternoon in Shanghai, morning in Berlin."""
_LISTED_WITHIN: Final = timedelta(hours=1)
_GATHERED_FOR: Final = 2 * _LISTED_WITHIN


class ListTrouble(StrEnum):
    """Why the list of tags says nothing. Its words are in locales/, under `follow-<value>`."""

    MISSING = "missing"
    """There is no such repository, it is private, or its registry lists no tags."""
    OUT_OF_REACH = "out-of-reach"
    """Runs look at its images, and no run lists tags."""
    TOO_LONG = "too-long"
    UNCLEAR = "unclear"
    """No tag is surely the newest of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow(Retried):
    """The stored facts. `name` is `registry/repository`. Times are in UTC.

    `person` is who asked for it last. `known` is the newest tag that was told, or that was there
    at first. `trouble` is that of the last list.
    """

    id: int
    person: PersonId
    place: Place
    message: MessageId | None
    name: str
    range: str
    since: datetime
    listed_at: datetime | None = None
    known: str = ""
    news: str = ""
    told_at: datetime | None = None
    trouble: ListTrouble | None = None

    def image(self, tag: str) -> ImageRef:
        return ImageRef.parse(f"{self.name}:{tag}")

    @property
    def wanted(self) -> VersionRange:
        found = parse_range(self.range)
        assert found is not None  # noqa: S101 - it was read before it was stored
        return found

    def after_list(self, newest: str | None, now: datetime) -> Self:
        """After the tags were listed. What is there at first is no news."""
        seen = replace(
            self,
            listed_at=now,
            attempts=0,
            not_before=next_listing(self.name, now),
            trouble=None if newest else ListTrouble.UNCLEAR,
            news="",
        )
        if newest is None or newest == self.known:
            return seen
        if self.listed_at is None:
            return replace(seen, known=newest)
        is_news = not self.known or self.wanted.is_newer(newest, self.known)
        return replace(seen, news=newest) if is_news else seen

    def after_useless_list(self, trouble: ListTrouble, now: datetime) -> Self:
        """After a list that says nothing. What was found before waits for the next one."""
        later = next_listing(self.name, now)
        return replace(self, listed_at=now, attempts=0, not_before=later, trouble=trouble)

    def after_telling(self, now: datetime) -> Self:
        return replace(self, known=self.news, news="", told_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A version that a chat was told of. `key` is as in core/card_version.py.

    `before` is the tag that was the newest until then. `size` is in bytes, None where unknown.
    `request` is the one that a press has opened.
    """

    key: str
    chat: ChatId
    image: ImageRef
    digest: str
    before: str
    platforms: tuple[str, ...]
    size: int | None
    told_at: datetime
    request: RequestId | None = None


def range_above(image: ImageRef) -> VersionRange | None:
    """The range of versions after the image's tag, of its variant. None for other tags."""
    return None if image.tag is None else parse_range(f"^{image.tag}")


def next_listing(name: str, now: datetime) -> datetime:
    """When to list the tags of a repository again: at its minute of the next day."""
    minute = _LISTED_WITHIN * (crc32(name.encode()) / 2**32)
    today = datetime.combine(now.date(), _LISTED_FROM, now.tzinfo) + minute
    days = 0 if today - now > LIST_INTERVAL / 2 else 1 if now - today < LIST_INTERVAL / 2 else 2
    return today + days * LIST_INTERVAL


def may_be_told(follows: Sequence[Follow], now: datetime) -> bool:
    """Whether a chat may be told of its news now. They wait for the other lists of the day."""
    told = [each.told_at for each in follows if each.told_at is not None]
    if told and not has_passed(NEWS_INTERVAL, max(told), now):
        return False
    waiting = [each for each in follows if each.news and each.listed_at is not None]
    first = min((each.listed_at for each in waiting if each.listed_at is not None), default=now)
    others = any(
        not each.attempts and each.not_before is not None and each.not_before - now < _LISTED_WITHIN
        for each in follows
    )
    return bool(waiting) and (not others or has_passed(_GATHERED_FOR, first, now))
