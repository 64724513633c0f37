"""The Bot API over the network, bounded: every answer has an end, in time and in size.

The library's time limits are for one read each, and it reads whatever comes. What an answer
means is not known here.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
from telegram.error import BadRequest, TelegramError, TimedOut
from telegram.request import HTTPXRequest

_TOO_LARGE: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG}
)
_PARSED: Final = frozenset({400, 401, 403, 404, 408, 409, 429})
"""Refusals that the library, or we, tell apart; any other is one for good, as 400 is."""


class TooLarge(BadRequest):
    """The request is larger than the server takes, whoever says so in whatever form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds for one read, seconds for a whole call, seconds of a long poll, bytes.

    A read may take longer than the library's 5 s: a send that is given up may have arrived, and
    would be repeated. One answer holds at most 4 MiB of updates, and of files none that we want
    is larger.
    """

    read: float = 20
    whole: float = 60
    poll: int = 30
    size: int = 8 * 1024 * 1024


BOUNDS: Final = Bounds()


class BoundedRequest(HTTPXRequest):
    def __init__(self, bounds: Bounds, *, connections: int, poll: int = 0) -> None:
        self._whole = bounds.whole + poll
        self._size = bounds.size
        super().__init__(
            connection_pool_size=connections,
            read_timeout=bounds.read + poll,
            pool_timeout=10,
            httpx_kwargs={
                "limits": httpx.Limits(max_connections=connections, max_keepalive_connections=3),
                # Not asked for packed: a small packed answer can be a huge one.
                "headers": {"Accept-Encoding": "identity"},
                "event_hooks": {"response": [self._bound]},
            },
        )

    async def do_request(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._whole):
                code, payload = await super().do_request(*args, **more)
        except TimeoutError as error:
            raise TimedOut from error
        if code in _TOO_LARGE:
            raise TooLarge(f"the request is too large ({code})")
        if code >= HTTPStatus.BAD_REQUEST and not payload.startswith(b"{"):
            payload = payload[:80]  # the library quotes it, and that gets into the log
        refused = HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR
        return (HTTPStatus.BAD_REQUEST if refused and code not in _PARSED else code), payload

    async def _bound(self, response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise TelegramError("Invalid server response: it is packed")
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - httpx's own
        response.stream = _Bounded(response.stream, self._size)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As the library does it, but what is no answer is not written to the log."""
        try:
            told = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise TelegramError("Invalid server response") from error
        if not isinstance(told, dict):
            raise TelegramError("Invalid server response")
        return told


class _Bounded(httpx.AsyncByteStream):
    """A stream that ends in an error after so many bytes."""

    def __init__(self, inner: httpx.AsyncByteStream, size: int) -> None:
        self._inner, self._left = inner, size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._left -= len(piece)
            if self._left < 0:
                raise TelegramError("Invalid server response: it is too large")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
