"""A hold: what one admin stops at once, until two admins or the host lift it.

A pause holds all commits and dispatches. A block denies the images of a pattern. Holds are kept for
ever, as decisions are. Nothing here does I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.core.decision import Verdict
from bot.core.ids import PersonId
from bot.core.people import NO_PEOPLE, People
from bot.core.policy import Policy, Rule
from bot.core.retry import has_passed

LIFT_PERIOD: Final = timedelta(minutes=10)
"""The second admin has to lift a hold within this time after the first."""


class HoldKind(StrEnum):
    PAUSE = "pause"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The stored facts. Times are in UTC. `pattern` is normalised, and empty for a pause.

    `lift_by` is the admin who began to lift it, at `lift_at`. `lifted_at` is None while it stands.
    """

    id: int
    kind: HoldKind
    person: PersonId
    at: datetime
    pattern: str = ""
    reason: str = ""
    lift_by: PersonId | None = None
    lift_at: datetime | None = None
    lifted_at: datetime | None = None

    def after_lift_by(self, person: PersonId, now: datetime, people: People = NO_PEOPLE) -> Self:
        """After an admin wants to lift it. It is lifted where another one did so just before."""
        first, since = self.lift_by, self.lift_at
        alone = first is None or people.first(first) == people.first(person)
        if alone or since is None or has_passed(LIFT_PERIOD, since, now):
            return replace(self, lift_by=person, lift_at=now)
        return replace(self, lifted_at=now)


def with_blocks(policy: Policy, holds: Iterable[Hold]) -> Policy:
    """The policy with the blocks in front of all rules."""
    blocks = tuple(
        Rule(hold.pattern, Verdict.DENY, hold.reason)
        for hold in holds
        if hold.kind is HoldKind.BLOCK
    )
    return replace(policy, rules=blocks + policy.rules)


def pause_of(holds: Iterable[Hold]) -> Hold | None:
    """The pause that stands, if any."""
    return next((hold for hold in holds if hold.kind is HoldKind.PAUSE), None)
