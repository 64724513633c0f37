"""A server of a few pages for probes and for Prometheus: GET and HEAD, one answer a connection.

It is as small as what it has to do. Every connection has a time limit, there are few at a time, and
nothing of a request is used but its first line. It must not know what the pages say.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

log = logging.getLogger(__name__)

CONNECTIONS: Final = 16
"""More at a time are closed at once."""
SECONDS: Final = 10.0
"""For a connection from its first byte to its last."""
_HEAD_LIMIT: Final = 16 * 1024
_REQUEST: Final = re.compile(rb"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered. `kind` is a media type."""

    status: HTTPStatus
    body: bytes
    kind: str = "text/plain; charset=utf-8"


Pages: TypeAlias = Mapping[str, Callable[[], Awaitable[Page]]]


@asynccontextmanager
async def served(pages: Pages, host: str, port: int) -> AsyncIterator[int]:
    """Serve the pages by their paths. Yields the port. Raises OSError where it cannot listen."""
    handlers = set[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(handlers) >= CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(_handle(reader, writer, pages))
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    server = await asyncio.start_server(connected, host, port, limit=_HEAD_LIMIT)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Pages) -> None:
    try:
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(SECONDS):
                writer.write(await _answer(reader, pages))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
    finally:
        writer.transport.abort()


async def _answer(reader: asyncio.StreamReader, pages: Pages) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return _response(Page(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b""))
    request = _REQUEST.match(head)
    if request is None:
        return _response(Page(HTTPStatus.BAD_REQUEST, b""))
    method, path = request[1].decode(), request[2].decode().partition("?")[0]
    if path not in pages:
        return _response(Page(HTTPStatus.NOT_FOUND, "\n".join(pages).encode() + b"\n"))
    if method not in {"GET", "HEAD"}:
        return _response(Page(HTTPStatus.METHOD_NOT_ALLOWED, b""))
    return _response(await _page(pages[path]), with_body=method == "GET")


async def _page(make: Callable[[], Awaitable[Page]]) -> Page:
    try:
        return await make()
    except Exception:  # a bug in a page must not end the server
        log.exception("Unhandled exception in a page for probes")
        return Page(HTTPStatus.INTERNAL_SERVER_ERROR, b"")


def _response(page: Page, *, with_body: bool = True) -> bytes:
    lines = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}",
        f"Content-Type: {page.kind}",
        f"Content-Length: {len(page.body)}",
        "Allow: GET, HEAD",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + (page.body if with_body else b"")
