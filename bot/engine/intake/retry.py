"""Use cases of images that did not arrive: retry them, or take a suggested image instead."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Protocol

from bot.core.decision import Ground
from bot.core.ids import RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.retry import Retried
from bot.core.transfer import RETRYABLE, State
from bot.dialog.buttons import TakeSuggestion
from bot.dialog.message import say
from bot.engine.intake import admission
from bot.engine.intake.context import Context, Outcome
from bot.engine.ports.store import CountsRetries, Links, Requests


class RetryUnit(Requests, Links, CountsRetries, admission.AdmissionUnit, Protocol):
    """What this use case reads and writes."""


async def take_suggestion(context: Context[RetryUnit], pressed: TakeSuggestion) -> Outcome:
    """Take a suggested image in place of a missing one, in the same request."""
    request = await context.own_request(pressed.request)
    if isinstance(request, Outcome):
        return request
    transfers = await context.unit.transfers_of(pressed.request)
    missing = next((t for t in transfers if t.id == pressed.transfer), None)
    if missing is None or missing.state is not State.FAILED:
        return Outcome(say("already-taken", request=str(pressed.request)), done=False)
    if pressed.position >= len(missing.meant):
        return Outcome(say("button-unknown"), done=False)
    image = missing.meant[pressed.position]
    twins = [t.id for t in transfers if t.image == image and t.state in RETRYABLE]
    return await _replace(context, request, dict.fromkeys([missing.id, *twins], image))


async def retry(context: Context[RetryUnit], number: RequestId) -> Outcome:
    """Try again what failed, expired or was cancelled, in the same request."""
    request = await context.own_request(number)
    if isinstance(request, Outcome):
        return request
    transfers = await context.unit.transfers_of(number)
    # Another try of a rollback would copy what the tag names now.
    tried = [t for t in transfers if t.copies and t.ground is not Ground.ROLLBACK]
    again = {t.id: t.image for t in tried if t.state in RETRYABLE}
    if not again:
        return Outcome(say("nothing-to-retry", request=str(number)), done=False)
    return await _replace(context, request, again)


async def _replace(
    context: Context[RetryUnit], request: Request, images: Mapping[TransferId, ImageRef]
) -> Outcome:
    """Replace old transfers by new ones. The result is sent again."""
    rulings = admission.rulings_on(context, list(dict.fromkeys(images.values())))
    if admission.all_denied(rulings):
        return Outcome(say("nothing-started"), done=False)
    limit = await admission.passed_limit(context, len(rulings))
    if limit is not None:
        return Outcome(limit, done=False)
    await context.unit.count_retry(context.person.id, len(rulings), context.now)
    old = await context.unit.transfers_of(request.id)
    there = {t.image: t.id for t in old if t.id not in images}  # it may be its own neighbour
    missing = [row for row in rulings if row[0] not in there]
    opened = dict(
        zip(
            [image for image, _ in missing],
            await admission.open_transfers(context, request.id, missing, _retried(images)),
            strict=True,
        )
    )
    places = {number: (opened | there)[image] for number, image in images.items()}
    await context.unit.link(request.id, [places.get(t.id, t.id) for t in old])
    again = replace(
        request,
        told_at=None,
        told_in=None,
        told="",
        returned=0,
        returned_at=None,
        cancelled_at=None,
        closed_at=None,
        **asdict(Retried()),
    )
    if request.told_at is not None or request.closed_at is not None:
        again = replace(again, card=None, shown="")  # a new card: the old one is far up in the chat
    await context.unit.save_request(again)
    return Outcome(say("going-on", request=str(request.id), count=len(places)))


def _retried(images: Mapping[TransferId, ImageRef]) -> dict[ImageRef, TransferId]:
    """The transfer that a new one for each image tries again: of several, the newest."""
    return {image: number for number, image in sorted(images.items())}
