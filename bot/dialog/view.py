"""What every projection needs beside the facts: names, where images go, the time, and who else.

Fetched by the engine for each look; nothing of it is stored with a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.ids import PersonId, TransferId, number_of
from bot.core.image import Target
from bot.core.request import Request

Names = Mapping[PersonId, str]


@dataclass(frozen=True, slots=True)
class View:
    """The circumstances of a look.

    `ahead`: how many images go before a waiting one. `firsts`: the request that asked for an
    image first, where it was on its way already.
    """

    names: Names
    target: Target
    now: datetime
    ahead: Mapping[TransferId, int] = field(default_factory=dict)
    firsts: Mapping[TransferId, Request] = field(default_factory=dict)

    def name(self, person: PersonId) -> str:
        return self.names.get(person, str(number_of(person)))
