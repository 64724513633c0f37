"""What cards and answers need besides stored facts: names, the target, the time, other requests.

engine/view_loader.py loads it. It holds values only, and is never stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.ids import PersonId, TransferId, number_of
from bot.core.image import Target
from bot.core.request import Request
from bot.core.service import ROOM, Room


@dataclass(frozen=True, slots=True)
class Progress:
    """Who has approved an image that needs several approvals, and how many it needs."""

    given: tuple[PersonId, ...]
    needed: int


Names = Mapping[PersonId, str]


@dataclass(frozen=True, slots=True)
class View:
    """What was loaded for one card or answer.

    `ahead`: how many images go before a waiting one. `firsts`: the request that asked for an
    image first, where it was already under way. `admins`: the known names of those whose approval
    counts. `progress` is of images that need several approvals. `version` is the key that the
    buttons of the card carry, `reasons` are those of the config for a rejection.
    `room` is what a message holds.
    """

    names: Names
    target: Target
    now: datetime
    ahead: Mapping[TransferId, int] = field(default_factory=dict)
    firsts: Mapping[TransferId, Request] = field(default_factory=dict)
    admins: Sequence[str] = ()
    progress: Mapping[TransferId, Progress] = field(default_factory=dict)
    version: str = ""
    reasons: Sequence[str] = ()
    room: Room = ROOM

    def name(self, person: PersonId) -> str:
        return self.names.get(person, str(number_of(person)))
