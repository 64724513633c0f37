"""When a message may be sent to the chat, and what is stored after it was sent.

The lane of the chat and its parts share one. It must not send anything itself: it holds what waits
to be stored, and the rate limits of the chats.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeAlias

from bot.core.errors import BotError, ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId
from bot.core.retry import LONGEST_DELAY
from bot.core.service import Pace
from bot.engine.lanes.chat_items import NO_RETRY, ChatItem
from bot.engine.lanes.chat_rate import ChatRate
from bot.engine.lanes.lane import attempt
from bot.engine.ports.store import LinkedTransfers, MovesChats, Requests, Store

log = logging.getLogger(__name__)
Save: TypeAlias = Callable[[], Awaitable[object]]

MOVED_TO_ITSELF_PAUSE: Final = timedelta(minutes=1)
NOT_STORED: Final = "it was sent, and that cannot be stored"


class SendingUnit(Requests, LinkedTransfers, MovesChats, Protocol):
    """What is read and written here."""


class Sending:
    def __init__(
        self, *, store: Store[SendingUnit], pace: Pace, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._clock = clock
        self.rate = ChatRate(pace)
        self._unsaved: list[tuple[Save, Save]] = []

    # -- whether it may be sent now ---------------------------------------------------------

    def is_due(self, item: ChatItem) -> bool:
        return item.request.is_due(self._clock())

    def can_send(self, item: ChatItem) -> bool:
        return self.is_due(item) and self.rate.can_send(item.request.place.chat, self._clock())

    def can_edit(self, item: ChatItem) -> bool:
        chat = item.request.place.chat
        return self.is_due(item) and self.rate.can_edit(chat, self._clock())

    # -- what was sent ----------------------------------------------------------------------

    async def save_for(self, item: ChatItem, save: Save) -> None:
        await self.save(save, partial(self.failed, item, TransientError(NOT_STORED)))

    async def save(self, save: Save, later: Save) -> None:
        """Store that a message was sent, before anything else is sent.

        Otherwise a full disk would cause the same message to be sent again and again. Where `save`
        raises for another reason, `later` postpones the message: it is sent again after a wait.
        """
        self._unsaved.append((save, later))
        await self.save_all()

    async def save_all(self) -> None:
        """Raises TransientError where nothing can be stored. Then nothing more is sent.

        What raises something else is dropped, or it would block all messages for ever.
        """
        while self._unsaved:
            await attempt("storing what was sent", *self._unsaved[0])
            del self._unsaved[0]

    async def store_facts(self, item: ChatItem, **facts: object) -> None:
        """Store facts of the request, and keep what a person changed meanwhile.

        A result that was sent for transfers which a retry has replaced does not count.
        """
        async with self._store.begin() as unit:
            current = await unit.request(item.request.id)
            if current is None:
                return
            linked = [t.id for t in await unit.transfers_of(current.id)]
            if "told_at" in facts and linked != [t.id for t in item.transfers]:
                return
            facts = item.still_true(current, facts)
            await unit.save_request(replace(current, **facts))  # type: ignore[arg-type]

    async def edited(
        self, item: ChatItem, edit: Awaitable[None], gone: Mapping[str, object], **facts: object
    ) -> bool:
        """Store the facts of an edit, and those in `gone` where the message cannot be edited."""
        request = item.request
        try:
            await edit
        except (TransientError, ChatMovedError) as trouble:
            return await self.failed(item, trouble)
        except RefusedError as refusal:  # probably deleted: other messages can still be sent
            log.info("request %d: a message cannot be edited: %s", request.id, refusal)
            facts |= gone
        self.rate.record_sent(request.place.chat, self._clock(), edit=True)
        await self.store_facts(item, **NO_RETRY, **facts)
        return True

    # -- what could not be sent -------------------------------------------------------------

    async def failed(self, item: ChatItem, trouble: BotError) -> bool:
        """Handle a failed send: follow a chat that has moved, or postpone the message."""
        request = item.request
        if isinstance(trouble, ChatMovedError):
            return await self.move_chat(request.place.chat, trouble)
        assert isinstance(trouble, TransientError)  # noqa: S101 - what the callers catch
        log.warning("request %d: %s", request.id, trouble)
        self.block_chat(request.place.chat, trouble)
        later = request.postponed(self._clock(), seed=request.id, retry_after=trouble.retry_after)
        await self.store_facts(item, attempts=later.attempts, not_before=later.not_before)
        return False

    async def move_chat(self, chat: ChatId, moved: ChatMovedError) -> bool:
        """Store the new id of a chat. True if it differs from the old one."""
        log.info("chat %s has become %s", chat, moved.chat)
        if moved.chat == chat:  # a wrong answer: following it would retry without a wait
            now = self._clock()
            self.rate.block(chat, now, now + MOVED_TO_ITSELF_PAUSE)
            return False
        async with self._store.begin() as unit:
            await unit.move_chat(chat, moved.chat)
        return True

    def block_chat(self, chat: ChatId, trouble: TransientError) -> None:
        """Apply a service's "retry after" to the whole chat, not only to this message."""
        if trouble.retry_after is not None:
            delay = timedelta(seconds=trouble.retry_after)
            now = self._clock()
            self.rate.block(chat, now, now + min(delay, LONGEST_DELAY))
