"""When an announcement is sent, edited and deleted, and when it is quiet."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.announcement import Announcement, NextStep, WaitingRequest, next_step
from bot.core.ids import ChatId, MessageId, PersonId, Place, RequestId
from bot.core.quiet_hours import QuietHours

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEI, LI, ANA = (PersonId(f"telegram:{number}") for number in (1001, 1002, 1003))
GROUP = Place(ChatId("telegram:-1001"))
NIGHT = QuietHours(time(22, 0), time(8, 0), UTC)
LUNCH = QuietHours(time(12, 0), time(13, 30), ZoneInfo("Asia/Shanghai"))
WAITING = WaitingRequest(
    request=RequestId(1),
    person=WEI,
    place=GROUP,
    card=None,
    since=NOON - timedelta(hours=1),
    expires_at=NOON + timedelta(hours=71),
    deciders=frozenset({ANA, LI}),
)
TOLD = Announcement(
    place=GROUP,
    sent_at=NOON - timedelta(minutes=11),
    message=MessageId("telegram:7"),
    told=frozenset({"1"}),
)


@pytest.mark.parametrize(
    ("last", "waiting", "step"),
    [
        (None, [], NextStep.REST),
        (None, [WAITING], NextStep.SEND),
        (None, [replace(WAITING, since=NOON)], NextStep.REST),
        (TOLD, [WAITING], NextStep.UPDATE),
        (TOLD, [], NextStep.DELETE),
        (TOLD, [replace(WAITING, request=RequestId(2))], NextStep.DELETE),
        (TOLD, [replace(WAITING, expires_at=NOON + timedelta(hours=2))], NextStep.UPDATE),
        (TOLD, [replace(WAITING, expires_at=NOON + timedelta(minutes=20))], NextStep.DELETE),
        (replace(TOLD, sent_at=NOON - timedelta(hours=46)), [WAITING], NextStep.DELETE),
        (replace(TOLD, message=None), [WAITING], NextStep.REST),
        (replace(TOLD, message=None, told=frozenset()), [WAITING], NextStep.SEND),
        (replace(TOLD, message=None, sent_at=NOON, told=frozenset()), [WAITING], NextStep.REST),
    ],
)
def test_the_next_step(
    last: Announcement | None, waiting: list[WaitingRequest], step: NextStep
) -> None:
    assert next_step(last, waiting, NOON, None, timedelta(hours=48)) is step


def test_where_messages_can_always_be_deleted_none_is_replaced_for_its_age() -> None:
    old = replace(TOLD, sent_at=NOON - timedelta(days=30))
    assert next_step(old, [WAITING], NOON, None) is NextStep.UPDATE


def test_in_quiet_hours_nothing_is_sent_and_what_is_over_is_deleted() -> None:
    night = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    assert next_step(None, [WAITING], night, NIGHT) is NextStep.REST
    assert next_step(TOLD, [], night, NIGHT) is NextStep.DELETE


def test_what_expires_in_quiet_hours_is_reminded_of_before_them() -> None:
    evening = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)
    late = replace(WAITING, expires_at=datetime(2026, 3, 2, 7, 0, tzinfo=UTC))
    late = replace(late, since=late.since - timedelta(days=2))
    assert not late.is_about_to_expire(evening, None)
    assert late.is_about_to_expire(evening, NIGHT)
    assert not replace(late, expires_at=None).is_about_to_expire(evening, NIGHT)


def test_who_is_called_to_what_was_asked_in_private() -> None:
    private = replace(WAITING, place=Place(ChatId(WEI)))
    assert WAITING.places() == (GROUP,)
    assert private.places() == [Place(ChatId(LI)), Place(ChatId(ANA))]
    assert replace(private, person=ANA, place=Place(ChatId(ANA))).places() == ()
    alarm = replace(private, person=PersonId("bot:0"), place=Place(ChatId(ANA)))
    assert alarm.places() == (Place(ChatId(ANA)),)


def test_quiet_hours_may_pass_midnight_and_are_those_of_a_zone() -> None:
    hours = [hour for hour in range(24) if NIGHT.covers(NOON.replace(hour=hour))]
    assert hours == [0, 1, 2, 3, 4, 5, 6, 7, 22, 23]
    assert LUNCH.covers(datetime(2026, 3, 1, 4, 0, tzinfo=UTC))
    assert not LUNCH.covers(NOON)
    assert NIGHT.loud_from(NOON) == NOON
    assert NIGHT.loud_from(NOON.replace(hour=23)) == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert NIGHT.loud_from(NOON.replace(hour=3)) == NOON.replace(hour=8)
