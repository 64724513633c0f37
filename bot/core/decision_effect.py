"""What the decision of one admin on one image has done. The rules are in core/policy.py."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.ids import PersonId
from bot.core.transfer import Transfer


class DecisionEffect(StrEnum):
    """What a decision has done. A rejection is always enough."""

    ENOUGH = "enough"
    FIRST = "first"
    """The approval counts, and others have to approve too."""
    TWICE = "twice"
    """The same admin has approved before, and others have to."""
    OWN = "own"
    """Nobody else asked for the image."""
    OTHERS = "others"
    """Only others may approve it."""
    DENIED = "denied"
    """The rules of now deny the image."""


@dataclass(frozen=True, slots=True)
class DecidedTransfer:
    """`missing` approvals are still needed. `by` are the only people whose approvals count."""

    transfer: Transfer
    effect: DecisionEffect
    missing: int = 0
    by: frozenset[PersonId] = frozenset()
