"""Two bots with one token: the bot that polled first goes on, and the newcomer gives way.

Telegram ends the older of two polls with 409 Conflict, and the newer one learns nothing.
So two bots would take turns, and each would get a part of the messages and of the other's presses.
Here a newcomer takes no update until a calm period has passed without a conflict.
This module only decides. It does no I/O but logging: polling.py acts.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

log = logging.getLogger(__name__)

CALM: Final = 4.0
"""Seconds without a conflict after which no other bot polls."""
AGAIN: Final = 1.0
"""Seconds until the first bot polls again. Less than CALM, so it ends the newcomer's poll."""
GIVE_WAY: Final = 60.0
"""Seconds that a newcomer waits before it polls again. If the other has stopped, it takes over."""
MOST_CONFLICTS: Final = 3
"""Conflicts in a row after which even the first bot gives way: it may have been suspended."""
_WHAT_TO_DO: Final = (
    "another bot asks Telegram with the same token (409 Conflict): stop one of the two, or give"
    " it a token of its own"
)


class Takeover:
    """`settled`: we polled until a moment ago, so no other bot has taken over since."""

    def __init__(
        self,
        *,
        settled: bool,
        hold: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hold` is called with whether another bot may be doing the same work."""
        self._settled = settled
        self._hold = hold
        self._clock = clock
        self._since: float | None = None
        self._first: int | None = None
        self._conflicts = 0

    @property
    def disputed(self) -> bool:
        """Whether another bot may be polling. Then polls should be short."""
        return not self._settled or self._conflicts > 0

    def begin(self) -> None:
        """A poll begins. The first one, and the first after a conflict, start the calm period."""
        if self._since is None:
            self._since = self._clock()

    def may_take(self, updates: Sequence[int]) -> bool:
        """Whether to take the updates of a poll that ended without a conflict.

        `updates` are their numbers. Raises Overtaken where another bot took some.
        """
        calm = self._since is not None and self._clock() - self._since >= CALM
        if not self._settled:
            if self._first is not None and list(updates[:1]) != [self._first]:
                raise Overtaken  # an update that we did not confirm is gone
            self._first = next(iter(updates), None)
            if not calm:
                return False
            log.info("no other bot polls with this token: this bot takes its updates")
            self._settled = True
        if calm:
            self._conflicts = 0
            self._hold(False)
        return True

    def record_conflict(self) -> float:
        """Record a conflict. Returns the seconds to wait before the next poll."""
        self._hold(True)
        self._conflicts += 1
        self._since = self._first = None
        if self._settled and self._conflicts < MOST_CONFLICTS:
            log.warning("%s; this bot writes nothing until the other one stops", _WHAT_TO_DO)
            return AGAIN
        self._settled = False
        log.warning("%s; this bot takes no updates until the other one stops", _WHAT_TO_DO)
        return GIVE_WAY


class Overtaken(Exception):  # noqa: N818 - it reads as what it is
    """Another bot took updates that we had not confirmed."""
