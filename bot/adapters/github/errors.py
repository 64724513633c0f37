"""Translates errors of PyGithub and requests into TransientError and RefusedError.

It makes no calls. The status codes and headers of GitHub are described at
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import requests
from github import BadAttributeException, GithubException

from bot.adapters.github.transport import UnusableResponseError
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

T = TypeVar("T")

SERVICE: Final = "GitHub"
BAD_TOKEN_WAIT: Final = 60.0
"""Seconds, as the other waits here."""
DEFAULT_LIMIT_WAIT: Final = 60.0
LONGEST_LIMIT_WAIT: Final = 60 * 60.0
"""The windows of GitHub's rate limits are not longer."""
_MESSAGE_LENGTH: Final = 160
_MALFORMED_ANSWER_ERRORS: Final = (
    *(BadAttributeException, AssertionError, ArithmeticError, AttributeError, LookupError),
    *(RuntimeError, TypeError, ValueError),
)
"""PyGithub raises these if an answer does not have the documented shape. RuntimeError means a
redirect to another host, or JSON that is nested too deeply.
"""
_NOTHING_SENT_ERRORS: Final = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
)
"""After these, a write certainly did not happen."""
_RATE_LIMIT_WORDS: Final = ("rate limit", "abuse detection")
_BRANCH_RULE_WORDS: Final = (
    *("through a pull request", "through the merge queue", "status check", "rule violation"),
    *("ruleset", "protected branch", "protected ref", "review is required", "verified signatures"),
    *("not authorized to push", "about-protected-branches", "managing-rulesets"),
)
"""In the message of a refusal by branch rules, or in its documentation_url."""


def one_line(text: str) -> str:
    """Foreign text as one bounded line that can be stored, logged and shown."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * _MESSAGE_LENGTH])
    return " ".join(shown.split())[:_MESSAGE_LENGTH]


def message_of(error: GithubException) -> str:
    """The message of GitHub's answer as one bounded line."""
    data = error.data
    text = data.get("message", "") if isinstance(data, Mapping) else str(data or "")
    return one_line(str(text)) or f"status {error.status}"


def is_from_github(error: GithubException) -> bool:
    """Whether GitHub itself answered. A proxy or gateway in front of it sends other bodies."""
    return isinstance(error.data, Mapping) and isinstance(error.data.get("message"), str)


def is_branch_rule(error: GithubException) -> bool:
    """Whether branch rules forbid the write. GitHub answers 409 then too, without a conflict."""
    data = error.data if isinstance(error.data, Mapping) else {}
    text = f"{message_of(error)} {data.get('documentation_url', '')}".lower()
    return any(words in text for words in _BRANCH_RULE_WORDS)


def translate_errors(work: Callable[[], T]) -> T:
    """The result of `work`. Raises TransientError or RefusedError for errors of the libraries."""
    try:
        return work()
    except GithubException as error:
        raise error_of(error) from error
    except requests.exceptions.RequestException as error:
        raise _network_error(error) from error
    except _MALFORMED_ANSWER_ERRORS as error:
        raise _unreadable_error(error) from error


def _network_error(error: requests.exceptions.RequestException) -> TransientError:
    match error:
        case UnusableResponseError() | requests.exceptions.ContentDecodingError():
            return _unreadable_error(error)
        case requests.exceptions.ReadTimeout():
            kind, text = TroubleKind.SILENT, "GitHub did not answer in time (ReadTimeout)"
        case requests.exceptions.ProxyError():
            kind, text = TroubleKind.UNREACHABLE, f"GitHub cannot be reached: {error}"
        case _:
            text = f"GitHub cannot be reached ({type(error).__name__})"
            kind = TroubleKind.UNREACHABLE
    unclear = not isinstance(error, _NOTHING_SENT_ERRORS)
    return TransientError(text, kind=kind, who=SERVICE, unclear=unclear)


def _unreadable_error(error: Exception) -> TransientError:
    text = f"GitHub's answer cannot be read ({type(error).__name__})"
    return TransientError(text, kind=TroubleKind.UNREADABLE, who=SERVICE, unclear=True)


def error_of(error: GithubException) -> TransientError | RefusedError:
    """TransientError if the same call may work later, RefusedError if it will not."""
    words = message_of(error)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    limited = "retry-after" in headers or any(limit in words.lower() for limit in _RATE_LIMIT_WORDS)
    match error.status:
        case 429 | 403 if limited or error.status == 429:  # noqa: PLR2004 - see the cases
            text, wait = f"GitHub asks to wait: {words}", _retry_after(headers)
            return TransientError(text, kind=TroubleKind.BUSY, who=SERVICE, retry_after=wait)
        case status if status >= 500 or status < 400:  # noqa: PLR2004 - classes of HTTP status
            text = f"GitHub answers {error.status}: {words}"
            return TransientError(text, kind=TroubleKind.FAULTY, who=SERVICE, unclear=True)
        case _ if not is_from_github(error):
            return _unreadable_error(error)
        case 401:
            text = "GitHub does not accept the bot's token; renew GITHUB_TOKEN"
            return TransientError(
                text, kind=TroubleKind.LOCKED_OUT, who=SERVICE, retry_after=BAD_TOKEN_WAIT
            )
        case status:
            needed = " ".join(str(headers.get("x-accepted-github-permissions", "")).split())[:60]
            needs = f", the token needs {needed}" if status == 403 and needed else ""  # noqa: PLR2004 - Forbidden
            return RefusedError(f"GitHub: {words} ({status}{needs})")


def _retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds to wait, or DEFAULT_LIMIT_WAIT if GitHub does not name a usable number.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    wait = math.nan
    with suppress(ValueError, KeyError):
        if "retry-after" in headers:
            wait = float(headers["retry-after"])
        elif str(headers.get("x-ratelimit-remaining")) == "0":
            wait = float(headers["x-ratelimit-reset"]) - datetime.now(UTC).timestamp()
    return min(max(wait, 1.0), LONGEST_LIMIT_WAIT) if math.isfinite(wait) else DEFAULT_LIMIT_WAIT
