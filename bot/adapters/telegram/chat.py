"""Calls to Telegram through python-telegram-bot: implements engine.ports.chat.Chat.

Sends, edits and downloads, and turns Telegram's errors into ours. It must not decide what is said
or when. polling.py receives updates, and transport.py is the HTTP below both.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NoReturn, cast

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    BotCommandScopeChatMember,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.adapters.network import Network
from bot.adapters.telegram import SERVICE, TELEGRAM
from bot.adapters.telegram.rendering import Rendered, TelegramWords
from bot.adapters.telegram.transport import BOUNDS, BoundedRequest, Bounds, OutOfReach, TooLarge
from bot.core.errors import BotError, ChatMovedError, RefusedError, TransientError
from bot.core.ids import (
    ChatId,
    MessageId,
    PersonId,
    Place,
    chat_id,
    message_id,
    number_of,
)
from bot.core.retry import TroubleKind, wait_after
from bot.dialog.message import ButtonKind, Text
from bot.engine.ports.chat import Document

log = logging.getLogger(__name__)

os.environ.setdefault("PTB_TIMEDELTA", "1")
"""Makes the library return times as timedelta. Its older way logs a warning at every use."""

WANTED: Final = ("message", "callback_query", "my_chat_member")
TOKEN_WAIT: Final = 30.0
LONGEST_WAIT: Final = 24 * 60 * 60.0
WHO: Final = "Telegram"
LARGEST: Final = 2**63 - 1
"""The largest integer that the database can store."""
_SHAPELESS: Final = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What the library raises on a response that is not of the documented shape."""
_LOST_TOPIC: Final = ("thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")
"""What Telegram says where a topic takes no message."""
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class PollingBot(Bot):
    """A Bot that returns raw updates: one that the library cannot parse must not block the rest."""

    def __init__(
        self, token: str, api: str, bounds: Bounds = BOUNDS, network: Network | None = None
    ) -> None:
        """`api` is the URL of the Bot API, the public one or that of a server of your own.

        `network`: None reads the environment.
        """
        network = network or Network()
        super().__init__(
            token,
            base_url=f"{api}/bot",
            base_file_url=f"{api}/file/bot",
            request=BoundedRequest(bounds, network=network, connections=8),
            get_updates_request=BoundedRequest(
                bounds, network=network, connections=1, poll=bounds.poll
            ),
        )
        self._poll_seconds = bounds.poll

    async def shutdown(self) -> None:
        """Close the connections. The library does so only where Telegram took the token."""
        await super().shutdown()
        for request in self._request:
            await request.shutdown()

    def __repr__(self) -> str:
        """The library's own __repr__ contains the token."""
        return f"{type(self).__name__}[]"

    async def raw_updates(
        self, offset: int, *, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """Updates from this number on, by one long poll of `seconds` or of the configured length.

        Raises TelegramError and its subclasses only. Entries without a number that can be stored
        are left out, and never confirmed. A response with only such entries raises TelegramError,
        since Telegram would repeat it at once.
        """
        patience = self._poll_seconds if seconds is None else int(seconds)
        asked = {"offset": offset, "timeout": patience, "allowed_updates": list(WANTED)}
        try:
            updates = await self._post("getUpdates", asked)
        except _SHAPELESS as error:
            raise TelegramError("Invalid server response") from error
        if not isinstance(updates, list):
            raise TelegramError("Invalid server response")
        read = [raw for raw in updates if _is_update(raw)]
        if odd := len(updates) - len(read):
            log.warning("updates: %d without a usable number were skipped", odd)
            if not read:
                raise TelegramError("Invalid server response")
        return read


def _is_update(raw: object) -> bool:
    """Whether its number can be stored, and the next number too."""
    return isinstance(raw, dict) and _is_number(raw.get("update_id"), most=LARGEST - 1)


def _is_number(found: object, *, least: int = 0, most: int = LARGEST) -> bool:
    return type(found) is int and least <= found <= most


class TelegramChat:
    service = SERVICE

    def __init__(self, bot: Bot, words: TelegramWords) -> None:
        self._bot = bot
        self._words = words

    async def send(
        self,
        place: Place,
        text: Text,
        *,
        reply_to: MessageId | None,
        key: str = "",  # noqa: ARG002 - Telegram does not show a bot what it sent
    ) -> MessageId:
        try:
            return await self._send(place, text, reply_to=reply_to)
        except RefusedError as refusal:
            if not _is_of_the_topic(place, refusal):
                raise
        # A reply would go into the topic again.
        return await self._send(Place(place.chat), text, reply_to=None)

    async def _send(self, place: Place, text: Text, *, reply_to: MessageId | None) -> MessageId:
        rendered = self._words.render(text.message, text.language)
        sent = await translated(
            self._bot.send_message(
                chat_id=number_of(place.chat),
                message_thread_id=place.thread,
                text=rendered.html,
                parse_mode=ParseMode.HTML,
                reply_markup=_markup(rendered),
                link_preview_options=_NO_PREVIEW,
                reply_parameters=_reply(reply_to),
            )
        )
        if not _is_number(sent.message_id, least=1):
            raise _unreadable(TelegramError("the message has no usable number"))
        return message_id(TELEGRAM, sent.message_id)

    async def edit(self, place: Place, message: MessageId, text: Text) -> None:
        rendered = self._words.render(text.message, text.language)
        try:
            await translated(
                self._bot.edit_message_text(
                    chat_id=number_of(place.chat),
                    message_id=number_of(message),
                    text=rendered.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_markup(rendered),
                    link_preview_options=_NO_PREVIEW,
                )
            )
        except RefusedError as refusal:
            if "not modified" not in str(refusal).lower():
                raise

    async def delete(self, place: Place, message: MessageId) -> None:
        try:
            await translated(self._bot.delete_message(number_of(place.chat), number_of(message)))
        except RefusedError as refusal:
            if "message to delete not found" not in str(refusal).lower():
                raise

    async def send_file(
        self,
        place: Place,
        document: Document,
        caption: Text,
        *,
        reply_to: MessageId | None,
        key: str = "",  # noqa: ARG002 - as above
    ) -> None:
        try:
            await self._send_file(place, document, caption, reply_to=reply_to)
        except RefusedError as refusal:
            if not _is_of_the_topic(place, refusal):
                raise
            await self._send_file(Place(place.chat), document, caption, reply_to=None)

    async def _send_file(
        self, place: Place, document: Document, caption: Text, *, reply_to: MessageId | None
    ) -> None:
        rendered = self._words.render(caption.message, caption.language)
        await translated(
            self._bot.send_document(
                chat_id=number_of(place.chat),
                message_thread_id=place.thread,
                document=InputFile(document.content, filename=document.name),
                caption=rendered.html,
                parse_mode=ParseMode.HTML,
                # With a detected content type, Telegram shows some files as pictures or music.
                disable_content_type_detection=True,
                reply_markup=_markup(rendered),
                reply_parameters=_reply(reply_to),
            )
        )

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        file = await translated(self._bot.get_file(file_id))
        if not (file.file_path and _is_number(file.file_size or 0)):
            raise _unreadable(TelegramError("the file has no path, or no usable size"))
        if (file.file_size or 0) > limit:
            raise RefusedError(f"the file has {file.file_size} bytes")
        content: bytearray = await translated(file.download_as_bytearray())
        if len(content) > limit:  # the declared size may be wrong
            raise RefusedError(f"the file has {len(content)} bytes")
        if file.file_size not in (None, len(content)):  # cut off, or another file
            raise _unreadable(TelegramError("the file has another size"))
        return bytes(content)


def _is_of_the_topic(place: Place, refusal: RefusedError) -> bool:
    """Whether the topic is closed or deleted, so that the main topic may take the message."""
    words = str(refusal).lower()
    return place.thread is not None and any(reason in words for reason in _LOST_TOPIC)


def _reply(message: MessageId | None) -> ReplyParameters | None:
    """A message deleted meanwhile does not prevent the answer."""
    if message is None:
        return None
    return ReplyParameters(number_of(message), allow_sending_without_reply=True)


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


async def translated(call: Awaitable[Any]) -> Any:
    """The answer to a call. Raises TransientError, RefusedError or ChatMovedError."""
    try:
        return await call
    except TelegramError as error:
        _raise_meaning(error)
    except _SHAPELESS as error:
        raise _unreadable(error) from error


def _raise_meaning(error: TelegramError) -> NoReturn:
    """Raise our error for one of the library. There, BadRequest is a subclass of NetworkError."""
    match error:
        case ChatMigrated() if _is_number(error.new_chat_id, least=-LARGEST):
            raise ChatMovedError(chat_id(TELEGRAM, error.new_chat_id)) from error
        case TooLarge():
            raise RefusedError(f"Telegram: {error.message}") from error
        case BadRequest() | Forbidden() | InvalidToken() if _is_of_a_gateway(error):
            raise _unreadable(error) from error
        case BadRequest() | Forbidden():
            raise RefusedError(f"Telegram: {error.message[:160]}") from error
        case _:
            raise _temporary(error) from error


def _is_of_a_gateway(error: TelegramError) -> bool:
    """Whether a proxy or gateway refused, since the body could not be parsed.

    The library raises InvalidToken once more, because of the first one.
    """
    return not isinstance(error.__cause__, InvalidToken | None)


def _temporary(error: TelegramError) -> TransientError:
    match error:
        case RetryAfter():
            return TransientError(
                "Telegram asks to wait", kind=TroubleKind.BUSY, who=WHO, retry_after=_seconds(error)
            )
        case InvalidToken():
            text = "Telegram does not accept the bot's token; check TELEGRAM_TOKEN"
            return TransientError(
                text, kind=TroubleKind.LOCKED_OUT, who=WHO, retry_after=TOKEN_WAIT
            )
        case TimedOut():
            kind, text = TroubleKind.SILENT, "Telegram did not answer in time"
        case OutOfReach():
            more = f": {error.proxy}" if error.proxy else ""
            kind, text = TroubleKind.UNREACHABLE, f"Telegram is out of reach{more}"
        case NetworkError() if "too many requests" in error.message.lower():
            kind, text = TroubleKind.BUSY, "Telegram asks to wait"
        case NetworkError():
            kind, text = TroubleKind.FAULTY, f"Telegram is in trouble: {error.message[:80]}"
        case _:
            return _unreadable(error)
    return TransientError(text, kind=kind, who=WHO, unclear=True)


def _unreadable(error: Exception) -> TransientError:
    text = f"Telegram's answer cannot be read ({type(error).__name__})"
    return TransientError(text, kind=TroubleKind.UNREADABLE, who=WHO, unclear=True)


def _seconds(error: RetryAfter) -> float:
    return min(cast("timedelta", error.retry_after).total_seconds(), LONGEST_WAIT)


def polling_wait(error: Exception, attempts: int) -> float:
    if isinstance(error, RetryAfter):
        return _seconds(error)
    return min(30.0, wait_after(attempts, seed="updates").total_seconds())


@dataclass(frozen=True, slots=True)
class Menu:
    """Rows of (name, words). `language` is a code of two letters, None for other languages."""

    language: str | None
    everybody: Sequence[tuple[str, str]]
    admins: Sequence[tuple[str, str]]


async def set_menus(
    bot: Bot,
    *,
    menus: Sequence[Menu],
    chats: Collection[ChatId],
    admin_ids: Collection[PersonId],
) -> None:
    """Set the command menus: one for everybody, and a longer one for each admin.

    A menu is a convenience, so a failure is logged and nothing is raised.
    """
    try:
        for menu in menus:
            everybody = [BotCommand(*row) for row in menu.everybody]
            await translated(bot.set_my_commands(everybody, language_code=menu.language))
            rows = [BotCommand(*row) for row in menu.admins]
            for person in admin_ids:
                await _set_menu(bot, rows, BotCommandScopeChat(number_of(person)), menu.language)
                for chat in chats:
                    scope = BotCommandScopeChatMember(number_of(chat), number_of(person))
                    await _set_menu(bot, rows, scope, menu.language)
    except BotError as error:
        log.warning("the command menus are not set: %s", error)


async def _set_menu(
    bot: Bot,
    rows: Sequence[BotCommand],
    scope: BotCommandScopeChatMember | BotCommandScopeChat,
    language: str | None,
) -> None:
    try:
        await translated(bot.set_my_commands(rows, scope=scope, language_code=language))
    except RefusedError as error:  # an admin who is not in this chat, or never wrote to the bot
        log.info("no admin menu in one of the chats: %s", error)


async def ask_name(bot: Bot) -> str:
    """The bot's username, without the at-sign. Raises TransientError or RefusedError."""
    await translated(bot.initialize())
    return bot.username


async def introduce(bot: Bot) -> str:
    """The bot's username. Retries until Telegram answers."""
    attempts = 0
    while True:
        try:
            return await ask_name(bot)
        except BotError as error:
            attempts += 1
            wait = polling_wait(error, attempts)
            log.warning("%s; next try in %.0f s", error, wait)
            await asyncio.sleep(wait)
