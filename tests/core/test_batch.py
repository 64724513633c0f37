"""Which step a batch needs next, and what its commit message says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.batch import (
    Batch,
    CopyResult,
    Run,
    Step,
    Via,
    batch_of,
    commit_message,
    is_time_to_commit,
    next_step,
    no_result_event,
    one_per_place,
    poll_interval,
    result_event,
    result_of,
)
from bot.core.events import Copied, CopyFailed, Event, Requeued
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, CommitSha, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.retry import Trouble, TroubleKind, wait_after
from bot.core.transfer import Transfer

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE = timedelta(seconds=90)
LATER = NOW + PATIENCE
SLOW = Trouble(TroubleKind.SILENT, "GitHub")
NEW = Batch(id=BatchId("b1"), via=Via.COMMIT, opened_at=NOW)
COMMITTED = replace(NEW, sha=CommitSha("a" * 40), committed_at=NOW)
DISPATCHED = replace(COMMITTED, dispatching_at=LATER, dispatched_at=LATER)


@pytest.mark.parametrize(
    ("batch", "at", "step"),
    [
        (NEW, NOW, Step.COMMIT),
        (COMMITTED, NOW, Step.FIND_RUN),
        (COMMITTED, LATER, Step.DISPATCH),
        (replace(COMMITTED, dispatching_at=NOW), NOW, Step.DISPATCH),
        (DISPATCHED, LATER, Step.FIND_RUN),
        (DISPATCHED, LATER + PATIENCE, Step.GIVE_UP),
        (replace(NEW, via=Via.DISPATCH), NOW, Step.DISPATCH),
        (replace(NEW, via=Via.REMOVAL), NOW, Step.COMMIT),
        (replace(COMMITTED, run=RunId(1)), LATER, Step.FOLLOW),
        (replace(NEW, closed_at=NOW), NOW, None),
        (replace(NEW, attempts=7, not_before=LATER), NOW, None),
        (replace(NEW, attempts=7, not_before=LATER), LATER, Step.COMMIT),
        # Without a trouble no poll is so far ahead, so the clock was set back since.
        (replace(NEW, not_before=LATER), NOW, Step.COMMIT),
    ],
)
def test_a_batch_is_owed_one_step_at_a_time(batch: Batch, at: datetime, step: Step | None) -> None:
    assert next_step(batch, at, patience=PATIENCE) is step


def test_looks_are_frequent_when_young_and_rare_when_old() -> None:
    ages = [timedelta(seconds=s) for s in (0, 9, 10, 59, 60, 599, 600, 90_000)]
    assert [poll_interval(age).total_seconds() for age in ages] == [1, 1, 2, 2, 10, 10, 30, 30]
    assert NEW.polled(NOW).not_before == NOW + timedelta(seconds=1)
    seen = replace(COMMITTED, run_seen_at=NOW, attempts=3, trouble=SLOW).polled(LATER)
    assert (seen.not_before, seen.attempts, seen.trouble) == (
        LATER + timedelta(seconds=10),
        0,
        None,
    )


@pytest.mark.parametrize(
    ("took", "pause"), [(0.0, 1.0), (0.4, 0.6), (0.9, 0.5), (5.0, 0.5), (-3.0, 1.0)]
)
def test_what_a_look_takes_is_part_of_the_interval_up_to_its_half(
    took: float, pause: float
) -> None:
    after = NEW.polled(NOW, took=timedelta(seconds=took))
    assert after.not_before == NOW + timedelta(seconds=pause)


def test_trouble_puts_a_batch_off_for_longer_each_time() -> None:
    first = NEW.troubled(NOW, SLOW, seed=NEW.id)
    second = first.troubled(NOW, SLOW, seed=NEW.id)
    assert first.not_before is not None
    assert second.not_before is not None
    assert NOW < first.not_before < second.not_before
    assert second.attempts == 2


DECIDED, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
READY = replace(
    Transfer(id=TransferId(1), image=ImageRef.parse("nginx:1.27"), opened_at=NOW),
    checked_at=NOW,
    approved_at=NOW,
)


@pytest.mark.parametrize(
    ("times", "checking", "goes"),
    [
        ((1.9,), False, False),
        ((2.0,), False, True),
        ((9.9, 1.0), False, False),
        ((9.9, 3.0), False, True),
        ((9.9, 3.0), True, False),
        ((10.0, 1.0), True, True),
    ],
)
def test_approved_images_wait_a_moment_for_others(
    times: tuple[float, ...], *, checking: bool, goes: bool
) -> None:
    ready = [replace(READY, approved_at=NOW - timedelta(seconds=age)) for age in times]
    assert is_time_to_commit(ready, NOW, checking=checking) is goes


def test_the_first_of_a_place_goes_unless_a_copy_to_it_is_under_way() -> None:
    names = ("nginx:1.27", f"nginx:1.27@{DECIDED}", "nginx:1.26", f"nginx@{DECIDED}", "redis")
    ready = [replace(READY, image=ImageRef.parse(name)) for name in names]
    taken = {ImageRef.parse("redis")}
    going = [str(transfer.image) for transfer in one_per_place(ready, taken)]
    hub = "docker.io/library/nginx"
    assert going == [f"{hub}:1.27", f"{hub}:1.26", f"{hub}@{DECIDED}"]


def test_the_message_names_the_image_or_counts_them_above_the_block() -> None:
    nginx = ImageRef.parse("nginx")
    assert commit_message([nginx], "Batch: b1\nSeal: 1") == (
        "Mirror docker.io/library/nginx:latest\n\nBatch: b1\nSeal: 1\n"
    )
    assert commit_message([nginx, nginx], "Batch: b1").startswith("Mirror 2 images\n\nBatch: b1")


COPIED = Transfer(
    id=TransferId(1),
    image=ImageRef.parse("nginx:1.27"),
    opened_at=NOW,
    checked_at=NOW,
    digest=DECIDED,
)


def result(digest: str, *, name: str = "docker.io/library/nginx:1.27") -> CopyResult:
    return CopyResult(name, digest, 9)


def test_only_the_decided_digest_is_copied() -> None:
    assert result_event(COPIED, result(DECIDED), NOW) == Copied(NOW, DECIDED, 9)
    mismatch = CopyFailed(NOW, Failure(FailureKind.MISMATCH, OTHER))
    assert result_event(COPIED, result(OTHER), NOW) == mismatch
    unknown = replace(COPIED, digest=None)
    assert result_event(unknown, result(OTHER), NOW) == mismatch


def test_a_result_is_found_by_the_name_with_or_without_the_decided_digest() -> None:
    plain = result(DECIDED)
    full = result(DECIDED, name=f"{plain.image}@{DECIDED}")
    assert result_of(COPIED, {plain.image: plain}) == plain
    assert result_of(COPIED, {full.image: full}) == full
    assert result_of(replace(COPIED, image=COPIED.image.at(DECIDED)), {plain.image: plain}) == plain
    assert result_of(COPIED, {f"{plain.image}@{OTHER}": plain}) is None


def test_a_result_is_found_where_the_name_is_too_long_for_a_status() -> None:
    image = ImageRef("docker.io", "a" * 240, "1", None)
    shown = result(
        DECIDED, name=f"docker.io/{'a' * 225}~{sha256(str(image).encode()).hexdigest()[:12]}"
    )
    assert result_of(replace(COPIED, image=image), {shown.image: shown}) == shown


def test_a_digest_that_the_source_lost_ends_the_copy() -> None:
    line = f"source: the decided digest is gone: {DECIDED}"
    lost = CopyResult("docker.io/library/nginx:1.27", None, line=line)
    failure = Failure(FailureKind.DIGEST_GONE, line)
    assert result_event(COPIED, lost, NOW) == CopyFailed(NOW, failure)


@pytest.mark.parametrize(
    ("message", "batch"),
    [
        ("Mirror x\n\nBatch: b1\nRequest: 1\n", "b1"),
        ("Mirror x\n\nBatch: b1\n\nSigned-off-by: ana", None),
        ("Batch: b1", "b1"),
        ("Mirror x\n\nBatch:\n", None),
        ("", None),
    ],
)
def test_a_commit_is_ours_by_its_last_paragraph(message: str, batch: str | None) -> None:
    assert batch_of(message) == batch


@given(st.integers(1, 10_000), st.text())
def test_a_wait_is_bounded_and_never_shorter_than_the_server_wishes(
    attempts: int, seed: str
) -> None:
    wait = wait_after(attempts, seed=seed).total_seconds()
    assert 1.5 <= wait <= 375
    assert wait_after(attempts, seed=seed, retry_after=1000).total_seconds() == 1000


TRANSFER = Transfer(
    id=TransferId(1), image=ImageRef.parse("nginx"), opened_at=NOW, digest="sha256:ab"
)


@pytest.mark.parametrize(
    ("conclusion", "requeues", "event"),
    [
        ("success", 0, Requeued(NOW, Failure(FailureKind.RUN_SILENT, "success"), NOW)),
        ("success", 1, CopyFailed(NOW, Failure(FailureKind.RUN_SILENT, "success"))),
        ("failure", 0, CopyFailed(NOW, Failure(FailureKind.RUN_SILENT, "failure"))),
        ("cancelled", 0, CopyFailed(NOW, Failure(FailureKind.RUN_CANCELLED, "cancelled"))),
        (
            "startup_failure",
            0,
            CopyFailed(NOW, Failure(FailureKind.RUN_INVALID, "startup_failure")),
        ),
    ],
)
def test_a_run_without_the_image_has_failed_but_for_its_first_success(
    conclusion: str, requeues: int, event: Event
) -> None:
    run = Run(RunId(1), "https://x/runs/1", conclusion)
    assert no_result_event(run, replace(TRANSFER, requeues=requeues), NOW) == event


@pytest.mark.parametrize(
    ("conclusion", "words", "failure"),
    [
        ("failure", "unpaid", Failure(FailureKind.RUN_NOT_STARTED, "unpaid")),
        ("cancelled", "", Failure(FailureKind.RUN_NOT_STARTED, "cancelled")),
        ("startup_failure", "", Failure(FailureKind.RUN_INVALID, "startup_failure")),
    ],
)
def test_a_run_that_no_runner_took_is_told_with_githubs_words(
    conclusion: str, words: str, failure: Failure
) -> None:
    run = Run(RunId(1), "https://x/runs/1", conclusion)
    assert no_result_event(run, TRANSFER, NOW, unstarted=words) == CopyFailed(NOW, failure)


def test_a_run_is_finished_when_it_has_a_conclusion() -> None:
    run = Run(RunId(7), "https://github.example.com/runs/7")
    assert not run.is_finished
    assert replace(run, conclusion="success").is_finished


def test_a_run_that_an_outdated_workflow_stopped_is_made_up_for_once() -> None:
    run = Run(RunId(7), "https://github.example.com/runs/7", "failure")
    silent = Failure(FailureKind.RUN_SILENT, "failure")
    assert no_result_event(run, TRANSFER, NOW, outdated=True) == Requeued(NOW, silent, NOW)
    again = replace(TRANSFER, requeues=1)
    assert no_result_event(run, again, NOW, outdated=True) == CopyFailed(NOW, silent)
