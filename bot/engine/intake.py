"""Use cases: what people ask of the bot, recorded in one transaction each.

Intake only records and wakes: it never waits for the network, writes nothing to GitHub and
says nothing itself. Answers are stored as notes beside what they answer, so a kill loses
neither. A repeated update changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from bot.core import answers
from bot.core.cards import View
from bot.core.commands import (
    Approve,
    BadImages,
    Cancel,
    Command,
    Mirror,
    Misuse,
    Name,
    Plain,
    Reject,
    Retry,
    Status,
    parse,
    parse_button,
)
from bot.core.facts import MessageId, Person, Place, RequestId
from bot.core.image import ImageRef, Target
from bot.core.message import Message, Phrase, say
from bot.core.policy import Access, Policy, Standing, Verdict, decide, limit_passed
from bot.core.request import Request
from bot.core.transfer import (
    TRANSITIONS,
    Approved,
    Cancelled,
    Denied,
    Event,
    Rejected,
    State,
    Transfer,
    advance,
)
from bot.engine.ports import Store, Unit, Words
from bot.engine.views import view_of

DAY: Final = timedelta(days=1)
GREET_EVERY: Final = 3600.0
"""Seconds between two lines to a chat that is not served."""
_RETRIED: Final = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED})
_ADMIN_ONLY: Final = (Approve, Reject)
_FOR_ALL: Final = (Plain, Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message of a person. `faceless`: sent in the name of a chat."""

    update: int
    person: Person
    place: Place
    message: MessageId
    text: str
    faceless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed button."""

    update: int
    person: Person
    place: Place
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rules of this installation: who, what, where to; `me` is the bot's own name."""

    policy: Policy
    access: Access
    target: Target
    me: str


