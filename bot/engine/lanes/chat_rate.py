"""Rate limits of the messages that the bot sends to a chat. Limits of people: intake/rate_limit.py.

How many is the pace of the service (core/service.py). Only the last window is kept, in memory.
"""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.core.ids import ChatId, is_private
from bot.core.service import Pace

BURST_WINDOW: Final = timedelta(seconds=1)


class ChatRate:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._sent_in_all: deque[datetime] = deque()
        self._sent: dict[ChatId, deque[datetime]] = {}
        self._edited: dict[ChatId, datetime] = {}
        self._blocked: dict[ChatId, tuple[datetime, datetime]] = {}

    def block(self, chat: ChatId, now: datetime, until: datetime) -> None:
        """The service asked not to send to this chat from now until then."""
        self._blocked[chat] = now, until

    def can_send_anywhere(self, now: datetime) -> bool:
        """Whether a message may be sent to any chat at all."""
        return _count(self._sent_in_all, now, BURST_WINDOW) < self._pace.burst

    def can_send(self, chat: ChatId, now: datetime) -> bool:
        return self.can_send_anywhere(now) and not self._is_blocked(chat, now, self._pace.messages)

    def can_edit(self, chat: ChatId, now: datetime) -> bool:
        last = self._edited.get(chat)
        calm = last is None or not last <= now < last + self._pace.edit_interval
        return calm and self.has_room_for_card(chat, now)

    def has_room_for_card(self, chat: ChatId, now: datetime) -> bool:
        """Whether a card can be sent there without making a result wait."""
        room = _count(self._sent_in_all, now, BURST_WINDOW) < self._pace.edits
        return room and not self._is_blocked(chat, now, self._pace.cards)

    def blocked_chats(self, now: datetime) -> Collection[ChatId]:
        """The chats to which nothing may be sent now."""
        self._forget(now)
        return [
            chat
            for chat in {*self._sent, *self._blocked}
            if self._is_blocked(chat, now, self._pace.messages)
        ]

    def record_sent(self, chat: ChatId, now: datetime, *, edit: bool = False) -> None:
        self._sent_in_all.append(now)
        self._sent.setdefault(chat, deque()).append(now)
        if edit:
            self._edited[chat] = now

    def _is_blocked(self, chat: ChatId, now: datetime, most: int) -> bool:
        if chat in self._blocked and _is_within(self._blocked[chat], now):
            return True
        most *= self._pace.private_factor if is_private(chat) else 1
        return _count(self._sent.get(chat, deque()), now, self._pace.window) >= most

    def _forget(self, now: datetime) -> None:
        """Drop what is older than the window, or memory would grow with every chat."""
        self._sent = {
            chat: said for chat, said in self._sent.items() if _count(said, now, self._pace.window)
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
