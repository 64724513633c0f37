"""Telegram's flood limits: how often a bot may send or edit.

Sends and edits share one limit: see FloodLimit in python-telegram-bot, and
https://github.com/tdlib/td/issues/3034.
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FloodLimit:
    most: int
    seconds: float


class FloodGate:
    """Counts sends and edits, per group and over all chats."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        group: FloodLimit = FloodLimit(20, 60.0),
        overall: FloodLimit = FloodLimit(30, 1.0),
        on: bool = True,
    ) -> None:
        self._clock, self._group, self._overall = clock, group, overall
        self._passed: defaultdict[int, deque[float]] = defaultdict(deque)
        self.on = on

    def wait(self, chat: int) -> int:
        """Return the seconds until one more is allowed in this chat, 0 for at once."""
        if not self.on:
            return 0
        waits = [self._left(0, self._overall)]
        if chat < 0:  # private chats have only the overall limit here
            waits.append(self._left(chat, self._group))
        return math.ceil(max(waits))

    def passed(self, chat: int) -> None:
        now = self._clock()
        self._passed[0].append(now)
        if chat < 0:
            self._passed[chat].append(now)

    def _left(self, key: int, limit: FloodLimit) -> float:
        passed, now = self._passed[key], self._clock()
        while passed and passed[0] <= now - limit.seconds:
            passed.popleft()
        return 0.0 if len(passed) < limit.most else passed[0] + limit.seconds - now
