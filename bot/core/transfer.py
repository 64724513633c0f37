"""A transfer: one image on its way to the target, as a table of states and events.

TRANSITIONS says which event is allowed in which state. `advance` applies an event. What to do next
is in core/next_action.py. The facts are stored and the state is derived from them, so a state
cannot contradict its facts. The diagram in docs/design.md is written from TRANSITIONS.

Nothing here does I/O or reads a clock: every event brings its own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from bot.core.decision import Ground, Verdict
from bot.core.events import (
    Approved,
    AskedAgain,
    Cancelled,
    CheckFailed,
    Copied,
    CopyFailed,
    Denied,
    DigestUnknown,
    Event,
    Expired,
    Found,
    Held,
    Identical,
    Mismatch,
    Missing,
    Proof,
    Rejected,
    Removed,
    Replaced,
    Requeued,
    RunMissing,
    RunSeen,
    Submitted,
    Verified,
)
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, PersonId, RunId, TransferId
from bot.core.image import ImageRef
from bot.core.previous import previous_tag
from bot.core.retry import RetriedWithTrouble
from bot.core.signature import Signature


class State(StrEnum):
    """Where a transfer is on its way. docs/using.md explains each state."""

    CHECKING = "checking"
    WAITING = "waiting"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    COPYING = "copying"
    VERIFYING = "verifying"
    MIRRORED = "mirrored"
    KEPT = "kept"
    REMOVED = "removed"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REPLACED = "replaced"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no event changes this state any more."""
        return not TRANSITIONS[self]


