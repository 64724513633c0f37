"""When the bot first saw a digest under a tag at its source: the age that `wait` in a rule counts.

What an image says of its own age is never believed: anybody can write an old date into it. The time
begins anew where the tag names another digest. A clock that was set back makes nothing older. Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from bot.core.image import ImageRef

MOST_SET_BACK: Final = timedelta(days=1)
"""A first time that is further ahead was written by a clock that was wrong."""
LOOKED_AT_AGAIN: Final = timedelta(hours=1)
"""How long an image that waits is not looked at, so that an update or a rule counts soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The digest that the image's tag had at the last look, and since when. `at` is that look."""

    image: ImageRef
    digest: str
    since: datetime
    at: datetime

    def after_look(self, digest: str, now: datetime) -> Self:
        """After a look that found this digest."""
        is_same = digest == self.digest and self.since - now <= MOST_SET_BACK
        since = self.since if is_same else now
        return type(self)(image=self.image, digest=digest, since=since, at=now)

    def held_until(self, wait: timedelta, now: datetime) -> datetime | None:
        """Until when the digest waits. None where it is old enough."""
        until = self.since + wait
        return until if wait and until > now else None
