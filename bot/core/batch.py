"""A batch: one commit or one dispatch to the mirror repository, and the run that it starts.

Each intention is stored before its effect (`committing_at`, `dispatching_at`). After a kill or an
unclear answer the bot therefore looks for its own batch id on GitHub before it writes again.
Nothing here does I/O. `next_step` derives what to do from the stored facts and the time.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.core.attachments import NO_ATTACHMENTS, Attachments
from bot.core.events import Copied, CopyFailed, Event, Requeued
from bot.core.failures import Failure, FailureKind, classify
from bot.core.ids import BatchId, CommitSha, RunId
from bot.core.image import ImageRef
from bot.core.previous import Previous
from bot.core.retry import LONGEST_DELAY, RetriedWithTrouble, has_passed, requeue_wait
from bot.core.transfer import Transfer


class Via(StrEnum):
    """How the run of a batch is started."""

    COMMIT = "commit"
    """The images are not in the list: a commit adds them, and the push starts the run."""
    DISPATCH = "dispatch"
    """The images are in the list already, so the run is started by workflow_dispatch."""
    REMOVAL = "removal"
    """A commit takes the images out of the list. It ends the batch, since no run copies them."""
    LOOK = "look"
    """A dispatched run that copies nothing: it looks at images for the bot. See core/look.py."""


class Step(StrEnum):
    """What to do next for an open batch."""

    COMMIT = "commit"
    FIND_RUN = "find-run"
    DISPATCH = "dispatch"
    GIVE_UP = "give-up"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(RetriedWithTrouble):
    """The stored facts of a batch. Times are in UTC. None means "not yet".

    `policy` is the digest of the rules that admitted its images, see core/policy.py.
    """

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
    run_began_at: datetime | None = None
    closed_at: datetime | None = None
    policy: str = ""

    def with_run(self, run: "Run", now: datetime) -> Self:
        """The batch after a look at its run: once it has a runner, it has begun."""
        if self.run_began_at is not None or run.is_queued:
            return self
        return replace(self, run_began_at=now)

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
    if batch.via is Via.REMOVAL:
        return Step.COMMIT
    if batch.run is not None:
        return Step.FOLLOW
    if batch.dispatched_at is not None:
        return Step.GIVE_UP if now >= batch.dispatched_at + patience else Step.FIND_RUN
    if batch.via in {Via.DISPATCH, Via.LOOK} or batch.dispatching_at is not None:
        return Step.DISPATCH
    if batch.committed_at is None:
        return Step.COMMIT
    return Step.DISPATCH if now >= batch.committed_at + patience else Step.FIND_RUN


GATHER_PERIOD: Final = timedelta(seconds=2)
"""Images that are approved within this time share a commit."""
LONGEST_GATHER_PERIOD: Final = timedelta(seconds=10)
"""The longest time that an approved image waits for others to share its commit."""


def is_time_to_commit(ready: Sequence[Transfer], now: datetime, *, checking: bool) -> bool:
    """Whether it is time to commit: no image was approved lately, and none waits for its check.

    So a person learns about a missing image before the others are committed.
    """
    times = [t.approved_at for t in ready if t.approved_at is not None]
    if has_passed(LONGEST_GATHER_PERIOD, min(times), now):
        return True
    return not checking and has_passed(GATHER_PERIOD, max(times), now)


def one_per_place(ready: Iterable[Transfer], taken: Collection[ImageRef]) -> list[Transfer]:
    """The first of those that go to one place. `taken` are places with a copy under way.

    The others wait for its end, so that the last decision on a tag is the last one carried out.
    """
    first: dict[ImageRef, Transfer] = {}
    for transfer in ready:
        first.setdefault(transfer.image.place, transfer)
    return [transfer for place, transfer in first.items() if place not in taken]


BATCH_TRAILER: Final = "Batch"
CONTEXT_CHARACTERS: Final = 255


def commit_message(images: Sequence[ImageRef], block: str) -> str:
    """The subject, and the block of sealed decisions as the trailers (core/seal.py).

    It contains no text that a person chose. A name may contain `[skip ci]`, with which GitHub
    Actions skips the run.
    """
    subject = f"Mirror {images[0]}" if len(images) == 1 else f"Mirror {len(images)} images"
    return f"{subject}\n\n{block}\n"


def removal_message(images: Sequence[ImageRef], block: str) -> str:
    """The same for images that leave the list. It names none that a run would copy."""
    subject = f"Remove {images[0]}" if len(images) == 1 else f"Remove {len(images)} images"
    return f"{subject}\n\n{block}\n"


def batch_of(message: str) -> BatchId | None:
    """The batch that a commit message names in its last paragraph, if any."""
    for line in message.rstrip().rpartition("\n\n")[2].splitlines():
        key, _, value = line.partition(":")
        if key == BATCH_TRAILER and value.strip():
            return BatchId(value.strip())
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run. `conclusion` is GitHub's value, empty until the run has finished.

    `is_queued`: no runner has taken it yet. `created_at` is in UTC, None where it is not told.
    """

    id: RunId
    url: str
    conclusion: str = ""
    is_queued: bool = False
    created_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the run has a conclusion."""
        return bool(self.conclusion)


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a run reports on one image: its `digest`, or the `line` that says why it failed.

    `size` is in bytes, None where the run does not report it. `previous` is what became of the
    digest that was overwritten, None where nothing was to be kept. `attachments` is what the run
    did with signatures and the like.
    """

    image: str
    digest: str | None
    size: int | None = None
    line: str = ""
    previous: Previous | None = None
    attachments: Attachments = NO_ATTACHMENTS


