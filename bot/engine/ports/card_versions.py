"""The part of the store that holds the versions of cards: see core/card_version.py.

store.py explains transactions, times and errors.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.core.card_version import CardVersion
from bot.core.ids import RequestId


class FindsCardVersions(Protocol):
    async def card_version(self, key: str) -> CardVersion | None:
        """The version of this key. None where there is none, or where its request is closed."""


class CardVersions(Protocol):
    """The versions of the cards that ask for a decision."""

    async def card_versions_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Sequence[CardVersion]]:
        """The versions of each of these requests, the oldest first."""

    async def add_card_version(self, version: CardVersion) -> None:
        """Store a version, and forget what is too old of its request, and of closed requests."""
