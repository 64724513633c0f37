"""The lane that sends and edits the messages of a service: results first, then notes and cards.

Each message is sent once, and edited from then on. If a request ends before its card was sent, the
card goes first where the rate limit allows both, since the result replies to it. That a message
was sent is stored right after. A kill in between may send a result twice, but never loses it.

Results are sent here. Cards, notes and files are in the other modules chat_*.py.
"""

import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, Protocol

from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, PersonId
from bot.core.image import Target
from bot.core.policy import Policy
from bot.core.quiet_hours import QuietHours
from bot.dialog.language import Language
from bot.engine.lanes.approvers import Approvers
from bot.engine.lanes.chat_announcements import AnnouncementsUnit, ChatAnnouncements
from bot.engine.lanes.chat_cards import CardsUnit, ChatCards
from bot.engine.lanes.chat_files import ChatFiles, ChatFilesUnit
from bot.engine.lanes.chat_items import ITEMS_PER_TICK, NO_RETRY, ChatItem, ChatItems
from bot.engine.lanes.chat_notes import ChatNotes
from bot.engine.lanes.chat_private_cards import ChatPrivateCards, PrivateCardsUnit
from bot.engine.lanes.chat_sending import Sending, SendingUnit
from bot.engine.lanes.lane import TickResult, each
from bot.engine.ports.chat import Chat
from bot.engine.ports.outbox import Outbox
from bot.engine.ports.store import Store
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

KEY_BYTES: Final = 6
"""Random bytes of a key, which are 8 characters. Nobody can guess what another chat was shown."""


class ChatUnit(
    PrivateCardsUnit, CardsUnit, ChatFilesUnit, SendingUnit, AnnouncementsUnit, Outbox, Protocol
):
    """What this lane reads and writes."""


class ChatLane:
    def __init__(
        self,
        *,
        store: Store[ChatUnit],
        chat: Chat,
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
        policy: Policy,
        admins: Collection[PersonId] = (),
        reasons: Sequence[str] = (),
        quiet: QuietHours | None = None,
        approvals: Collection[ChatId] = (),
        new_key: Callable[[], str] = lambda: secrets.token_urlsafe(KEY_BYTES),
    ) -> None:
        """`new_key` makes the key of a version of a card: see core/card_version.py.

        `approvals` are the groups that decide on what was asked by other services.
        """
        self._store = store
        self._chat = chat
        self._clock = clock
        approvers = Approvers(policy, admins)
        self._items = ChatItems(
            target=target,
            language=language,
            clock=clock,
            approvers=approvers,
            reasons=reasons,
            service=chat.service,
        )
        self._sending = sending = Sending(store=store, pace=chat.service.pace, clock=clock)
        self._cards = ChatCards(
            store=store, chat=chat, sending=sending, clock=clock, new_key=new_key
        )
        self._notes = ChatNotes(store=store, chat=chat, sending=sending, clock=clock)
        self._files = ChatFiles(
            store=store,
            chat=chat,
            target=target,
            language=language,
            sending=sending,
            clock=clock,
        )
        self._private_cards = ChatPrivateCards(
            store, chat, self._cards, self._items, sending, sorted(admins), approvals, quiet, clock
        )
        self._announcements = ChatAnnouncements(
            store, chat, sending, language, approvers, approvals, quiet, clock
        )

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Send and edit what is due, as far as the rate limits allow."""
        await self._sending.save_all()
        now = self._clock()
        if not self._sending.rate.can_send_anywhere(now):
            return TickResult.OPEN
        blocked, service = self._sending.rate.blocked_chats(now), self._chat.service.name
        async with self._store.begin() as unit:
            items = await self._items.read(unit, silent=blocked)
            notes = await unit.due_notes(now, service=service, silent=blocked, limit=ITEMS_PER_TICK)
            waiting = bool(items) or await unit.any_notes(service=service)
        first = [item for item in items if self._belongs_first(item)]
        refused = [item for item in items if item.press_was_refused]
        sent = [
            await each(self._cards.show, first, stopped),
            await each(self._send_result, [item for item in items if item.needs_result], stopped),
        ]
        rest = [item for item in items if item not in first and not item.press_was_refused]
        if sent[-1]:  # their cards would repeat what the results say: the next tick shows them
            rest = [item for item in rest if not item.needs_result]
        edited = [item for item in rest if not item.has_no_card]
        sent += [
            await each(self._cards.show, refused, stopped),
            await each(self._notes.send, notes, stopped),
            await each(self._files.send, [item for item in items if item.needs_file], stopped),
            await each(self._cards.show, [item for item in rest if item.has_no_card], stopped),
            await each(self._cards.show, [item for item in edited if item.asks], stopped),
            await self._private_cards.show(stopped),
            await self._announcements.show(stopped),
            # What only redraws comes last.
            await each(
                self._edit_result, [item for item in items if item.request.told_in], stopped
            ),
            await each(self._cards.show, [item for item in edited if not item.asks], stopped),
        ]
        if any(sent):
            return TickResult.CHANGED
        waiting = waiting or self._announcements.stands
        return TickResult.OPEN if waiting else TickResult.IDLE

    async def _send_result(self, item: ChatItem) -> bool:
        if not self._sending.can_send(item):
            return False
        request, text = item.request, item.result
        if text is None:
            return False
        message = None
        try:
            newest = max(transfer.id for transfer in item.transfers)  # another one after a retry
            message = await self._chat.send(
                request.place, text, reply_to=request.message, key=f"result {request.id} {newest}"
            )
        except (TransientError, ChatMovedError) as trouble:
            return await self._sending.failed(item, trouble)
        except RefusedError as refusal:
            log.warning(
                "request %d: its result cannot be sent, let the bot write there: %s",
                request.id,
                refusal,
            )
        now = self._clock()
        self._sending.rate.record_sent(request.place.chat, now)
        log.info("request %d: result sent", request.id)
        told = {"told_at": now, "told_in": message, "told": text.fingerprint}
        await self._sending.save_for(
            item, lambda: self._sending.store_facts(item, **told, **NO_RETRY)
        )
        return True

    async def _edit_result(self, item: ChatItem) -> bool:
        """Edit the result into the format that the person has chosen."""
        if not self._sending.can_edit(item) or not item.result_is_outdated:
            return False
        request, text = item.request, item.result
        if text is None or request.told_in is None:
            return False
        edit = self._chat.edit(request.place, request.told_in, text)
        return await self._sending.edited(item, edit, {}, told=text.fingerprint)

    def _belongs_first(self, item: ChatItem) -> bool:
        """Whether to send the card before the result. Not if a result would then have to wait."""
        if not (item.has_no_card and item.needs_result and self._sending.is_due(item)):
            return False
        return self._sending.rate.has_room_for_card(item.request.place.chat, self._clock())
