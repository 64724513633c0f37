"""Finds out who the first admin is, and which chat is served: somebody sends a code in the group.

A public bot can be written to by anybody. So the first message proves nothing, but the code that
only the person at the terminal has seen does.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from telegram import Message, Update
from telegram.error import Conflict, TelegramError

from bot.adapters.telegram.chat import PollingBot, translated
from bot.core.errors import BotError, RefusedError
from bot.core.person_name import safe_name

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without the letters and digits that look alike."""
LENGTH: Final = 8
TIME: Final = timedelta(minutes=10)
TRIES: Final = 5
"""Wrong codes until the meeting ends: nobody shall guess."""
_POLL_SECONDS: Final = 10.0
_PAUSE: Final = 2.0
_COMMAND: Final = re.compile(r"/start(?:@(\w+))?\s+(\S{1,64})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Met:
    """Who sent the code, and where. `language`: the code of their app, such as `zh-hans`."""

    person: int
    name: str
    chat: int
    title: str
    language: str


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class FacelessError(BotError):
    """Nobody who can be known sent the code. Others have read it by now, so it proves nothing."""


class Meeting:
    """Waits for the code. `clock` returns seconds."""

    def __init__(
        self,
        bot: PollingBot,
        name: str,
        code: str,
        *,
        words: Callable[[str, str], str],
        clock: Callable[[], float],
    ) -> None:
        """`words`: what is said, by its key and the language of the person's app."""
        self._bot = bot
        self._name = name
        self._code = code
        self._clock = clock
        self._words = words
        self._wrong = 0
        self._trouble = ""

    async def wait(self) -> Met:
        """Who sent the code. Raises RefusedError where it does not come, and FacelessError."""
        end, offset = self._clock() + TIME.total_seconds(), 0
        while (left := end - self._clock()) > 0:
            for raw in await self._poll(offset, min(left, _POLL_SECONDS)):
                offset = raw["update_id"] + 1
                try:
                    met = await self._read(raw)
                except BotError:
                    await self._confirm(offset)
                    raise
                if met is not None:
                    await self._confirm(offset)
                    return met
        raise RefusedError(f"nobody sent the code within 10 minutes{self._trouble}: run init again")

    async def _poll(self, offset: int, seconds: float) -> list[dict[str, Any]]:
        try:
            updates: list[dict[str, Any]] = await translated(
                self._bot.raw_updates(offset, seconds=seconds)
            )
        except BotError as error:
            if isinstance(error.__cause__, Conflict):
                raise RefusedError(_taken(error.__cause__)) from error
            self._trouble = f". {error}"
            await asyncio.sleep(_PAUSE)
            return []
        self._trouble = ""
        return updates

    async def _confirm(self, offset: int) -> None:
        """Let no later poll get what was read: neither another wait nor the bot."""
        with suppress(BotError):
            await translated(self._bot.raw_updates(offset, seconds=0))

    async def _read(self, raw: dict[str, Any]) -> Met | None:
        try:
            message = Update.de_json(raw, self._bot).message
            text = (message.text or "").strip() if message else ""
        except (AttributeError, KeyError, TypeError, ValueError):  # of no documented shape
            return None
        found = _COMMAND.fullmatch(text)
        if (
            message is None
            or found is None
            or (found[1] or self._name).lower() != self._name.lower()
        ):
            return None
        if not secrets.compare_digest(found[2].upper().encode(), self._code.encode()):
            self._wrong += 1
            if self._wrong >= TRIES:
                raise RefusedError(f"{TRIES} wrong codes were sent: run init again")
            return None
        return await self._answered(message)

    async def _answered(self, message: Message) -> Met | None:
        """Tell the sender how to go on. None where the message does not say where."""
        user = message.from_user
        if message.sender_chat is not None or user is None or user.is_bot:
            await self._say(message, "init-faceless")
            raise FacelessError("who sent it is hidden, and others have read it: take another code")
        if message.chat.type not in {"group", "supergroup"}:
            await self._say(message, "init-not-here")
            return None
        await self._say(message, "init-met")
        return Met(
            person=user.id,
            name=safe_name(user.full_name),
            chat=message.chat.id,
            title=safe_name(message.chat.title or ""),
            language=user.language_code or "",
        )

    async def _say(self, message: Message, key: str) -> None:
        code = (message.from_user.language_code or "") if message.from_user else ""
        with suppress(BotError):  # the terminal tells how to go on, too
            await translated(
                self._bot.send_message(
                    message.chat.id,
                    self._words(key, code),
                    message_thread_id=message.message_thread_id,
                )
            )


def _taken(error: TelegramError) -> str:
    if "webhook" in error.message.lower():
        return "another program gets this bot's messages by a webhook: use a new bot, or end that"
    return "another program polls with this token: stop it, and run init again"
