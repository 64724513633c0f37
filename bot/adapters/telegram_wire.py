"""Telegram's answers, bounded in size and in time before python-telegram-bot reads them.

They are asked for unpacked, so that a small answer cannot become a huge one, and given up where
they never end. Knows the library's transport, not what is asked.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import httpx
from telegram.error import TimedOut
from telegram.request import HTTPXRequest

MOST_BYTES: Final = 8 * 1024 * 1024
"""An answer with updates has 4 MiB at most, a file that we read has 1."""
ANSWER_SECONDS: Final = 120.0


class BoundedRequest(HTTPXRequest):
    """HTTPXRequest that reads no more than MOST_BYTES, within ANSWER_SECONDS."""

    def __init__(self, **named: Any) -> None:
        bounds = {
            "headers": {"Accept-Encoding": "identity"},
            "event_hooks": {"response": [_bound]},
        }
        super().__init__(**named, httpx_kwargs=bounds)

    async def do_request(self, *rest: Any, **named: Any) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await super().do_request(*rest, **named)
        except TimeoutError as error:
            raise TimedOut from error


async def _bound(response: httpx.Response) -> None:
    """A hook of httpx: it comes before the body is read."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx.RemoteProtocolError("the answer is packed, which was not asked for")
    response.stream = _Bounded(cast("httpx.AsyncByteStream", response.stream))


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise httpx.RemoteProtocolError(f"the answer has more than {MOST_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
