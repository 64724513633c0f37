"""Announcements in the chats: people are called to what waits, by a message that goes when it ends.

When one is due is in core/announcement.py. That one is about to be sent is stored first. So after
a kill in between no second one follows. Where the answer of the chat is lost, its id is not known,
and that one message stays.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from bot.core.announcement import Announcement, NextStep, WaitingRequest, next_step
from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, Person, PersonId, Place, is_private, service_of
from bot.core.quiet_hours import QuietHours
from bot.core.request import Request
from bot.core.retry import has_passed
from bot.core.transfer import Transfer
from bot.dialog.announcement import NOTHING_WAITS, REPLACED, announcement
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.waiting import waiting_in
from bot.engine.changes import chat_name
from bot.engine.lanes.approvers import Approvers
from bot.engine.lanes.chat_sending import Sending
from bot.engine.lanes.lane import each
from bot.engine.ports.announcements import Announcements
from bot.engine.ports.chat import Chat
from bot.engine.ports.decisions import Decisions
from bot.engine.ports.private_cards import HasPrivateCards
from bot.engine.ports.store import MovedChats, Participants, RequestsToShow, Store
from bot.engine.shutdown import Stopped
from bot.engine.view_loader import FirstRequests, first_requests_of, language_from, names_of

log = logging.getLogger(__name__)

LOOK_INTERVAL: Final = timedelta(seconds=5)
TROUBLE_WAIT: Final = timedelta(seconds=30)
REQUESTS_READ: Final = 200
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When the last one was sent in a chat where none was sent."""


class AnnouncementsUnit(
    Announcements, RequestsToShow, Participants, Decisions, MovedChats, HasPrivateCards, Protocol
):
    """What is read and written here."""


@dataclass(frozen=True, slots=True)
class _ChatToTell:
    """A chat, what was announced there, what waits, and the text that says so."""

    chat: ChatId
    last: Announcement | None
    waiting: Sequence[WaitingRequest]
    text: Text | None
    language: Language

    def __str__(self) -> str:
        """For the log."""
        return f"{chat_name(self.chat)}: its announcement"

    @property
    def _first(self) -> WaitingRequest | None:
        """What waits longest of that whose card is in this chat."""
        return next((each for each in self.waiting if each.place.chat == self.chat), None)

    @property
    def place(self) -> Place:
        if self.last is not None and self.last.message is not None:
            return self.last.place
        return self._first.place if self._first else Place(self.chat)

    @property
    def card(self) -> MessageId | None:
        return self._first.card if self._first else None


