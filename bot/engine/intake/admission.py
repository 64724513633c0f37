"""What every use case that begins copies does first: apply rules and limits, and open transfers.

Used to open a request, to confirm a draft and to retry. It must not answer the person: each use
case has its own answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from bot.core.decision import Verdict
from bot.core.draft import DRAFTS_OF_A_PERSON
from bot.core.events import Denied
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.policy import ExceededLimit, Ruling, decide, exceeded_limit
from bot.dialog.message import Moment, Phrase, duration, say
from bot.engine.changes import log_request
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.decisions import Pseudonyms
from bot.engine.ports.store import CountsAsked, OpensTransfers, UsageCounts

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
QUESTIONS_OF_A_PERSON: Final = 10
"""Questions of one person without an answer."""
_NONE: Final[Mapping[ImageRef, TransferId]] = MappingProxyType({})


class AdmissionUnit(CountsAsked, OpensTransfers, Pseudonyms, ContextUnit, Protocol):
    """What is read and written here."""


class DraftCountUnit(UsageCounts, ContextUnit, Protocol):
    """What is read before a draft is opened."""


def rulings_on(
    context: Context[AdmissionUnit], images: Sequence[ImageRef]
) -> list[tuple[ImageRef, Ruling]]:
    return [(image, decide(context.installation.policy, image)) for image in images]


def all_denied(rulings: Sequence[tuple[ImageRef, Ruling]]) -> bool:
    return all(ruling.verdict is Verdict.DENY for _, ruling in rulings)


async def passed_limit(context: Context[AdmissionUnit], images: int) -> Phrase | None:
    """The limit that would be exceeded by so many more images, or None."""
    open_now, today = await _count_asked(context, context.now - DAY)
    limit = exceeded_limit(
        context.installation.policy,
        images=images,
        open_now=open_now,
        asked_today=today,
    )
    if limit is None:
        return None
    kind, number = limit
    if kind is not ExceededLimit.DAILY:
        return say(f"limit-{kind}", number=number)
    minutes = await _minutes_until(context, number - images)
    time = Moment(context.now + timedelta(minutes=minutes), context.now)
    return say("limit-daily", number=number, minutes=minutes, wait=duration(minutes), time=time)


async def _count_asked(context: Context[AdmissionUnit], since: datetime) -> tuple[int, int]:
    """The images of the human that are open now, and those asked for since, by any of the ids."""
    ids = context.people.ids(context.person.id)
    counts = [await context.unit.count_asked(person, since) for person in ids]
    return sum(now for now, _ in counts), sum(lately for _, lately in counts)


async def too_many_drafts(context: Context[DraftCountUnit]) -> Phrase | None:
    """Why the person may open no other draft, or None."""
    ids = context.people.ids(context.person.id)
    waiting = sum([await context.unit.count_drafts(person) for person in ids])
    return say("limit-drafts", number=waiting) if waiting >= DRAFTS_OF_A_PERSON else None


async def _minutes_until(context: Context[AdmissionUnit], most: int) -> int:
    """Minutes until at most `most` of the person's images are younger than a day. 0 means never."""
    if most < 0:
        return 0
    low, high = 0, MINUTES_A_DAY  # after `high` minutes none of them is
    while high - low > 1:
        middle = (low + high) // 2
        since = context.now + timedelta(minutes=middle) - DAY
        _, counted = await _count_asked(context, since)
        low, high = (low, middle) if counted <= most else (middle, high)
    return high


async def open_transfers(
    context: Context[AdmissionUnit],
    request: RequestId,
    rulings: Sequence[tuple[ImageRef, Ruling]],
    retries: Mapping[ImageRef, TransferId] = _NONE,
) -> list[TransferId]:
    """A new or the open transfer for each image. Transfers that a rule denies end at once.

    `request` is for the log. `retries` are the transfers that new ones try again.
    """
    person = context.person.id
    pseudonym = (await context.unit.pseudonyms([person]))[person]
    log_request(request, pseudonym, [image for image, _ in rulings])
    opened = []
    for image, ruling in rulings:
        transfer = await context.unit.open_transfer(image, context.now)
        if image in retries and transfer.opened_at == context.now:
            transfer = replace(transfer, retries=retries[image])
            await context.unit.save_transfer(transfer)
        if ruling.verdict is Verdict.DENY:
            await context.advance(transfer, Denied(context.now, ruling))
        opened.append(transfer.id)
    return opened
