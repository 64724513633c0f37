"""Use cases of a draft: confirm it, tick an image on or off, turn a page."""

from dataclasses import replace
from typing import Protocol

from bot.core.draft import Draft
from bot.core.ids import RequestId
from bot.core.request import Request
from bot.dialog.buttons import ShowDraftPage, ToggleImage
from bot.dialog.message import say
from bot.engine.intake import admission
from bot.engine.intake.context import Context, Outcome
from bot.engine.ports.files import Drafts, FindsGatherings
from bot.engine.ports.store import Links, Requests


class DraftUnit(FindsGatherings, Drafts, Requests, Links, admission.AdmissionUnit, Protocol):
    """What this use case reads and writes."""


async def _draft(context: Context[DraftUnit], number: RequestId) -> tuple[Request, Draft] | Outcome:
    """A draft that this person may change. Otherwise the answer that says why not."""
    request = await context.own_request(number)
    if isinstance(request, Outcome):
        return request
    if not request.is_draft:
        return Outcome(say("draft-confirmed", request=str(number)), done=False)
    if request.cancelled_at is not None:
        return Outcome(say("draft-over", request=str(number)), done=False)
    gathering = await context.unit.gathering(number)
    if gathering is not None and gathering.read_at is None:
        return Outcome(say("draft-arriving", request=str(number)), done=False)
    return request, await context.unit.draft(number)


async def confirm(context: Context[DraftUnit], number: RequestId) -> Outcome:
    """Open transfers for the ticked images of a draft."""
    found = await _draft(context, number)
    if isinstance(found, Outcome):
        return found
    request, draft = found
    if not draft.chosen:
        return Outcome(say("draft-empty", request=str(number)), done=False)
    limit = await admission.passed_limit(context, len(draft.chosen))
    if limit is not None:
        return Outcome(limit, done=False)
    rulings = admission.rulings_on(context, draft.chosen)
    transfers = await admission.open_transfers(context, number, rulings)
    await context.unit.link(number, transfers)
    await context.unit.save_request(replace(request, confirmed_at=context.now))
    return Outcome(say("confirmed", count=len(transfers)))


async def turn(context: Context[DraftUnit], turned: ShowDraftPage) -> Outcome:
    found = await _draft(context, turned.request)
    if isinstance(found, Outcome):
        return found
    _, draft = found
    await context.unit.save_draft(turned.request, draft.turned(turned.page))
    return Outcome(say("draft-page", page=turned.page + 1, pages=draft.pages))


async def tick(context: Context[DraftUnit], ticked: ToggleImage) -> Outcome:
    found = await _draft(context, ticked.request)
    if isinstance(found, Outcome):
        return found
    draft = found[1].ticked(ticked.position)
    await context.unit.save_draft(ticked.request, draft)
    return Outcome(say("draft-ticked", chosen=len(draft.chosen), count=len(draft.images)))
