"""What the projections of core/ need beside the facts: fetched here, for every room."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.facts import PersonId, Place, TransferId
from bot.core.image import Target
from bot.core.language import Language, spoken
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.core.view import View
from bot.engine.ports import Unit

_QUEUED = frozenset({State.APPROVED, State.SUBMITTED})
_AHEAD = _QUEUED | {State.COPYING, State.VERIFYING}


async def view_of(
    unit: Unit,
    transfers: Sequence[Transfer],
    requests: Sequence[Request],
    *,
    target: Target,
    now: datetime,
    queue: Sequence[Transfer] = (),
) -> View:
    """A view in which everybody has a name who took part in the given facts.

    `queue` are all open transfers, for the places of those that wait.
    """
    firsts: dict[TransferId, Request] = {}
    for request in requests:
        # Who asked in another chat is nobody's business here.
        firsts |= {
            transfer: first
            for transfer, first in (await unit.firsts(request.id)).items()
            if first.place.chat == request.place.chat and first.cancelled_at is None
        }
    people = {request.person for request in (*requests, *firsts.values())}
    for transfer in transfers:
        people |= {p for p in (transfer.approved_by, transfer.ended_by) if p is not None}
    names = {person: found.name for person, found in (await unit.people(people)).items()}
    return View(names, target, now, _places(transfers, queue), firsts)


def _places(transfers: Sequence[Transfer], queue: Sequence[Transfer]) -> Mapping[TransferId, int]:
    """How many images were approved earlier and go with another commit, for each that waits."""
    before = [o for o in queue if o.state in _AHEAD and o.not_before is None]
    return {
        transfer.id: sum(_goes_before(other, transfer) for other in before)
        for transfer in transfers
        if transfer.state in _QUEUED
    }


def _goes_before(other: Transfer, transfer: Transfer) -> bool:
    if other.approved_at is None or transfer.approved_at is None:
        return False
    return other.approved_at < transfer.approved_at and other.batch != transfer.batch


async def language_of(
    unit: Unit, place: Place, person: PersonId, *, otherwise: Language
) -> Language:
    """A private chat is answered in the person's language, a group in its own."""
    if int(place.chat) != int(person):
        return otherwise
    found = (await unit.people([person])).get(person)
    return spoken(found.language, otherwise=otherwise) if found is not None else otherwise
