"""How often one person is listened to, so that nobody can use up what the bot may say in a chat.

Kept in memory: after a restart everybody starts afresh. Knows no commands and no chats, only
who speaks and when.
"""

from collections import deque
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

WINDOW: Final = timedelta(minutes=1)
STRANGERS: Final = 4
"""So many commands in a WINDOW are answered to all of a chat together who may not ask there."""
REMEMBERED: Final = 1000
"""So many updates keep their answer: far more than wait at once while nothing can be stored."""


class Hearing(Enum):
    LISTEN = auto()
    SAY_SO = auto()
    """Too fast: the person hears of it, once in a WINDOW."""
    PASS_OVER = auto()


class RateLimit:
    """Counts by speaker: a person's id, or a group's for all its strangers."""

    def __init__(self) -> None:
        self._heard: dict[int, deque[datetime]] = {}
        self._told: dict[int, datetime] = {}
        self._answers: dict[int, Hearing] = {}

    def take(self, speaker: int, now: datetime, *, most: int, update: int) -> Hearing:
        """Whether the speaker is listened to, which counts against them.

        An update that could not be stored comes again, every few seconds for as long as a disk is
        full: it is counted once, and answered as it was the first time.
        """
        self._forget(now)
        if update not in self._answers:
            self._answers[update] = self._counted(speaker, now, most)
            if len(self._answers) > REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return self._answers[update]

    def _counted(self, speaker: int, now: datetime, most: int) -> Hearing:
        heard = self._heard.setdefault(speaker, deque())
        if len(heard) < most:
            heard.append(now)
            return Hearing.LISTEN
        if speaker in self._told:
            return Hearing.PASS_OVER
        self._told[speaker] = now
        return Hearing.SAY_SO

    def wait(self, speaker: int, now: datetime) -> int:
        """Whole seconds until the speaker is listened to again."""
        heard = self._heard.get(speaker)
        return max(1, round((heard[0] + WINDOW - now).total_seconds())) if heard else 1

    def _forget(self, now: datetime) -> None:
        """What is over; also what lies ahead, where the clock was set back."""
        for speaker in list(self._heard):
            heard = self._heard[speaker]
            while heard and not now - WINDOW < heard[0] <= now:
                heard.popleft()
            if not heard:
                del self._heard[speaker]
        self._told = {s: at for s, at in self._told.items() if now - WINDOW < at <= now}
