"""What can happen to a transfer. Each event is a value and brings its own time (UTC)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.failures import Failure
from bot.core.ids import BatchId, PersonId, RunId
from bot.core.image import ImageRef
from bot.core.policy import Decision
from bot.core.registry import ImageInfo


class Proof(StrEnum):
    """How we know that an image arrived."""

    TARGET = "target"
    """The target itself names the digest that was copied."""
    RUN = "run"
    """The target may not be read; the status of exactly this run says so."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a time (UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Found(Event):
    """The source has the image; the policy decided on it. A WAITING one ends at `expires_at`."""

    digest: str
    shape: ImageInfo
    decision: Decision
    expires_at: datetime
    replaces: str | None = None
    """What the target has under this name by now, if anything."""


@dataclass(frozen=True, slots=True)
class Identical(Event):
    """The target has the very digest of the source already."""

    digest: str


@dataclass(frozen=True, slots=True)
class Missing(Event):
    """The source has no such image, or does not show it to us; `meant`: what it does have."""

    meant: tuple[ImageRef, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckFailed(Event):
    """It cannot go on, for a reason that waiting does not mend."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Denied(Event):
    """The policy denies the image; nobody has to be asked, no registry either."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Approved(Event):
    by: PersonId


@dataclass(frozen=True, slots=True)
class Rejected(Event):
    by: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    by: PersonId


@dataclass(frozen=True, slots=True)
class Expired(Event):
    """Nobody decided in time."""


@dataclass(frozen=True, slots=True)
class Submitted(Event):
    """Put in a batch: the intention, stored before the commit is made."""

    batch: BatchId


@dataclass(frozen=True, slots=True)
class RunSeen(Event):
    run: RunId
    url: str


@dataclass(frozen=True, slots=True)
class RunMissing(Event):
    """No run will come of the batch; the failure says why."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Copied(Event):
    """The run says that this digest is at the target; `size` in bytes where it told."""

    digest: str
    size: int | None


@dataclass(frozen=True, slots=True)
class CopyFailed(Event):
    failure: Failure


@dataclass(frozen=True, slots=True)
class Requeued(Event):
    """The copy failed for a cause that passes by itself: it goes into a later batch."""

    failure: Failure
    until: datetime


@dataclass(frozen=True, slots=True)
class Verified(Event):
    proof: Proof


@dataclass(frozen=True, slots=True)
class Mismatch(Event):
    """The target has another digest than the one copied, or none (`found` is None)."""

    found: str | None
