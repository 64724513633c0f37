"""Rate limits of messages to the chats, for each chat and for all together."""

from datetime import UTC, datetime, timedelta

from bot.adapters.telegram import PACE
from bot.core.ids import ChatId
from bot.engine.lanes.chat_rate import ChatRate

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GROUP = ChatId("telegram:-1001")


def test_all_chats_together_are_told_no_more_in_a_second_than_telegram_takes() -> None:
    pace = ChatRate(PACE)
    for person in range(PACE.burst):
        assert pace.can_send(ChatId(f"telegram:{person + 1}"), NOW)
        pace.record_sent(ChatId(f"telegram:{person + 1}"), NOW)
    assert not pace.can_send_anywhere(NOW)
    assert not pace.can_send(ChatId("telegram:999"), NOW)
    assert pace.can_send(ChatId("telegram:999"), NOW + SECOND)


def test_edits_leave_room_for_what_is_said_once() -> None:
    pace = ChatRate(PACE)
    for person in range(PACE.edits):
        pace.record_sent(ChatId(f"telegram:{person + 1}"), NOW, edit=True)
    assert not pace.can_edit(ChatId("telegram:999"), NOW)
    assert pace.can_send(ChatId("telegram:999"), NOW)


def test_a_card_has_no_room_where_a_result_would_wait_for_it() -> None:
    pace = ChatRate(PACE)
    for _ in range(PACE.cards):
        pace.record_sent(GROUP, NOW)
    assert not pace.has_room_for_card(GROUP, NOW + SECOND)
    assert pace.can_send(GROUP, NOW + SECOND)


def test_a_chat_that_had_its_share_is_silent_and_no_other() -> None:
    pace = ChatRate(PACE)
    for number in range(PACE.messages):
        pace.record_sent(GROUP, NOW + number * SECOND)
    later = NOW + PACE.messages * SECOND
    assert list(pace.blocked_chats(later)) == [GROUP]
    assert pace.can_send(ChatId("telegram:1"), later)
    assert list(pace.blocked_chats(later + 2 * 60 * SECOND)) == []


def test_only_the_last_minute_is_remembered() -> None:
    pace = ChatRate(PACE)
    for person in range(5000):
        pace.record_sent(ChatId(f"telegram:{person + 1}"), NOW, edit=True)
        pace.block(ChatId(f"telegram:{person + 1}"), NOW, NOW + SECOND)
    pace.blocked_chats(NOW + 61 * SECOND)
    assert (pace._sent, pace._edited, pace._blocked) == ({}, {}, {})


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    pace = ChatRate(PACE)
    for _ in range(PACE.messages):
        pace.record_sent(GROUP, NOW, edit=True)
    earlier = NOW - timedelta(days=1)
    assert pace.can_send(GROUP, earlier)
    assert pace.can_edit(GROUP, earlier)
