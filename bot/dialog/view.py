"""What every projection needs beside the facts: names, where images go, the time, and who else.

Fetched by the engine for each projection. Nothing of it is stored with a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.ids import PersonId, TransferId, number_of
from bot.core.image import Target
from bot.core.request import Request

Names = Mapping[PersonId, str]


@dataclass(frozen=True, slots=True)
class View:
    """What was fetched for one projection.

    `ahead`: how many images go before a waiting one. `firsts`: the request that asked for an
    image first, where it was on its way already. `admins`: the names of those who can decide, as
    far as they are known.
    """

    names: Names
    target: Target
    now: datetime
    ahead: Mapping[TransferId, int] = field(default_factory=dict)
    firsts: Mapping[TransferId, Request] = field(default_factory=dict)
    admins: Sequence[str] = ()

    def name(self, person: PersonId) -> str:
        return self.names.get(person, str(number_of(person)))
