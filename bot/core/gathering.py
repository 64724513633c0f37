"""A gathering: what a person sends as one thing, while it arrives as several messages.

Apps of a service cut a long text into several messages (core/service.py:Cuts), and send an
album as one message per file. Only one of them has the command. So what may be a part waits for the
next one, until a stored deadline, and is read as a whole. Each further part moves the deadline.

Whether a message is the next part is told by the times at which the service got the messages. So
it still joins after a restart, where the deadline has passed meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.core.ids import RequestId
from bot.core.retry import Retried, has_passed, is_due

PART_PAUSE: Final = timedelta(seconds=1)
"""The longest pause between two parts, in whole seconds as services give them."""
LONGEST: Final = timedelta(seconds=60)
"""Parts of a text that go on for longer are no longer taken."""
MOST_PARTS: Final = 64
KEPT_AFTER: Final = timedelta(minutes=2)
"""How long a part that comes late still joins what was read already."""


class Cut(StrEnum):
    """Why images may be missing in a draft. Its text is in bot/locales/, `draft-cut-<value>`."""

    TEXT = "text"
    """The rest of a long text does not reach the bot in this chat."""
    ALBUM = "album"
    """The other files of an album do not reach the bot in this chat."""
    LONG = "long"
    """There were more parts than the bot takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering(Retried):
    """What is still to be read for a draft. Times are in UTC.

    `album` is the service's id of it, empty for a text or a single file. `first_at` and `sent_at`
    are when the first and the last part were sent, by the clock of the service. `until` is the
    deadline, by ours. `length` of the last text, in UTF-16 code units, 0 where it was not cut.
    `cut`: what the person is told of parts that are missing.
    """

    request: RequestId
    first_at: datetime
    sent_at: datetime
    until: datetime
    album: str = ""
    parts: int = 1
    length: int = 0
    cut: Cut | None = None
    read_at: datetime | None = None

    def takes(self, *, sent_at: datetime, album: str) -> bool:
        """Whether a text, or a file of this album, is the next part."""
        if album or self.album:
            return album == self.album
        pause = sent_at - self.sent_at
        return self.length > 0 and timedelta(0) <= pause <= PART_PAUSE

    def with_part(self, *, sent_at: datetime, now: datetime, length: int) -> Self:
        """One more part. Of too many, the person is told that the rest is missing."""
        if self.is_full(sent_at):
            read_at = self.read_at if self.cut is Cut.LONG else None  # tell the person once
            return replace(self, sent_at=sent_at, cut=Cut.LONG, read_at=read_at)
        return replace(
            self,
            parts=self.parts + 1,
            sent_at=sent_at,
            until=now + PART_PAUSE,
            length=length,
            cut=None,
            read_at=None,
            attempts=0,
            not_before=None,
        )

    def is_full(self, sent_at: datetime) -> bool:
        """Whether a part that was sent then is too much."""
        too_long = sent_at - self.first_at > LONGEST and not self.album
        return self.parts >= MOST_PARTS or too_long

    @property
    def may_grow(self) -> bool:
        """Whether a part may still join: otherwise it is of no use once it was read."""
        return bool(self.album) or self.length > 0

    def is_ripe(self, now: datetime) -> bool:
        """Whether to read it now."""
        ended = is_due(self.until, now, at_most=PART_PAUSE)
        return self.read_at is None and ended and self.is_due(now)

    def is_over(self, now: datetime) -> bool:
        """Whether it was read so long ago that no part is expected any more."""
        return self.read_at is not None and has_passed(KEPT_AFTER, self.read_at, now)
