"""Telegram through python-telegram-bot: implements engine.ports.Chat, and polls for updates.

The only module that knows Telegram. It polls by itself, since the library's own polling
confirms updates before they are handled and loses them at a kill: here one update is handled
and stored, and only then the offset moves on. What a message means is decided elsewhere.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NoReturn, Protocol, cast

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    BotCommandScopeChatMember,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
    Update,
)
from telegram import Message as TelegramMessage
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.core.backoff import wait_after
from bot.core.facts import ChatId, MessageId, Person, PersonId, Place
from bot.core.message import ButtonKind, Rendered
from bot.engine.intake import Incoming, Press
from bot.errors import BotError, Refused, Temporary

log = logging.getLogger(__name__)

os.environ.setdefault("PTB_TIMEDELTA", "1")
"""Times of the library as timedelta: its older way warns at every use."""

POLL_SECONDS: Final = 30
READ_SECONDS: Final = 20
"""Longer than the library's 5: a send that is given up may have arrived, and would be repeated."""
WANTED: Final = ("message", "callback_query")
CONFLICT_WAIT: Final = 5.0
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class PollingBot(Bot):
    """Bot with updates as they come: one that the library cannot read must not stop the rest."""

    async def raw_updates(self, offset: int) -> list[dict[str, Any]]:
        updates = await self._post(
            "getUpdates",
            {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": list(WANTED)},
            read_timeout=POLL_SECONDS + READ_SECONDS,
        )
        listed = updates if isinstance(updates, list) else []
        return [raw for raw in listed if isinstance(raw.get("update_id"), int)]


def make_bot(token: str, api: str) -> PollingBot:
    """A bot for the Bot API at `api`, the public one or a server of one's own."""
    return PollingBot(
        token,
        base_url=f"{api}/bot",
        base_file_url=f"{api}/file/bot",
        request=HTTPXRequest(connection_pool_size=8, read_timeout=READ_SECONDS, pool_timeout=10),
        get_updates_request=HTTPXRequest(connection_pool_size=1),
    )


class TelegramChat:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send(self, place: Place, text: Rendered, *, reply_to: MessageId | None) -> MessageId:
        sent = await _asked(
            self._bot.send_message(
                chat_id=place.chat,
                message_thread_id=place.thread,
                text=text.html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(text),
                link_preview_options=_NO_PREVIEW,
                # The command may have been deleted meanwhile: the answer comes all the same.
                reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True)
                if reply_to is not None
                else None,
            )
        )
        return MessageId(sent.message_id)

    async def edit(self, place: Place, message: MessageId, text: Rendered) -> None:
        try:
            await _asked(
                self._bot.edit_message_text(
                    chat_id=place.chat,
                    message_id=message,
                    text=text.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_markup(text),
                    link_preview_options=_NO_PREVIEW,
                )
            )
        except Refused as refusal:
            if "not modified" not in str(refusal).lower():
                raise


def _markup(text: Rendered) -> InlineKeyboardMarkup | None:
    if not text.buttons:
        return None
    return InlineKeyboardMarkup([[_button(*button) for button in row] for row in text.buttons])


def _button(label: str, kind: ButtonKind, value: str) -> InlineKeyboardButton:
    match kind:
        case ButtonKind.CALLBACK:
            return InlineKeyboardButton(label, callback_data=value)
        case ButtonKind.COPY:
            return InlineKeyboardButton(label, copy_text=CopyTextButton(value))
        case ButtonKind.URL:
            return InlineKeyboardButton(label, url=value)


