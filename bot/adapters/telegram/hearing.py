"""In which groups the bot gets all messages, and not only commands to it and replies.

It does where it is an admin, and everywhere while its privacy mode is off:
https://core.telegram.org/bots/features#privacy-mode
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeAlias

from telegram import Bot, ChatMember, ChatMemberUpdated, TelegramObject

from bot.adapters.telegram.chat import translated
from bot.core.errors import BotError, ChatMovedError, RefusedError
from bot.core.ids import ChatId, number_of

log = logging.getLogger(__name__)
Moved: TypeAlias = Callable[[ChatId, ChatId], Awaitable[None]]

ASKED_EVERY: Final = 600.0
"""Seconds. Nothing tells the bot that its privacy mode was changed."""
_ADMIN: Final = frozenset({ChatMember.ADMINISTRATOR, ChatMember.OWNER})


class Hearing:
    def __init__(self) -> None:
        self._everywhere = False
        self._groups: set[int] = set()

    def of(self, chat: int) -> bool:
        """Whether the bot gets all messages of a chat, by Telegram's number. Private ones are > 0.

        False where it is not known.
        """
        return chat > 0 or self._everywhere or chat in self._groups

    def note(self, changed: ChatMemberUpdated) -> None:
        """An admin has changed what the bot may do in a group."""
        self._set(changed.chat.id, changed.new_chat_member)

    async def keep_asking(self, bot: Bot, chats: Collection[ChatId], moved: Moved) -> None:
        """Ask Telegram now and then. While it does not answer, what was known stays.

        `moved` stores the old and the new id of a group that became a supergroup. Its own message
        about that expires after a day, so a bot that was away learns it here.
        """
        while True:
            try:
                await self.ask(bot, chats, moved)
            except BotError as error:
                log.info("it is not known which messages of groups arrive: %s", error)
            await asyncio.sleep(ASKED_EVERY)

    async def ask(self, bot: Bot, chats: Collection[ChatId], moved: Moved) -> None:
        """Ask Telegram now. Raises TransientError, and what `moved` raises."""
        me = await translated(bot.get_me())
        self._everywhere = bool(me.can_read_all_group_messages)
        for chat in chats:
            try:
                await self._ask_of(bot, me.id, chat)
            except ChatMovedError as error:
                await moved(chat, error.chat)
                await self._ask_of(bot, me.id, error.chat)
            except RefusedError as refusal:  # the bot is in none of it: others are still asked
                log.info("chat %s: %s", chat, refusal)

    async def _ask_of(self, bot: Bot, me: int, chat: ChatId) -> None:
        group = number_of(chat)
        self._set(group, await translated(bot.get_chat_member(group, me)))

    def _set(self, group: int, member: TelegramObject) -> None:
        if getattr(member, "status", "") in _ADMIN:
            self._groups.add(group)
        else:
            self._groups.discard(group)
