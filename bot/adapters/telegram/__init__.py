"""Telegram as a service where people talk: what the others need to know of it."""

from datetime import timedelta
from typing import Final

from bot.core.ids import person_id
from bot.core.service import Cuts, Pace, Room, Service

TELEGRAM: Final = "telegram"
ANONYMOUS_ADMIN: Final = person_id(TELEGRAM, 1087968824)
"""GroupAnonymousBot: Telegram's sender of all messages of anonymous admins."""
PACE: Final = Pace(
    messages=19,
    cards=14,
    private_factor=3,
    edit_interval=timedelta(seconds=3),
    burst=25,
    edits=20,
)
"""Telegram allows a bot about 20 messages per minute in a group, one per second in a private chat
and 30 per second in all. Edits count as messages:
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""
TEXT_LIMIT: Final = 4096
"""The limit of a message, in UTF-16 code units after the tags are parsed. Apps cut longer texts.

https://core.telegram.org/bots/api#sendmessage
"""
COPY_LIMIT: Final = 256
"""The limit of a copy button's text: https://core.telegram.org/bots/api#copytextbutton"""
SERVICE: Final = Service(
    name=TELEGRAM,
    title="Telegram",
    pace=PACE,
    room=Room(characters=4000, copied=COPY_LIMIT),
    cuts=Cuts(at=TEXT_LIMIT, looked_at=300, possible_from=2048, likely_from=3700),
    # https://core.telegram.org/bots/api#getting-updates
    keeps=timedelta(hours=24),
    # https://core.telegram.org/bots/api#deletemessage
    deletes=timedelta(hours=48),
)
