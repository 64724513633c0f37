"""What a person sends as one: which message is the next part, and when the whole is read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.gathering import (
    KEPT_AFTER,
    LONGEST,
    MOST_PARTS,
    PART_PAUSE,
    Cut,
    Gathering,
)
from bot.core.ids import RequestId
from bot.core.service import Cuts, units

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEXT = Gathering(
    request=RequestId(1), first_at=NOW, sent_at=NOW, until=NOW + PART_PAUSE, length=4096
)
ALBUM = replace(TEXT, album="a", length=0)

CUTS = Cuts(at=4096, looked_at=300, possible_from=2048, likely_from=3700)


def test_the_length_is_counted_as_telegram_counts_it() -> None:
    assert units("nginx") == 5
    assert units("😀") == 2
    assert units("\ud800") == 1


def test_a_text_may_be_cut_from_half_of_the_limit_and_probably_was_near_it() -> None:
    assert [CUTS.may_be("x" * n) for n in (CUTS.possible_from - 1, CUTS.possible_from)] == [
        False,
        True,
    ]
    lengths = (CUTS.likely_from - 1, CUTS.likely_from, 4000, 4096)
    assert [CUTS.probably("x" * n) for n in lengths] == [False, True, True, True]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("nginx:1",), "nginx:1"),
        (("nginx:1", "redis:7"), "nginx:1\nredis:7"),
        (("x" * 4096, "y"), "x" * 4096 + "y"),
        (("x" * 4000 + " " + "y" * 95, "z"), "x" * 4000 + " " + "y" * 95 + "\nz"),
        (("x" * 4096, "y" * 4096, "z"), "x" * 4096 + "y" * 4096 + "z"),
        (("x" * 4095, "y"), "x" * 4095 + "\ny"),
    ],
)
def test_the_line_end_at_which_an_app_cuts_is_put_back(parts: tuple[str, ...], whole: str) -> None:
    assert CUTS.joined(parts) == whole


@pytest.mark.parametrize(
    ("pause", "takes"), [(0, True), (1, True), (2, False), (-1, False), (3600, False)]
)
def test_the_next_part_was_sent_within_a_second(pause: int, *, takes: bool) -> None:
    assert TEXT.takes(sent_at=NOW + pause * SECOND, album="") is takes


def test_what_follows_a_short_text_is_no_part_of_it() -> None:
    short = replace(TEXT, length=0)
    assert not short.takes(sent_at=NOW, album="")
    assert not short.may_grow


def test_a_file_goes_with_its_album_alone_whenever_it_comes() -> None:
    late = NOW + timedelta(hours=1)
    assert ALBUM.takes(sent_at=late, album="a")
    assert ALBUM.may_grow
    assert not ALBUM.takes(sent_at=NOW, album="b")
    assert not ALBUM.takes(sent_at=NOW, album="")
    assert not TEXT.takes(sent_at=NOW, album="a")


def test_a_part_moves_the_deadline_and_what_was_read_is_read_again() -> None:
    read = replace(TEXT, cut=Cut.TEXT, read_at=NOW, attempts=2, not_before=NOW)
    grown = read.with_part(sent_at=NOW + SECOND, now=NOW + 5 * SECOND, length=9)
    assert grown == replace(TEXT, parts=2, sent_at=NOW + SECOND, until=NOW + 6 * SECOND, length=9)


def test_it_is_read_once_after_its_deadline() -> None:
    assert not TEXT.is_ripe(NOW)
    assert TEXT.is_ripe(NOW + PART_PAUSE)
    assert TEXT.is_ripe(NOW - timedelta(hours=1)), "the clock was set back"
    assert not replace(TEXT, read_at=NOW).is_ripe(NOW + PART_PAUSE)
    assert not replace(TEXT, not_before=NOW + 9 * SECOND).is_ripe(NOW + PART_PAUSE)


def test_it_is_kept_a_while_for_a_part_that_is_late() -> None:
    assert not TEXT.is_over(NOW + timedelta(days=1)), "it was not read"
    read = replace(TEXT, read_at=NOW)
    assert not read.is_over(NOW + KEPT_AFTER - SECOND)
    assert read.is_over(NOW + KEPT_AFTER)


@pytest.mark.parametrize(
    ("begun", "later"),
    [(replace(TEXT, parts=MOST_PARTS), SECOND), (replace(TEXT, sent_at=NOW + LONGEST), LONGEST)],
    ids=["too many", "too long"],
)
def test_parts_that_never_end_are_not_taken_and_that_is_said_once(
    begun: Gathering, later: timedelta
) -> None:
    read = replace(begun, read_at=NOW)
    sent_at = NOW + later + SECOND
    assert read.is_full(sent_at)
    full = read.with_part(sent_at=sent_at, now=sent_at, length=4096)
    assert full == replace(read, sent_at=sent_at, cut=Cut.LONG, read_at=None)
    told = replace(full, read_at=NOW)
    more = told.with_part(sent_at=sent_at + SECOND, now=NOW, length=4096)
    assert more == replace(told, sent_at=sent_at + SECOND), "and the deadline stays"


def test_an_album_is_bounded_by_its_files_and_not_by_its_time() -> None:
    assert not ALBUM.is_full(NOW + timedelta(hours=1))
    assert replace(ALBUM, parts=MOST_PARTS).is_full(NOW)