def status_context(what: str, image: str) -> str:
    """The context of a status on an image, by which GitHub tells statuses apart.

    One that is too long ends with the hash of the image. bot/workflow/mirror/github.py has the same
    rule.
    """
    context = f"{what}/{image}"
    if len(context) <= CONTEXT_CHARACTERS:
        return context
    hashed = hashlib.sha256(image.encode()).hexdigest()[:12]
    return f"{context[: CONTEXT_CHARACTERS - 13]}~{hashed}"


def status_name(image: str) -> str:
    """An image as the workflow names it in the status on its copy."""
    return status_context("mirror", image).removeprefix("mirror/")


def names_in_results(transfer: Transfer) -> tuple[str, ...]:
    """How a run may name the image: with or without the decided digest.

    No other image of its batch has the same name without a digest.
    """
    image = transfer.image
    every = (image, image.at(transfer.digest), image.place)
    return tuple(status_name(str(each)) for each in every)


def result_of(transfer: Transfer, results: Mapping[str, CopyResult]) -> CopyResult | None:
    """What the run reports on the image."""
    names = names_in_results(transfer)
    return next((results[name] for name in names if name in results), None)


def result_event(transfer: Transfer, result: CopyResult, now: datetime) -> Event:
    """The event for an image that its run has reported on.

    What is at the target and was not decided on is a mismatch, whoever put it there.
    """
    if result.digest is None:
        return _failed(transfer, Failure(classify(result.line), result.line), now)
    if result.digest != transfer.digest:
        return CopyFailed(now, Failure(FailureKind.MISMATCH, result.digest))
    return Copied(now, result.digest, result.size, result.previous, result.attachments)


_SILENT: Final = {
    "cancelled": FailureKind.RUN_CANCELLED,
    "startup_failure": FailureKind.RUN_INVALID,
}
"""By the conclusion of a run: https://docs.github.com/en/rest/actions/workflow-runs"""


def silence_of(run: Run, unstarted: str | None) -> Failure:
    """Why a finished run reports nothing. `unstarted`: see the port of the repository."""
    failure = Failure(_SILENT.get(run.conclusion, FailureKind.RUN_SILENT), run.conclusion)
    if unstarted is not None and failure.kind is not FailureKind.RUN_INVALID:
        return Failure(FailureKind.RUN_NOT_STARTED, unstarted or run.conclusion)
    return failure


def no_result_event(
    run: Run,
    transfer: Transfer,
    now: datetime,
    *,
    outdated: bool = False,
    unstarted: str | None = None,
) -> Event:
    """The event for an image that its finished run has not reported on.

    `outdated`: the workflow is not the one that this bot ships, so the run refused to start.
    `unstarted`: as in `silence_of`.
    """
    failure = silence_of(run, unstarted)
    if (outdated or run.conclusion == "success") and transfer.requeues == 0:
        # The run succeeded without this image: another commit added or moved its line. Now the
        # list has the line, so the next batch dispatches the image by its name. Where the workflow
        # is outdated, no batch is formed before `setup` has run.
        return Requeued(now, failure, now)
    return CopyFailed(now, failure)


def _failed(transfer: Transfer, failure: Failure, now: datetime) -> Event:
    """A transient failure puts the copy back in the queue, up to a number of times.

    While it was only put off nothing had failed, so the failure after that is the first.
    """
    put_off, last = FailureKind.PUT_OFF, transfer.requeue_cause
    is_first = last is not None and last.kind is put_off and failure.kind is not put_off
    wait = requeue_wait(failure.kind, 0 if is_first else transfer.requeues)
    return CopyFailed(now, failure) if wait is None else Requeued(now, failure, now + wait)
