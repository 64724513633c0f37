"""What `check` asks Telegram: who the bot is, what stands in its way, and who is in which chat.

It must only read. A running bot may poll meanwhile: none of these calls ends its poll.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from telegram import Bot, ChatMember, ChatMemberRestricted
from telegram.constants import ChatMemberStatus

from bot.adapters.telegram.chat import translated
from bot.core.errors import RefusedError
from bot.core.ids import ChatId, PersonId, number_of


@dataclass(frozen=True, slots=True)
class BotFacts:
    """`hears_all`: privacy mode is off, so every message of a group reaches the bot."""

    name: str
    number: int
    hears_all: bool


class Standing(StrEnum):
    """What somebody is in a chat."""

    ADMIN = "admin"
    MEMBER = "member"
    MUTED = "muted"
    OUTSIDE = "outside"


_STANDING: Final = {
    ChatMemberStatus.OWNER.value: Standing.ADMIN,
    ChatMemberStatus.ADMINISTRATOR.value: Standing.ADMIN,
    ChatMemberStatus.MEMBER.value: Standing.MEMBER,
}
_UNKNOWN_PERSON: Final = ("participant_id_invalid", "user not found", "member not found")


class Inspection:
    """Each method raises TransientError, or RefusedError with Telegram's words."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def me(self) -> BotFacts:
        await translated(self._bot.initialize())
        found = self._bot.bot
        return BotFacts(
            str(found.username), found.id, hears_all=bool(found.can_read_all_group_messages)
        )

    async def webhook(self) -> str:
        """The address that gets the updates instead of a poll. Empty where there is none."""
        found = await translated(self._bot.get_webhook_info())
        return str(found.url)

    async def title(self, chat: ChatId) -> str:
        found = await translated(self._bot.get_chat(number_of(chat)))
        return str(found.title or found.full_name or "")

    async def standing(self, chat: ChatId, person: int) -> Standing:
        try:
            found = await translated(self._bot.get_chat_member(number_of(chat), person))
        except RefusedError as refusal:
            if any(words in str(refusal).lower() for words in _UNKNOWN_PERSON):
                return Standing.OUTSIDE
            raise
        return _standing(found)

    async def standing_of(self, chat: ChatId, person: PersonId) -> Standing:
        return await self.standing(chat, number_of(person))


def _standing(found: ChatMember) -> Standing:
    if isinstance(found, ChatMemberRestricted):
        if not found.is_member:
            return Standing.OUTSIDE
        return Standing.MEMBER if found.can_send_messages else Standing.MUTED
    return _STANDING.get(str(found.status), Standing.OUTSIDE)
