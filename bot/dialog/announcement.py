"""The message that calls the admins to what waits for a decision in a chat."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.core.announcement import WaitingRequest
from bot.core.ids import PersonId
from bot.core.quiet_hours import QuietHours
from bot.dialog.image_names import name_list
from bot.dialog.mention import mention
from bot.dialog.message import Message, Moment, Phrase, say

REQUESTS_NAMED: Final = 10
ADMINS_NAMED: Final = 10
EXPIRIES_NAMED: Final = 3
NOTHING_WAITS: Final = Message((say("announcement-over"),))
REPLACED: Final = Message((say("announcement-replaced"),))


def announcement(
    waiting: Sequence[WaitingRequest],
    names: Mapping[PersonId, str],
    *,
    now: datetime,
    quiet: QuietHours | None,
) -> Message:
    """`waiting` is all that waits in the chat. `names` are those of the admins, where known."""
    numbers = name_list([str(f"#{each.request}") for each in waiting], most=REQUESTS_NAMED)
    lines = [say("announcement", requests=numbers, count=len(waiting))]
    deciders = {person for each in waiting for person in each.deciders}
    if deciders:
        called = [mention(person, names.get(person)) for person in sorted(deciders)]
        lines.append(say("announcement-call", admins=name_list(called, most=ADMINS_NAMED)))
    late = [each for each in waiting if each.is_about_to_expire(now, quiet)]
    return Message((*lines, *(_expiry(each) for each in late[:EXPIRIES_NAMED])))


def _expiry(late: WaitingRequest) -> Phrase:
    assert late.expires_at is not None  # noqa: S101 - it is about to expire
    time = Moment(late.expires_at)
    return say("announcement-expiry", request=f"#{late.request}", time=time)
