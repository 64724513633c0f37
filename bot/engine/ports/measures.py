"""What a running bot tells of itself, for whoever watches it. Values only, and no names of people.

`measures_of` of the store makes Measures. No lane and no use case needs them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.failures import FailureKind
from bot.core.registry import PullLimit
from bot.core.transfer import State
from bot.engine.ports.repository import WorkflowState


@dataclass(frozen=True, slots=True)
class Ended:
    """A transfer that is over. `copying` is the time from its approval, None where nothing ran."""

    state: State
    failure: FailureKind | None
    copying: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the database tells. Times are in UTC, sizes in bytes. None where there is nothing.

    `transfers`: how many are open in each state, and since when the oldest is in it.
    `ended` and `runs`: the transfers and the durations of runs that ended since the last reading.
    `next_check`: when the image was or is due whose freshness is checked next.
    """

    transfers: Mapping[State, tuple[int, datetime]]
    ended: Sequence[Ended]
    runs: Sequence[timedelta]
    oldest_batch: datetime | None
    batches: int
    requests: int
    messages: int
    tracked: int
    next_check: datetime | None
    last_answer: datetime | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What the running parts tell. None where it is not known. Makes no call.

    `last_ticks`: when each lane last ended a tick, in UTC.
    `budgets`: the rate limits that GitHub and registries reported last, by service.
    `token_expires`: the end of GitHub's token.
    """

    last_ticks: Mapping[str, datetime]
    budgets: Mapping[str, PullLimit]
    token_expires: datetime | None
    workflow: WorkflowState | None
    paused: bool
