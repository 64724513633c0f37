"""The bot's queue of pending updates, with the rules of getUpdates.

Delivery is at least once. An update stays until a later call confirms it with a higher offset, or
until it expires (https://core.telegram.org/bots/api#getupdates). `body` is passed on unread.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LONGEST_POLL = 50
UPDATES_PER_POLL = 100
_LIFETIMES = {
    "message": 86_400.0,
    "edited_message": 86_400.0,
    "callback_query": 150.0,
    "my_chat_member": 86_400.0,
}


class TerminatedError(Exception):
    """A newer getUpdates replaced this one, which ends with 409."""


@dataclass(frozen=True, slots=True)
class QueuedUpdate:
    id: int
    kind: str
    body: object
    expires: float


class UpdateQueue:
    """The queue of one bot. `clock` returns seconds since the epoch.

    The first update_id is the current time. So a bot with a kept database does not take the updates
    of a new sandbox for old ones.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ids = itertools.count(int(clock()))
        self._next = int(clock())
        self._pending: list[QueuedUpdate] = []
        self._allowed: frozenset[str] = frozenset(_LIFETIMES)
        self._changed = asyncio.Event()
        self._poll = 0

    def add(self, kind: str, body: object) -> None:
        """Queue an update, unless allowed_updates excludes its kind."""
        if kind not in self._allowed:
            return
        update = QueuedUpdate(next(self._ids), kind, body, self._clock() + _LIFETIMES[kind])
        self._next = update.id + 1
        self._pending.append(update)
        self._wake()

    def allow(self, kinds: Sequence[str]) -> None:
        """Set allowed_updates for updates from now on. An empty list is the default."""
        self._allowed = frozenset(kinds or _LIFETIMES)

    def drop(self) -> None:
        self._pending.clear()

    def pending(self) -> list[QueuedUpdate]:
        now = self._clock()
        self._pending = [update for update in self._pending if now < update.expires]
        return list(self._pending)

    async def poll(self, *, offset: int, limit: int, timeout: float) -> list[QueuedUpdate]:  # noqa: ASYNC109 - the Bot API's own parameter, part of its rules
        """Answer getUpdates. A second poll ends the first, which raises TerminatedError."""
        self._poll += 1
        mine = self._poll
        self._wake()
        self._confirm(offset)
        try:
            async with asyncio.timeout(min(timeout, LONGEST_POLL)):
                while not self.pending():
                    await self._changed.wait()
                    if mine != self._poll:
                        raise TerminatedError
        except TimeoutError:
            return self.pending()[:limit]
        return self.pending()[:limit]

    def _confirm(self, offset: int) -> None:
        pending = self.pending()
        if offset < 0:
            self._pending = pending[offset:]
        elif offset <= self._next:  # the server ignores an offset out of range
            self._pending = [update for update in pending if update.id >= offset]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
