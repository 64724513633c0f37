"""Cards in other chats than their own: those of admins, and groups that decide for all services.

Admins ask for theirs: see core/private_cards.py.

That one was sent is stored right after. A kill in between may send it twice, and the buttons of the
first are refused then. A card whose sending fails waits longer each time. No other waits for it.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, Person, PersonId, Place, RequestId, is_private, service_of
from bot.core.private_cards import CARDS_OF_A_PERSON, PrivateCard, PrivateCards
from bot.core.quiet_hours import QuietHours
from bot.core.retry import Retried, has_passed
from bot.dialog.decision_answers import why_decided
from bot.dialog.message import Message, Text, say
from bot.engine.lanes.chat_cards import ChatCards
from bot.engine.lanes.chat_items import ChatItem, ChatItems, ChatItemsUnit
from bot.engine.lanes.chat_sending import Sending
from bot.engine.lanes.lane import each
from bot.engine.ports.announcements import Announcements
from bot.engine.ports.chat import Chat
from bot.engine.ports.private_cards import HasPrivateCards
from bot.engine.ports.store import FindsRequests, MovedChats, Store
from bot.engine.shutdown import Stopped
from bot.engine.view_loader import language_from

log = logging.getLogger(__name__)

LOOK_INTERVAL: Final = timedelta(seconds=3)
NO_WAIT: Final = Retried()
T = TypeVar("T")


class PrivateCardsUnit(
    Announcements, ChatItemsUnit, MovedChats, HasPrivateCards, FindsRequests, Protocol
):
    """What is read and written here."""


class _LaterError(Exception):
    """It is tried again after a wait."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A request and the admin who sees it. `card` None: it was not sent yet."""

    cards: PrivateCards
    item: ChatItem
    card: PrivateCard | None

    @property
    def key(self) -> tuple[PersonId, RequestId]:
        return self.cards.person, self.item.request.id

    @property
    def place(self) -> Place:
        return Place(ChatId(self.cards.person))


