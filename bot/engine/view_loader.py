"""Loads what cards and answers need besides stored facts: names, queue places, first requests.

A view is for one request, or for several that are shown together. Views are loaded for many
requests at once: one query per request would block intake when a thousand are open.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.core.ids import BatchId, Person, PersonId, Place, RequestId, TransferId, is_private_chat_of
from bot.core.image import Target
from bot.core.request import Request
from bot.core.service import Room
from bot.core.transfer import State, Transfer
from bot.dialog.language import Language, spoken
from bot.dialog.view import View
from bot.engine.ports.store import KnownPeople, Participants

_QUEUED = frozenset({State.APPROVED, State.SUBMITTED})
FirstRequests = Mapping[TransferId, Request]


class CopyQueue:
    """The images under way to a copy, for the queue places of those that wait."""

    def __init__(self, going: Sequence[tuple[datetime, BatchId | None]]) -> None:
        self._all = [at for at, _ in going]
        self._of: defaultdict[BatchId | None, list[datetime]] = defaultdict(list)
        for at, batch in going:
            self._of[batch].append(at)

    def ahead(self, transfers: Sequence[Transfer]) -> Mapping[TransferId, int]:
        """For each waiting image: how many were approved earlier and go with another commit."""
        return {
            transfer.id: self._before(transfer.approved_at, transfer.batch)
            for transfer in transfers
            if transfer.state in _QUEUED and transfer.approved_at is not None
        }

    def _before(self, approved_at: datetime, batch: BatchId | None) -> int:
        together = self._of.get(batch, [])
        return bisect_left(self._all, approved_at) - bisect_left(together, approved_at)


async def view_of(
    unit: Participants,
    transfers: Sequence[Transfer],
    requests: Sequence[Request],
    *,
    target: Target,
    now: datetime,
    admins: Collection[PersonId],
    room: Room,
) -> View:
    """A view with the names of everybody who took part in the given facts."""
    found = await first_requests_of(unit, requests)
    firsts = {transfer: first for of in found.values() for transfer, first in of.items()}
    participants = participants_of(transfers, [*requests, *firsts.values()])
    people = await unit.people({*participants, *admins})
    names = admin_names(people, admins)
    return View(names_of(people), target, now, firsts=firsts, admins=names, room=room)


async def first_requests_of(
    unit: Participants, requests: Sequence[Request]
) -> Mapping[RequestId, FirstRequests]:
    """For each image already under way: the request that asked first, if it is of the same chat."""
    found = await unit.first_requests_of_all([request.id for request in requests])
    return {
        request.id: {
            transfer: first
            for transfer, first in found[request.id].items()
            if first.place.chat == request.place.chat and first.cancelled_at is None
        }
        for request in requests
    }


def participants_of(
    transfers: Sequence[Transfer], requests: Sequence[Request]
) -> Collection[PersonId]:
    """Everybody who asked or decided."""
    people = {request.person for request in requests}
    for transfer in transfers:
        people |= {p for p in (transfer.approved_by, transfer.ended_by) if p is not None}
    return people


def admin_names(people: Mapping[PersonId, Person], admins: Collection[PersonId]) -> Sequence[str]:
    """The names of those admins that have ever written to the bot."""
    return sorted(people[admin].name for admin in admins if admin in people)


def names_of(people: Mapping[PersonId, Person]) -> Mapping[PersonId, str]:
    return {person: found.name for person, found in people.items()}


async def language_of(
    unit: KnownPeople, place: Place, person: PersonId, *, otherwise: Language
) -> Language:
    """The language of answers: in a private chat the person's, in a group the configured one."""
    if not is_private_chat_of(place.chat, person):
        return otherwise
    return language_from(await unit.people([person]), place, person, otherwise=otherwise)


def language_from(
    people: Mapping[PersonId, Person], place: Place, person: PersonId, *, otherwise: Language
) -> Language:
    """The same, where the people are loaded already."""
    found = people.get(person) if is_private_chat_of(place.chat, person) else None
    return spoken(found.language, otherwise=otherwise) if found is not None else otherwise
