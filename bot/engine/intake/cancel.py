"""Use case: cancel a request, or drop a draft."""

from dataclasses import replace
from typing import Protocol

from bot.core.events import Cancelled
from bot.core.ids import RequestId
from bot.core.request import Request
from bot.core.transfer import TRANSITIONS, State, Transfer
from bot.dialog.command_values import Cancel
from bot.dialog.message import say
from bot.engine.intake.context import Context, ContextUnit, Outcome
from bot.engine.ports.files import DropsFiles
from bot.engine.ports.store import Links, Requesters, Requests


class CancelUnit(Requests, Links, DropsFiles, ContextUnit, Requesters, Protocol):
    """What this use case reads and writes."""


async def cancel(context: Context[CancelUnit], command: Cancel) -> Outcome:
    """Cancel the images of a request that have not gone to GitHub yet, or a whole draft."""
    request = await context.own_request(command.request)
    if isinstance(request, Outcome):
        return request
    if request.is_draft:
        return await _drop_draft(context, request)
    number = request.id
    transfers = await context.unit.transfers_of(number)
    early = [t for t in transfers if Cancelled in TRANSITIONS[t.state]]
    going = [t for t in transfers if not t.state.is_final and t not in early]
    if not early:
        return Outcome(say("too-late", request=str(number)), done=False)
    event = Cancelled(context.now, context.person.id)
    shared = [t.id for t in early if await _is_wanted(context, t, besides=number)]
    for transfer in early:
        if transfer.id not in shared:
            await context.advance(transfer, event)
    if not going and not any(t.state is State.MIRRORED for t in transfers):
        await context.unit.save_request(replace(request, cancelled_at=event.at))
    else:  # other requests keep what they share with this one
        await context.unit.link(number, [t.id for t in transfers if t.id not in shared])
    words = say("cancelled", request=str(number), count=len(early), going=len(going))
    return Outcome(words)


async def _is_wanted(
    context: Context[CancelUnit], transfer: Transfer, *, besides: RequestId
) -> bool:
    """Whether another request than this one still waits for the image."""
    requests = await context.unit.requests_for(transfer.id)
    return any(r.id != besides and r.cancelled_at is None for r in requests)


async def _drop_draft(context: Context[CancelUnit], request: Request) -> Outcome:
    if request.cancelled_at is not None:
        return Outcome(say("draft-over", request=str(request.id)), done=False)
    await context.unit.drop_files_of(request.id)
    await context.unit.save_request(replace(request, cancelled_at=context.now))
    return Outcome(say("draft-dropped", request=str(request.id)))
