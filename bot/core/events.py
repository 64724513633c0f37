"""The events that can happen to a transfer.

They are values. Which event is allowed in which state, and what follows from it, is decided in
core/transfer.py.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.attachments import NO_ATTACHMENTS, Attachments
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, PersonId, RequestId, RunId
from bot.core.image import ImageRef
from bot.core.policy import Ruling
from bot.core.previous import Previous
from bot.core.registry import ImageInfo
from bot.core.signature import NO_SIGNATURE, Signature


class Proof(StrEnum):
    """How we know that an image arrived."""

    TARGET = "target"
    """The target answers with the digest that was copied."""
    RUN = "run"
    """The bot may not read the target: the commit status of exactly this run says so."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `at` is in UTC."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Found(Event):
    """The source has the image, and the policy decided on it.

    Where the decision is to ask, the question ends at `expires_at`. `replaces` is the digest that
    was copied under this name before, or None. `listed`: nobody asked, but the list names it.
    `signature` is what was seen of the one that a rule demands.
    """

    digest: str
    shape: ImageInfo
    ruling: Ruling
    expires_at: datetime
    replaces: str | None = None
    listed: bool = False
    signature: Signature = NO_SIGNATURE


@dataclass(frozen=True, slots=True)
class Held(Event):
    """The digest is not known for long enough. It is looked at `again`, and held `until` then."""

    digest: str
    until: datetime
    again: datetime


@dataclass(frozen=True, slots=True)
class Identical(Event):
    """The target has the digest of the source already, so there is nothing to copy.

    `pull_refusal` is as in `Verified`.
    """

    digest: str
    pull_refusal: str = ""


@dataclass(frozen=True, slots=True)
class Missing(Event):
    """The source has no such image, or does not show it to us.

    `meant` are images that it does have and that were probably meant. `failure` may say more: its
    tag names another digest than the one asked for with it.
    """

    meant: tuple[ImageRef, ...] = ()
    failure: Failure = Failure(FailureKind.MISSING)  # noqa: RUF009 - it is frozen


@dataclass(frozen=True, slots=True)
class CheckFailed(Event):
    """The check failed for a reason that does not change by waiting."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Denied(Event):
    """The policy denies the image, at the look or before the commit, whoever approved it."""

    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Approved(Event):
    by: PersonId


@dataclass(frozen=True, slots=True)
class Rejected(Event):
    by: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class Replaced(Event):
    """Before it was written, another digest was approved for its name and tag.

    `by` is the request that this was approved for. None where the bot itself opened the transfer.
    """

    by: RequestId | None


@dataclass(frozen=True, slots=True)
class AskedAgain(Event):
    """The rules of now do not carry the approval, so an admin is asked until `expires_at`."""

    ruling: Ruling
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DigestUnknown(Event):
    """It was approved before transfers kept digests, so it is looked up and decided anew."""


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    by: PersonId


@dataclass(frozen=True, slots=True)
class Expired(Event):
    """Nobody decided in time."""


@dataclass(frozen=True, slots=True)
class Submitted(Event):
    """The transfer was put in a batch. This is stored before the commit is made."""

    batch: BatchId


@dataclass(frozen=True, slots=True)
class RunSeen(Event):
    """`began`: a runner has taken it. Until then the run is queued at GitHub."""

    run: RunId
    url: str
    began: bool = True


@dataclass(frozen=True, slots=True)
class Removed(Event):
    """No line of image.list names the image any more."""


@dataclass(frozen=True, slots=True)
class RunMissing(Event):
    """The batch has no run and will have none. The failure says why."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Copied(Event):
    """The run reports this digest at the target. `size` is in bytes, None where unknown.

    `previous` is what became of the digest that the tag had, None where it was not to be kept.
    """

    digest: str
    size: int | None
    previous: Previous | None = None
    attachments: Attachments = NO_ATTACHMENTS


@dataclass(frozen=True, slots=True)
class CopyFailed(Event):
    failure: Failure


@dataclass(frozen=True, slots=True)
class Requeued(Event):
    """The copy failed with a transient error. It goes into a later batch, not before `until`."""

    failure: Failure
    until: datetime


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """`pull_refusal` is why the target lets nobody pull it, empty where it does not say so."""

    proof: Proof
    pull_refusal: str = ""


@dataclass(frozen=True, slots=True)
class Mismatch(Event):
    """The target has another digest than the one copied, or nothing (`found` is None)."""

    found: str | None
