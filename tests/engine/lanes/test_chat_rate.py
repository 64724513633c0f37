"""How fast chats are spoken to, one by one and all together."""

from datetime import UTC, datetime, timedelta

from bot.core.ids import ChatId
from bot.engine.lanes.chat_rate import CARDS, EDITS_IN_ALL, IN_ALL, MESSAGES, ChatRate

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GROUP = ChatId(-1001)


def test_all_chats_together_are_told_no_more_in_a_second_than_telegram_takes() -> None:
    pace = ChatRate()
    for person in range(IN_ALL):
        assert pace.may_say(ChatId(person + 1), NOW)
        pace.said(ChatId(person + 1), NOW)
    assert not pace.may_speak(NOW)
    assert not pace.may_say(ChatId(999), NOW)
    assert pace.may_say(ChatId(999), NOW + SECOND)


def test_edits_leave_room_for_what_is_said_once() -> None:
    pace = ChatRate()
    for person in range(EDITS_IN_ALL):
        pace.said(ChatId(person + 1), NOW, edit=True)
    assert not pace.may_edit(ChatId(999), NOW)
    assert pace.may_say(ChatId(999), NOW)


def test_a_card_has_no_room_where_a_result_would_wait_for_it() -> None:
    pace = ChatRate()
    for _ in range(CARDS):
        pace.said(GROUP, NOW)
    assert not pace.has_room(GROUP, NOW + SECOND)
    assert pace.may_say(GROUP, NOW + SECOND)


def test_a_chat_that_had_its_share_is_silent_and_no_other() -> None:
    pace = ChatRate()
    for number in range(MESSAGES):
        pace.said(GROUP, NOW + number * SECOND)
    later = NOW + MESSAGES * SECOND
    assert list(pace.silent(later)) == [GROUP]
    assert pace.may_say(ChatId(1), later)
    assert list(pace.silent(later + 2 * 60 * SECOND)) == []


def test_only_the_last_minute_is_remembered() -> None:
    pace = ChatRate()
    for person in range(5000):
        pace.said(ChatId(person + 1), NOW, edit=True)
        pace.hold(ChatId(person + 1), NOW, NOW + SECOND)
    pace.silent(NOW + 61 * SECOND)
    assert (pace._said, pace._edited, pace._held) == ({}, {}, {})


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    pace = ChatRate()
    for _ in range(MESSAGES):
        pace.said(GROUP, NOW, edit=True)
    earlier = NOW - timedelta(days=1)
    assert pace.may_say(GROUP, earlier)
    assert pace.may_edit(GROUP, earlier)
