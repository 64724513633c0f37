"""What went wrong, as a class people understand.

The words for each class (its cause and the next step) are in `locales/`, under
`failure-<kind>` and `failure-<kind>-next`. Nothing here decides what happens next.

The texts were collected from skopeo by provoking each one; tests/core/test_failures.py holds them.
"""

import re
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
    PLATFORM = "platform"
    TOO_LARGE = "too-large"
    NETWORK = "network"
    TIMED_OUT = "timed-out"
    WORKFLOW_MISSING = "workflow-missing"
    WORKFLOW_OFF = "workflow-off"
    RUN_MISSING = "run-missing"
    RUN_CANCELLED = "run-cancelled"
    RUN_SILENT = "run-silent"
    GITHUB_REFUSED = "github-refused"
    UNLISTED = "unlisted"
    MISMATCH = "mismatch"
    ABSENT = "absent"
    UNKNOWN = "unknown"


TRANSIENT_KINDS: Final = frozenset({FailureKind.RATE_LIMITED, FailureKind.NETWORK})
"""Causes that pass by themselves: the bot waits and tries again before it calls them a failure."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause, with the service's own line where there is one (bounded, one line)."""

    kind: FailureKind
    line: str = ""


_SIDE: Final = re.compile(r"login to the (target)|(source|target): ")
_LOGIN: Final = (
    r"unauthorized|denied|authentication required|invalid username/password|403 \(forbidden\)"
)
_NOT_THERE: Final = r"name unknown|not found|does not exist"
_K: Final = FailureKind
# The first row whose side and words fit decides, so narrower words stand above wider ones. Side
# "" is either. Words are regular expressions over lower-cased text.
_SIGNS: Final[tuple[tuple[FailureKind, str, str], ...]] = (
    (_K.ABSENT, "", r"^mismatch: .*target holds nothing$"),
    (_K.MISMATCH, "", r"^mismatch: "),
    (_K.IMMUTABLE, "target", r"configured as immutable|is immutable|tag immutability"),
    (_K.TARGET_QUOTA, "target", r"configured upper limit|quota"),
    (_K.TOO_LARGE, "", r"statuscode: 413|too large|no space left"),
    (_K.UNKNOWN, "target", r"read only mode"),  # Harbor during its upkeep: denied, yet no login
    (_K.TARGET_PROJECT, "target", r"project (?:\S+ )?not found|invalid repository name"),
    (_K.TARGET_PROJECT, "target", r"push artifact to a proxy project"),
    (_K.RATE_LIMITED, "", r"too ?many ?requests|pull rate limit|statuscode: 429"),
    (_K.PLATFORM, "", r"no image found in .{0,40}for architecture"),
    (_K.TARGET_LOGIN, "target", rf"{_LOGIN}|is not set in the repository"),
    (_K.SOURCE_LOGIN, "source", _LOGIN),
    (_K.SOURCE_REFUSED, "source", r"x509:|http response to https client|tls: (?!.*timeout)"),
    (_K.TARGET_PROJECT, "target", _NOT_THERE),
    (_K.MISSING, "source", rf"{_NOT_THERE}|manifest unknown"),
    (_K.NETWORK, "", r"status[^0-9]{0,30}5\d\d\b|\b5\d\d \([a-z]"),
    # One answer that does not come is the network's fault; the whole copy has skopeo's deadline.
    (_K.NETWORK, "", r"client\.timeout"),
    (_K.TIMED_OUT, "", r"deadline exceeded|timeoutexpired"),
    (_K.NETWORK, "", r"timeout|timed out"),
    (_K.NETWORK, "", r"connection (?:refused|reset)|broken pipe|\beof\b|closed network connection"),
    (_K.NETWORK, "", r"no such host|server misbehaving|name resolution|unreachable|no route to"),
    (_K.NETWORK, "", r"stream error|goaway|proxyconnect"),
    # What arrived was not what the registry holds: something on the way tore or replaced it.
    (_K.NETWORK, "", r"not match,? expected"),
    (_K.NETWORK, "", r"unexpected end of json|invalid character '<'"),
)


def classify(line: str) -> FailureKind:
    """The class of one line of the workflow (`source: …`, `target: …`); UNKNOWN where none fits.

    The side is what tells a login that the source wants from one that the target refuses; a
    line that names none is read as the source's.
    """
    text = line.lower()
    found = _SIDE.match(text)
    side = (found[1] or found[2]) if found else "source"
    for kind, where, words in _SIGNS:
        if where in ("", side) and re.search(words, text):
            return kind
    return FailureKind.UNKNOWN
