"""Long polling: receives updates from Telegram and hands each to intake.

The library's own polling confirms updates before they are handled, so a killed bot loses them.
Here the offset advances only after an update is stored. Updates of one response share transactions.
It must not decide what a message means: engine/intake does.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from telegram import Update
from telegram.error import Conflict, TelegramError

from bot.adapters.telegram.background import BACKGROUND_SECONDS, BackgroundCalls
from bot.adapters.telegram.chat import PollingBot, TelegramChat, polling_wait
from bot.adapters.telegram.hearing import Hearing
from bot.adapters.telegram.parse_update import (
    key_of,
    parse_added,
    parse_message,
    parse_move,
    parse_press,
)
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.telegram.takeover import CALM, Overtaken, Takeover
from bot.core.errors import BotError, TransientError
from bot.core.ids import (
    ChatId,
    UpdateKey,
    number_of,
)
from bot.dialog.message import Text
from bot.engine.changes import BUG
from bot.engine.intake.context import Added, Incoming, Press
from bot.engine.lanes.lane import guarded
from bot.engine.ports.store import Cursors, Store
from bot.engine.shutdown import Shutdown

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 5.0
"""The least time between two heartbeats in the store: each costs a write."""
SEEN: Final = "👀"
STORED_AT_ONCE: Final = 10
"""Updates in one transaction: one wait for the disk instead of one per update."""
STORE_SECONDS: Final = 5.0
"""The wait between two tries to store updates while the store fails."""
CURSOR: Final = "telegram-update"
"""What the number of the last update is stored under."""
RECOUNTED: Final = 10_000
"""A number that is lower than the last by more than this: Telegram has restarted its numbering."""


class Receiver(Protocol):
    """What the polling passes updates to: see engine/intake/updates.py."""

    async def receive(self, incoming: Incoming) -> bool: ...
    async def moved(self, update: UpdateKey, old: ChatId, new: ChatId) -> None: ...
    async def added(self, added: Added) -> None: ...
    async def press(self, press: Press) -> Text | None: ...
    async def pass_over(self, update: UpdateKey) -> None: ...
    def excuse(self, incoming: Incoming) -> Text | None: ...
    def excuse_press(self, press: Press) -> Text: ...


class Offset(Protocol):
    """Keeps the number of the update that is handled next: see `StoredOffset`."""

    async def read(self) -> int: ...
    async def save(self, following: int) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredOffset:
    """`store`: see the parameter `together` of Polling."""

    store: Store[Cursors]

    async def read(self) -> int:
        async with self.store.begin() as unit:
            return (await unit.cursor(CURSOR) or 0) + 1

    async def save(self, following: int) -> None:
        async with self.store.begin() as unit:
            await unit.save_cursor(CURSOR, following - 1)


class Polling:
    """Receives updates and passes them on in order, one at a time.

    `alive` is called every few seconds while Telegram answers. It gets the longest time in seconds
    between two answers since its last success, or None where one is unknown.
    """

    def __init__(
        self,
        *,
        bot: PollingBot,
        words: TelegramWords,
        receiver: Receiver,
        offset: Offset,
        alive: Callable[[float | None], Awaitable[None]],
        turn: Takeover,
        hearing: Hearing | None = None,
        together: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        """`hearing`: in which groups all messages arrive.

        `together`: what is passed on within it is stored in one transaction, or not at all.
        """
        self._bot = bot
        self._words = words
        self._receiver = receiver
        self._offset = offset
        self._alive = alive
        self._hearing = hearing or Hearing()
        self._together = together
        self._background = BackgroundCalls()
        self._owed: list[tuple[int, Callable[[], Coroutine[Any, Any, object]]]] = []
        self._next_beat = 0.0
        self._beat: asyncio.Task[None] | None = None
        self._silences: list[float | None] = []
        self._turn = turn
        self._next: int | None = None
        self._answered: float | None = None
        self._excused: set[int | ChatId] = set()

    async def run(self, shutdown: Shutdown) -> None:
        try:
            await self._poll(shutdown)
        finally:
            try:
                await self._background.aclose()
            finally:
                await self._last_beat()

    async def _poll(self, shutdown: Shutdown) -> None:
        attempts = 0
        while not shutdown.is_requested():
            try:
                wait = await self._once(shutdown)
                attempts = 0
            except (BotError, TelegramError) as error:
                attempts += 1
                wait = (
                    STORE_SECONDS if isinstance(error, BotError) else polling_wait(error, attempts)
                )
                log.warning("updates: %s; next try in %.0f s", error, wait)
            if wait:
                await shutdown.unless_requested(asyncio.sleep(wait))

    async def _once(self, shutdown: Shutdown) -> float:
        """Poll once and handle the updates. Returns the seconds to wait before the next poll."""
        if self._next is None:
            self._next = await self._offset.read()
        self._turn.begin()
        try:
            raws = await shutdown.unless_requested(
                self._bot.raw_updates(self._next, seconds=self._seconds())
            )
            if raws is None:
                return 0.0
            if not self._turn.may_take([int(raw["update_id"]) for raw in raws]):
                return 1.0
        except (Conflict, Overtaken) as conflict:
            if "webhook" in str(conflict):
                raise
            return self._turn.record_conflict()
        for position in range(0, len(raws), STORED_AT_ONCE):
            if shutdown.is_requested():
                return 0.0
            await self._take_some(raws[position:], shutdown)
        await self._heard()
        return 0.0

    def _seconds(self) -> float | None:
        """The first poll does not wait: a bot that is often killed still polls and beats soon."""
        if self._turn.disputed:
            return CALM
        return None if self._answered is not None else 0

    async def _take_some(self, raws: Sequence[dict[str, Any]], shutdown: Shutdown) -> None:
        """Store the first few in one transaction. Where that fails, store them one by one."""
        some = raws[:STORED_AT_ONCE]
        if len(some) > 1 and await self._taken_together(some):
            return
        for position, raw in enumerate(some):
            if shutdown.is_requested():
                return
            await self._take(raw, raws[position:])

    async def _taken_together(self, raws: Sequence[dict[str, Any]]) -> bool:
        numbers = [int(raw["update_id"]) for raw in raws]
        assert self._next is not None  # noqa: S101 - it was needed to ask
        if min(numbers) < self._next:
            return False
        try:
            async with self._together():
                for raw in raws:
                    await self._handle(raw)
                await self._offset.save(max(numbers) + 1)
        except TransientError:
            self._owed.clear()
            return False
        self._run()
        self._next = max(numbers) + 1
        return True

    def _run(self) -> None:
        """Send reactions and popups. Only after the commit: they say that a message was taken."""
        for update, call in self._owed:
            self._background.start(update, call())
        self._owed.clear()

    async def _take(self, raw: dict[str, Any], rest: Sequence[dict[str, Any]]) -> None:
        """Handle one update. The offset advances only after it is stored."""
        number = int(raw["update_id"])
        assert self._next is not None  # noqa: S101 - it was needed to ask
        try:
            if number < self._next - RECOUNTED:
                log.warning(
                    "update %d after %d: Telegram began a new series", number, self._next - 1
                )
                self._next = number
            after = max(self._next, number + 1)
            async with self._together():
                await self._handle(raw)
                await self._offset.save(after)
        except TransientError:
            self._owed.clear()
            for waiting in rest:
                await self._excuse(waiting)
            raise
        self._run()
        self._excused.clear()
        self._next = after

    async def _heard(self) -> None:
        """Store a heartbeat in the background, so that no message waits for it."""
        now = _since_boot()
        if now >= self._next_beat:
            await self._last_beat()
            self._silences.append(None if self._answered is None else now - self._answered)
            self._beat = asyncio.ensure_future(self._noted())
            self._next_beat = now + BEAT_SECONDS
        self._answered = now

    async def _last_beat(self) -> None:
        if self._beat is not None:
            await self._beat

    async def _noted(self) -> None:
        """Report the longest silence since the last heartbeat that was stored."""
        known = [silence for silence in self._silences if silence is not None]
        try:
            await self._alive(max(known) if len(known) == len(self._silences) else None)
        except BotError as error:
            log.warning("updates: the time of the last answer cannot be stored: %s", error)
        else:
            self._silences.clear()

    async def _handle(self, raw: dict[str, Any]) -> None:
        """Raises TransientError where the store fails: then the update is received again."""
        number = int(raw["update_id"])
        try:
            update = Update.de_json(raw, self._bot)
            if update.callback_query is not None:
                await self._press(update)
                return
            if (move := parse_move(update)) is not None:
                await self._receiver.moved(key_of(number), *move)
                return
            if update.my_chat_member is not None:
                self._hearing.note(update.my_chat_member)
            if (added := parse_added(update, self._hearing)) is not None:
                await self._receiver.added(added)
                return
            incoming = self._incoming(update)
            if incoming is not None:
                if await self._receiver.receive(incoming):
                    self._owed.append((number, partial(self._reaction, incoming)))
                return
        except TransientError:
            raise
        except Exception:  # an update that cannot be handled must not block the rest
            log.exception("Unhandled exception in update %d, which is skipped. %s", number, BUG)
        # If this cannot be stored either, the update may be received again after a restart.
        with guarded(f"update {number}"):
            await self._receiver.pass_over(key_of(number))

    def _incoming(self, update: Update) -> Incoming | None:
        return parse_message(update, self._hearing)

    async def _reaction(self, incoming: Incoming) -> None:
        await self._bot.set_message_reaction(
            number_of(incoming.place.chat), number_of(incoming.message), reaction=SEEN
        )

    async def _press(self, update: Update) -> None:
        press = parse_press(update)
        if press is None:
            await self._receiver.pass_over(key_of(update.update_id))
            return
        popup = self._popup(update, await self._receiver.press(press))
        self._owed.append((update.update_id, popup))

    def _popup(
        self, update: Update, answer: Text | None
    ) -> Callable[[], Coroutine[Any, Any, bool]]:
        query = update.callback_query
        assert query is not None  # noqa: S101 - the caller has checked
        words = self._words.popup(answer) or None
        return partial(self._bot.answer_callback_query, query.id, text=words)

    # -- while nothing can be stored ----------------------------------------------------

    async def _excuse(self, raw: dict[str, Any]) -> None:
        """Tell a chat once that nothing can be stored now. Best effort: never retried."""
        try:
            update = Update.de_json(raw, self._bot)
            async with asyncio.timeout(BACKGROUND_SECONDS):
                if update.callback_query is not None:
                    self._excuse_press(update)
                elif (incoming := self._incoming(update)) is not None:
                    await self._excuse_message(incoming)
        except Exception as error:  # noqa: BLE001 - best effort: the update is handled later
            log.info("update %s: cannot say that it was not stored: %s", raw["update_id"], error)

    async def _excuse_message(self, incoming: Incoming) -> None:
        chat = incoming.place.chat
        text = self._receiver.excuse(incoming) if chat not in self._excused else None
        if text is not None:
            self._excused.add(chat)
            chat_service = TelegramChat(self._bot, self._words)
            await chat_service.send(incoming.place, text, reply_to=incoming.message)

    def _excuse_press(self, update: Update) -> None:
        press = parse_press(update)
        if press is not None and update.update_id not in self._excused:
            self._excused.add(update.update_id)
            popup = self._popup(update, self._receiver.excuse_press(press))
            self._background.start(update.update_id, popup())


def _since_boot() -> float:
    """A monotonic clock in seconds that includes suspend time, where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
