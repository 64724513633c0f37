"""The cards in the chat: sent once, and edited until the request is closed.

What a card shows is read in chat_items.py. The lane in chat.py says which card is due.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bot.core.card_version import CardVersion
from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import MessageId
from bot.core.transfer import State
from bot.dialog.message import Text
from bot.engine.lanes.chat_items import NO_RETRY, ChatItem
from bot.engine.lanes.chat_sending import Sending
from bot.engine.ports.card_versions import CardVersions
from bot.engine.ports.chat import Chat
from bot.engine.ports.store import Requests, Store

log = logging.getLogger(__name__)

FIRST_CHECKS_WAIT: Final = timedelta(seconds=4)
"""How long the first edit of a card waits for the first check of each of its images."""


class CardsUnit(CardVersions, Requests, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCards:
    """`new_key` makes the key of a version of a card: see core/card_version.py."""

    store: Store[CardsUnit]
    chat: Chat
    sending: Sending
    clock: Callable[[], datetime]
    new_key: Callable[[], str]

    async def show(self, item: ChatItem) -> bool:
        """Bring the card up to date, and close the request when nothing is left to send."""
        request = item.request
        if item.is_unread_draft or (request.card is None and item.is_finished):
            return await self._close(item)
        if not (
            self.sending.can_send(item) if request.card is None else self.sending.can_edit(item)
        ):
            return False
        if request.card is not None and self._is_premature(item):
            return False
        item = await self.versioned(item)
        if item.card is None or item.card.fingerprint == request.shown:
            return await self._close(item)
        facts = {"shown": item.card.fingerprint, "version": item.view.version, "refused_at": None}
        if request.card is not None:
            return await self._edit_card(item, item.card, request.card, facts)
        return await self._send_card(item, item.card, facts)

    def _is_premature(self, item: ChatItem) -> bool:
        """Whether an edit now would show only some first checks. The next edit has to wait."""
        if self.clock() - item.request.opened_at > FIRST_CHECKS_WAIT:
            return False
        return any(t.state is State.CHECKING and t.attempts == 0 for t in item.transfers)

    async def versioned(self, item: ChatItem) -> ChatItem:
        """Store what the card is about to show, before it is sent: its answer may be lost."""
        if not item.lacks_version:
            return item
        version = CardVersion(
            key=self.new_key(),
            request=item.request.id,
            pairs=item.decided_on,
            made_at=self.clock(),
        )
        async with self.store.begin() as unit:
            await unit.add_card_version(version)
        return item.with_version(version.key)

    async def _send_card(self, item: ChatItem, text: Text, facts: dict[str, Any]) -> bool:
        request = item.request
        try:
            card = await self.chat.send(
                request.place, text, reply_to=request.message, key=f"card {request.id}"
            )
        except (TransientError, ChatMovedError) as trouble:
            return await self.sending.failed(item, trouble)
        except RefusedError as refusal:  # the chat refuses the card: still try the result
            log.warning(
                "request %d: its card cannot be sent, let the bot write there: %s",
                request.id,
                refusal,
            )
            await self.sending.store_facts(item, shown=text.fingerprint, refused_at=None)
            return True
        self.sending.rate.record_sent(request.place.chat, self.clock())
        await self.sending.save_for(
            item, lambda: self.sending.store_facts(item, card=card, **facts, **NO_RETRY)
        )
        return True

    async def _edit_card(
        self, item: ChatItem, text: Text, card: MessageId, facts: dict[str, Any]
    ) -> bool:
        """Edit the card. Where it is gone and asks for a decision, it is sent anew."""
        gone = {"card": None, "shown": "", "version": ""} if item.decided_on else {}
        edit = self.chat.edit(item.request.place, card, text)
        return await self.sending.edited(item, edit, gone, **facts)

    async def _close(self, item: ChatItem) -> bool:
        if not item.is_finished or item.needs_file or item.result_is_outdated:
            return False
        async with self.store.begin() as unit:
            if await unit.request(item.request.id) != item.request:
                return False  # a person changed it meanwhile
            await unit.save_request(
                replace(item.request, closed_at=self.clock(), version="", refused_at=None)
            )
        return True
