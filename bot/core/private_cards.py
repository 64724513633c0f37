"""The cards that an admin has in the private chat, beside those in the groups. Pure.

An admin asks for them by /notify. Each shows a request in which an image waits for a decision, with
the same buttons and the same versions (core/card_version.py). It is edited while something waits
there, once more when nothing does, and then forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

from bot.core.ids import MessageId, PersonId, RequestId

CARDS_OF_A_PERSON: Final = 10
"""Cards that one admin has at the same time. What waits besides is in the groups."""


@dataclass(frozen=True, slots=True)
class PrivateCard:
    """`message` None: the person deleted it, so it is not sent again. `shown`: what it shows.

    `version` is the key of the version that it shows, see core/card_version.py.
    """

    message: MessageId | None
    shown: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCards:
    """The stored facts of one admin. `since`: when they asked for it, UTC.

    Not `wanted`: what is there stays until it is decided, and nothing is added.
    """

    person: PersonId
    since: datetime
    wanted: bool = True
    cards: Mapping[RequestId, PrivateCard] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """How many cards more there may be."""
        return max(CARDS_OF_A_PERSON - len(self.cards), 0) if self.wanted else 0

    def having(self, request: RequestId, card: PrivateCard | None) -> Self:
        """The same with this card of the request, or without one."""
        others = {number: each for number, each in self.cards.items() if number != request}
        return replace(self, cards=others if card is None else others | {request: card})

    def request_of(self, message: MessageId) -> RequestId | None:
        """The request that the message shows."""
        found = (number for number, card in self.cards.items() if card.message == message)
        return next(found, None)
