"""HTTP requests with limits on the time and size of an answer. A redirect gets no login.

`registry` and `github` use it, and know what the answers mean.
"""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

ANSWER_SECONDS = 30  # of silence
STORE_SECONDS = 300  # of silence while the target stores a layer or a manifest
BODY_SECONDS = 120  # in all, since a slow body is never silent
LONGEST_RETRY_AFTER = 60  # seconds
BODY_BYTES = 4 << 20  # of one answer, unless said otherwise
READ_BYTES = 1 << 16  # at a time
UNREADABLE = (ValueError, OverflowError, RecursionError)  # what reading untrusted JSON can raise


@dataclass(frozen=True)
class Answer:
    """The answer of a server. Status 0 means no usable answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def words(self) -> str:
        """Return the status as the end of a sentence."""
        return f"answers {self.status}" if self.status else "no answer"

    @property
    def trouble(self) -> bool:
        """Return whether the same request may work later."""
        return self.status in {0, 429} or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def passing(self) -> bool:
        """Return the same for GitHub, which answers a rate limit by 403 with Retry-After."""
        refusal = HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.TOO_MANY_REQUESTS
        return not refusal or bool(self.headers.get("Retry-After"))


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Keeps the method and drops the login. urllib turns HEAD into GET, which counts as a pull."""

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        del code, msg, headers
        fp.close()  # urllib would read the body of a redirect to its end, however long it is
        if req.get_method() not in ("GET", "HEAD"):
            return None
        if not newurl.startswith(("https://", f"{req.type}://")):
            return None
        kept = {k: v for k, v in req.header_items() if k.lower() in {"accept", "user-agent"}}
        return urllib.request.Request(newurl, headers=kept, method=req.get_method())  # noqa: S310 - http(s) only, see above

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # Python 3.10 lacks it


# One TLS context for all: reading the system's certificates costs more than one request.
OPENER = urllib.request.build_opener(
    _Redirect, urllib.request.HTTPSHandler(context=ssl.create_default_context())
)


def read(answer: Any, limit: int) -> bytes | None:
    """Read a body. None when it is longer than `limit` bytes, or takes too long."""
    body, deadline = bytearray(), time.monotonic() + BODY_SECONDS
    while part := answer.read1(READ_BYTES):
        body += part
        if len(body) > limit or time.monotonic() > deadline:
            return None
    return bytes(body)


def opened(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Any:
    """Send one request and return the open answer. Raises what urllib raises."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("neither http nor https")
    headers = {"User-Agent": "imageto-bot", **headers}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - http(s) only, see above
    return OPENER.open(request, timeout=seconds)


def ask(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    limit: int = BODY_BYTES,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Send one request and read the answer. A refusal is an answer too, without its body."""
    try:
        with opened(method, url, headers, data=data, seconds=seconds) as got:
            body = read(got, limit)
            return Answer(0 if body is None else got.status, got.headers, body or b"")
    except urllib.error.HTTPError as refused:
        with refused:  # the challenge of another host, after a redirect, must not get our login
            return Answer(refused.code, refused.headers if refused.url == url else Message(), b"")
    except (OSError, ValueError, OverflowError, HTTPException):
        return Answer(0, Message(), b"")


def wait_as_asked(answer: Answer, pause: float, longest: float = LONGEST_RETRY_AFTER) -> None:
    """Sleep for the Retry-After of an answer, at most `longest` seconds, or else for `pause`."""
    wish = answer.headers.get("Retry-After", "")
    time.sleep(min(int(wish[:9]), longest) if wish.isdecimal() else pause)
