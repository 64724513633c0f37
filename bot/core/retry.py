"""Trouble of a service, and when to try again.

Trouble is a transient error of one step: the same step is tried again until it works. A copy that
failed in its run is a failure (core/failures.py), and is retried only as often as REQUEUE_WAITS
says. This module must not read a clock or use random numbers, so waits are reproducible.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self
from zlib import crc32

from bot.core.failures import FailureKind

TROUBLE_LINE_LIMIT: Final = 200
"""Characters of the line that is kept of a service's answer."""


class TroubleKind(StrEnum):
    """What is wrong with a service. Its text is in bot/locales/, under `trouble-<value>`."""

    SILENT = "silent"
    """It did not answer in time."""
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """It asks us to wait."""
    FAULTY = "faulty"
    """It reports an internal error."""
    UNREADABLE = "unreadable"
    """Its answer cannot be read."""
    LOCKED_OUT = "locked-out"
    """It does not accept the bot's token. The maintainer has to renew it."""
    CONTESTED = "contested"
    """Others keep writing to the list."""
    OUTDATED = "outdated"
    """The workflow in the mirror repository is not the one that this bot ships."""
    PAUSED = "paused"
    """An admin holds all commits and dispatches."""
    BEHIND = "behind"
    """It does not show yet what was copied."""
    LOOKING = "looking"
    """A run on GitHub looks at the image, since the bot cannot."""
    OTHER = "other"
    """None of these. The line is quoted to people."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`who` is the name of the service for people. `line` is for the log, and quoted with OTHER."""

    kind: TroubleKind
    who: str = ""
    line: str = ""


FIRST_WAIT_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 300.0
REQUEUE_WAITS: Final[Mapping[FailureKind, tuple[timedelta, ...]]] = MappingProxyType(
    {
        # Docker Hub counts pulls over six hours: https://docs.docker.com/docker-hub/usage/pulls/
        FailureKind.RATE_LIMITED: tuple(timedelta(minutes=m) for m in (15, 45, 90, 120, 120)),
        # Nothing failed: these go on for a day, in which Docker Hub's pulls come back four times.
        FailureKind.PUT_OFF: tuple(timedelta(minutes=m) for m in (30, 60, *([120] * 12))),
        FailureKind.TARGET_BUSY: tuple(timedelta(minutes=m) for m in (1, 5, 15, 45, 90)),
        FailureKind.NETWORK: tuple(timedelta(seconds=s) for s in (20, 90, 300, 900)),
    }
)
"""The wait before each further copy of an image whose copy failed with a transient error."""
LONGEST_DELAY: Final = timedelta(hours=2)
"""No wait is longer. A longer delay means that the clock was set back."""
REPEATED_WITHIN: Final = timedelta(days=5)
"""How long it is remembered that an update was handled. Services repeat for a day at most what they
got no answer for, and after a week a number may come again that means something else."""


def wait_after(attempts: int, *, seed: object, retry_after: float | None = None) -> timedelta:
    """The wait after the `attempts`-th failure in a row, where 1 is the first.

    It doubles from 2 s to 5 min. `seed` spreads it by ±25 %, so that many waits do not end at the
    same time. `retry_after` is what the server asks for, in seconds: the wait is not shorter, but
    at most LONGEST_DELAY.
    """
    grown = min(FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT_SECONDS)
    spread = 0.75 + (crc32(f"{seed}/{attempts}".encode()) % 1000) / 2000
    wished = min(retry_after or 0.0, LONGEST_DELAY.total_seconds())
    return timedelta(seconds=max(grown * spread, wished))


def requeue_wait(kind: FailureKind, requeues: int) -> timedelta | None:
    """The wait before a copy that failed after `requeues` retries is tried again. None: never."""
    waits = REQUEUE_WAITS.get(kind, ())
    return waits[requeues] if requeues < len(waits) else None


def is_due(
    not_before: datetime | None, now: datetime, *, at_most: timedelta = LONGEST_DELAY
) -> bool:
    """Whether the time of the next try has come.

    `at_most` is the longest wait possible. A longer delay means that the clock was set back: due.
    """
    return not_before is None or now >= not_before or not_before - now > at_most


def has_passed(wait: timedelta, since: datetime, now: datetime) -> bool:
    """Whether a wait has ended. A `since` far in the future means that the clock was set back."""
    return abs(now - since) >= wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """Something that is tried again after it failed. What is stored and retried inherits this.

    `attempts` is how often it failed in a row. `not_before` is the time of the next try in UTC,
    None where it may be tried at once.
    """

    attempts: int = 0
    not_before: datetime | None = None

    def is_due(self, now: datetime, *, at_most: timedelta = LONGEST_DELAY) -> bool:
        """As the function `is_due`, for its own time."""
        return is_due(self.not_before, now, at_most=at_most)

    def postponed(
        self,
        now: datetime,
        *,
        seed: object,
        retry_after: float | None = None,
        longest: timedelta = LONGEST_DELAY,
    ) -> Self:
        """The same after one more failure. `wait_after` explains the wait, `longest` caps it."""
        attempts = self.attempts + 1
        wait = min(wait_after(attempts, seed=seed, retry_after=retry_after), longest)
        return replace(self, attempts=attempts, not_before=now + wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedWithTrouble(Retried):
    """The same with the trouble that made it fail last, for people to read."""

    trouble: Trouble | None = None

    def troubled(
        self,
        now: datetime,
        trouble: Trouble,
        *,
        seed: object,
        retry_after: float | None = None,
        longest: timedelta = LONGEST_DELAY,
    ) -> Self:
        """As `postponed`, with the trouble."""
        later = self.postponed(now, seed=seed, retry_after=retry_after, longest=longest)
        return replace(later, trouble=trouble)
