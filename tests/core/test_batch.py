"""Which step a batch needs next, and what its commit message says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.batch import (
    Batch,
    BatchImage,
    CopyResult,
    Run,
    Step,
    Via,
    batch_of,
    commit_message,
    next_step,
    no_result_event,
    poll_interval,
    result_event,
)
from bot.core.decision import Ground
from bot.core.events import Copied, CopyFailed, Event, Requeued
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, CommitSha, PersonId, RequestId, RunId, TransferId
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


SHARE = BatchImage(
    image=ImageRef.parse("nginx"),
    requests=(RequestId(41),),
    requested_by=(PersonId("telegram:1001"),),
    approved_by=None,
)


def test_the_message_names_the_image_or_counts_them_and_repeats_nobody() -> None:
    other = replace(
        SHARE, requests=(RequestId(42), RequestId(41)), approved_by=PersonId("telegram:1003")
    )
    assert commit_message(BatchId("b1"), (SHARE,)).startswith(
        "Mirror docker.io/library/nginx:latest\n\nBatch: b1\n"
    )
    assert commit_message(BatchId("b1"), (SHARE, other)) == (
        "Mirror 2 images\n\nBatch: b1\nRequest: 41\nRequest: 42\n"
        "Requested-by: telegram:1001\nApproved-by: policy\nApproved-by: telegram:1003\n"
    )


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
UPDATED = replace(TRANSFER, ground=Ground.UPDATED)
MISMATCH = Failure(FailureKind.MISMATCH, "sha256:cd")


@pytest.mark.parametrize(
    ("transfer", "digest", "event"),
    [
        (TRANSFER, "sha256:cd", Copied(NOW, "sha256:cd", None)),
        (UPDATED, "sha256:ab", Copied(NOW, "sha256:ab", None)),
        (UPDATED, "sha256:cd", Requeued(NOW, MISMATCH, NOW)),
        (replace(UPDATED, requeues=1), "sha256:cd", CopyFailed(NOW, MISMATCH)),
    ],
)
def test_an_approved_update_is_copied_as_approved_or_dispatched_by_its_digest_once(
    transfer: Transfer, digest: str, event: Event
) -> None:
    assert result_event(transfer, CopyResult("nginx", digest), NOW) == event


@pytest.mark.parametrize(
    ("conclusion", "requeues", "event"),
    [
        ("success", 0, Requeued(NOW, Failure(FailureKind.RUN_SILENT, "success"), NOW)),
        ("success", 1, CopyFailed(NOW, Failure(FailureKind.RUN_SILENT, "success"))),
        ("failure", 0, CopyFailed(NOW, Failure(FailureKind.RUN_SILENT, "failure"))),
        ("cancelled", 0, CopyFailed(NOW, Failure(FailureKind.RUN_CANCELLED, "cancelled"))),
    ],
)
def test_a_run_without_the_image_has_failed_but_for_its_first_success(
    conclusion: str, requeues: int, event: Event
) -> None:
    run = Run(RunId(1), "https://x/runs/1", conclusion)
    assert no_result_event(run, replace(TRANSFER, requeues=requeues), NOW) == event


def test_a_run_that_an_outdated_workflow_stopped_is_made_up_for_once() -> None:
    run = Run(RunId(7), "https://github.example.com/runs/7", "failure")
    silent = Failure(FailureKind.RUN_SILENT, "failure")
    assert no_result_event(run, TRANSFER, NOW, outdated=True) == Requeued(NOW, silent, NOW)
    again = replace(TRANSFER, requeues=1)
    assert no_result_event(run, again, NOW, outdated=True) == CopyFailed(NOW, silent)
