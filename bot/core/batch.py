"""A batch: one commit or one dispatch to the mirror repository, and the run that it starts.

Each intention is stored before its effect (`committing_at`, `dispatching_at`). After a kill or an
unclear answer the bot therefore looks for its own batch id on GitHub before it writes again.
Nothing here does I/O. `next_step` derives what to do from the stored facts and the time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.core.decision import Ground
from bot.core.events import Copied, CopyFailed, Event, Requeued
from bot.core.failures import Failure, FailureKind, classify
from bot.core.ids import BOT_ITSELF, BatchId, CommitSha, PersonId, RequestId, RunId, split_id
from bot.core.image import ImageRef
from bot.core.retry import LONGEST_DELAY, RetriedWithTrouble, requeue_wait
from bot.core.transfer import Transfer


class Via(StrEnum):
    """How the run of a batch is started."""

    COMMIT = "commit"
    """The images are not in the list: a commit adds them, and the push starts the run."""
    DISPATCH = "dispatch"
    """The images are in the list already, so the run is started by workflow_dispatch."""


class Step(StrEnum):
    """What to do next for an open batch."""

    COMMIT = "commit"
    FIND_RUN = "find-run"
    DISPATCH = "dispatch"
    GIVE_UP = "give-up"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(RetriedWithTrouble):
    """The stored facts of a batch. Times are in UTC. None means "not yet"."""

    id: BatchId
    via: Via
    opened_at: datetime
    committing_at: datetime | None = None
    sha: CommitSha | None = None
    committed_at: datetime | None = None
    dispatching_at: datetime | None = None
    dispatched_at: datetime | None = None
    run: RunId | None = None
    run_url: str = ""
    run_seen_at: datetime | None = None
    closed_at: datetime | None = None

    def polled(self, now: datetime, *, took: timedelta = timedelta()) -> Self:
        """The batch after a poll that found nothing new. `took`: how long that poll lasted.

        The interval is measured from the start of one poll to the start of the next. After a slow
        poll the pause is still at least half of it. Times in the future come from a clock that
        was set back since. They become `now`, so that the waiting time starts again.
        """
        there = {name: getattr(self, name) for name in _WAITED_FROM}
        past = {name: min(at, now) for name, at in there.items() if at is not None}
        interval = poll_interval(now - self._last(now))
        pause = min(interval, max(interval - took, interval / 2))
        return replace(self, attempts=0, trouble=None, not_before=now + pause, **past)

    def _last(self, now: datetime) -> datetime:
        return self.run_seen_at or self.dispatched_at or self.committed_at or now


_WAITED_FROM: Final = ("committed_at", "dispatching_at", "dispatched_at")
_POLL_INTERVALS: Final = (
    (timedelta(seconds=10), timedelta(seconds=1)),
    (timedelta(minutes=1), timedelta(seconds=2)),
    (timedelta(minutes=10), timedelta(seconds=10)),
)
"""Up to which age which interval holds."""
LONGEST_POLL_INTERVAL: Final = timedelta(seconds=30)


def poll_interval(age: timedelta) -> timedelta:
    """How long to wait between two polls of something `age` old: the older, the longer."""
    found = (interval for limit, interval in _POLL_INTERVALS if age < limit)
    return next(found, LONGEST_POLL_INTERVAL)


def next_step(batch: Batch, now: datetime, *, patience: timedelta) -> Step | None:
    """What to do at `now`, or None. `patience`: how long a run may take to appear.

    If no run appears for a commit, one dispatch follows. If no run appears for the dispatch
    either, the batch is given up.
    """
    if batch.closed_at is not None:
        return None
    at_most = LONGEST_DELAY if batch.attempts else LONGEST_POLL_INTERVAL
    if not batch.is_due(now, at_most=at_most):
        return None
    if batch.run is not None:
        return Step.FOLLOW
    if batch.dispatched_at is not None:
        return Step.GIVE_UP if now >= batch.dispatched_at + patience else Step.FIND_RUN
    if batch.via is Via.DISPATCH or batch.dispatching_at is not None:
        return Step.DISPATCH
    if batch.committed_at is None:
        return Step.COMMIT
    return Step.DISPATCH if now >= batch.committed_at + patience else Step.FIND_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchImage:
    """One image of a batch, with what the commit message says about it."""

    image: ImageRef
    requests: tuple[RequestId, ...]
    requested_by: tuple[PersonId, ...]
    approved_by: PersonId | None


BATCH_TRAILER: Final = "Batch"


def commit_message(batch: BatchId, shares: tuple[BatchImage, ...]) -> str:
    """The subject and the trailers.

    They contain no text that a person chose. A name may contain `[skip ci]`, with which GitHub
    Actions skips the run.
    """
    subject = f"Mirror {shares[0].image}" if len(shares) == 1 else f"Mirror {len(shares)} images"
    requests = sorted({request for share in shares for request in share.requests})
    people = {person for share in shares for person in share.requested_by} - {BOT_ITSELF}
    approvers = {share.approved_by for share in shares}
    by_policy = ["policy"] if None in approvers else []
    trailers = [
        f"{BATCH_TRAILER}: {batch}",
        *(f"Request: {request}" for request in requests),
        *(f"Requested-by: {person}" for person in sorted(people, key=split_id)),
        *(
            f"Approved-by: {by}"
            for by in [*by_policy, *sorted(filter(None, approvers), key=split_id)]
        ),
    ]
    return f"{subject}\n\n" + "\n".join(trailers) + "\n"


def batch_of(message: str) -> BatchId | None:
    """The batch that a commit message names in its last paragraph, if any."""
    for line in message.rstrip().rpartition("\n\n")[2].splitlines():
        key, _, value = line.partition(":")
        if key == BATCH_TRAILER and value.strip():
            return BatchId(value.strip())
    return None


def reference_to_copy(transfer: Transfer) -> ImageRef:
    """What a run has to copy: for a version updated upstream, the digest that was approved.

    Its tag may have been updated once more since somebody approved it.
    """
    if transfer.ground is Ground.UPDATED and transfer.digest is not None:
        return replace(transfer.image, digest=transfer.digest)
    return transfer.image


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run. `conclusion` is GitHub's value, empty until the run has finished."""

    id: RunId
    url: str
    conclusion: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether the run has a conclusion."""
        return bool(self.conclusion)


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a run reports on one image: its `digest`, or the `line` that says why it failed.

    `size` is in bytes, None where the run does not report it.
    """

    image: str
    digest: str | None
    size: int | None = None
    line: str = ""


