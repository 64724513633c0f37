"""When a chat is told of what waits for a decision there. Pure.

One message gathers all that waits in a chat. Only a new message calls people, an edit does not. So
what comes later is added to the message at once, and gets a new one when the interval has passed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.ids import ChatId, MessageId, PersonId, Place, RequestId, is_private
from bot.core.quiet_hours import QuietHours
from bot.core.retry import has_passed

INTERVAL: Final = timedelta(minutes=10)
"""The least time between two announcements in a chat."""
ANNOUNCED_AFTER: Final = timedelta(minutes=1)
"""How long something has waited before people are called: who is there has seen the card."""
DELETED_BEFORE: Final = timedelta(hours=2)
"""How long before its service would no longer delete it an announcement is replaced."""
REMINDED_BEFORE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The stored facts of the last announcement in a chat.

    `sent_at` is stored before it is sent. `message` is None where none stands now, or where it is
    not known whether the message arrived. `told` are the reasons that people were called for.
    `shown` is what the message shows.
    """

    place: Place
    sent_at: datetime
    message: MessageId | None = None
    told: frozenset[str] = frozenset()
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest:
    """A request in which something waits. `deciders` are those whose approval counts.

    `since` is when the last of its images began to wait. `place` is that of its card.
    """

    request: RequestId
    person: PersonId
    place: Place
    card: MessageId | None
    since: datetime
    expires_at: datetime | None
    deciders: frozenset[PersonId]

    def places(self) -> Sequence[Place]:
        """Where to call people: in the group, or in private those who may decide.

        Who asked in private and may decide is not called: the card is before them.
        """
        owner = PersonId(self.place.chat)
        if not is_private(self.place.chat):
            return (self.place,)
        if owner in self.deciders:
            return () if owner == self.person else (self.place,)
        return [Place(ChatId(person)) for person in sorted(self.deciders)]

    def reasons(self, now: datetime, quiet: QuietHours | None) -> tuple[str, ...]:
        """Why to call people now: it waits, and it is about to expire."""
        if now - self.since < ANNOUNCED_AFTER:
            return ()
        return self.keys if self.is_about_to_expire(now, quiet) else self.keys[:1]

    @property
    def keys(self) -> tuple[str, str]:
        """The two reasons, as they are stored: it waits, and it is about to expire."""
        return f"{self.request}", f"{self.request}!"

    def is_about_to_expire(self, now: datetime, quiet: QuietHours | None) -> bool:
        """Whether to remind of it now. Before quiet hours, of what expires until they are over."""
        if self.expires_at is None:
            return False
        soon = now + min(REMINDED_BEFORE, (self.expires_at - self.since) / 2)
        return self.expires_at <= (soon if quiet is None else quiet.loud_from(soon))


class NextStep(StrEnum):
    """What to do about the announcement of a chat."""

    REST = "rest"
    SEND = "send"
    UPDATE = "update"
    """Edit it where it should show something else."""
    DELETE = "delete"


def next_step(
    last: Announcement | None,
    waiting: Collection[WaitingRequest],
    now: datetime,
    quiet: QuietHours | None,
    deletes: timedelta | None = None,
) -> NextStep:
    """What to do in a chat where `waiting` waits. A new announcement begins with a DELETE.

    `deletes`: how long after it was sent the service deletes a message. None: at any time.
    """
    reasons = {reason for each in waiting for reason in each.reasons(now, quiet)}
    passed = last is None or has_passed(INTERVAL, last.sent_at, now)
    is_quiet = quiet is not None and quiet.covers(now)
    calls = passed and not is_quiet and not reasons <= (last.told if last else frozenset())
    if last is None or last.message is None:
        return NextStep.SEND if calls else NextStep.REST
    old = deletes is not None and has_passed(deletes - DELETED_BEFORE, last.sent_at, now)
    if not waiting or calls or old:
        return NextStep.DELETE
    return NextStep.UPDATE
