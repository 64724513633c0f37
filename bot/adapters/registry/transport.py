"""One HTTP request to a registry: bounds its time and size, translates its errors.

It follows no redirect and answers no challenge. That is done in session.py.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from bot.adapters.registry.network_guard import FROM_CONFIG
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind

_DEFAULT_HEADERS: Final = {"User-Agent": "imageto-bot", "Accept-Encoding": "identity"}
_ERROR_BODY_BYTES: Final = 4 * 1024
_LONGEST_RETRY_AFTER: Final = 24 * 60 * 60.0


def one_line(text: str, limit: int = 200) -> str:
    """The text of a server as one line of at most `limit` printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryBounds:
    """Seconds to connect, for one read, and for a request with its logins and redirects."""

    connect: float = 5
    read: float = 10
    whole: float = 20


REGISTRY_BOUNDS: Final = RegistryBounds()


@dataclass(frozen=True, slots=True)
class RegistryResponse:
    status: int
    headers: httpx.Headers
    body: bytes = b""


def first_error(answer: RegistryResponse) -> tuple[str, str] | None:
    """Code and message of the first error that a registry or a Harbor tells, each on one line.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """
    try:
        first = json.loads(answer.body)["errors"][0]
        return one_line(str(first["code"]), 80), one_line(str(first["message"]), 160)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


class BoundedTransport:
    """Sends requests through an httpx transport.

    An httpx client would add cookies, netrc, logins from URLs and redirects on its own.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, bounds: RegistryBounds = REGISTRY_BOUNDS
    ) -> None:
        self._transport = transport
        self._timeout = httpx.Timeout(bounds.read, connect=bounds.connect)

    async def send(
        self,
        method: str,
        url: httpx.URL,
        *,
        registry: str,
        headers: Mapping[str, str],
        from_config: bool,
        max_bytes: int,
        content: bytes = b"",
        prefix: str = "",
        on_headers: Callable[[httpx.Headers], None] = lambda _: None,
    ) -> RegistryResponse:
        """The response, with a body of at most `max_bytes`.

        `registry` with `prefix` names the server in errors. `from_config`: the operator named this
        host, so it may be private. `on_headers` gets the headers of every response, also of one
        that is raised as an error. Raises TransientError if the same request may succeed later,
        RefusedError if the body is too long.
        """
        request = httpx.Request(
            method,
            url,
            headers={**_DEFAULT_HEADERS, **headers},
            content=content,
            extensions={"timeout": self._timeout.as_dict(), FROM_CONFIG: from_config},
        )
        name = f"{prefix}{registry}"
        try:
            answer = await self._exchange(request, name, max_bytes)
        except httpx.TimeoutException as error:
            raise TransientError(
                f"{name} did not answer in time", kind=TroubleKind.SILENT, who=registry
            ) from error
        except httpx.TransportError as error:
            reason = one_line(str(error)) or type(error).__name__
            raise TransientError(
                f"{name} cannot be reached: {reason}", kind=TroubleKind.UNREACHABLE, who=registry
            ) from error
        on_headers(answer.headers)
        _raise_if_transient(answer, registry, name)
        return answer

    async def _exchange(self, request: httpx.Request, name: str, limit: int) -> RegistryResponse:
        response = await self._transport.handle_async_request(request)
        try:
            ok = response.status_code == HTTPStatus.OK
            body = await _read(response, limit if ok else _ERROR_BODY_BYTES)
        finally:
            await response.aclose()
        if ok and len(body) > limit:
            raise RefusedError(f"{name} sent more than {limit} bytes")
        if not ok:
            # Error texts get into logs and chats, and some servers repeat what they were sent.
            secret = request.headers.get("authorization", "").rpartition(" ")[2].encode()
            body = body.replace(secret, b"***") if secret else body
        return RegistryResponse(response.status_code, response.headers, body)

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _read(response: httpx.Response, limit: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        return b""  # not requested: a small compressed body may be huge when decoded
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part[: limit + 1 - len(body)]
        if len(body) > limit:
            break
    return bytes(body)


def _raise_if_transient(answer: RegistryResponse, registry: str, name: str) -> None:
    wait = retry_after(answer.headers.get("retry-after", ""), now=datetime.now(UTC))
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            kind, says = TroubleKind.BUSY, "answers 429: too many requests"
        case HTTPStatus.REQUEST_TIMEOUT:
            kind, says = TroubleKind.SILENT, "did not get the request in time"
        case HTTPStatus.OK if answer.headers.get("content-type", "").startswith("text/html"):
            # A registry does not send HTML, but a proxy in front of it may.
            kind, says = TroubleKind.UNREADABLE, "answers with an HTML page"
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind, says = TroubleKind.FAULTY, f"answers {status}"
        case _:
            return
    raise TransientError(f"{name} {says}", kind=kind, who=registry, retry_after=wait)


def retry_after(text: str, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or a date). None if it is unusable.

    RFC 9110, section 10.2.3.
    """
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), _LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait.total_seconds(), 0.0), _LONGEST_RETRY_AFTER)
