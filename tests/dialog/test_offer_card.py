"""What the card of an offer says of each end that an offer can have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import ANA, GROUP, STATIC, TARGET, WORDS

from bot.core.decision import Ground, Verdict
from bot.core.events import Approved, Cancelled, Denied, Event, Expired, Rejected
from bot.core.ids import BOT_ITSELF, Place, RequestId, TransferId
from bot.core.policy import Ruling
from bot.core.request import Request
from bot.core.transfer import Transfer, advance
from bot.dialog.card import card
from bot.dialog.decision_answers import why_decided
from bot.dialog.language import Language
from bot.dialog.view import View

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VIEW = View({ANA.id: "Ana"}, TARGET, NOW)
REQUEST = Request(
    id=RequestId(41), person=BOT_ITSELF, place=Place(GROUP), message=None, opened_at=NOW
)
OFFER = Transfer(
    id=TransferId(7),
    image=STATIC,
    opened_at=NOW,
    checked_at=NOW,
    digest="sha256:" + "a" * 64,
    ground=Ground.OFFERED,
    expires_at=NOW + timedelta(days=7),
)
DENIED = Ruling(Verdict.DENY, Ground.RULE, "known to be harmful")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Approved(NOW, ANA.id),
            f"🌱 <code>{STATIC}</code> · <code>sha256:aaaaaaaaaaaa</code> · kept fresh by Ana",
        ),
        (Rejected(NOW, ANA.id, ""), "❓ <code>gcr.io/distroless/static:nonroot</code> · Ana wants"),
        (Expired(NOW), "nobody answered, so I ask about each new digest"),
        (Cancelled(NOW, ANA.id), f"⏹ <code>{STATIC}</code> · cancelled"),
        (Denied(NOW, DENIED), "🚫 <code>gcr.io/distroless/static:nonroot</code> · not allowed"),
    ],
)
def test_each_end_of_an_offer_is_told_on_its_card(event: Event, line: str) -> None:
    after = advance(OFFER, event)
    assert after is not None
    shown = WORDS.render(card(REQUEST, [after], VIEW), Language.EN)
    assert "🌱 <b>#41</b>: 1 listed image was kept fresh without a question" in shown.html
    assert line in shown.html
    assert not shown.buttons
    assert "I hold their updates back" not in shown.html


def test_who_answered_is_told_to_the_next_who_presses() -> None:
    kept = advance(OFFER, Approved(NOW, ANA.id))
    assert kept is not None
    assert WORDS.plain(why_decided(REQUEST.id, [kept], VIEW), Language.EN) == (
        "Already answered by Ana."
    )


def test_nothing_is_offered_for_what_has_no_tick() -> None:
    choosing = replace(REQUEST, choosing=True, left_out=frozenset({OFFER.id}))
    shown = WORDS.render(card(choosing, [OFFER], VIEW), Language.EN)
    labels = [label for row in shown.buttons for label, _, _ in row]
    assert labels == ["⬜ gcr.io/distroless/static:nonroot", "↩️ Back"]
