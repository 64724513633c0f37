"""How the requests of a conversation stand together."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.ids import ChatId, MessageId, PersonId, Place, RequestId
from bot.core.request import Request
from bot.core.standing import Standing, standing_of
from bot.core.transfer import State

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def request(number: int, *, closed: bool, draft: bool = False) -> Request:
    return Request(
        id=RequestId(number),
        person=PersonId("github:7"),
        place=Place(ChatId("github:-1")),
        message=MessageId("github:-1"),
        opened_at=NOW,
        confirmed_at=None if draft else NOW,
        closed_at=NOW if closed else None,
    )


def stated(state: State) -> Any:
    """Return what stands for a transfer: only its state counts here."""
    return SimpleNamespace(state=state)


@pytest.mark.parametrize(
    ("states", "closed", "standing"),
    [
        ([State.WAITING, State.COPYING], False, Standing.WAITING),
        ([State.COPYING, State.MIRRORED], False, Standing.WORKING),
        ([State.MIRRORED], False, Standing.WORKING),
        ([State.MIRRORED, State.KEPT, State.REMOVED], True, Standing.DONE),
        ([State.MIRRORED, State.FAILED], True, Standing.FAILED),
        ([State.REJECTED], True, Standing.FAILED),
        ([], True, None),
    ],
)
def test_one_request(states: list[State], closed: bool, standing: Standing | None) -> None:  # noqa: FBT001 - a column of the table
    transfers = {RequestId(1): [stated(state) for state in states]}
    assert standing_of([request(1, closed=closed)], transfers) is standing


def test_what_waits_comes_before_what_goes_on_and_that_before_what_is_over() -> None:
    draft, over = request(1, closed=False, draft=True), request(2, closed=True)
    done = {RequestId(2): [stated(State.MIRRORED)]}
    assert standing_of([over, draft], done) is Standing.WAITING
    assert standing_of([over, request(3, closed=False)], done) is Standing.WORKING
    assert standing_of([over, request(4, closed=True)], done) is Standing.DONE
    assert standing_of([], {}) is None
    assert [each.is_over for each in Standing] == [False, False, True, True]