class Intake:
    def __init__(
        self,
        *,
        store: Store,
        words: Words,
        house: House,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._words = words
        self._house = house
        self._clock = clock
        self._wake = wake

    async def receive(self, incoming: Incoming) -> None:
        """Record a message and, as a note, the answer that it deserves at once."""
        async with self._store.begin() as unit:
            if incoming.update <= await unit.last_update():
                return
            await unit.pass_update(incoming.update)
            answer = await self._answer(unit, incoming)
            if answer is not None:
                text = self._words.render(answer)
                await unit.add_note(incoming.place, text, reply_to=incoming.message)
        self._wake()

    async def press(self, press: Press) -> str:
        """Record a press; the text for the one who pressed, empty for a repeated update."""
        async with self._store.begin() as unit:
            if press.update <= await unit.last_update():
                return ""
            await unit.pass_update(press.update)
            await unit.remember(press.person)
            answer = await self._pressed(unit, press)
        self._wake()
        return self._words.plain(answer)

    async def pass_over(self, update: int) -> None:
        """An update that is nothing to us: only never ask for it again."""
        async with self._store.begin() as unit:
            if update > await unit.last_update():
                await unit.pass_update(update)

    async def _pressed(self, unit: Unit, press: Press) -> Phrase:
        command = parse_button(press.data)
        if command is None:
            return say("button-unknown")
        standing = self._house.access.standing(press.person.id, press.place.chat)
        if standing is not Standing.ADMIN:
            return say("admins-only")
        return await self._decide(unit, command, press.person)

    async def _answer(self, unit: Unit, incoming: Incoming) -> Message | None:
        house = self._house
        command = parse(incoming.text, me=house.me, target_host=house.target.host)
        if command is None:
            return None
        chat, person = incoming.place.chat, incoming.person
        standing = house.access.standing(person.id, chat, faceless=incoming.faceless)
        if standing is Standing.OUTSIDE:
            told = not await unit.greet(chat, self._clock(), every=GREET_EVERY)
            return None if told else answers.outside(person, chat)
        if standing is Standing.NOBODY:
            return answers.one("faceless")
        await unit.remember(person)
        match command:
            case BadImages():
                name = Name.MIRROR if "mirror" in incoming.text[:8].lower() else Name.STATUS
                return answers.bad_images(command, command=name)
            case Misuse(name):
                return answers.misuse(name)
            case _:
                return await self._run(unit, command, incoming, standing)

    async def _run(
        self, unit: Unit, command: Command, incoming: Incoming, standing: Standing
    ) -> Message | None:
        if isinstance(command, _ADMIN_ONLY) and standing is not Standing.ADMIN:
            return answers.one("admins-only")
        if standing is Standing.GUEST and not isinstance(command, _FOR_ALL):
            return answers.one("guest", person=str(incoming.person.id))
        admin = standing is Standing.ADMIN
        match command:
            case Mirror(images):
                return await self._submit(unit, incoming, images)
            case Status(about):
                return await self._status(unit, incoming, about, admin=admin)
            case Approve() | Reject():
                return Message((await self._decide(unit, command, incoming.person),))
            case Cancel(number):
                return await self._cancel(unit, incoming, number, admin=admin)
            case Retry(number):
                return await self._retry(unit, incoming, number, admin=admin)
            case Plain(Name.WHOAMI):
                return answers.whoami(incoming.person, incoming.place.chat, admin=admin)
            case Plain():
                return answers.help_text(admin=admin)
            case never:
                assert_never(never)

    async def _submit(
        self, unit: Unit, incoming: Incoming, images: Sequence[ImageRef]
    ) -> Message | None:
        """Open a request; the answer is None because its card will say what is to be said."""
        now = self._clock()
        decisions = [(image, decide(self._house.policy, image)) for image in images]
        if all(decision.verdict is Verdict.DENY for _, decision in decisions):
            return answers.all_denied(decisions)
        open_now, today = await unit.asked(incoming.person.id, now - DAY)
        limit = limit_passed(
            self._house.policy, images=len(images), open_now=open_now, asked_today=today
        )
        if limit is not None:
            return answers.over_limit(*limit)
        request = await unit.open_request(incoming.person.id, incoming.place, incoming.message, now)
        transfers = [await unit.open_transfer(image, now) for image in images]
        await unit.link(request.id, [transfer.id for transfer in transfers])
        for transfer, (_, decision) in zip(transfers, decisions, strict=True):
            if decision.verdict is Verdict.DENY:
                await _advance(unit, transfer, Denied(now, decision))
        return None

    async def _decide(self, unit: Unit, command: Approve | Reject, person: Person) -> Phrase:
        now = self._clock()
        transfers = await unit.transfers_of(command.request)
        if not transfers:
            return say("no-request", request=str(command.request))
        event: Event = Approved(now, person.id)
        if isinstance(command, Reject):
            event = Rejected(now, person.id, command.reason)
        moved = [await _advance(unit, transfer, event) for transfer in transfers]
        if not any(moved):
            return answers.decided(command.request, transfers, await self._view(unit, transfers))
        key = "approved" if isinstance(command, Approve) else "rejected"
        return say(key, request=str(command.request), count=sum(moved))

    async def _own(
        self, unit: Unit, incoming: Incoming, number: RequestId, *, admin: bool
    ) -> Request | Message:
        """The request, where the person may do something about it; else why not."""
        request = await unit.request(number)
        if request is None:
            return answers.one("no-request", request=str(number))
        if not admin and request.person != incoming.person.id:
            return answers.one("not-yours", request=str(number))
        return request

    async def _cancel(
        self, unit: Unit, incoming: Incoming, number: RequestId, *, admin: bool
    ) -> Message:
        request = await self._own(unit, incoming, number, admin=admin)
        if isinstance(request, Message):
            return request
        transfers = await unit.transfers_of(number)
        early = [t for t in transfers if Cancelled in TRANSITIONS[t.state]]
        going = [t for t in transfers if not t.state.over and t not in early]
        if not early:
            return answers.one("too-late", request=str(number))
        event = Cancelled(self._clock(), incoming.person.id)
        for transfer in early:
            others = [r for r in await unit.requests_for(transfer.id) if r.id != number]
            if all(other.cancelled_at is not None for other in others):
                await _advance(unit, transfer, event)
        if not going:
            await unit.save_request(replace(request, cancelled_at=event.at))
        return answers.one("cancelled", request=str(number), count=len(early), going=len(going))

    async def _retry(
        self, unit: Unit, incoming: Incoming, number: RequestId, *, admin: bool
    ) -> Message | None:
        request = await self._own(unit, incoming, number, admin=admin)
        if isinstance(request, Message):
            return request
        transfers = await unit.transfers_of(number)
        images = [t.image for t in transfers if t.state in _RETRIED]
        if not images:
            return answers.one("nothing-to-retry", request=str(number))
        return await self._submit(unit, incoming, images)

    async def _status(
        self, unit: Unit, incoming: Incoming, about: RequestId | ImageRef | None, *, admin: bool
    ) -> Message:
        match about:
            case None:
                return await self._status_of_chat(unit, incoming)
            case ImageRef():
                return await self._status_of_image(unit, about)
            case number:
                request = await unit.request(number)
                if request is None or not (admin or request.place.chat == incoming.place.chat):
                    return answers.one("no-request", request=str(number))
                transfers = await unit.transfers_of(number)
                view = await self._view(unit, transfers, [request])
                return answers.status_of_request(request, transfers, view)

    async def _status_of_chat(self, unit: Unit, incoming: Incoming) -> Message:
        requests = [
            request
            for request in await unit.open_requests()
            if incoming.place.chat in (request.place.chat, request.person)
        ]
        rows = [(request, await unit.transfers_of(request.id)) for request in requests]
        rows.sort(key=lambda row: row[0].id, reverse=True)
        mine = [row for row in rows if row[0].person == incoming.person.id]
        others = [row for row in rows if row[0].person != incoming.person.id]
        return answers.status(mine, others, await self._view(unit, (), requests))

    async def _status_of_image(self, unit: Unit, image: ImageRef) -> Message:
        transfer = await unit.latest_transfer(image)
        if transfer is None:
            return answers.one("status-unknown", image=str(image))
        requests = await unit.requests_for(transfer.id)
        view = await self._view(unit, [transfer], requests)
        return answers.status_of_image(transfer, requests, view)

    async def _view(
        self, unit: Unit, transfers: Sequence[Transfer], requests: Sequence[Request] = ()
    ) -> View:
        return await view_of(
            unit, transfers, requests, target=self._house.target, now=self._clock()
        )


async def _advance(unit: Unit, transfer: Transfer, event: Event) -> bool:
    """Store the transfer after the event; False where the table refuses it."""
    after = advance(transfer, event)
    if after is not None:
        await unit.save_transfer(after)
    return after is not None
