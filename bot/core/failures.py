"""What went wrong, as a class people understand.

The words for each class (its cause and the next step) are in `locales/`, under
`failure-<kind>` and `failure-<kind>-next`. Nothing here decides what happens next.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureKind(StrEnum):
    """One member per cause that a person can tell apart or act on."""

    MISSING = "missing"
    SOURCE_LOGIN = "source-login"
    RATE_LIMITED = "rate-limited"
    SOURCE_REFUSED = "source-refused"
    TARGET_LOGIN = "target-login"
    TARGET_PROJECT = "target-project"
    TARGET_QUOTA = "target-quota"
    IMMUTABLE = "immutable"
    NETWORK = "network"
    TIMED_OUT = "timed-out"
    WORKFLOW_MISSING = "workflow-missing"
    WORKFLOW_OFF = "workflow-off"
    RUN_MISSING = "run-missing"
    RUN_CANCELLED = "run-cancelled"
    RUN_SILENT = "run-silent"
    GITHUB_REFUSED = "github-refused"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause, with the service's own line where there is one (bounded, one line)."""

    kind: FailureKind
    line: str = ""


# What skopeo, registries and Harbor write, lower-cased; the first that occurs decides, so
# the narrower texts stand first. Sources: skopeo's and distribution's error texts, Harbor's
# middleware (project, quota and immutability answers).
_SIGNS: Final[tuple[tuple[FailureKind, tuple[str, ...]], ...]] = (
    (FailureKind.IMMUTABLE, ("configured as immutable",)),
    (FailureKind.TARGET_QUOTA, ("configured upper limit", "quota")),
    (FailureKind.TARGET_PROJECT, ("project not found", "invalid repository name")),
    (FailureKind.TARGET_LOGIN, ("login to the target", "logging into", "target: unauthorized")),
    (FailureKind.RATE_LIMITED, ("toomanyrequests", "too many requests", "pull rate limit")),
    (FailureKind.MISSING, ("manifest unknown", "name unknown", "not found", "not there")),
    (FailureKind.SOURCE_LOGIN, ("unauthorized", "authentication required", "denied")),
    (FailureKind.TIMED_OUT, ("deadline exceeded", "timed out", "timeout")),
    (
        FailureKind.NETWORK,
        ("connection refused", "connection reset", "no such host", "eof", "network"),
    ),
)


def classify(line: str) -> FailureKind:
    """The class of one line of a tool's error text; UNKNOWN where none fits."""
    text = line.lower()
    for kind, signs in _SIGNS:
        if any(sign in text for sign in signs):
            return kind
    return FailureKind.UNKNOWN
