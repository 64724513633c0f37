"""Whose turn it is to ask Telegram: one bot to a token, the one that was there first.

Telegram ends the older of two polls with a 409 and tells the newer one nothing. So two bots with
one token would go on taking turns, each with a part of the messages and, by the numbers on the
buttons, with presses that are meant for the other. Here a newcomer takes nothing before it has
seen that nobody else asks, and gives way; whoever was there goes on. Asks for no time itself but
that of the clock it is given, and never sends anything.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

log = logging.getLogger(__name__)

CALM: Final = 4.0
"""Nobody else is there when nobody has disturbed us for so many seconds."""
AGAIN: Final = 1.0
"""So soon whoever was there asks again, which ends the newcomer's poll before it is calm."""
GIVE_WAY: Final = 60.0
"""So long a newcomer stays away. When the other one is gone, it takes over."""
MOST_CONFLICTS: Final = 3
"""In a row; after so many even one that was there gives way: it may have been away for long."""
_WHAT_TO_DO: Final = (
    "another bot asks Telegram with the same token (409 Conflict): stop one of the two, or give"
    " it a token of its own"
)


class Takeover:
    """`settled`: we had the turn until a moment ago, and nobody will have taken it since."""

    def __init__(
        self,
        *,
        settled: bool,
        hold: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hold` is told whether another bot is there that may be doing the same work."""
        self._settled = settled
        self._hold = hold
        self._clock = clock
        self._since: float | None = None
        self._first: int | None = None
        self._conflicts = 0

    @property
    def disputed(self) -> bool:
        """Whether it is not certain that we are alone: then a poll should not last long."""
        return not self._settled or self._conflicts > 0

    def begin(self) -> None:
        """A poll begins; after a conflict, and at first, the calm counts from here."""
        if self._since is None:
            self._since = self._clock()

    def may_take(self, updates: Sequence[int]) -> bool:
        """A poll has ended undisturbed: whether its updates are ours to take."""
        calm = self._since is not None and self._clock() - self._since >= CALM
        if not self._settled:
            if self._first is not None and list(updates[:1]) != [self._first]:
                raise Overtaken  # what we left lying was taken
            self._first = next(iter(updates), None)
            if not calm:
                return False
            log.info("nobody else asks Telegram with this token: its messages are ours")
            self._settled = True
        if calm:
            self._conflicts = 0
            self._hold(False)
        return True

    def lost(self) -> float:
        """Another bot asked; the seconds to wait before we do."""
        self._hold(True)
        self._conflicts += 1
        self._since = self._first = None
        if self._settled and self._conflicts < MOST_CONFLICTS:
            log.warning("%s; this one goes on, and writes nothing until it is alone", _WHAT_TO_DO)
            return AGAIN
        self._settled = False
        log.warning("%s; this one takes nothing as long as the other is there", _WHAT_TO_DO)
        return GIVE_WAY


class Overtaken(Exception):  # noqa: N818 - it reads as what it is
    """Updates that were left lying were taken by another bot."""