async def _asked(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except TelegramError as error:
        _raise_meaning(error)


def _raise_meaning(error: TelegramError) -> NoReturn:
    """The library's tree, put right: there a refusal counts as a network error."""
    match error:
        case RetryAfter():
            raise Temporary("Telegram asks to wait", retry_after=_seconds(error)) from error
        case BadRequest() | Forbidden() | ChatMigrated():
            raise Refused(f"Telegram: {error.message[:160]}") from error
        case InvalidToken():
            raise Temporary(
                "Telegram does not accept the bot's token; check TELEGRAM_TOKEN", retry_after=30
            ) from error
        case TimedOut():
            raise Temporary("Telegram did not answer in time", unclear=True) from error
        case NetworkError():
            raise Temporary("Telegram is out of reach", unclear=True) from error
        case _:
            raise Temporary(f"Telegram: {error.message[:160]}", unclear=True) from error


def _seconds(error: RetryAfter) -> float:
    return cast("timedelta", error.retry_after).total_seconds()


class Receiver(Protocol):
    """What the polling hands updates to; see engine/intake.py."""

    async def receive(self, incoming: Incoming) -> None: ...
    async def press(self, press: Press) -> str: ...
    async def pass_over(self, update: int) -> None: ...


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

    async def run(self) -> None:
        attempts = 0
        while True:
            try:
                await self._once()
                attempts = 0
            except (BotError, TelegramError) as error:
                attempts += 1
                wait = _polling_wait(error, attempts)
                log.warning("updates: %s; next try in %.0f s", error, wait)
                await asyncio.sleep(wait)

    async def _once(self) -> None:
        offset = await self._next_update()
        for raw in await self._bot.raw_updates(offset):
            await self._handle(raw)
        await self._alive()

    async def _handle(self, raw: dict[str, Any]) -> None:
        """Hand one update on. Only trouble of our own store makes it come again."""
        number = int(raw["update_id"])
        try:
            update = Update.de_json(raw, self._bot)
            if update.callback_query is not None:
                await self._press(update)
                return
            incoming = _incoming(update)
            if incoming is not None:
                await self._receiver.receive(incoming)
                return
        except BotError:
            raise
        except Exception:  # two of two: an update that we cannot handle must not block the rest
            log.exception("update %d cannot be handled and is passed over", number)
        await self._receiver.pass_over(number)

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
            place=Place(ChatId(query.message.chat.id)),
            data=query.data or "",
        )
        answer = await self._receiver.press(press)
        try:
            await self._bot.answer_callback_query(query.id, text=answer or None)
        except TelegramError as error:  # too old by now; the card shows what came of it
            log.info("update %d: the press cannot be answered: %s", update.update_id, error)


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
    )


def _topic(message: TelegramMessage) -> int | None:
    """The thread id of a plain chain of replies is no topic: answers must not name it."""
    return message.message_thread_id if message.is_topic_message else None


def _polling_wait(error: Exception, attempts: int) -> float:
    if isinstance(error, Conflict):  # another instance polls with our token
        return CONFLICT_WAIT
    if isinstance(error, RetryAfter):
        return _seconds(error)
    return min(30.0, wait_after(attempts, seed="updates").total_seconds())


async def set_menus(
    bot: Bot,
    *,
    everybody: Sequence[tuple[str, str]],
    admins: Sequence[tuple[str, str]],
    chats: Collection[ChatId],
    admin_ids: Iterable[PersonId],
) -> None:
    """The command menus: (name, words) for everybody, and a longer one for each admin.

    A menu is a convenience: a chat that does not take it is logged and passed over.
    """
    try:
        await bot.set_my_commands([BotCommand(*row) for row in everybody])
        rows = [BotCommand(*row) for row in admins]
        for person in admin_ids:
            await _set_menu(bot, rows, BotCommandScopeChat(person))
            for chat in chats:
                await _set_menu(bot, rows, BotCommandScopeChatMember(chat, person))
    except TelegramError as error:
        log.warning("the command menus are not set: %s", error)


async def _set_menu(
    bot: Bot, rows: Sequence[BotCommand], scope: BotCommandScopeChatMember | BotCommandScopeChat
) -> None:
    try:
        await bot.set_my_commands(rows, scope=scope)
    except BadRequest as error:  # an admin who is not in this chat, or never wrote to the bot
        log.info("no admin menu for %s: %s", scope.chat_id, error)


async def ask_name(bot: Bot) -> str:
    """The bot's own name, without the at-sign. Raises Temporary."""
    await _asked(bot.initialize())
    return bot.username


async def introduce(bot: Bot) -> str:
    """The bot's own name, asked for until Telegram answers."""
    attempts = 0
    while True:
        try:
            return await ask_name(bot)
        except BotError as error:
            attempts += 1
            wait = _polling_wait(error, attempts)
            log.warning("%s; next try in %.0f s", error, wait)
            await asyncio.sleep(wait)
