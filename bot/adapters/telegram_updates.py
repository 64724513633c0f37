"""Updates from Telegram: asks for them, one at a time, and tells what each message holds.

It polls by itself, since the library's own polling confirms updates before they are handled and
loses them at a kill: here one update is handled and stored, and only then the offset moves on.
What a message means is decided elsewhere.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from telegram import MaybeInaccessibleMessage, Update
from telegram import Message as TelegramMessage
from telegram.error import TelegramError

from bot.adapters.telegram import PollingBot, polling_wait
from bot.core.facts import ChatId, MessageId, Person, PersonId, Place
from bot.engine.case import Attachment, Incoming, Press
from bot.errors import BotError, Temporary

log = logging.getLogger(__name__)

COURTESY_SECONDS: Final = 5.0
COURTESIES_AT_ONCE: Final = 4
MOST_COURTESIES: Final = 200
BEAT_SECONDS: Final = 5.0
"""At most so often it is noted that we are alive: each time costs a write."""
SEEN: Final = "👀"
NAME_LIMIT: Final = 120


class Receiver(Protocol):
    """What the polling hands updates to; see engine/intake.py."""

    async def receive(self, incoming: Incoming) -> bool: ...
    async def moved(self, update: int, old: ChatId, new: ChatId) -> None: ...
    async def press(self, press: Press) -> str: ...
    async def pass_over(self, update: int) -> None: ...


class Courtesies:
    """Small answers that no update waits for: beside the polling, a few at a time, tried once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(COURTESIES_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def owe(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        if len(self._tasks) >= MOST_COURTESIES:
            call.close()
            return
        task = asyncio.create_task(self._pay(update, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pay(self, update: int, call: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._places, asyncio.timeout(COURTESY_SECONDS):
                await call
        except (TelegramError, TimeoutError) as error:  # too old by now: the card says it too
            log.info("update %d: no reaction, no popup: %s", update, error)
        finally:
            call.close()

    async def aclose(self) -> None:
        """What was begun is brought to its end, within bounds."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=COURTESY_SECONDS)
            for task in late:
                task.cancel()


class Polling:
    """Asks for updates and hands them on, one at a time, for as long as it runs."""

    def __init__(
        self,
        *,
        bot: PollingBot,
        receiver: Receiver,
        next_update: Callable[[], Awaitable[int]],
        alive: Callable[[], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._receiver = receiver
        self._next_update = next_update
        self._alive = alive
        self._courtesies = Courtesies()
        self._next_beat = 0.0

    async def run(self) -> None:
        try:
            await self._poll()
        finally:
            await self._courtesies.aclose()

    async def _poll(self) -> None:
        attempts = 0
        while True:
            try:
                await self._once()
                attempts = 0
            except (BotError, TelegramError) as error:
                attempts += 1
                wait = polling_wait(error, attempts)
                log.warning("updates: %s; next try in %.0f s", error, wait)
                await asyncio.sleep(wait)

    async def _once(self) -> None:
        offset = await self._next_update()
        for raw in await self._bot.raw_updates(offset):
            await self._handle(raw)
        now = asyncio.get_running_loop().time()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            await self._alive()

    async def _handle(self, raw: dict[str, Any]) -> None:
        """Hand one update on. Only trouble of our own store makes it come again."""
        number = int(raw["update_id"])
        try:
            update = Update.de_json(raw, self._bot)
            if update.callback_query is not None:
                await self._press(update)
                return
            if (move := _move(update)) is not None:
                await self._receiver.moved(number, *move)
                return
            incoming = _incoming(update)
            if incoming is not None:
                if await self._receiver.receive(incoming):
                    self._courtesies.owe(number, self._reaction(incoming))
                return
        except Temporary:
            raise
        except Exception:  # two of two: an update that we cannot handle must not block the rest
            log.exception("update %d cannot be handled and is passed over", number)
        await self._receiver.pass_over(number)

    async def _reaction(self, incoming: Incoming) -> None:
        await self._bot.set_message_reaction(incoming.place.chat, incoming.message, reaction=SEEN)

    async def _press(self, update: Update) -> None:
        query = update.callback_query
        assert query is not None  # noqa: S101 - the caller looked
        if query.message is None:  # a button of an inline message: we never send any
            await self._receiver.pass_over(update.update_id)
            return
        user = query.from_user
        press = Press(
            update=update.update_id,
            person=Person(PersonId(user.id), user.full_name, user.language_code or ""),
            place=Place(ChatId(query.message.chat.id), _topic(query.message)),
            message=MessageId(query.message.message_id),
            data=query.data or "",
        )
        answer = await self._receiver.press(press)
        popup = self._bot.answer_callback_query(query.id, text=answer or None)
        self._courtesies.owe(update.update_id, popup)


def _incoming(update: Update) -> Incoming | None:
    """A message that may hold a command; None for what never starts anything."""
    message = update.message
    if message is None or message.from_user is None or message.forward_origin or message.via_bot:
        return None
    text = message.text or message.caption or ""
    if not text.lstrip().startswith("/"):
        return None
    user = message.from_user
    return Incoming(
        update=update.update_id,
        person=Person(PersonId(user.id), user.full_name, user.language_code or ""),
        place=Place(ChatId(message.chat.id), _topic(message)),
        message=MessageId(message.message_id),
        text=text,
        faceless=message.sender_chat is not None,
        file=_attachment(message),
        quoted=_quoted(message),
        quoted_file=_attachment(message.reply_to_message),
    )


def _quoted(message: TelegramMessage) -> str:
    """The part that the person marked when replying, else all of the answered message.

    Of a message with a file the file is meant, unless a part of its caption was marked.
    """
    if message.quote is not None and message.quote.is_manual:
        return message.quote.text
    answered = message.reply_to_message
    if answered is None or answered.document is not None:
        return ""
    return answered.text or answered.caption or ""


def _attachment(message: TelegramMessage | None) -> Attachment | None:
    document = message.document if message is not None else None
    if document is None:
        return None
    name = (document.file_name or "file")[:NAME_LIMIT]
    return Attachment(document.file_id, name, document.file_size or 0)


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    """The thread id of a plain chain of replies is no topic: answers must not name it."""
    if not isinstance(message, TelegramMessage) or not message.is_topic_message:
        return None
    return message.message_thread_id


def _move(update: Update) -> tuple[ChatId, ChatId] | None:
    """The old and the new id of a group that became a supergroup; both sides announce it."""
    message = update.message
    if message is None:
        return None
    if message.migrate_to_chat_id is not None:
        return ChatId(message.chat.id), ChatId(message.migrate_to_chat_id)
    if message.migrate_from_chat_id is not None:
        return ChatId(message.migrate_from_chat_id), ChatId(message.chat.id)
    return None
