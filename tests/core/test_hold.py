"""One admin stops something at once, two different admins lift it within ten minutes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fakes import ANA, LI, POLICY

from bot.core.decision import Verdict
from bot.core.hold import LIFT_PERIOD, Hold, HoldKind, pause_of, with_blocks
from bot.core.image import ImageRef
from bot.core.policy import decide

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PAUSE = Hold(id=1, kind=HoldKind.PAUSE, person=ANA.id, at=NOW)
BLOCK = replace(PAUSE, kind=HoldKind.BLOCK, pattern="docker.io/library/nginx", reason="bad bytes")


def test_one_admin_alone_lifts_nothing() -> None:
    begun = PAUSE.after_lift_by(ANA.id, NOW)
    assert begun.after_lift_by(ANA.id, NOW + timedelta(minutes=1)).lifted_at is None


def test_a_second_admin_in_time_lifts_it() -> None:
    second = NOW + LIFT_PERIOD - timedelta(seconds=1)
    assert PAUSE.after_lift_by(ANA.id, NOW).after_lift_by(LI.id, second).lifted_at == second


def test_a_second_admin_who_is_late_is_the_first_again() -> None:
    late = PAUSE.after_lift_by(ANA.id, NOW).after_lift_by(LI.id, NOW + LIFT_PERIOD)
    assert (late.lifted_at, late.lift_by) == (None, LI.id)


def test_a_block_comes_before_every_rule() -> None:
    blocked = with_blocks(POLICY, [PAUSE, BLOCK])
    ruling = decide(blocked, ImageRef.parse("nginx:1.27"))
    assert (ruling.verdict, ruling.reason) == (Verdict.DENY, "bad bytes")
    assert decide(blocked, ImageRef.parse("redis:7")) == decide(POLICY, ImageRef.parse("redis:7"))


def test_the_pause_is_found_among_holds() -> None:
    assert pause_of([BLOCK, PAUSE]) == PAUSE
    assert pause_of([BLOCK]) is None
