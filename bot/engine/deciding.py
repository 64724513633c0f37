"""Use cases of decisions: approve, reject, and call off."""

from dataclasses import replace

from bot.core import answers
from bot.core.commands import Approve, Cancel, Reject
from bot.core.message import say
from bot.core.request import Request
from bot.core.transfer import TRANSITIONS, Approved, Cancelled, Event, Rejected, State
from bot.engine.case import Case, Outcome


async def decide(case: Case, command: Approve | Reject) -> Outcome:
    """Let a request's waiting images go ahead, or turn them down. Only for admins."""
    transfers = await case.unit.transfers_of(command.request)
    if not transfers:
        return Outcome(say("no-request", request=str(command.request)), done=False)
    event: Event = Approved(case.now, case.person.id)
    if isinstance(command, Reject):
        event = Rejected(case.now, case.person.id, command.reason)
    moved = [await case.advance(transfer, event) for transfer in transfers]
    if not any(moved):
        view = await case.view(transfers)
        return Outcome(answers.decided(command.request, transfers, view), done=False)
    key = "approved" if isinstance(command, Approve) else "rejected"
    return Outcome(say(key, request=str(command.request), count=sum(moved)))


async def cancel(case: Case, command: Cancel) -> Outcome:
    """Call off what of a request has not gone to GitHub yet; a draft as a whole."""
    request = await case.own(command.request)
    if isinstance(request, Outcome):
        return request
    if request.is_draft:
        return await _drop(case, request)
    number = request.id
    transfers = await case.unit.transfers_of(number)
    early = [t for t in transfers if Cancelled in TRANSITIONS[t.state]]
    going = [t for t in transfers if not t.state.over and t not in early]
    if not early:
        return Outcome(say("too-late", request=str(number)), done=False)
    event = Cancelled(case.now, case.person.id)
    for transfer in early:
        others = [r for r in await case.unit.requests_for(transfer.id) if r.id != number]
        if all(other.cancelled_at is not None for other in others):
            await case.advance(transfer, event)
    if not going and not any(t.state is State.MIRRORED for t in transfers):
        await case.unit.save_request(replace(request, cancelled_at=event.at))
    words = say("cancelled", request=str(number), count=len(early), going=len(going))
    return Outcome(words)


async def _drop(case: Case, request: Request) -> Outcome:
    if request.cancelled_at is not None:
        return Outcome(say("draft-over", request=str(request.id)), done=False)
    await case.unit.drop_file(request.id)
    await case.unit.save_request(replace(request, cancelled_at=case.now))
    return Outcome(say("draft-dropped", request=str(request.id)))