_S = State
_ASKED_BEFORE_THE_COMMIT: Final[Mapping[type[Event], frozenset[State]]] = {
    Denied: frozenset({_S.REJECTED}),
    AskedAgain: frozenset({_S.WAITING}),
    DigestUnknown: frozenset({_S.CHECKING}),
}
"""What the rules may say of an approved image right before it is written to the repository."""
TRANSITIONS: Final[Mapping[State, Mapping[type[Event], frozenset[State]]]] = MappingProxyType(
    {
        _S.CHECKING: {
            Found: frozenset({_S.APPROVED, _S.WAITING}),
            Held: frozenset({_S.CHECKING}),
            Denied: frozenset({_S.REJECTED}),
            Identical: frozenset({_S.MIRRORED}),
            Missing: frozenset({_S.FAILED}),
            CheckFailed: frozenset({_S.FAILED}),
            Cancelled: frozenset({_S.CANCELLED}),
        },
        _S.WAITING: {
            Approved: frozenset({_S.APPROVED, _S.KEPT}),
            Denied: frozenset({_S.REJECTED}),
            Rejected: frozenset({_S.REJECTED}),
            Cancelled: frozenset({_S.CANCELLED}),
            Expired: frozenset({_S.EXPIRED}),
            Replaced: frozenset({_S.REPLACED}),
        },
        _S.APPROVED: {
            Submitted: frozenset({_S.SUBMITTED}),
            CheckFailed: frozenset({_S.FAILED}),
            Cancelled: frozenset({_S.CANCELLED}),
            Replaced: frozenset({_S.REPLACED}),
            **_ASKED_BEFORE_THE_COMMIT,
        },
        _S.SUBMITTED: {
            RunSeen: frozenset({_S.COPYING}),
            RunMissing: frozenset({_S.FAILED}),
            Removed: frozenset({_S.REMOVED}),
            **_ASKED_BEFORE_THE_COMMIT,
        },
        _S.COPYING: {
            RunSeen: frozenset({_S.COPYING}),
            Copied: frozenset({_S.VERIFYING}),
            CopyFailed: frozenset({_S.FAILED}),
            Requeued: frozenset({_S.APPROVED}),
        },
        _S.VERIFYING: {
            Verified: frozenset({_S.MIRRORED}),
            Mismatch: frozenset({_S.FAILED}),
        },
        _S.MIRRORED: {},
        _S.KEPT: {},
        _S.REMOVED: {},
        _S.FAILED: {},
        _S.REJECTED: {},
        _S.EXPIRED: {},
        _S.REPLACED: {},
        _S.CANCELLED: {},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(RetriedWithTrouble):
    """The stored facts of a transfer. Times are in UTC. None means "not yet".

    `replaces` is the digest at the target that this image replaces, where there is one.
    `approved_by` None with `approved_at` set means that the policy approved. `ground` is what the
    policy based its decision on. `meant` are images that the source has where this one is missing.
    `requeues` counts the copies that failed with a transient error, `requeue_cause` is the last
    of these errors. `trouble` is the last transient error of a step. `not_before` is the time of
    the next try. `retries` is the transfer that this one tries again. `reason` is what a person or
    a rule gives for a rejection, or the number of the request that replaced this one.
    `previous_tag` has the digest at the target that this copy replaced, and `previous_refusal` says
    why none could have it: see core/previous.py. `attachments` and `attachments_refusal` are those
    of core/attachments.py. `pull_refusal` is why the target lets nobody pull the image.
    `held_until` is when its digest is old enough, where a rule lets it wait: core/sighting.py.
    `signer` and `signed_by` are those of core/decision.py.
    """

    id: TransferId
    image: ImageRef
    opened_at: datetime
    checked_at: datetime | None = None
    digest: str | None = None
    replaces: str | None = None
    platforms: tuple[str, ...] = ()
    size: int | None = None
    ground: Ground | None = None
    signer: str = ""
    signed_by: str = ""
    expires_at: datetime | None = None
    approved_at: datetime | None = None
    approved_by: PersonId | None = None
    batch: BatchId | None = None
    submitted_at: datetime | None = None
    run: RunId | None = None
    run_url: str = ""
    copying_at: datetime | None = None
    copied_digest: str | None = None
    copied_at: datetime | None = None
    previous_tag: str = ""
    previous_refusal: str = ""
    attachments: int = 0
    attachments_refusal: str = ""
    pull_refusal: str = ""
    ended: State | None = None
    ended_at: datetime | None = None
    ended_by: PersonId | None = None
    reason: str = ""
    failure: Failure | None = None
    meant: tuple[ImageRef, ...] = ()
    proof: Proof | None = None
    requeue_cause: Failure | None = None
    requeues: int = 0
    held_until: datetime | None = None
    retries: TransferId | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for facts that contradict each other, also from the database."""
        if self.ended is not None and not self.ended.is_final:
            raise ValueError(f"transfer {self.id}: {self.ended} is not an end")
        if (self.failure is not None) != (self.ended is State.FAILED):
            raise ValueError(f"transfer {self.id}: a failure belongs to a failed transfer")
        chain = (self.checked_at, self.approved_at, self.batch, self.run, self.copied_digest)
        reached = [fact is not None for fact in chain]
        if reached != sorted(reached, reverse=True):
            raise ValueError(f"transfer {self.id}: a later fact without the earlier one")

    @property
    def is_offer(self) -> bool:
        """Whether it asks to keep its tag fresh. Then it ends with the answer and copies nothing.

        `digest` is what the target has. Such a transfer blocks no other one of the same image.
        """
        return self.ground is Ground.OFFERED

    @property
    def is_removal(self) -> bool:
        """Whether it takes the image's line out of image.list. It copies nothing either.

        It blocks no other transfer of the image, and it waits for those that were there before it.
        """
        return self.ground is Ground.REMOVAL

    @property
    def copies(self) -> bool:
        """Whether it is on its way to the target, and not an offer or a removal."""
        return not (self.is_offer or self.is_removal)

    @property
    def state(self) -> State:
        """The state, derived from the facts."""
        if self.ended is not None:
            return self.ended
        if self.copied_digest is not None:
            return State.VERIFYING
        if self.run is not None:
            return State.COPYING
        if self.batch is not None:
            return State.SUBMITTED
        if self.approved_at is not None:
            return State.APPROVED
        return State.WAITING if self.checked_at is not None else State.CHECKING

    @property
    def is_held(self) -> bool:
        """Whether a rule lets it wait until its digest is known for long enough."""
        return self.state is State.CHECKING and self.held_until is not None

    @property
    def signature(self) -> Signature:
        """What was seen of the signature that a rule demanded at the look."""
        return Signature(self.signer, self.signed_by)

    @property
    def previous_image(self) -> ImageRef | None:
        """The name at the target of the digest that this copy replaced, where it is kept."""
        return (
            replace(self.image, tag=self.previous_tag, digest=None) if self.previous_tag else None
        )


def advance(transfer: Transfer, event: Event) -> Transfer | None:
    """The transfer after the event, or None where TRANSITIONS does not allow it.

    Resets the retries of the last step. Raises ValueError for a state that is not in the table.
    """
    allowed = TRANSITIONS[transfer.state].get(type(event))
    if allowed is None:
        return None
    later = _later(event)
    after = replace(_apply(transfer, event), attempts=0, not_before=later, trouble=None)
    if after.state not in allowed:
        raise ValueError(f"{transfer.state} + {type(event).__name__} gave {after.state}")
    return after


def _later(event: Event) -> datetime | None:
    """When the next step is due, where it has to wait."""
    match event:
        case Requeued():
            return event.until
        case Held():
            return event.again
        case _:
            return None


def _apply(transfer: Transfer, event: Event) -> Transfer:
    match event:
        case Found() | Held():
            return _found(transfer, event)
        case Approved(at, by) if transfer.is_offer:
            return replace(transfer, ended=State.KEPT, ended_at=at, ended_by=by)
        case Approved(at, by):
            return replace(transfer, approved_at=at, approved_by=by)
        case Submitted(at, batch):
            return replace(transfer, submitted_at=at, batch=batch)
        case RunSeen(at, run, url, began):
            return replace(transfer, copying_at=at if began else None, run=run, run_url=url)
        case Copied():
            return _copied(transfer, event)
        case Requeued(_, failure):
            later = replace(transfer, requeue_cause=failure, requeues=transfer.requeues + 1)
            return _out_of_batch(later)
        case AskedAgain(_, ruling, expires_at):
            return replace(_unapproved(transfer), ground=ruling.ground, expires_at=expires_at)
        case DigestUnknown():
            return replace(_unapproved(transfer), checked_at=None, expires_at=None)
        case _:
            return _end(transfer, event)


def _out_of_batch(transfer: Transfer) -> Transfer:
    """Without the facts of its last batch."""
    return replace(transfer, batch=None, submitted_at=None, run=None, run_url="", copying_at=None)


def _unapproved(transfer: Transfer) -> Transfer:
    return replace(_out_of_batch(transfer), approved_at=None, approved_by=None)


def _found(transfer: Transfer, event: Found | Held) -> Transfer:
    if isinstance(event, Held):
        return replace(transfer, digest=event.digest, held_until=event.until)
    found = replace(
        transfer,
        held_until=None,
        checked_at=event.at,
        digest=event.digest,
        replaces=event.replaces,
        platforms=event.shape.platforms,
        size=event.shape.size,
        ground=event.ruling.ground,
        signer=event.signature.signer,
        signed_by=event.signature.by,
    )
    match event.ruling.verdict:
        case Verdict.APPROVE:
            ground = Ground.LISTED if event.listed else event.ruling.ground
            by = event.ruling.persons if ground is Ground.PERSON else ()
            return replace(
                found, approved_at=event.at, approved_by=next(iter(by), None), ground=ground
            )
        case Verdict.ASK:
            return replace(found, expires_at=event.expires_at)
        case Verdict.DENY:
            raise ValueError("a denied image is not looked up: send Denied")
        case never:
            assert_never(never)


def _copied(transfer: Transfer, event: Copied) -> Transfer:
    copied = replace(
        transfer,
        copied_at=event.at,
        copied_digest=event.digest,
        size=event.size or transfer.size,
        attachments=event.attachments.count,
        attachments_refusal=event.attachments.refusal,
    )
    before, tag = event.previous, transfer.image.tag
    if before is None or tag is None:
        return copied
    name = previous_tag(tag, before.ending) if before.ending else ""
    return replace(copied, previous_tag=name, previous_refusal=before.refusal)


def _end(transfer: Transfer, event: Event) -> Transfer:
    ended = replace(transfer, ended_at=event.at)
    match event:
        case Identical(_, digest, refusal):
            ended = replace(ended, digest=digest, pull_refusal=refusal)
            return replace(ended, ended=State.MIRRORED, proof=Proof.TARGET)
        case Verified(_, proof, refusal):
            return replace(ended, ended=State.MIRRORED, proof=proof, pull_refusal=refusal)
        case Missing(_, meant, failure):
            return replace(ended, ended=State.FAILED, failure=failure, meant=meant)
        case CheckFailed(_, failure) | RunMissing(_, failure) | CopyFailed(_, failure):
            return replace(ended, ended=State.FAILED, failure=failure)
        case Mismatch(_, found):
            kind = FailureKind.MISMATCH if found else FailureKind.ABSENT
            return replace(ended, ended=State.FAILED, failure=Failure(kind, found or ""))
        case _:
            return _end_by_decision(ended, event)


def _end_by_decision(ended: Transfer, event: Event) -> Transfer:
    match event:
        case Denied(_, ruling):
            ground = ended.ground if ended.is_offer else ruling.ground
            return replace(ended, ended=State.REJECTED, reason=ruling.reason, ground=ground)
        case Replaced(_, by):
            return replace(ended, ended=State.REPLACED, reason="" if by is None else str(by))
        case Rejected(_, by, reason):
            return replace(ended, ended=State.REJECTED, ended_by=by, reason=reason)
        case Cancelled(_, by):
            return replace(ended, ended=State.CANCELLED, ended_by=by)
        case Expired():
            return replace(ended, ended=State.EXPIRED)
        case Removed():
            return replace(ended, ended=State.REMOVED)
        case _:
            raise TypeError(f"no such event: {event!r}")


RETRYABLE: Final = frozenset({State.FAILED, State.EXPIRED, State.REPLACED, State.CANCELLED})
"""States after which people may ask for the same image again by a button."""
