"""How fast a chat may be spoken to. Knows no chat service, only times.

Telegram allows a bot about 20 messages a minute in a group, one a second in a private chat and
30 a second in all, and edits count as messages
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). Cards leave
room, so that a result never waits behind an edit. Kept in memory, of the last minute alone:
after a restart the service's own "retry after" is obeyed.
"""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.core.ids import ChatId

WINDOW: Final = timedelta(seconds=60)
MESSAGES: Final = 19
CARDS: Final = 14
"""Of MESSAGES, how many may be cards."""
IN_PRIVATE: Final = 3
"""So many times as much may be said to one person as to a group."""
BETWEEN_EDITS: Final = timedelta(seconds=3)
MOMENT: Final = timedelta(seconds=1)
IN_ALL: Final = 25
"""In a moment, over all chats. Edits leave some of it to what is said once."""
EDITS_IN_ALL: Final = 20


class ChatRate:
    def __init__(self) -> None:
        self._lately: deque[datetime] = deque()
        self._said: dict[ChatId, deque[datetime]] = {}
        self._edited: dict[ChatId, datetime] = {}
        self._held: dict[ChatId, tuple[datetime, datetime]] = {}

    def hold(self, chat: ChatId, now: datetime, until: datetime) -> None:
        """The service asked for silence in this chat from now until then."""
        self._held[chat] = now, until

    def may_speak(self, now: datetime) -> bool:
        """Whether anything may be said in any chat."""
        return _count(self._lately, now, MOMENT) < IN_ALL

    def may_say(self, chat: ChatId, now: datetime) -> bool:
        return self.may_speak(now) and not self._is_silent(chat, now, MESSAGES)

    def may_edit(self, chat: ChatId, now: datetime) -> bool:
        last = self._edited.get(chat)
        calm = last is None or not last <= now < last + BETWEEN_EDITS
        return calm and self.has_room(chat, now)

    def has_room(self, chat: ChatId, now: datetime) -> bool:
        """Whether a card can be said there without a result having to wait for it."""
        room = _count(self._lately, now, MOMENT) < EDITS_IN_ALL
        return room and not self._is_silent(chat, now, CARDS)

    def silent(self, now: datetime) -> Collection[ChatId]:
        """The chats in which nothing may be said now, whatever the others have had."""
        self._forget(now)
        return [chat for chat in {*self._said, *self._held} if self._is_silent(chat, now, MESSAGES)]

    def said(self, chat: ChatId, now: datetime, *, edit: bool = False) -> None:
        self._lately.append(now)
        self._said.setdefault(chat, deque()).append(now)
        if edit:
            self._edited[chat] = now

    def _is_silent(self, chat: ChatId, now: datetime, most: int) -> bool:
        if chat in self._held and _is_within(self._held[chat], now):
            return True
        most *= IN_PRIVATE if chat > 0 else 1
        return _count(self._said.get(chat, deque()), now, WINDOW) >= most

    def _forget(self, now: datetime) -> None:
        """Whoever was spoken to once would be remembered for ever."""
        self._said = {chat: said for chat, said in self._said.items() if _count(said, now, WINDOW)}
        self._edited = {chat: at for chat, at in self._edited.items() if chat in self._said}
        self._held = {chat: held for chat, held in self._held.items() if _is_within(held, now)}


def _is_within(held: tuple[datetime, datetime], now: datetime) -> bool:
    """A silence that begins in the future was asked for before the clock was set back."""
    begin, end = held
    return begin <= now < end


def _count(said: deque[datetime], now: datetime, window: timedelta) -> int:
    """How often within the window; what a clock that was set back calls the future is dropped."""
    while said and not now - window < said[0] <= now:
        said.popleft()
    return len(said)
