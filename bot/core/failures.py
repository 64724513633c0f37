"""Why a copy failed, as a class that people understand.

The text for each class and for the next step is in bot/locales/, under `failure-<kind>` and
`failure-<kind>-next`. Nothing here decides what happens next. Trouble of a service, after which the
bot tries the same call again, is in core/retry.py.

The patterns were collected by provoking each error of skopeo. tests/core/test_failures.py has them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureKind(StrEnum):
    """One member for each cause that people can act on."""

    MISSING = "missing"
    OTHER_DIGEST = "other-digest"
    """The tag names another digest at the source than the one that was asked for with it."""
    DIGEST_GONE = "digest-gone"
    """The source does not have the decided digest any more."""
    UNSIGNED = "unsigned"
    """The source has no signature of the digest as a rule demands it."""
    SOURCE_LOGIN = "source-login"
    RATE_LIMITED = "rate-limited"
    PUT_OFF = "put-off"
    """The run gave the image back, since its source has too few pulls left."""
    SOURCE_REFUSED = "source-refused"
    SOURCE_BROKEN = "source-broken"
    """The source names a manifest or a layer that it has not."""
    TARGET_LOGIN = "target-login"
    TARGET_BUSY = "target-busy"
    TARGET_REFUSED = "target-refused"
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
    RUN_INVALID = "run-invalid"
    """GitHub could not read the workflow file."""
    RUN_NOT_STARTED = "run-not-started"
    """The run ended before a runner took it."""
    RUN_CANCELLED = "run-cancelled"
    RUN_SILENT = "run-silent"
    GITHUB_REFUSED = "github-refused"
    UNLISTED = "unlisted"
    MISMATCH = "mismatch"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause, and the line of the service where there is one. It is bounded."""

    kind: FailureKind
    line: str = ""


_SIDE: Final = re.compile(r"login to the (target)|(source|target): ")
_LOGIN: Final = (
    r"unauthorized|denied|authentication required|invalid username/password|403 \(forbidden\)"
)
_NOT_THERE: Final = r"name unknown|not found|does not exist"
_TLS: Final = r"x509:|http response to https client|tls: (?!.*timeout)"
_K: Final = FailureKind
# The first row whose side and pattern match decides, so narrow patterns come before wide ones.
# Side "" is any. The patterns are matched against text in lower case. The workflow has its own
# pattern, since it imports nothing of the bot: tests/workflow/test_trouble_patterns.py compares.
PATTERNS: Final[tuple[tuple[FailureKind, str, str], ...]] = (
    (_K.UNKNOWN, "", r"^policy: "),  # the run did not take the bot's seal, and the rules deny it
    (_K.ABSENT, "", r"^mismatch: .*target holds nothing$"),
    (_K.MISMATCH, "", r"^mismatch: "),
    (_K.DIGEST_GONE, "source", r"^source: the decided digest is gone"),
    (_K.SOURCE_BROKEN, "source", r"^source: broken image: "),
    (_K.IMMUTABLE, "target", r"configured as immutable|is immutable|tag immutability"),
    (_K.TARGET_QUOTA, "target", r"configured upper limit|quota"),
    (_K.TOO_LARGE, "", r"statuscode: 413|too large|no space left|insufficient storage"),
    (_K.UNKNOWN, "target", r"read only mode"),  # Harbor in maintenance: the login is right
    (_K.TARGET_PROJECT, "target", r"project (?:\S+ )?not found|invalid repository name"),
    (_K.TARGET_PROJECT, "target", r"push artifact to a proxy project"),
    (_K.PUT_OFF, "source", r"^source: too many requests: .*, put off$"),
    (_K.TARGET_BUSY, "target", r"too ?many ?requests|statuscode: 429"),
    (_K.RATE_LIMITED, "source", r"too ?many ?requests|pull rate limit|statuscode: 429"),
    (_K.PLATFORM, "", r"no image found in .{0,40}for architecture"),
    (_K.TARGET_LOGIN, "target", rf"{_LOGIN}|is not set in the repository"),
    (_K.SOURCE_LOGIN, "source", _LOGIN),
    (_K.SOURCE_REFUSED, "source", _TLS),
    (_K.TARGET_REFUSED, "target", _TLS),
    (_K.TARGET_PROJECT, "target", _NOT_THERE),
    (_K.MISSING, "source", rf"{_NOT_THERE}|manifest unknown"),
    (_K.NETWORK, "", r"status[^0-9]{0,30}5\d\d\b|\b5\d\d \([a-z]"),
    # One request that timed out is the network's fault. The deadline below is that of the copy.
    (_K.NETWORK, "", r"client\.timeout"),
    (_K.TIMED_OUT, "", r"deadline exceeded|timeoutexpired"),
    (_K.NETWORK, "", r"timeout|timed out"),
    (_K.NETWORK, "", r"connection (?:refused|reset)|broken pipe|\beof\b|closed network connection"),
    (_K.NETWORK, "", r"no such host|server misbehaving|name resolution|unreachable|no route to"),
    (_K.NETWORK, "", r"stream error|goaway|proxyconnect|malformed http response"),
    # What arrived is not what the registry holds: something on the way cut or replaced it.
    (_K.NETWORK, "", r"not match,? expected"),
    (_K.NETWORK, "", r"unexpected end of json|invalid character '<'"),
)


def classify(line: str) -> FailureKind:
    """The class of one line that the workflow reports. UNKNOWN where no pattern matches.

    Lines begin with `source: ` or `target: `, which tells a login that the source wants from one
    that the target refuses. A line without it is taken as the source's.
    """
    text = line.lower()
    found = _SIDE.match(text)
    side = (found[1] or found[2]) if found else "source"
    for kind, where, pattern in PATTERNS:
        if where in ("", side) and re.search(pattern, text):
            return kind
    return FailureKind.UNKNOWN
