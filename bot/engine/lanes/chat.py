"""The lane that makes the chat show what is so, the only one that says anything there.

Results first, then answers, files, and cards; each message is sent once and edited from then
on. A request that ended before its card stood gets the card first, where the chat has room for
both: the result reads as an answer to it. What was said is stored right after it was said: a
kill between the two may say a result twice, never lose it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

from bot.core.errors import BotError, ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId
from bot.core.image import Target
from bot.core.retry import LONGEST_DELAY, Retried
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.result import rewritten_caption
from bot.engine.lanes.chat_items import ITEMS_PER_TICK, ChatItem, ChatItems, ChatItemsUnit
from bot.engine.lanes.chat_rate import ChatRate
from bot.engine.lanes.lane import TickResult, attempt, guarded
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
T = TypeVar("T")
_Save: TypeAlias = Callable[[], Awaitable[object]]

FIRST_CHECKS_WAIT: Final = timedelta(seconds=4)
"""So long the first edit of a card waits for the first look at each of its images."""
FILES_KEPT: Final = timedelta(days=7)
"""So long a file is kept of which something may still arrive, once its request is closed."""
MOVED_TO_ITSELF_PAUSE: Final = timedelta(minutes=1)
_NOT_STORED: Final = "it was said, and that cannot be stored"
_NO_RETRY: Final = asdict(Retried())
_MESSAGE_FACTS: Final = frozenset({"card", "shown", "told_in"})
"""Facts about messages, which count for the chat that they stand in."""


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
    ) -> None:
        self._store = store
        self._chat = chat
        self._words = words
        self._target = target
        self._clock = clock
        self._rate = ChatRate()
        self._unsaved: list[tuple[_Save, _Save]] = []
        self._items = ChatItems(words=words, target=target, language=language, clock=clock)

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Say what is owed, as far as the pace allows."""
        await self._save_rest()
        now = self._clock()
        if not self._rate.can_send_anywhere(now):
            return TickResult.OPEN
        silent = self._rate.blocked_chats(now)
        async with self._store.begin() as unit:
            items = await self._items.look(unit, silent=silent)
            notes = await unit.due_notes(now, silent=silent, limit=ITEMS_PER_TICK)
            waiting = bool(items) or await unit.any_notes()
        first = [item for item in items if self._belongs_first(item)]
        spoke = [
            await _each(self._show, first, stopped),
            await _each(self._tell, [item for item in items if item.needs_result], stopped),
            await _each(self._note, notes, stopped),
            await _each(self._return, [item for item in items if item.needs_file], stopped),
            await _each(self._retell, [item for item in items if item.request.told_in], stopped),
            await _each(
                self._show, [i for i in items if i.has_no_card and i not in first], stopped
            ),
            await _each(self._show, [i for i in items if not i.has_no_card], stopped),
        ]
        if any(spoke):
            return TickResult.CHANGED
        return TickResult.OPEN if waiting else TickResult.IDLE

    # -- what is said once --------------------------------------------------------------

    async def _tell(self, item: ChatItem) -> bool:
        if not self._may_say(item):
            return False
        request, text = item.request, item.result
        if text is None:
            return False
        message = None
        try:
            message = await self._chat.send(request.place, text, reply_to=request.message)
        except (TransientError, ChatMovedError) as trouble:
            return await self._stumbled(item, trouble)
        except RefusedError as refusal:
            log.warning("request %d: its result cannot be told: %s", request.id, refusal)
        now = self._clock()
        self._rate.record_sent(request.place.chat, now)
        log.info("request %d: result told", request.id)
        told = {"told_at": now, "told_in": message, "told": text.fingerprint}
        await self._save_of(item, lambda: self._keep(item, **told, **_NO_RETRY))
        return True

    async def _return(self, item: ChatItem) -> bool:
        """The file that the images came from, with their names at the target."""
        request = item.request
        if not self._may_say(item):
            return False
        async with self._store.begin() as unit:
            file = await unit.file(request.id)
            language = await self._items.language(unit, request)
        if file is not None and file.content is not None:
            try:
                await self._hand_back(file, file.content, item, language)
            except (TransientError, ChatMovedError) as trouble:
                return await self._stumbled(item, trouble)
            except RefusedError as refusal:
                log.warning("request %d: its file cannot be sent: %s", request.id, refusal)
            self._rate.record_sent(request.place.chat, self._clock())
        await self._save_of(item, lambda: self._returned(item))
        return True

    async def _returned(self, item: ChatItem) -> None:
        async with self._store.begin() as unit:
            if item.has_nothing_to_retry:
                await unit.drop_file(item.request.id)
            await unit.drop_files(closed_before=self._clock() - FILES_KEPT)
        await self._keep(item, returned_at=self._clock(), **_NO_RETRY)

    async def _hand_back(
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

    async def _note(self, note: Note) -> bool:
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
            return await self._move(chat, moved)
        except TransientError as trouble:
            await self._put_off_note(note, trouble)
            return False
        except RefusedError as refusal:
            log.warning("note %d cannot be said: %s", note.id, refusal)
        self._rate.record_sent(chat, now, edit=edit)
        later = partial(self._put_off_note, note, TransientError(_NOT_STORED))
        await self._save(lambda: self._drop(note), later)
        return True

    async def _drop(self, note: Note) -> None:
        async with self._store.begin() as unit:
            await unit.drop_note(note.id)

    async def _put_off_note(self, note: Note, trouble: TransientError) -> None:
        log.warning("note %d: %s", note.id, trouble)
        self._heed(note.place.chat, trouble)
        later = note.postponed(self._clock(), seed=note.id, retry_after=trouble.retry_after)
        async with self._store.begin() as unit:
            await unit.save_note(later)

    # -- what is edited -----------------------------------------------------------------

    async def _retell(self, item: ChatItem) -> bool:
        """The result as the person wants it now: for another tool."""
        if not self._may_edit(item) or not item.result_is_outdated:
            return False
        request, text = item.request, item.result
        if text is None or request.told_in is None:
            return False
        edit = self._chat.edit(request.place, request.told_in, text)
        return await self._edited(item, edit, told=text.fingerprint)

    async def _show(self, item: ChatItem) -> bool:
        """Bring the card up to date, and close the request once its last word is said."""
        request = item.request
        if item.is_unread_draft or (request.card is None and item.is_finished):
            return await self._close(item)
        if not (self._may_say(item) if request.card is None else self._may_edit(item)):
            return False
        if item.card is None or item.card.fingerprint == request.shown:
            return await self._close(item)
        shown = item.card.fingerprint
        if request.card is not None:
            if self._is_premature(item):
                return False
            edit = self._chat.edit(request.place, request.card, item.card)
            return await self._edited(item, edit, shown=shown)
        try:
            card = await self._chat.send(request.place, item.card, reply_to=request.message)
        except (TransientError, ChatMovedError) as trouble:
            return await self._stumbled(item, trouble)
        except RefusedError as refusal:  # we were shown the door: the result is tried all the same
            log.warning("request %d: its card cannot be shown: %s", request.id, refusal)
            await self._keep(item, shown=shown)
            return True
        self._rate.record_sent(request.place.chat, self._clock())
        facts = {"card": card, "shown": shown}
        await self._save_of(item, lambda: self._keep(item, **facts, **_NO_RETRY))
        return True

    async def _edited(self, item: ChatItem, edit: Awaitable[None], **facts: str) -> bool:
        request = item.request
        try:
            await edit
        except (TransientError, ChatMovedError) as trouble:
            return await self._stumbled(item, trouble)
        except RefusedError as refusal:  # deleted, most likely: what else is owed still comes
            log.warning("request %d: a message cannot be edited: %s", request.id, refusal)
        self._rate.record_sent(request.place.chat, self._clock(), edit=True)
        await self._keep(item, **_NO_RETRY, **facts)
        return True

    async def _close(self, item: ChatItem) -> bool:
        if not item.is_finished or item.needs_file or item.result_is_outdated:
            return False
        async with self._store.begin() as unit:
            if await unit.request(item.request.id) != item.request:
                return False  # somebody went on with it, or wants it written otherwise
            await unit.save_request(replace(item.request, closed_at=self._clock()))
        return True

    # -- saving what was said --------------------------------------------------------------

    async def _save_of(self, item: ChatItem, save: _Save) -> None:
        await self._save(save, partial(self._stumbled, item, TransientError(_NOT_STORED)))

    async def _save(self, save: _Save, later: _Save) -> None:
        """A full disk must not make us say it again and again: it is saved before all else.

        What never can be saved is put off by `later`: it is said again, but after longer waits.
        """
        self._unsaved.append((save, later))
        await self._save_rest()

    async def _save_rest(self) -> None:
        """Raises TransientError where the database takes nothing; then nothing more is said.

        What is poisoned is dropped: at the head for ever, it would silence the bot.
        """
        while self._unsaved:
            await attempt("what was said", *self._unsaved[0])
            del self._unsaved[0]

    # -- pace and trouble ---------------------------------------------------------------

    def _due(self, item: ChatItem) -> bool:
        return item.request.is_due(self._clock())

    def _may_say(self, item: ChatItem) -> bool:
        return self._due(item) and self._rate.can_send(item.request.place.chat, self._clock())

    def _belongs_first(self, item: ChatItem) -> bool:
        """Whether its card goes before its result, and keeps no result waiting by that."""
        if not (item.has_no_card and item.needs_result and self._due(item)):
            return False
        return self._rate.has_room_for_card(item.request.place.chat, self._clock())

    def _may_edit(self, item: ChatItem) -> bool:
        chat = item.request.place.chat
        return self._due(item) and self._rate.can_edit(chat, self._clock())

    def _is_premature(self, item: ChatItem) -> bool:
        """Whether an edit would show some first looks, and keep the rest waiting for its turn."""
        if self._clock() - item.request.opened_at > FIRST_CHECKS_WAIT:
            return False
        return any(t.state is State.CHECKING and t.attempts == 0 for t in item.transfers)

    async def _stumbled(self, item: ChatItem, trouble: BotError) -> bool:
        """Nothing was said: the chat is elsewhere, or it has to be tried again later."""
        request = item.request
        if isinstance(trouble, ChatMovedError):
            return await self._move(request.place.chat, trouble)
        assert isinstance(trouble, TransientError)  # noqa: S101 - what the callers catch
        log.warning("request %d: %s", request.id, trouble)
        self._heed(request.place.chat, trouble)
        later = request.postponed(self._clock(), seed=request.id, retry_after=trouble.retry_after)
        await self._keep(item, attempts=later.attempts, not_before=later.not_before)
        return False

    async def _move(self, chat: ChatId, moved: ChatMovedError) -> bool:
        """True where there is another chat to go on in."""
        log.info("chat %d has become %d", chat, moved.chat)
        if moved.chat == int(chat):  # nonsense, but it must not make us ask without a wait
            now = self._clock()
            self._rate.block(chat, now, now + MOVED_TO_ITSELF_PAUSE)
            return False
        async with self._store.begin() as unit:
            await unit.move_chat(chat, ChatId(moved.chat))
        return True

    def _heed(self, chat: ChatId, trouble: TransientError) -> None:
        """A wish to be left alone counts for the whole chat, not only for this message."""
        if trouble.retry_after is not None:
            wish = timedelta(seconds=trouble.retry_after)
            now = self._clock()
            self._rate.block(chat, now, now + min(wish, LONGEST_DELAY))

    async def _keep(self, item: ChatItem, **facts: object) -> None:
        """Store facts of the request over whatever a person changed meanwhile.

        What was said of transfers that others replaced meanwhile tells no result, and messages
        of a chat that has moved are out of reach.
        """
        async with self._store.begin() as unit:
            current = await unit.request(item.request.id)
            if current is None:
                return
            linked = [t.id for t in await unit.transfers_of(current.id)]
            if "told_at" in facts and linked != [t.id for t in item.transfers]:
                return
            if current.not_before != item.request.not_before and not facts.get("not_before", True):
                # Put off in this very tick: what else was said in it does not call that off.
                facts = {name: fact for name, fact in facts.items() if name not in _NO_RETRY}
            if current.place != item.request.place:
                facts = {name: fact for name, fact in facts.items() if name not in _MESSAGE_FACTS}
            await unit.save_request(replace(current, **facts))  # type: ignore[arg-type]


async def _each(step: Callable[[T], Awaitable[bool]], items: Sequence[T], stopped: Stopped) -> bool:
    """Take a step with every item, whatever becomes of the others; True where one spoke."""
    spoke = False
    for item in items:
        if stopped():
            break
        with guarded(item):
            spoke = await step(item) or spoke
        await asyncio.sleep(0)  # a word takes its time to be made: others go on in between
    return spoke
