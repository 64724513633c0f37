"""Rate limits of the messages that the bot sends to a chat. Limits of people: intake/rate_limit.py.

Telegram allows a bot about 20 messages per minute in a group, one per second in a private chat and
30 per second in all. Edits count as messages
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). Cards may not use
all of it, so that a result never waits for an edit. Only the last minute is kept, in memory.
"""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.core.ids import ChatId, is_private

CHAT_WINDOW: Final = timedelta(seconds=60)
MESSAGES_PER_WINDOW: Final = 19
CARDS_PER_WINDOW: Final = 14
"""How many of MESSAGES_PER_WINDOW may be cards."""
PRIVATE_CHAT_FACTOR: Final = 3
"""How many times as many messages a private chat may get as a group."""
EDIT_INTERVAL: Final = timedelta(seconds=3)
BURST_WINDOW: Final = timedelta(seconds=1)
MESSAGES_PER_BURST: Final = 25
"""Messages in one BURST_WINDOW to all chats. Edits leave room for messages that are sent once."""
EDITS_PER_BURST: Final = 20


class ChatRate:
    def __init__(self) -> None:
        self._sent_in_all: deque[datetime] = deque()
        self._sent: dict[ChatId, deque[datetime]] = {}
        self._edited: dict[ChatId, datetime] = {}
        self._blocked: dict[ChatId, tuple[datetime, datetime]] = {}

    def block(self, chat: ChatId, now: datetime, until: datetime) -> None:
        """The service asked not to send to this chat from now until then."""
        self._blocked[chat] = now, until

    def can_send_anywhere(self, now: datetime) -> bool:
        """Whether a message may be sent to any chat at all."""
        return _count(self._sent_in_all, now, BURST_WINDOW) < MESSAGES_PER_BURST

    def can_send(self, chat: ChatId, now: datetime) -> bool:
        return self.can_send_anywhere(now) and not self._is_blocked(chat, now, MESSAGES_PER_WINDOW)

    def can_edit(self, chat: ChatId, now: datetime) -> bool:
        last = self._edited.get(chat)
        calm = last is None or not last <= now < last + EDIT_INTERVAL
        return calm and self.has_room_for_card(chat, now)

    def has_room_for_card(self, chat: ChatId, now: datetime) -> bool:
        """Whether a card can be sent there without making a result wait."""
        room = _count(self._sent_in_all, now, BURST_WINDOW) < EDITS_PER_BURST
        return room and not self._is_blocked(chat, now, CARDS_PER_WINDOW)

    def blocked_chats(self, now: datetime) -> Collection[ChatId]:
        """The chats to which nothing may be sent now."""
        self._forget(now)
        return [
            chat
            for chat in {*self._sent, *self._blocked}
            if self._is_blocked(chat, now, MESSAGES_PER_WINDOW)
        ]

    def record_sent(self, chat: ChatId, now: datetime, *, edit: bool = False) -> None:
        self._sent_in_all.append(now)
        self._sent.setdefault(chat, deque()).append(now)
        if edit:
            self._edited[chat] = now

    def _is_blocked(self, chat: ChatId, now: datetime, most: int) -> bool:
        if chat in self._blocked and _is_within(self._blocked[chat], now):
            return True
        most *= PRIVATE_CHAT_FACTOR if is_private(chat) else 1
        return _count(self._sent.get(chat, deque()), now, CHAT_WINDOW) >= most

    def _forget(self, now: datetime) -> None:
        """Drop what is older than the window, or memory would grow with every chat."""
        self._sent = {
            chat: said for chat, said in self._sent.items() if _count(said, now, CHAT_WINDOW)
        }
        self._edited = {chat: at for chat, at in self._edited.items() if chat in self._sent}
        self._blocked = {
            chat: held for chat, held in self._blocked.items() if _is_within(held, now)
        }


def _is_within(held: tuple[datetime, datetime], now: datetime) -> bool:
    """Whether a block applies. If it begins in the future, the clock was set back: it does not."""
    begin, end = held
    return begin <= now < end


def _count(said: deque[datetime], now: datetime, window: timedelta) -> int:
    """How many times are within the window. Times in the future (clock set back) are dropped."""
    while said and not now - window < said[0] <= now:
        said.popleft()
    return len(said)
