"""How fast a chat may be spoken to. Knows no chat service, only times.

Telegram allows a bot about 20 messages a minute in a group and one a second in a private chat,
and edits count as messages
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). Cards leave
room, so that a result never waits behind an edit. Kept in memory: after a restart the
service's own "retry after" is obeyed.
"""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Final

from bot.core.facts import ChatId

WINDOW: Final = timedelta(seconds=60)
MESSAGES: Final = 19
CARDS: Final = 14
"""Of MESSAGES, how many may be cards."""
IN_PRIVATE: Final = 3
"""So many times as much may be said to one person as to a group."""
BETWEEN_EDITS: Final = timedelta(seconds=3)


class Pace:
    def __init__(self) -> None:
        self._said: defaultdict[ChatId, deque[datetime]] = defaultdict(deque)
        self._edited: dict[ChatId, datetime] = {}
        self._held: dict[ChatId, datetime] = {}

    def hold(self, chat: ChatId, until: datetime) -> None:
        """The service asked for silence in this chat until then."""
        self._held[chat] = until

    def may_say(self, chat: ChatId, now: datetime, *, card: bool = False) -> bool:
        if now < self._held.get(chat, now):
            return False
        said = self._said[chat]
        while said and said[0] <= now - WINDOW:
            said.popleft()
        return len(said) < (CARDS if card else MESSAGES) * (IN_PRIVATE if chat > 0 else 1)

    def may_edit(self, chat: ChatId, now: datetime) -> bool:
        last = self._edited.get(chat)
        calm = last is None or now - last >= BETWEEN_EDITS
        return calm and self.may_say(chat, now, card=True)

    def said(self, chat: ChatId, now: datetime, *, edit: bool = False) -> None:
        self._said[chat].append(now)
        if edit:
            self._edited[chat] = now
