"""Telegram as a service where people talk: what the others need to know of it."""

from typing import Final

from bot.core.ids import person_id

TELEGRAM: Final = "telegram"
ANONYMOUS_ADMIN: Final = person_id(TELEGRAM, 1087968824)
"""GroupAnonymousBot: Telegram's sender of all messages of anonymous admins."""
