"""Queries for the cards in private chats."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.adapters.store.rows import Rows, fields_of
from bot.adapters.store.schema_told import private_cards
from bot.core.ids import PersonId
from bot.core.private_cards import PrivateCards


class PrivateCardQueries(Rows):
    """Implements engine/ports/private_cards.py."""

    async def private_cards(self) -> Sequence[PrivateCards]:
        return [PrivateCards(**row) for row in await self._all(_ALL)]

    async def save_private_cards(self, cards: PrivateCards) -> None:
        await self._upsert(private_cards, fields_of(cards))

    async def drop_private_cards(self, person: PersonId) -> None:
        await self._connection.execute(
            private_cards.delete().where(private_cards.c.person == person)
        )


_ALL = select(private_cards).order_by(private_cards.c.since)
