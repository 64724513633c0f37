"""The lane that sends and edits messages: results first, then notes, files and cards.

Each message is sent once, and edited from then on. If a request ends before its card was sent, the
card goes first where the rate limit allows both, since the result replies to it. That a message
was sent is stored right after. A kill in between may send a result twice, but never loses it.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeAlias

from bot.core.card_version import CardVersion
from bot.core.errors import BotError, ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, PersonId
from bot.core.image import Target
from bot.core.policy import Policy
from bot.core.retry import LONGEST_DELAY
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.message import Rendered
from bot.dialog.result import rewritten_caption
from bot.engine.lanes.chat_items import ITEMS_PER_TICK, NO_RETRY, ChatItem, ChatItems, ChatItemsUnit
from bot.engine.lanes.chat_rate import ChatRate
from bot.engine.lanes.lane import TickResult, attempt, each
from bot.engine.ports.chat import Chat, Document, Words
from bot.engine.ports.outbox import Note, Outbox
from bot.engine.ports.store import (
    File,
    FilesToReturn,
    LinkedTransfers,
    MovesChats,
    Requests,
    Store,
)
from bot.engine.shutdown import Stopped, never
from bot.paste import rewrite

log = logging.getLogger(__name__)
_Save: TypeAlias = Callable[[], Awaitable[object]]

FIRST_CHECKS_WAIT: Final = timedelta(seconds=4)
"""How long the first edit of a card waits for the first check of each of its images."""
FILES_KEPT: Final = timedelta(days=7)
"""How long a file is kept after its request was closed, while a retry may bring more images."""
MOVED_TO_ITSELF_PAUSE: Final = timedelta(minutes=1)
KEY_BYTES: Final = 6
"""Random bytes of a key, which are 8 characters. Nobody can guess what another chat was shown."""
_NOT_STORED: Final = "it was sent, and that cannot be stored"


class ChatUnit(
    ChatItemsUnit, Outbox, FilesToReturn, Requests, LinkedTransfers, MovesChats, Protocol
):
    """What this lane reads and writes."""


class ChatLane:
    def __init__(
        self,
        *,
        store: Store[ChatUnit],
        chat: Chat,
        words: Words,
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
        policy: Policy,
        admins: Collection[PersonId] = (),
        reasons: Sequence[str] = (),
        new_key: Callable[[], str] = lambda: secrets.token_urlsafe(KEY_BYTES),
    ) -> None:
        """`new_key` makes the key of a version of a card: see core/card_version.py."""
        self._store = store
        self._chat = chat
        self._words = words
        self._target = target
        self._clock = clock
        self._rate = ChatRate()
        self._unsaved: list[tuple[_Save, _Save]] = []
        self._new_key = new_key
        self._items = ChatItems(
            words=words,
            target=target,
            language=language,
            clock=clock,
            admins=admins,
            policy=policy,
            reasons=reasons,
        )

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Send and edit what is due, as far as the rate limits allow."""
        await self._save_all()
        now = self._clock()
        if not self._rate.can_send_anywhere(now):
            return TickResult.OPEN
        blocked = self._rate.blocked_chats(now)
        async with self._store.begin() as unit:
            items = await self._items.read(unit, silent=blocked)
            notes = await unit.due_notes(now, silent=blocked, limit=ITEMS_PER_TICK)
            waiting = bool(items) or await unit.any_notes()
        first = [item for item in items if self._belongs_first(item)]
        refused = [item for item in items if item.was_refused]
        rest = [item for item in items if item not in first and not item.was_refused]
        edited = [item for item in rest if not item.has_no_card]
        sent = [
            await each(self._show_card, first, stopped),
            await each(self._send_result, [item for item in items if item.needs_result], stopped),
            await each(self._show_card, refused, stopped),
            await each(self._send_note, notes, stopped),
            await each(self._send_file, [item for item in items if item.needs_file], stopped),
            await each(self._show_card, [item for item in rest if item.has_no_card], stopped),
            await each(self._show_card, [item for item in edited if item.asks], stopped),
            # What only redraws comes last.
            await each(
                self._edit_result, [item for item in items if item.request.told_in], stopped
            ),
            await each(self._show_card, [item for item in edited if not item.asks], stopped),
        ]
        if any(sent):
            return TickResult.CHANGED
        return TickResult.OPEN if waiting else TickResult.IDLE

    # -- sent once ----------------------------------------------------------------------

    async def _send_result(self, item: ChatItem) -> bool:
        if not self._can_send(item):
            return False
        request, text = item.request, item.result
        if text is None:
            return False
        message = None
        try:
            message = await self._chat.send(request.place, text, reply_to=request.message)
        except (TransientError, ChatMovedError) as trouble:
            return await self._failed(item, trouble)
        except RefusedError as refusal:
            log.warning("request %d: its result cannot be sent: %s", request.id, refusal)
        now = self._clock()
        self._rate.record_sent(request.place.chat, now)
        log.info("request %d: result sent", request.id)
        told = {"told_at": now, "told_in": message, "told": text.fingerprint}
        await self._save_for(item, lambda: self._store_facts(item, **told, **NO_RETRY))
        return True

    async def _send_file(self, item: ChatItem) -> bool:
        """Send the file that the images came from, with their names at the target."""
        request = item.request
        if not self._can_send(item):
            return False
        async with self._store.begin() as unit:
            file = await unit.file(request.id)
            language = await self._items.language(unit, request)
        if file is not None and file.content is not None:
            try:
                await self._send_rewritten(file, file.content, item, language)
            except (TransientError, ChatMovedError) as trouble:
                return await self._failed(item, trouble)
            except RefusedError as refusal:
                log.warning("request %d: its file cannot be sent: %s", request.id, refusal)
            self._rate.record_sent(request.place.chat, self._clock())
        await self._save_for(item, lambda: self._store_file_sent(item))
        return True

    async def _store_file_sent(self, item: ChatItem) -> None:
        async with self._store.begin() as unit:
            if item.has_nothing_to_retry:
                await unit.drop_file(item.request.id)
            await unit.drop_files(closed_before=self._clock() - FILES_KEPT)
        await self._store_facts(item, returned_at=self._clock(), **NO_RETRY)

    async def _send_rewritten(
        self, file: File, content: bytes, item: ChatItem, language: Language
    ) -> None:
        request = item.request
        images = [t.image for t in item.transfers if t.state is State.MIRRORED]
        back = await asyncio.to_thread(
            rewrite, content, name=file.name, target=self._target, images=images
        )
        changed = back.content != content
        text = self._words.render(
            rewritten_caption(request.id, file.name, back, changed=changed), language
        )
        if not changed:
            await self._chat.send(request.place, text, reply_to=request.message)
            return
        document = Document(file.name, back.content)
        await self._chat.send_file(request.place, document, text, reply_to=request.message)

    async def _send_note(self, note: Note) -> bool:
        now, chat = self._clock(), note.place.chat
        if not note.is_due(now):
            return False
        edit = note.edits is not None
        if not (self._rate.can_edit(chat, now) if edit else self._rate.can_send(chat, now)):
            return False
        try:
            if note.edits is not None:
                await self._chat.edit(note.place, note.edits, note.text)
            else:
                await self._chat.send(note.place, note.text, reply_to=note.reply_to)
        except ChatMovedError as moved:
            return await self._move_chat(chat, moved)
        except TransientError as trouble:
            await self._postpone_note(note, trouble)
            return False
        except RefusedError as refusal:
            log.warning("note %d cannot be sent: %s", note.id, refusal)
        self._rate.record_sent(chat, now, edit=edit)
        later = partial(self._postpone_note, note, TransientError(_NOT_STORED))
        await self._save(lambda: self._drop_note(note), later)
        return True

    async def _drop_note(self, note: Note) -> None:
        async with self._store.begin() as unit:
            await unit.drop_note(note.id)

    async def _postpone_note(self, note: Note, trouble: TransientError) -> None:
        log.warning("note %d: %s", note.id, trouble)
        self._block_chat(note.place.chat, trouble)
        later = note.postponed(self._clock(), seed=note.id, retry_after=trouble.retry_after)
        async with self._store.begin() as unit:
            await unit.save_note(later)

    # -- edited -------------------------------------------------------------------------

    async def _edit_result(self, item: ChatItem) -> bool:
        """Edit the result into the format that the person has chosen."""
        if not self._can_edit(item) or not item.result_is_outdated:
            return False
        request, text = item.request, item.result
        if text is None or request.told_in is None:
            return False
        edit = self._chat.edit(request.place, request.told_in, text)
        return await self._edited(item, edit, {}, told=text.fingerprint)

    async def _show_card(self, item: ChatItem) -> bool:
        """Bring the card up to date, and close the request when nothing is left to send."""
        request = item.request
        if item.is_unread_draft or (request.card is None and item.is_finished):
            return await self._close(item)
        if not (self._can_send(item) if request.card is None else self._can_edit(item)):
            return False
        if request.card is not None and self._is_premature(item):
            return False
        item = await self._versioned(item)
        if item.card is None or item.card.fingerprint == request.shown:
            return await self._close(item)
        if request.card is not None:
            return await self._edit_card(item, item.card, request.card)
        return await self._send_card(item, item.card)

    async def _versioned(self, item: ChatItem) -> ChatItem:
        """Store what the card is about to show, before it is sent: its answer may be lost."""
        if not item.lacks_version:
            return item
        version = CardVersion(
            key=self._new_key(),
            request=item.request.id,
            pairs=item.decided_on,
            made_at=self._clock(),
        )
        async with self._store.begin() as unit:
            await unit.add_card_version(version)
        return item.with_version(version.key)

    async def _send_card(self, item: ChatItem, text: Rendered) -> bool:
        request = item.request
        facts = {"shown": text.fingerprint, "version": item.view.version, "refused_at": None}
        try:
            card = await self._chat.send(request.place, text, reply_to=request.message)
        except (TransientError, ChatMovedError) as trouble:
            return await self._failed(item, trouble)
        except RefusedError as refusal:  # the chat refuses the card: still try the result
            log.warning("request %d: its card cannot be sent: %s", request.id, refusal)
            await self._store_facts(item, shown=text.fingerprint, refused_at=None)
            return True
        self._rate.record_sent(request.place.chat, self._clock())
        await self._save_for(item, lambda: self._store_facts(item, card=card, **facts, **NO_RETRY))
        return True

    async def _edit_card(self, item: ChatItem, text: Rendered, card: MessageId) -> bool:
        """Edit the card. Where it is gone and asks for a decision, it is sent anew."""
        facts = {"shown": text.fingerprint, "version": item.view.version, "refused_at": None}
        gone = {"card": None, "shown": "", "version": ""} if item.decided_on else {}
        edit = self._chat.edit(item.request.place, card, text)
        return await self._edited(item, edit, gone, **facts)

    async def _edited(
        self, item: ChatItem, edit: Awaitable[None], gone: Mapping[str, object], **facts: object
    ) -> bool:
        """Store the facts of an edit, and those in `gone` where the message cannot be edited."""
        request = item.request
        try:
            await edit
        except (TransientError, ChatMovedError) as trouble:
            return await self._failed(item, trouble)
        except RefusedError as refusal:  # probably deleted: other messages can still be sent
            log.warning("request %d: a message cannot be edited: %s", request.id, refusal)
            facts |= gone
        self._rate.record_sent(request.place.chat, self._clock(), edit=True)
        await self._store_facts(item, **NO_RETRY, **facts)
        return True

    async def _close(self, item: ChatItem) -> bool:
        if not item.is_finished or item.needs_file or item.result_is_outdated:
            return False
        async with self._store.begin() as unit:
            if await unit.request(item.request.id) != item.request:
                return False  # a person changed it meanwhile
            await unit.save_request(
                replace(item.request, closed_at=self._clock(), version="", refused_at=None)
            )
        return True

    # -- storing what was sent --------------------------------------------------------------

    async def _save_for(self, item: ChatItem, save: _Save) -> None:
        await self._save(save, partial(self._failed, item, TransientError(_NOT_STORED)))

    async def _save(self, save: _Save, later: _Save) -> None:
        """Store that a message was sent, before anything else is sent.

        Otherwise a full disk would cause the same message to be sent again and again. Where `save`
        raises for another reason, `later` postpones the message: it is sent again after a wait.
        """
        self._unsaved.append((save, later))
        await self._save_all()

    async def _save_all(self) -> None:
        """Raises TransientError where nothing can be stored. Then nothing more is sent.

        What raises something else is dropped, or it would block all messages for ever.
        """
        while self._unsaved:
            await attempt("storing what was sent", *self._unsaved[0])
            del self._unsaved[0]

    # -- rate limits and errors ---------------------------------------------------------------

    def _is_due(self, item: ChatItem) -> bool:
        return item.request.is_due(self._clock())

    def _can_send(self, item: ChatItem) -> bool:
        return self._is_due(item) and self._rate.can_send(item.request.place.chat, self._clock())

    def _belongs_first(self, item: ChatItem) -> bool:
        """Whether to send the card before the result. Not if a result would then have to wait."""
        if not (item.has_no_card and item.needs_result and self._is_due(item)):
            return False
        return self._rate.has_room_for_card(item.request.place.chat, self._clock())

    def _can_edit(self, item: ChatItem) -> bool:
        chat = item.request.place.chat
        return self._is_due(item) and self._rate.can_edit(chat, self._clock())

    def _is_premature(self, item: ChatItem) -> bool:
        """Whether an edit now would show only some first checks. The next edit has to wait."""
        if self._clock() - item.request.opened_at > FIRST_CHECKS_WAIT:
            return False
        return any(t.state is State.CHECKING and t.attempts == 0 for t in item.transfers)

    async def _failed(self, item: ChatItem, trouble: BotError) -> bool:
        """Handle a failed send: follow a chat that has moved, or postpone the message."""
        request = item.request
        if isinstance(trouble, ChatMovedError):
            return await self._move_chat(request.place.chat, trouble)
        assert isinstance(trouble, TransientError)  # noqa: S101 - what the callers catch
        log.warning("request %d: %s", request.id, trouble)
        self._block_chat(request.place.chat, trouble)
        later = request.postponed(self._clock(), seed=request.id, retry_after=trouble.retry_after)
        await self._store_facts(item, attempts=later.attempts, not_before=later.not_before)
        return False

    async def _move_chat(self, chat: ChatId, moved: ChatMovedError) -> bool:
        """Store the new id of a chat. True if it differs from the old one."""
        log.info("chat %s has become %s", chat, moved.chat)
        if moved.chat == chat:  # a wrong answer: following it would retry without a wait
            now = self._clock()
            self._rate.block(chat, now, now + MOVED_TO_ITSELF_PAUSE)
            return False
        async with self._store.begin() as unit:
            await unit.move_chat(chat, moved.chat)
        return True

    def _block_chat(self, chat: ChatId, trouble: TransientError) -> None:
        """Apply a service's "retry after" to the whole chat, not only to this message."""
        if trouble.retry_after is not None:
            delay = timedelta(seconds=trouble.retry_after)
            now = self._clock()
            self._rate.block(chat, now, now + min(delay, LONGEST_DELAY))

    async def _store_facts(self, item: ChatItem, **facts: object) -> None:
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
