"""How long to wait after a temporary trouble: growing, spread out, never against the server.

Pure on purpose: the spread comes from a seed, not from chance, so a test can name the wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zlib import crc32

from bot.core.failures import FailureKind

FIRST_WAIT_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 300.0
REQUEUE_WAITS: Final[Mapping[FailureKind, tuple[timedelta, ...]]] = MappingProxyType(
    {
        # Docker Hub counts pulls over six hours: https://docs.docker.com/docker-hub/usage/pulls/
        FailureKind.RATE_LIMITED: tuple(timedelta(minutes=m) for m in (15, 45, 90, 120, 120)),
        FailureKind.NETWORK: tuple(timedelta(seconds=s) for s in (20, 90, 300, 900)),
    }
)
"""How long a copy is put off, the first time and after, for causes that pass by themselves."""
LONGEST_DELAY: Final = timedelta(hours=2)
"""No wait is longer: a next try that lies further ahead was planned by a clock that was wrong."""


def is_due(
    not_before: datetime | None, now: datetime, *, at_most: timedelta = LONGEST_DELAY
) -> bool:
    """Whether the time of the next try has come, also where the clock was set back meanwhile.

    `at_most` is the longest wait that can have been meant.
    """
    return not_before is None or now >= not_before or not_before - now > at_most


def has_passed(wait: timedelta, since: datetime, now: datetime) -> bool:
    """Whether a wait is over; what happened far ahead of now happened by a clock since set back."""
    return abs(now - since) >= wait


def requeue_wait(kind: FailureKind, requeues: int) -> timedelta | None:
    """How long to put a copy off that was put off `requeues` times; None: it has failed."""
    waits = REQUEUE_WAITS.get(kind, ())
    return waits[requeues] if requeues < len(waits) else None


def wait_after(attempts: int, *, seed: object, retry_after: float | None = None) -> timedelta:
    """The wait after the `attempts`-th failure in a row (1 is the first), in time.

    Doubles from 2 s to 5 min, each spread over ±25 % by `seed` so that many waits do not end
    together. `retry_after` (seconds) is the server's own wish: the wait is never shorter, but
    for one of more than LONGEST_DELAY.
    """
    grown = min(FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT_SECONDS)
    spread = 0.75 + (crc32(f"{seed}/{attempts}".encode()) % 1000) / 2000
    wished = min(retry_after or 0.0, LONGEST_DELAY.total_seconds())
    return timedelta(seconds=max(grown * spread, wished))


TROUBLE_LINE_LIMIT: Final = 200


class TroubleKind(StrEnum):
    SILENT = "silent"
    """It did not answer in time."""
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """It asks us to wait."""
    FAULTY = "faulty"
    """It says itself that something is wrong with it."""
    UNREADABLE = "unreadable"
    """Its answer is none."""
    LOCKED_OUT = "locked-out"
    """It does not take the bot's token: the maintainer has to renew it."""
    CONTESTED = "contested"
    """Others keep writing the list."""
    BEHIND = "behind"
    """It does not show yet what was copied."""
    OTHER = "other"
    """None of these: the line is quoted."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`who` is the service as people call it; `line` is for the log, and quoted with OTHER."""

    kind: TroubleKind
    who: str = ""
    line: str = ""
