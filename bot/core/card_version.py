"""A version of a card: the images that its buttons decide on, each at one digest.

Every message that is sent or edited with such buttons has a version, which is stored before. Its
key is in the data of the buttons. So a press decides what the person saw, and not what has changed
since. The same images at the same digests keep their key while the request is open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from bot.core.ids import RequestId, TransferId
from bot.core.transfer import State, Transfer

Pair: TypeAlias = tuple[TransferId, str]
"""A transfer and the digest at which it was shown."""
VERSIONS_KEPT: Final = 64
"""Versions of one request. A press on an older one is refused, and the card is shown anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """`key` has 8 characters that a URL may hold. `pairs` are in the order of the card."""

    key: str
    request: RequestId
    pairs: tuple[Pair, ...]
    made_at: datetime

    def still_waiting(self, transfers: Iterable[Transfer]) -> list[Transfer]:
        """Those of the transfers that this version shows and that wait unchanged."""
        shown = set(self.pairs)
        return [t for t in transfers if t.state is State.WAITING and pair_of(t) in shown]


def pair_of(transfer: Transfer) -> Pair:
    return transfer.id, transfer.digest or ""


def pairs_of(transfers: Sequence[Transfer]) -> tuple[Pair, ...]:
    return tuple(map(pair_of, transfers))