@dataclass(slots=True)
class ChatAnnouncements:
    """`quiet`: when nobody is called. `stands`: a message stands, which may have to be deleted."""

    store: Store[AnnouncementsUnit]
    chat: Chat
    sending: Sending
    language: Language
    approvers: Approvers
    approvals: Collection[ChatId]
    quiet: QuietHours | None
    clock: Callable[[], datetime]
    stands: bool = True
    _looked_at: datetime | None = None
    _rests_since: datetime | None = None

    async def show(self, stopped: Stopped) -> bool:
        """Send, edit and delete what is due. True where something was done."""
        now = self.clock()
        rests = self._rests_since is not None and not has_passed(
            TROUBLE_WAIT, self._rests_since, now
        )
        looked = self._looked_at is not None and not has_passed(LOOK_INTERVAL, self._looked_at, now)
        if rests or looked:
            return False
        self._looked_at = now
        async with self.store.begin() as unit:
            chats = await self._read(unit)
        self.stands = any(chat.last and chat.last.message for chat in chats)
        return await each(self._step, chats, stopped)

    # -- what waits -------------------------------------------------------------------------

    async def _read(self, unit: AnnouncementsUnit) -> list[_ChatToTell]:
        """The chats where something waits, or was announced."""
        last = {
            one.place.chat: one
            for one in await unit.announcements()
            if self._is_here(one.place.chat)
        }
        waiting: dict[ChatId, list[WaitingRequest]] = defaultdict(list)
        cards = {(own.person, number) for own in await unit.private_cards() for number in own.cards}
        groups = [await unit.now_at(chat) for chat in self.approvals]
        for request in await self._waiting(unit):
            late = request.is_about_to_expire(self.clock(), self.quiet)
            for place in (*request.places(), *_elsewhere(request, groups)):
                # Where they have the card itself in private, they are only reminded.
                if late or (PersonId(place.chat), request.request) not in cards:
                    waiting[place.chat].append(request)
        names = await unit.people(self.approvers.admins)
        found = []
        for chat in sorted(filter(self._is_here, {*last, *waiting})):
            language = language_from(names, Place(chat), PersonId(chat), otherwise=self.language)
            text = self._text(waiting[chat], names, language) if waiting[chat] else None
            found.append(_ChatToTell(chat, last.get(chat), waiting[chat], text, language))
        return found

    def _is_here(self, chat: ChatId) -> bool:
        """Whether it is a chat of this service, which may have no private ones."""
        service = self.chat.service
        return service_of(chat) == service.name and (service.private or not is_private(chat))

    def _text(
        self,
        waiting: Sequence[WaitingRequest],
        people: Mapping[PersonId, Person],
        language: Language,
    ) -> Text:
        said = announcement(waiting, names_of(people), now=self.clock(), quiet=self.quiet)
        return Text(said, language)

    async def _waiting(self, unit: AnnouncementsUnit) -> list[WaitingRequest]:
        requests = await unit.waiting_requests(limit=REQUESTS_READ)
        if not requests:
            return []
        transfers = await unit.transfers_of_all([request.id for request in requests])
        firsts = await first_requests_of(unit, requests)
        every = [transfer for of in transfers.values() for transfer in of]
        progress = await self.approvers.progress(unit, every)
        found = []
        for request in requests:
            own = _own(transfers[request.id], firsts[request.id])
            if own:
                deciders = self.approvers.of(request, own, firsts[request.id], progress)
                found.append(_waiting_request(request, own, deciders))
        return found

    # -- what is done about it --------------------------------------------------------------

    async def _step(self, chat: _ChatToTell) -> bool:
        try:
            deletes = self.chat.service.deletes
            match next_step(chat.last, chat.waiting, self.clock(), self.quiet, deletes):
                case NextStep.SEND:
                    return await self._send(chat)
                case NextStep.UPDATE:
                    return await self._update(chat)
                case NextStep.DELETE:
                    return await self._delete(chat)
        except ChatMovedError as moved:
            return await self.sending.move_chat(chat.chat, moved)
        return False

    async def _send(self, chat: _ChatToTell) -> bool:
        now = self.clock()
        if chat.text is None or not self.sending.rate.can_send(chat.chat, now):
            return False
        told = {reason for each in chat.waiting for reason in each.reasons(now, self.quiet)}
        sent = Announcement(
            place=chat.place, sent_at=now, told=frozenset(told), shown=chat.text.fingerprint
        )
        before = chat.last or replace(sent, sent_at=NEVER, told=frozenset())
        await self._save(sent)
        try:
            message = await self.chat.send(
                chat.place, chat.text, reply_to=chat.card, key=f"call {now.isoformat()}"
            )
        except ChatMovedError:
            await self._save(before)
            raise
        except TransientError as trouble:
            self._rest(chat, trouble)
            if not trouble.unclear:
                await self._save(before)
            return False
        except RefusedError as refusal:
            log.warning(
                "%s: what waits cannot be announced, let the bot write there: %s",
                chat_name(chat.chat),
                refusal,
            )
            return False
        self.sending.rate.record_sent(chat.chat, now)
        arrived = replace(sent, message=message)
        await self.sending.save(lambda: self._save(arrived), lambda: self._save(arrived))
        self.stands = True
        return True

    async def _update(self, chat: _ChatToTell) -> bool:
        """Edit it where something else waits than it shows."""
        now, last = self.clock(), chat.last
        if last is None or last.message is None or chat.text is None:
            return False
        if chat.text.fingerprint == last.shown or not self.sending.rate.can_edit(chat.chat, now):
            return False
        told = last.told & {key for each in chat.waiting for key in each.keys}
        after = replace(last, told=frozenset(told), shown=chat.text.fingerprint)
        try:
            await self.chat.edit(last.place, last.message, chat.text)
        except TransientError as trouble:
            return self._rest(chat, trouble)
        except RefusedError as refusal:  # probably deleted by somebody: it is not sent again
            log.warning("%s: the announcement cannot be edited: %s", chat_name(chat.chat), refusal)
            after = replace(after, message=None)
        self.sending.rate.record_sent(chat.chat, now, edit=True)
        await self._save(after)
        return True

    async def _delete(self, chat: _ChatToTell) -> bool:
        """Delete it. Where the chat refuses that, edit it into words that call nobody."""
        now, last = self.clock(), chat.last
        if last is None or last.message is None:
            return False
        if not self.sending.rate.can_send(chat.chat, now):
            return False
        try:
            await self.chat.delete(last.place, last.message)
        except TransientError as trouble:
            return self._rest(chat, trouble)
        except RefusedError as refusal:
            log.info("%s: the announcement cannot be deleted: %s", chat_name(chat.chat), refusal)
            if not await self._make_void(chat, last.message):
                return False
        self.sending.rate.record_sent(chat.chat, now)
        await self._save(replace(last, message=None, told=frozenset(), shown=""))
        return True

    async def _make_void(self, chat: _ChatToTell, message: MessageId) -> bool:
        said = REPLACED if chat.waiting else NOTHING_WAITS
        try:
            await self.chat.edit(chat.place, message, Text(said, chat.language))
        except TransientError as trouble:
            return self._rest(chat, trouble)
        except RefusedError as refusal:
            log.warning("%s: the announcement stays as it is: %s", chat_name(chat.chat), refusal)
        return True

    def _rest(self, chat: _ChatToTell, trouble: TransientError) -> bool:
        """Do nothing for a while, in any chat. Returns False: nothing was done."""
        log.warning("%s: its announcement: %s", chat_name(chat.chat), trouble)
        self.sending.block_chat(chat.chat, trouble)
        self._rests_since = self.clock()
        return False

    async def _save(self, announcement: Announcement) -> None:
        async with self.store.begin() as unit:
            await unit.save_announcement(announcement)


def _own(transfers: Sequence[Transfer], firsts: FirstRequests) -> list[Transfer]:
    """What waits, but for what an earlier request of the chat waits for."""
    return [transfer for transfer in waiting_in(transfers) if transfer.id not in firsts]


def _waiting_request(
    request: Request, waiting: Sequence[Transfer], deciders: Collection[PersonId]
) -> WaitingRequest:
    expiries = [transfer.expires_at for transfer in waiting if transfer.expires_at is not None]
    return WaitingRequest(
        request=request.id,
        person=request.person,
        place=request.place,
        card=request.card,
        since=max(transfer.checked_at or request.opened_at for transfer in waiting),
        expires_at=min(expiries, default=None),
        deciders=frozenset(deciders),
    )


def _elsewhere(request: WaitingRequest, groups: Sequence[ChatId]) -> Sequence[Place]:
    """The groups that decide on what was asked by another service, but not in private."""
    home = request.place.chat
    return [
        Place(chat)
        for chat in groups
        if not is_private(home) and service_of(chat) != service_of(home)
    ]
