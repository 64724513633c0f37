"""Two bots with one token: the first keeps the token, a newcomer yields, and one always serves."""

import pytest

from bot.adapters.telegram.takeover import AGAIN, CALM, GIVE_WAY, Overtaken, Takeover


class Desk:
    """A takeover with a clock that the test sets. `held` is the last value given to the lanes."""

    def __init__(self, *, settled: bool) -> None:
        self.now = 1000.0
        self.held = False
        self.turn = Takeover(settled=settled, hold=self._hold, clock=lambda: self.now)

    def _hold(self, held: bool) -> None:  # noqa: FBT001 - the signature of the callback
        self.held = held

    def poll(self, seconds: float, *updates: int) -> bool:
        self.turn.begin()
        self.now += seconds
        return self.turn.may_take(updates)


def test_who_was_there_takes_at_once_and_polls_at_length() -> None:
    desk = Desk(settled=True)
    assert not desk.turn.disputed
    assert desk.poll(0.1, 7)


def test_a_newcomer_takes_nothing_before_it_has_been_calm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    desk = Desk(settled=False)
    assert desk.turn.disputed
    assert not desk.poll(0.1, 7)
    assert not desk.poll(CALM / 2, 7, 8)
    assert desk.poll(CALM / 2, 7, 8)
    assert not desk.turn.disputed
    assert "this bot takes its updates" in caplog.text


def test_the_calm_counts_from_the_first_poll_not_from_the_start() -> None:
    desk = Desk(settled=False)
    desk.now += 100
    assert not desk.poll(0.1)
    assert desk.poll(CALM)


def test_a_newcomer_gives_way_at_the_first_conflict(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(settled=False)
    desk.turn.begin()
    assert desk.turn.record_conflict() == GIVE_WAY
    assert desk.held
    assert "with the same token" in caplog.text
    assert not desk.poll(0.1, 7)


def test_a_newcomer_sees_that_another_takes_what_it_leaves_lying() -> None:
    desk = Desk(settled=False)
    assert not desk.poll(0.1, 7, 8)
    with pytest.raises(Overtaken):
        desk.poll(CALM, 8)


def test_a_newcomer_takes_over_when_the_other_has_gone() -> None:
    desk = Desk(settled=False)
    desk.turn.begin()
    desk.now += desk.turn.record_conflict()
    assert desk.poll(CALM, 9)
    assert not desk.held


def test_who_was_there_goes_on_and_holds_its_work_until_it_is_alone() -> None:
    desk = Desk(settled=True)
    assert desk.turn.record_conflict() == AGAIN
    assert desk.held
    assert desk.poll(0.1, 7)
    assert desk.held
    assert desk.turn.disputed
    assert desk.poll(CALM)
    assert not desk.held
    assert not desk.turn.disputed


def test_two_that_were_both_there_do_not_quarrel_for_ever() -> None:
    desk = Desk(settled=True)
    assert [desk.turn.record_conflict() for _ in range(3)] == [AGAIN, AGAIN, GIVE_WAY]
    assert not desk.poll(0.1, 7)


def test_calm_ends_a_quarrel() -> None:
    desk = Desk(settled=True)
    for _ in range(9):
        assert desk.turn.record_conflict() == AGAIN
        assert desk.poll(CALM)


def test_a_newcomers_way_is_never_shorter_than_the_others_return() -> None:
    assert AGAIN < CALM < GIVE_WAY
