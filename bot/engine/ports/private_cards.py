"""The port of the cards in private chats: see core/private_cards.py. Values as in store.py."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.ids import PersonId
from bot.core.private_cards import PrivateCards


class ReadsPrivateCards(Protocol):
    async def private_cards(self) -> Sequence[PrivateCards]:
        """Those of each admin who asked for them."""


class HasPrivateCards(ReadsPrivateCards, Protocol):
    async def save_private_cards(self, cards: PrivateCards) -> None:
        """Store them in place of those before of this person."""

    async def drop_private_cards(self, person: PersonId) -> None:
        """Forget that the person asked for them, and the messages."""
