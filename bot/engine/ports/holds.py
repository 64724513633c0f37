"""The port of holds: see core/hold.py. Values as in store.py."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.hold import Hold


class StandingHolds(Protocol):
    async def holds(self) -> Sequence[Hold]:
        """The holds that stand, the oldest first."""


class Holds(StandingHolds, Protocol):
    async def add_hold(self, hold: Hold) -> None:
        """Store a new hold. Its `id` is ignored: the store gives it one."""

    async def save_hold(self, hold: Hold) -> None:
        """Store a changed hold. It must be there already."""
