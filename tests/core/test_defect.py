"""Which defects there are, and when the maintainer is told of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.batch import Batch, Run, Via
from bot.core.defect import (
    ENDING_SOON,
    GONE_FOR,
    QUEUED_LONG,
    SETTLES,
    TOLD_AT_ONCE,
    Defect,
    DefectKind,
    Found,
    SeenDefect,
    ends_soon,
    look,
    nearly_full,
    refused_by_target,
    refused_statement,
    silent_runner,
    together,
)
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
FULL = Defect(DefectKind.FULL)
THERE: Found = {"full": FULL}
GONE: Found = {"full": None}
NEW = SeenDefect(key="full", since=NOW)
TOLD = replace(NEW, told_at=NOW)
AWAY = replace(TOLD, gone_at=NOW)


@pytest.mark.parametrize(
    ("before", "found", "after", "quiet", "expected"),
    [
        (None, THERE, timedelta(), False, NEW),
        (NEW, THERE, SETTLES / 2, False, NEW),
        (NEW, THERE, SETTLES, False, replace(NEW, told_at=NOW + SETTLES)),
        (NEW, THERE, SETTLES, True, NEW),
        (NEW, GONE, SETTLES, False, None),
        (NEW, {}, SETTLES, False, NEW),
        (TOLD, THERE, timedelta(days=40), False, TOLD),
        (TOLD, GONE, SETTLES, False, replace(TOLD, gone_at=NOW + SETTLES)),
        (AWAY, GONE, GONE_FOR / 2, False, AWAY),
        (AWAY, THERE, GONE_FOR / 2, False, TOLD),
        (AWAY, GONE, GONE_FOR, False, None),
        (None, GONE, timedelta(), False, None),
    ],
)
def test_each_is_told_once_until_it_was_gone_for_a_while(
    before: SeenDefect | None,
    found: Found,
    after: timedelta,
    quiet: bool,  # noqa: FBT001 - one row of a table
    expected: SeenDefect | None,
) -> None:
    seen = {"full": before} if before else {}
    looked = look(seen, found, NOW + after, quiet=quiet)
    kept = seen | {each.key: each for each in looked.save}
    assert {key: value for key, value in kept.items() if key not in looked.drop} == (
        {"full": expected} if expected else {}
    )
    is_new = expected is not None and expected.told_at != (before.told_at if before else None)
    assert looked.tell == ([FULL] if is_new else [])
    assert before not in looked.save


def test_more_than_fit_into_a_message_are_told_by_and_by() -> None:
    every = [Defect(DefectKind.QUOTA, f"team{number:02}") for number in range(TOLD_AT_ONCE + 1)]
    seen = {each.key: SeenDefect(key=each.key, since=NOW) for each in every}
    found, told = {each.key: each for each in every}, list[Defect]()
    for minutes in (2, 3, 4):
        looked = look(seen, found, NOW + timedelta(minutes=minutes), quiet=False)
        assert len(looked.tell) <= TOLD_AT_ONCE
        told += looked.tell
        seen |= {each.key: each for each in looked.save}
    assert told == every


def test_what_ends_within_two_weeks_ends_soon() -> None:
    kind = DefectKind.GITHUB_EXPIRY
    assert (
        ends_soon(kind, None, NOW)
        == ends_soon(kind, NOW + ENDING_SOON, NOW)
        == {"github-expiry": None}
    )
    soon = NOW + ENDING_SOON - timedelta(seconds=1)
    assert ends_soon(kind, soon, NOW) == {"github-expiry": Defect(kind, until=soon)}


def test_a_statement_that_the_target_refuses_is_a_defect_with_its_words() -> None:
    found = refused_statement("403: DENIED")["statements"]
    assert found == Defect(DefectKind.STATEMENTS, line="403: DENIED")
    assert refused_statement("") == {"statements": None}


def test_a_quota_is_nearly_full_from_nine_tenths_on() -> None:
    found = nearly_full({"a": (89, 100), "b": (90, 100)})
    assert found == {
        "quota a": None,
        "quota b": Defect(DefectKind.QUOTA, where="b", used=90, quota=100),
    }


def test_a_run_that_nobody_takes_means_a_silent_runner() -> None:
    run = Run(RunId(7), "https://x/7", is_queued=True)
    batch = Batch(id=BatchId("b"), via=Via.COMMIT, opened_at=NOW, run_url=run.url, run_seen_at=NOW)
    queued = batch.with_run(run, NOW)
    begun = batch.with_run(replace(run, is_queued=False), NOW)
    assert begun.with_run(run, NOW + ENDING_SOON) == begun
    later = NOW + QUEUED_LONG
    assert silent_runner([queued], later) == {
        "runner": Defect(DefectKind.RUNNER, url="https://x/7")
    }
    nothing = {"runner": None}
    assert silent_runner([queued], later - SETTLES) == silent_runner([begun], later) == nothing
    assert silent_runner([replace(queued, run_seen_at=None)], later) == nothing


def copied(state: State, kind: FailureKind | None = None) -> Transfer:
    failure = Failure(kind) if kind else None
    image = ImageRef.parse("nginx:1.27")
    return Transfer(id=TransferId(1), image=image, opened_at=NOW, ended=state, failure=failure)


@pytest.mark.parametrize(
    ("copies", "there"),
    [
        ([], None),
        ([copied(State.FAILED, FailureKind.NETWORK)], None),
        ([copied(State.MIRRORED)], set()),
        ([copied(State.FAILED, FailureKind.TARGET_QUOTA), copied(State.MIRRORED)], {"full"}),
        ([copied(State.MIRRORED), copied(State.FAILED, FailureKind.TARGET_QUOTA)], set()),
        (
            [
                copied(State.FAILED, FailureKind.MISSING),
                copied(State.FAILED, FailureKind.TARGET_LOGIN),
            ],
            {"target-login"},
        ),
    ],
)
def test_the_latest_copy_that_reached_the_target_tells_how_it_is(
    copies: list[Transfer], there: set[str] | None
) -> None:
    found = refused_by_target(copies)
    assert found.keys() == (set() if there is None else {"full", "target-login"})
    assert {key for key, defect in found.items() if defect} == (there or set())


def test_what_one_of_them_found_is_there() -> None:
    assert together(THERE, GONE) == together(GONE, THERE) == THERE
    assert together(GONE, {}) == GONE
