"""Finds out who the first admin is, and which chat is served: somebody sends a code in the group.

A public bot can be written to by anybody. So the first message proves nothing, but the code that
only the person at the terminal has seen does.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from telegram import Message, Update
from telegram.error import TelegramError

from bot.adapters.telegram.chat import PollingBot
from bot.core.errors import RefusedError
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


class Meeting:
    """Waits for the code. `clock` returns seconds. Raises RefusedError where it does not come."""

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

    async def wait(self) -> Met:
        end, offset = self._clock() + TIME.total_seconds(), 0
        while (left := end - self._clock()) > 0:
            try:
                updates = await self._bot.raw_updates(offset, seconds=min(left, _POLL_SECONDS))
            except TelegramError as error:
                await asyncio.sleep(_PAUSE)
                if "terminated by other" in str(error):
                    raise RefusedError("another program polls with this token: stop it") from error
                continue
            for raw in updates:
                offset = raw["update_id"] + 1
                if (met := await self._read(raw)) is not None:
                    return met
        raise RefusedError("nobody sent the code within 10 minutes: run init again")

    async def _read(self, raw: dict[str, object]) -> Met | None:
        try:
            update = Update.de_json(raw, self._bot)
        except (AttributeError, KeyError, TypeError, ValueError):  # of no documented shape
            return None
        message = update.message
        found = _COMMAND.fullmatch((message.text or "").strip()) if message else None
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
        """Tell the sender how to go on. None where the message does not say who, or where."""
        user = message.from_user
        if message.sender_chat is not None or user is None or user.is_bot:
            await self._say(message, "init-faceless")
            return None
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
        try:
            await self._bot.send_message(
                message.chat.id,
                self._words(key, code),
                message_thread_id=message.message_thread_id,
            )
        except TelegramError:  # the terminal tells how to go on, too
            return
