"""Limits what one person sends in a minute, so that nobody uses up the chat's rate limit.

Commands and presses share one allowance. A press that begins work counts as much as a command, and
any other press a part of that, since a draft of many images takes many.

Kept in memory: after a restart everybody starts at zero. Limits of the messages that the bot sends
are in lanes/chat_rate.py.
"""

from collections import deque
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, TypeAlias

from bot.core.ids import ChatId, PersonId, UpdateKey

Speaker: TypeAlias = PersonId | ChatId

RATE_WINDOW: Final = timedelta(minutes=1)
ANSWERS_TO_STRANGERS: Final = 4
"""How many commands of all strangers of a chat together are answered per RATE_WINDOW."""
ANSWERS_OUTSIDE: Final = 10
"""How many are answered per RATE_WINDOW in all chats together that are not served."""
OUTSIDE: Final = ChatId("")
"""Stands for all these chats."""
PRESSES_PER_COMMAND: Final = 6
"""How many presses that begin no work count as one command."""
UPDATES_REMEMBERED: Final = 1000
"""How many updates keep their verdict: far more than wait while nothing can be stored."""


class RateVerdict(Enum):
    ALLOWED = auto()
    TOLD_ONCE = auto()
    """Too fast: the person is told so once per RATE_WINDOW."""
    IGNORED = auto()


class RateLimit:
    """Counts by speaker: a person's id, or a group's for all its strangers."""

    def __init__(self) -> None:
        self._heard: dict[Speaker, deque[datetime]] = {}
        self._told: dict[Speaker, datetime] = {}
        self._answers: dict[UpdateKey, RateVerdict] = {}

    def take(
        self, speaker: Speaker, now: datetime, *, most: int, update: UpdateKey, light: bool = False
    ) -> RateVerdict:
        """Count a command or a press of the speaker, and return whether to handle it.

        `most` commands are allowed in RATE_WINDOW. `light`: it is a press that begins no work.

        While a disk is full, the same update comes again every few seconds. It is counted once,
        and gets the same verdict each time.
        """
        self._forget(now)
        if update not in self._answers:
            cost = 1 if light else PRESSES_PER_COMMAND
            self._answers[update] = self._counted(speaker, now, most * PRESSES_PER_COMMAND, cost)
            if len(self._answers) > UPDATES_REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return self._answers[update]

    def _counted(self, speaker: Speaker, now: datetime, most: int, cost: int) -> RateVerdict:
        heard = self._heard.setdefault(speaker, deque())
        if len(heard) + cost <= most:
            heard.extend([now] * cost)
            return RateVerdict.ALLOWED
        if speaker in self._told:
            return RateVerdict.IGNORED
        self._told[speaker] = now
        return RateVerdict.TOLD_ONCE

    def wait(self, speaker: Speaker, now: datetime) -> int:
        """Whole seconds until a command of the speaker is handled again."""
        heard = self._heard.get(speaker)
        return max(1, round((heard[0] + RATE_WINDOW - now).total_seconds())) if heard else 1

    def _forget(self, now: datetime) -> None:
        """Drop times older than a window, and times in the future (clock set back)."""
        for speaker in list(self._heard):
            heard = self._heard[speaker]
            while heard and not now - RATE_WINDOW < heard[0] <= now:
                heard.popleft()
            if not heard:
                del self._heard[speaker]
        self._told = {s: at for s, at in self._told.items() if now - RATE_WINDOW < at <= now}
