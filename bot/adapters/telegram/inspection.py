"""What `check` asks Telegram: who the bot is, what stands in its way, and who is in which chat.

It must only read. A running bot may poll meanwhile: none of these calls ends its poll.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from telegram import Bot, ChatMember, ChatMemberRestricted
from telegram.constants import ChatAction, ChatMemberStatus, ChatType

from bot.adapters.telegram.chat import translated
from bot.core.errors import RefusedError
from bot.core.ids import ChatId, PersonId, number_of


@dataclass(frozen=True, slots=True)
class BotFacts:
    """`hears_all`: privacy mode is off, so every message of a group reaches the bot."""

    name: str
    number: int
    hears_all: bool


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """`is_group`: people and bots may write there. `writes` and `sends_files`: all members may."""

    title: str
    is_group: bool
    writes: bool = True
    sends_files: bool = True


class Standing(StrEnum):
    """What somebody is in a chat."""

    ADMIN = "admin"
    MEMBER = "member"
    FILELESS = "fileless"
    """A member who may write, and send no files."""
    MUTED = "muted"
    OUTSIDE = "outside"
    BOT = "bot"


_STANDING: Final = {
    ChatMemberStatus.OWNER.value: Standing.ADMIN,
    ChatMemberStatus.ADMINISTRATOR.value: Standing.ADMIN,
    ChatMemberStatus.MEMBER.value: Standing.MEMBER,
}
_GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
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

    async def chat(self, chat: ChatId) -> ChatFacts:
        found = await translated(self._bot.get_chat(number_of(chat)))
        rights = found.permissions
        return ChatFacts(
            str(found.title or found.full_name or ""),
            is_group=found.type in _GROUPS,
            writes=rights is None or rights.can_send_messages is not False,
            sends_files=rights is None or rights.can_send_documents is not False,
        )

    async def own_standing(self, chat: ChatId, facts: ChatFacts, me: BotFacts) -> Standing:
        """What the bot is there, by the rights of all members too."""
        standing = _standing(await self._member(chat, me.number))
        if standing is Standing.MEMBER and not facts.writes:
            return Standing.MUTED
        return (
            Standing.FILELESS if standing is Standing.MEMBER and not facts.sends_files else standing
        )

    async def standing_of(self, chat: ChatId, person: PersonId) -> Standing:
        found = await self._member(chat, number_of(person))
        return Standing.BOT if found is not None and found.user.is_bot else _standing(found)

    async def try_private(self, person: PersonId) -> None:
        """Raises RefusedError where the bot may not write to the person. Nothing is sent."""
        await translated(self._bot.send_chat_action(number_of(person), ChatAction.TYPING))

    async def _member(self, chat: ChatId, person: int) -> ChatMember | None:
        try:
            found: ChatMember = await translated(self._bot.get_chat_member(number_of(chat), person))
        except RefusedError as refusal:
            if any(words in str(refusal).lower() for words in _UNKNOWN_PERSON):
                return None
            raise
        return found


def _standing(found: ChatMember | None) -> Standing:
    if found is None:
        return Standing.OUTSIDE
    if isinstance(found, ChatMemberRestricted):
        if not found.is_member:
            return Standing.OUTSIDE
        if not found.can_send_messages:
            return Standing.MUTED
        return Standing.MEMBER if found.can_send_documents else Standing.FILELESS
    return _STANDING.get(str(found.status), Standing.OUTSIDE)