def result_event(transfer: Transfer, result: CopyResult, now: datetime) -> Event:
    """The event for an image that its run has reported on."""
    if result.digest is None:
        return _failed(transfer, Failure(classify(result.line), result.line), now)
    if transfer.ground is Ground.UPDATED and result.digest != transfer.digest:
        # Its line was new in the list, so the run copied it by its tag, which was updated after
        # the approval. Now the list has the line: the next batch dispatches the approved digest.
        failure = Failure(FailureKind.MISMATCH, result.digest)
        return Requeued(now, failure, now) if not transfer.requeues else CopyFailed(now, failure)
    return Copied(now, result.digest, result.size)


def no_result_event(
    run: Run, transfer: Transfer, now: datetime, *, outdated: bool = False
) -> Event:
    """The event for an image that its finished run has not reported on.

    `outdated`: the workflow is not the one that this bot ships, so the run refused to start.
    """
    cancelled = run.conclusion == "cancelled"
    kind = FailureKind.RUN_CANCELLED if cancelled else FailureKind.RUN_SILENT
    failure = Failure(kind, run.conclusion)
    if (outdated or run.conclusion == "success") and transfer.requeues == 0:
        # The run succeeded without this image: another commit added or moved its line. Now the
        # list has the line, so the next batch dispatches the image by its name. Where the workflow
        # is outdated, no batch is formed before `setup` has run.
        return Requeued(now, failure, now)
    return CopyFailed(now, failure)


def _failed(transfer: Transfer, failure: Failure, now: datetime) -> Event:
    """A transient failure puts the copy back in the queue, up to a number of times."""
    wait = requeue_wait(failure.kind, transfer.requeues)
    return CopyFailed(now, failure) if wait is None else Requeued(now, failure, now + wait)
