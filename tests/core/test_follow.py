"""When tags are listed, what is news, and when a chat is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.follow import Follow, ListTrouble, may_be_told, next_listing
from bot.core.ids import ChatId, PersonId, Place
from bot.dialog.follows import FOLLOWS_SHOWN, listed

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NEW = Follow(
    id=1,
    person=PersonId("telegram:1001"),
    place=Place(ChatId("telegram:-1001")),
    message=None,
    name="docker.io/library/nginx",
    range="^1.27",
    since=NOW,
)
SEEN = NEW.after_list("1.27.3", NOW)

FOUND = (
    ("", None, "", ListTrouble.UNCLEAR),
    ("", "1.27.3", "1.27.3", None),
    ("1.27.3", "1.27.3", "", None),
    ("1.27.3", "1.27.2", "", None),
    ("1.27.3", "1.28.0", "1.28.0", None),
    ("1.27.3", None, "", ListTrouble.UNCLEAR),
)


@pytest.mark.parametrize(("known", "newest", "news", "trouble"), FOUND)
def test_what_is_newer_than_what_was_told_is_news(
    known: str, newest: str | None, news: str, trouble: ListTrouble | None
) -> None:
    after = replace(SEEN, known=known, news="1.27.9").after_list(newest, NOW)
    assert (after.news, after.trouble) == (news, trouble)


def test_a_useless_list_leaves_what_was_found() -> None:
    after = replace(SEEN, news="1.27.4").after_useless_list(ListTrouble.MISSING, NOW)
    assert (after.news, after.trouble) == ("1.27.4", ListTrouble.MISSING)


@pytest.mark.parametrize("hour", range(24))
def test_each_repository_has_its_minute_of_the_day(hour: int) -> None:
    now = NOW.replace(hour=hour)
    then = next_listing(NEW.name, now)
    assert DAY / 2 < then - now <= 1.5 * DAY
    assert then.hour == 6
    assert next_listing(NEW.name, then) == then + DAY


def test_a_chat_is_told_once_a_day_and_after_the_other_lists() -> None:
    news = replace(SEEN, news="1.27.4", not_before=NOW + DAY)
    assert may_be_told([news], NOW)
    told = replace(SEEN, told_at=NOW - timedelta(hours=2), not_before=NOW + DAY)
    assert not may_be_told([news, told], NOW)
    soon = replace(SEEN, not_before=NOW + timedelta(minutes=9))
    assert not may_be_told([news, soon], NOW)
    assert may_be_told([news, soon], NOW + timedelta(hours=3))
    assert may_be_told([news, replace(soon, attempts=3)], NOW)


def test_a_long_list_is_cut() -> None:
    lines = listed([NEW] * (FOLLOWS_SHOWN + 2)).lines
    assert (len(lines), lines[-1].key) == (FOLLOWS_SHOWN + 2, "outdated-more")
