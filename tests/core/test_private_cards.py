"""The cards of one admin in private."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.core.ids import MessageId, PersonId, RequestId
from bot.core.private_cards import CARDS_OF_A_PERSON, PrivateCard, PrivateCards

ANA = PrivateCards(person=PersonId("telegram:1003"), since=datetime(2026, 11, 30, tzinfo=UTC))
FIRST, SECOND = RequestId(1), RequestId(2)


def test_a_card_is_found_by_its_message_until_it_is_forgotten() -> None:
    card = PrivateCard(MessageId("telegram:7"))
    both = ANA.having(FIRST, card).having(SECOND, PrivateCard(None))
    assert both.request_of(MessageId("telegram:7")) == FIRST
    assert both.request_of(MessageId("telegram:8")) is None
    assert (both.room, replace(both, wanted=False).room) == (CARDS_OF_A_PERSON - 2, 0)
    assert both.having(FIRST, None).cards == {SECOND: PrivateCard(None)}