@dataclass(slots=True)
class ChatPrivateCards:
    """`approvals`: the groups that show what was asked by other services, like an admin's own.

    `quiet`: when no card is sent, but for edits.
    """

    store: Store[PrivateCardsUnit]
    chat: Chat
    cards: ChatCards
    items: ChatItems
    sending: Sending
    admins: Sequence[PersonId]
    approvals: Collection[ChatId]
    quiet: QuietHours | None
    clock: Callable[[], datetime]
    _looked_at: datetime | None = None
    _waits: dict[tuple[PersonId, RequestId], Retried] = field(default_factory=dict)

    async def show(self, stopped: Stopped) -> bool:
        """Send and edit what is due. True where something was done."""
        now = self.clock()
        if self._looked_at is not None and not has_passed(LOOK_INTERVAL, self._looked_at, now):
            return False
        self._looked_at = now
        async with self.store.begin() as unit:
            shown = await self._read(unit)
        self._waits = {one.key: wait for one in shown if (wait := self._waits.get(one.key))}
        return await each(self._step, shown, stopped)

    async def _read(self, unit: PrivateCardsUnit) -> list[_Shown]:
        service = self.chat.service.name
        here = [admin for admin in self.admins if service_of(admin) == service]
        stored = {own.person: own for own in await unit.private_cards()}
        known = [own for person, own in stored.items() if person in here]
        groups = [await unit.now_at(c) for c in self.approvals if service_of(c) == service]
        for chat in map(PersonId, groups):
            cards = PrivateCards(person=chat, since=self.clock())
            known.append(replace(stored.get(chat, cards), wanted=True))
        if not known:
            return []
        requests = await unit.waiting_requests(limit=2 * CARDS_OF_A_PERSON)
        waiting = {request.id for request in requests}
        shown = {number for own in known for number in own.cards} - waiting
        others = [await unit.request(number) for number in sorted(shown)]
        found = await self.items.of(unit, [*requests, *filter(None, others)])
        items = {item.request.id: item for item in found}
        people = await unit.people([own.person for own in known])
        left = [await _without_deleted(unit, own, items) for own in known]
        return [one for own in left for one in _for(own, items, people)]

    # -- what is done about it --------------------------------------------------------------

    async def _step(self, shown: _Shown) -> bool:
        if not self._waits.get(shown.key, NO_WAIT).is_due(self.clock()):
            return False
        asks = shown.item.asks and shown.item.request.cancelled_at is None
        try:
            if shown.card is None:
                return await self._send(shown) if asks else False
            return await self._edit(shown, shown.card) if asks else await self._end(shown)
        except _LaterError:
            return False

    async def _told(self, shown: _Shown, call: Awaitable[T]) -> T:
        """The answer of the chat. Raises RefusedError, and _LaterError once a wait is set."""
        try:
            answer = await call
        except (TransientError, ChatMovedError) as trouble:
            if isinstance(trouble, ChatMovedError) and not is_private(shown.place.chat):
                await self.sending.move_chat(shown.place.chat, trouble)
                raise _LaterError from trouble
            log.warning("%s: its private card: %s", shown.item, trouble)
            retry_after = trouble.retry_after if isinstance(trouble, TransientError) else None
            if isinstance(trouble, TransientError):
                self.sending.block_chat(shown.place.chat, trouble)
            self._waits[shown.key] = self._waits.get(shown.key, NO_WAIT).postponed(
                self.clock(), seed=shown.key, retry_after=retry_after
            )
            raise _LaterError from trouble
        self._waits.pop(shown.key, None)
        return answer

    async def _send(self, shown: _Shown) -> bool:
        now, chat = self.clock(), shown.place.chat
        quiet = self.quiet is not None and self.quiet.covers(now) and is_private(chat)
        if quiet or not self.sending.rate.can_send(chat, now):
            return False
        item = await self.cards.versioned(shown.item)
        text = item.card
        if text is None:
            return False
        try:
            message = await self._told(
                shown,
                self.chat.send(
                    shown.place, text, reply_to=None, key=f"private card {shown.item.request.id}"
                ),
            )
        except RefusedError as refusal:  # the person has blocked the bot, or never started it
            log.info("%s: its card is refused in another chat: %s", shown.item, refusal)
            if is_private(chat):
                await self._forget(shown.cards.person)
            else:
                await self._save(shown, PrivateCard(None))
            return True
        self.sending.rate.record_sent(chat, now)
        card = PrivateCard(message, text.fingerprint, item.view.version)
        await self.sending.save(lambda: self._save(shown, card), lambda: self._save(shown, card))
        return True

    async def _edit(self, shown: _Shown, card: PrivateCard) -> bool:
        item = shown.item
        if card.message is None or not self.sending.rate.can_edit(shown.place.chat, self.clock()):
            return False
        item = await self.cards.versioned(item)
        text = item.card
        if text is None or text.fingerprint == card.shown:
            return False
        after = replace(await self._edited(shown, card, text), version=item.view.version)
        await self._save(shown, after)
        return True

    async def _end(self, shown: _Shown) -> bool:
        """Edit it a last time, into how it was decided."""
        item, card = shown.item, shown.card
        if card is not None and card.message is not None:
            if not self.sending.rate.can_edit(shown.place.chat, self.clock()):
                return False
            head = say("private-card-over", request=str(item.request.id))
            why = why_decided(item.request.id, item.transfers, item.view)
            text = Text(Message((head, why)), item.language)
            await self._edited(shown, card, text)
        await self._save(shown, None)
        return True

    async def _edited(self, shown: _Shown, card: PrivateCard, text: Text) -> PrivateCard:
        """The card as it is after the edit. Without a message where that cannot be edited."""
        assert card.message is not None  # noqa: S101 - the callers know
        now, chat = self.clock(), shown.place.chat
        try:
            await self._told(shown, self.chat.edit(shown.place, card.message, text))
        except RefusedError as refusal:
            log.info("%s: its private card is gone: %s", shown.item, refusal)
            return PrivateCard(None)
        self.sending.rate.record_sent(chat, now, edit=True)
        return PrivateCard(card.message, text.fingerprint)

    async def _save(self, shown: _Shown, card: PrivateCard | None) -> None:
        """Store the card beside those that the person has by now."""
        person = shown.cards.person
        async with self.store.begin() as unit:
            known = [each for each in await unit.private_cards() if each.person == person]
            if not known and not is_private(ChatId(person)):
                known = [shown.cards]
            for current in known:
                await unit.save_private_cards(current.having(shown.item.request.id, card))

    async def _forget(self, person: PersonId) -> None:
        async with self.store.begin() as unit:
            await unit.drop_private_cards(person)


async def _without_deleted(
    unit: PrivateCardsUnit, own: PrivateCards, items: Mapping[RequestId, ChatItem]
) -> PrivateCards:
    """The cards of requests that are still stored."""
    cards = {number: card for number, card in own.cards.items() if number in items}
    if len(cards) < len(own.cards):
        own = replace(own, cards=cards)
        await unit.save_private_cards(own)
    return own


def _may_show(home: ChatId, here: ChatId) -> bool:
    """Whether what was asked in a chat is shown here too. Nothing private is shown to a group."""
    if is_private(here):
        return home != here
    return not is_private(home) and service_of(home) != service_of(here)


def _for(
    own: PrivateCards, items: Mapping[RequestId, ChatItem], people: Mapping[PersonId, Person]
) -> list[_Shown]:
    """What this admin has a card of, and what waits besides, as far as there is room.

    A request of their own private chat has its card there already.
    """
    place = Place(ChatId(own.person))
    others = [
        number
        for number, item in items.items()
        if number not in own.cards and _may_show(item.request.place.chat, place.chat)
    ]
    shown = [*own.cards, *others[: own.room]]
    language = partial(language_from, people, place, own.person)
    return [
        _Shown(
            own,
            replace(items[number], language=language(otherwise=items[number].language)),
            own.cards.get(number),
        )
        for number in shown
    ]
