"""What GitHub's refusals mean, and the troubles on the way to it: as our own exceptions.

Nothing here makes a call.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import requests
from github import BadAttributeException, GithubException

from bot.adapters.github.transport import AnswerError
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

T = TypeVar("T")

WHO: Final = "GitHub"
TOKEN_WAIT: Final = 60.0
LIMIT_WAIT: Final = 60.0
LONGEST_WAIT: Final = 60 * 60.0
"""No limit of GitHub's runs longer."""
_WORDS: Final = 160
_SHAPELESS: Final = (
    *(BadAttributeException, AssertionError, ArithmeticError, AttributeError, LookupError),
    *(RuntimeError, TypeError, ValueError),
)
"""What PyGithub raises on an answer of another shape than the documented one: a RuntimeError
where it is sent to another host, or where JSON is nested too deep.
"""
_CLEAR: Final = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)
"""Troubles after which a write certainly did not happen."""
_LIMITED: Final = ("rate limit", "abuse detection")
_PROTECTED: Final = (
    *("through a pull request", "through the merge queue", "status check", "rule violation"),
    *("ruleset", "protected branch", "protected ref", "review is required", "verified signatures"),
    *("not authorized to push", "about-protected-branches", "managing-rulesets"),
)
"""Of the branch's rules, in what GitHub says or in the page that it sends its reader to."""


def line_of(text: str) -> str:
    """Foreign words as one bounded line that can be stored, logged and shown."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * _WORDS])
    return " ".join(shown.split())[:_WORDS]


def words_of(error: GithubException) -> str:
    """GitHub's own words, on one line and bounded."""
    data = error.data
    text = data.get("message", "") if isinstance(data, Mapping) else str(data or "")
    return line_of(str(text)) or f"status {error.status}"


def is_githubs(error: GithubException) -> bool:
    """Whether GitHub itself refuses: what stands in front of it answers with pages of its own."""
    return isinstance(error.data, Mapping) and isinstance(error.data.get("message"), str)


def is_protected(error: GithubException) -> bool:
    """Whether the rules of the branch forbid the write: 409 too, though nobody wrote first."""
    data = error.data if isinstance(error.data, Mapping) else {}
    text = f"{words_of(error)} {data.get('documentation_url', '')}".lower()
    return any(sign in text for sign in _PROTECTED)


def translated(work: Callable[[], T]) -> T:
    """Runs in the worker: every trouble of the libraries becomes one of ours."""
    try:
        return work()
    except GithubException as error:
        raise meaning(error) from error
    except requests.exceptions.RequestException as error:
        raise _of_the_way(error) from error
    except _SHAPELESS as error:
        raise _unreadable(error) from error


def _of_the_way(error: requests.exceptions.RequestException) -> TransientError:
    match error:
        case AnswerError() | requests.exceptions.ContentDecodingError():
            return _unreadable(error)
        case requests.exceptions.ReadTimeout():
            kind, text = TroubleKind.SILENT, "GitHub did not answer in time"
        case _:
            kind, text = TroubleKind.UNREACHABLE, "GitHub is out of reach"
    unclear = not isinstance(error, _CLEAR)
    return TransientError(f"{text} ({type(error).__name__})", kind=kind, who=WHO, unclear=unclear)


def _unreadable(error: Exception) -> TransientError:
    text = f"GitHub's answer cannot be read ({type(error).__name__})"
    return TransientError(text, kind=TroubleKind.UNREADABLE, who=WHO, unclear=True)


def meaning(error: GithubException) -> TransientError | RefusedError:
    words = words_of(error)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    limited = "retry-after" in headers or any(sign in words.lower() for sign in _LIMITED)
    match error.status:
        case 429 | 403 if limited or error.status == 429:  # noqa: PLR2004 - see the cases
            text, wait = f"GitHub asks to wait: {words}", _wait(headers)
            return TransientError(text, kind=TroubleKind.BUSY, who=WHO, retry_after=wait)
        case status if status >= 500 or status < 400:  # noqa: PLR2004 - classes of HTTP status
            text = f"GitHub is in trouble: {words}"
            return TransientError(text, kind=TroubleKind.FAULTY, who=WHO, unclear=True)
        case _ if not is_githubs(error):
            return _unreadable(error)
        case 401:
            text = "GitHub does not accept the bot's token; renew GITHUB_TOKEN"
            return TransientError(
                text, kind=TroubleKind.LOCKED_OUT, who=WHO, retry_after=TOKEN_WAIT
            )
        case status:
            needed = " ".join(str(headers.get("x-accepted-github-permissions", "")).split())[:60]
            needs = f", the token needs {needed}" if status == 403 and needed else ""  # noqa: PLR2004 - Forbidden
            return RefusedError(f"GitHub: {words} ({status}{needs})")


def _wait(headers: Mapping[str, Any]) -> float:
    """Seconds that GitHub wants us to wait; a minute where it does not say, or nothing sensible.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    wait = math.nan
    with suppress(ValueError, KeyError):
        if "retry-after" in headers:
            wait = float(headers["retry-after"])
        elif str(headers.get("x-ratelimit-remaining")) == "0":
            wait = float(headers["x-ratelimit-reset"]) - datetime.now(UTC).timestamp()
    return min(max(wait, 1.0), LONGEST_WAIT) if math.isfinite(wait) else LIMIT_WAIT
