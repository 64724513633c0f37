"""One human with several ids counts once, in approvals, in holds and in what is counted."""

from datetime import UTC, datetime

import pytest

from bot.core.approvals import Approvals
from bot.core.hold import Hold, HoldKind
from bot.core.ids import PersonId
from bot.core.people import NO_PEOPLE, People
from bot.core.service import ROOM, Cuts, Room

ANA, ANA_THERE, LI, WEI = (
    PersonId(each) for each in ("telegram:1003", "github:583231", "telegram:1002", "telegram:1001")
)
PEOPLE = People(((ANA, ANA_THERE),))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_ids_of_a_human() -> None:
    assert PEOPLE.ids(ANA_THERE) == PEOPLE.ids(ANA) == (ANA, ANA_THERE)
    assert (PEOPLE.first(ANA_THERE), PEOPLE.first(LI)) == (ANA, LI)
    assert PEOPLE.each_once([ANA_THERE, LI, ANA]) == (ANA_THERE, LI)
    assert [PEOPLE.has({ANA}, who) for who in (ANA_THERE, LI)] == [True, False]
    assert NO_PEOPLE.each_once([ANA_THERE, ANA]) == (ANA_THERE, ANA)


@pytest.mark.parametrize(
    ("needs", "approvers", "counted"),
    [
        ({}, [ANA, ANA_THERE, LI], (ANA, LI)),
        ({"by": frozenset({ANA})}, [ANA_THERE, LI], (ANA_THERE,)),
        ({"own": False}, [ANA_THERE, LI], (LI,)),
        ({"people": NO_PEOPLE}, [ANA, ANA_THERE], (ANA, ANA_THERE)),
    ],
)
def test_approvals_of_one_human_count_once(
    needs: dict[str, object], approvers: list[PersonId], counted: tuple[PersonId, ...]
) -> None:
    approvals = Approvals(**({"people": PEOPLE} | needs))  # type: ignore[arg-type]
    found = approvals.counted(approvers, requesters={ANA}, admins={ANA, ANA_THERE, LI})
    assert found == counted


@pytest.mark.parametrize(("own", "met"), [(True, False), (False, False)])
def test_a_human_with_two_ids_is_not_enough_for_two_approvals(*, own: bool, met: bool) -> None:
    two = Approvals(count=2, own=own, people=PEOPLE)
    assert two.can_be_met(askers={ANA_THERE}, admins={ANA, ANA_THERE}) is met
    assert Approvals(people=PEOPLE).can_be_met(askers=None, admins={ANA_THERE})


@pytest.mark.parametrize(("second", "lifted"), [(ANA_THERE, False), (LI, True)])
def test_a_hold_is_lifted_by_two_humans(second: PersonId, *, lifted: bool) -> None:
    hold = Hold(id=1, kind=HoldKind.PAUSE, person=WEI, at=NOW)
    after = hold.after_lift_by(ANA, NOW, PEOPLE).after_lift_by(second, NOW, PEOPLE)
    assert (after.lifted_at is not None) is lifted


def test_a_part_of_a_message() -> None:
    assert [ROOM.share(0.825), ROOM.share(0.55), Room(characters=100).share(0.5)] == [
        3300,
        2200,
        50,
    ]


def test_a_text_is_joined_where_it_was_cut() -> None:
    cuts = Cuts(at=10, looked_at=3, possible_from=5, likely_from=8)
    assert cuts.joined(("a b c d ef", "gh", "i")) == "a b c d ef\ngh\ni"
    assert cuts.joined(("abcdefghij", "kl")) == "abcdefghijkl"
