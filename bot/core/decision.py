"""A decision: who or what approved or denied exactly which digest of an image, why, and when.

Decisions are kept for ever and never changed, so that a question about them has the same answer in
a year. How the rules come to a verdict is in core/policy.py: this module must not decide anything.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.core.ids import PersonId, RequestId, TransferId
from bot.core.image import ImageRef

PSEUDONYM: Final = "p:"
"""How each pseudonym of a person begins."""


class Verdict(StrEnum):
    """What happens with an image. ASK: an admin decides."""

    APPROVE = "approve"
    ASK = "ask"
    DENY = "deny"


class Ground(StrEnum):
    """What a verdict is based on."""

    REGISTRY = "registry"
    """The config does not name the registry."""
    RULE = "rule"
    NO_RULE = "no-rule"
    LISTED = "listed"
    """Approved for the bot itself, since image.list names the image and its tag was updated."""
    UPDATED = "updated"
    """A version has another digest upstream than the one that was copied."""
    PERSON = "person"
    REPOSITORY = "repository"
    """Somebody who may write to the mirror repository put the line there by hand."""
    KEPT = "kept"
    """A person approved to keep this floating tag fresh, or took that back."""
    REFRESHED = "refreshed"
    """A tag that a person keeps fresh has this digest now. It is no word of that person's."""
    OFFERED = "offered"
    """The bot asks whether to keep a tag fresh that it kept fresh without a question before."""
    FLOATS = "floats"
    """A person said that this tag is updated with each release, or took that back."""
    REJECTED = "rejected"
    """A person rejected the same digest before."""
    ROLLBACK = "rollback"
    """A person put the digest before this one back."""
    REMOVAL = "removal"
    """A person took the image's line out of image.list. It is no word on any digest."""
    SIGNATURE = "signature"
    """The rule demands a signature, for which the bot could not look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision on one digest, or on a line of image.list. `verdict` is never ASK.

    `image` is as it was asked for. `rule` is the pattern of the rule that decided. `card` is the
    key of the version of the card that the person pressed. `replaces` is the transfer that this one
    retries. `signer` is the name of the one whose signature a rule demanded of the digest, and
    `signed_by` is who signed it: see core/signature.py. `at` is in UTC.
    """

    request: RequestId | None
    transfer: TransferId
    image: ImageRef
    digest: str
    verdict: Verdict
    ground: Ground
    rule: str = ""
    person: PersonId | None = None
    """After a person was forgotten, their pseudonym stands here, such as `p:7f3a91c2`."""
    card: str = ""
    reason: str = ""
    replaces: TransferId | None = None
    signer: str = ""
    signed_by: str = ""
    at: datetime
