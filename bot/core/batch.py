"""One commit (or one dispatch) to the mirror repository, and the one run it starts.

The intention is stored before each effect (`committing_at`, `dispatching_at`), so that after a
kill or an unclear answer the bot looks for its own mark before it writes again. Pure: what
the batch is owed is a projection of its facts and the time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.core.events import Copied, CopyFailed, Event, Requeued
from bot.core.failures import Failure, FailureKind, classify
from bot.core.ids import BatchId, CommitSha, PersonId, RequestId, RunId
from bot.core.image import ImageRef
from bot.core.policy import Ground
from bot.core.request import BOT_ITSELF
from bot.core.retry import LONGEST_DELAY, Trouble, is_due, requeue_wait, wait_after
from bot.core.transfer import Transfer


class Via(StrEnum):
    COMMIT = "commit"
    """The list lacks the images: a commit adds them, the push starts the run."""
    DISPATCH = "dispatch"
    """The list has them already: a push would copy nothing, so the run is asked for."""


class Step(StrEnum):
    """What the world owes an open batch."""

    COMMIT = "commit"
    FIND_RUN = "find-run"
    DISPATCH = "dispatch"
    GIVE_UP = "give-up"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The stored facts of a batch. Times are UTC; None means: not yet."""

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
    attempts: int = 0
    not_before: datetime | None = None
    trouble: Trouble | None = None

    def postponed(
        self, now: datetime, *, trouble: Trouble, retry_after: float | None = None
    ) -> Self:
        wait = wait_after(self.attempts + 1, seed=self.id, retry_after=retry_after)
        return replace(self, attempts=self.attempts + 1, not_before=now + wait, trouble=trouble)

    def polled(self, now: datetime, *, took: timedelta = timedelta()) -> Self:
        """After a look that found nothing new: the next one comes after the interval.

        The interval holds from look to look, so that what one takes is part of it; but a service
        that is slow is left alone for half of it. Times that lie ahead are of a clock that was set
        back since: patience begins anew.
        """
        there = {name: getattr(self, name) for name in _WAITED_FROM}
        past = {name: min(at, now) for name, at in there.items() if at is not None}
        interval = poll_interval(now - self._last(now))
        pause = min(interval, max(interval - took, interval / 2))
        return replace(self, attempts=0, trouble=None, not_before=now + pause, **past)

    def _last(self, now: datetime) -> datetime:
        return self.run_seen_at or self.dispatched_at or self.committed_at or now


_WAITED_FROM: Final = ("committed_at", "dispatching_at", "dispatched_at")
NEW: Final = timedelta(seconds=10)
YOUNG: Final = timedelta(minutes=1)
OLDER: Final = timedelta(minutes=10)
LONGEST_POLL_INTERVAL: Final = timedelta(seconds=30)


def poll_interval(age: timedelta) -> timedelta:
    """How long to wait between two looks at something `age` old: the older, the calmer."""
    if age < NEW:
        return timedelta(seconds=1)
    if age < YOUNG:
        return timedelta(seconds=2)
    if age < OLDER:
        return timedelta(seconds=10)
    return LONGEST_POLL_INTERVAL


def next_step(batch: Batch, now: datetime, *, patience: timedelta) -> Step | None:
    """What is owed at `now`. `patience`: how long a run may take to appear.

    A commit whose run does not appear is dispatched once; a dispatch whose run does not
    appear either is given up.
    """
    if batch.closed_at is not None:
        return None
    at_most = LONGEST_DELAY if batch.attempts else LONGEST_POLL_INTERVAL
    if not is_due(batch.not_before, now, at_most=at_most):
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
    """One image of a batch, with what the commit message says of it."""

    image: ImageRef
    requests: tuple[RequestId, ...]
    requested_by: tuple[PersonId, ...]
    approved_by: PersonId | None


BATCH_TRAILER: Final = "Batch"


def commit_message(batch: BatchId, shares: tuple[BatchImage, ...]) -> str:
    """Subject and trailers. No text that a person chose: a name may hold `[skip ci]`."""
    subject = f"Mirror {shares[0].image}" if len(shares) == 1 else f"Mirror {len(shares)} images"
    requests = sorted({request for share in shares for request in share.requests})
    people = sorted({person for share in shares for person in share.requested_by} - {BOT_ITSELF})
    approvers = sorted({share.approved_by or 0 for share in shares})
    trailers = [
        f"{BATCH_TRAILER}: {batch}",
        *(f"Request: {request}" for request in requests),
        *(f"Requested-by: telegram:{person}" for person in people),
        *(f"Approved-by: {f'telegram:{by}' if by else 'policy'}" for by in approvers),
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
    """What a run is asked to copy: of a version that moved the digest that was approved.

    By its tag it might have moved once more since somebody looked at it.
    """
    if transfer.ground is Ground.UPDATED and transfer.digest is not None:
        return replace(transfer.image, digest=transfer.digest)
    return transfer.image


@dataclass(frozen=True, slots=True)
class Run:
    """`conclusion` is GitHub's word, empty while the run goes on."""

    id: RunId
    url: str
    conclusion: str = ""

    @property
    def is_finished(self) -> bool:
        return bool(self.conclusion)


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What the run says of one image: `digest` where it arrived, else `line` says why not."""

    image: str
    digest: str | None
    size: int | None = None
    line: str = ""


def result_event(transfer: Transfer, result: CopyResult, now: datetime) -> Event:
    """What its run says became of one image."""
    if result.digest is None:
        return _failed(transfer, Failure(classify(result.line), result.line), now)
    if transfer.ground is Ground.UPDATED and result.digest != transfer.digest:
        # Its line was new, so it went by its tag, which has moved since somebody approved it.
        # Since the list has it, the next batch asks for the approved one, by its digest.
        failure = Failure(FailureKind.MISMATCH, result.digest)
        return Requeued(now, failure, now) if not transfer.requeues else CopyFailed(now, failure)
    return Copied(now, result.digest, result.size)


def no_result_event(run: Run, transfer: Transfer, now: datetime) -> Event:
    """What became of one that did not arrive, and of which its run said nothing."""
    cancelled = run.conclusion == "cancelled"
    kind = FailureKind.RUN_CANCELLED if cancelled else FailureKind.RUN_SILENT
    failure = Failure(kind, run.conclusion)
    if run.conclusion == "success" and transfer.requeues == 0:
        # It did well and had nothing to do with it: others wrote the line first, or moved
        # it. Since the list has it, the next batch asks for it by name.
        return Requeued(now, failure, now)
    return CopyFailed(now, failure)


def _failed(transfer: Transfer, failure: Failure, now: datetime) -> Event:
    """What passes by itself is tried again later, as long as there is hope."""
    wait = requeue_wait(failure.kind, transfer.requeues)
    return CopyFailed(now, failure) if wait is None else Requeued(now, failure, now + wait)
