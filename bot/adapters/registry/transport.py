"""One request to a registry and its answer: bounded in size, in time and in words.

Every trouble of the network becomes one short line. Nothing is followed here, neither a
redirect nor a demand for a login: that is decided by whoever asks.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.network_guard import OPERATORS
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

_HEADERS: Final = {"User-Agent": "imageto-bot", "Accept-Encoding": "identity"}
_ERROR_BODY: Final = 4 * 1024
_LONGEST_WAIT: Final = 24 * 60 * 60.0


def one_line(text: str, limit: int = 200) -> str:
    """A server's words without control characters, line ends and more than `limit` of them."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds to connect, for one read, and for one look, logins and redirects and all."""

    connect: float = 5
    read: float = 10
    whole: float = 20


BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes = b""


class Wire:
    """Sends one request at a time and bounds what comes back.

    On httpx's transport rather than its client: cookies, netrc, logins out of a URL and the
    following of redirects would each be a decision that nobody here took.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, bounds: Bounds = BOUNDS) -> None:
        self._transport = transport
        self._timeout = httpx.Timeout(bounds.read, connect=bounds.connect)

    async def ask(
        self,
        method: str,
        url: httpx.URL,
        *,
        who: str,
        headers: Mapping[str, str],
        operators: bool,
        limit: int,
        part: str = "",
        heard: Callable[[httpx.Headers], None] = lambda _: None,
    ) -> Answer:
        """`who` is the registry, and `part`, for the log, what of it is asked.

        `operators`: the operator wrote this host down, so it may be private.

        `heard` gets the headers of every answer, of one that is raised too. Raises TransientError
        where the same request may be answered later.
        """
        request = httpx.Request(
            method,
            url,
            headers={**_HEADERS, **headers},
            extensions={"timeout": self._timeout.as_dict(), OPERATORS: operators},
        )
        name = f"{part}{who}"
        try:
            answer = await self._exchange(request, name, limit)
        except httpx.TimeoutException as error:
            raise TransientError(
                f"{name} did not answer in time", kind=TroubleKind.SILENT, who=who
            ) from error
        except httpx.TransportError as error:
            reason = one_line(str(error)) or type(error).__name__
            raise TransientError(
                f"{name} cannot be reached: {reason}", kind=TroubleKind.UNREACHABLE, who=who
            ) from error
        heard(answer.headers)
        _raise_temporary(answer, who, name)
        return answer

    async def _exchange(self, request: httpx.Request, name: str, limit: int) -> Answer:
        response = await self._transport.handle_async_request(request)
        try:
            good = response.status_code == HTTPStatus.OK
            body = await _read(response, limit if good else _ERROR_BODY)
        finally:
            await response.aclose()
        if good and len(body) > limit:
            raise RefusedError(f"{name} sent more than {limit} bytes; it is not read any further")
        if not good:
            # A server's complaint gets into logs and chats; some repeat what they were sent.
            secret = request.headers.get("authorization", "").rpartition(" ")[2].encode()
            body = body.replace(secret, b"***") if secret else body
        return Answer(response.status_code, response.headers, body)

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _read(response: httpx.Response, limit: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        return b""  # never asked for; a small packed answer can be a huge one
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part[: limit + 1 - len(body)]
        if len(body) > limit:
            break
    return bytes(body)


def _raise_temporary(answer: Answer, who: str, name: str) -> None:
    wait = retry_after(answer.headers.get("retry-after", ""), now=datetime.now(UTC))
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            kind, says = TroubleKind.BUSY, "answers 429: too many requests"
        case HTTPStatus.REQUEST_TIMEOUT:
            kind, says = TroubleKind.SILENT, "did not get the request in time"
        case HTTPStatus.OK if answer.headers.get("content-type", "").startswith("text/html"):
            # No registry says anything in HTML, but what stands in front of one does.
            kind, says = TroubleKind.UNREADABLE, "answers with a page of HTML"
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind, says = TroubleKind.FAULTY, f"is in trouble: it answers {status}"
        case _:
            return
    raise TransientError(f"{name} {says}", kind=kind, who=who, retry_after=wait)


def retry_after(text: str, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), _LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait.total_seconds(), 0.0), _LONGEST_WAIT)
