"""The server for probes: it answers GET and HEAD of its pages, and holds against anything else."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest

from bot.adapters.monitoring import server
from bot.adapters.monitoring.server import Page, served

HOST = "127.0.0.1"


async def _good() -> Page:
    return Page(HTTPStatus.OK, b"ok\n")


async def _broken() -> Page:
    raise KeyError("secret")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served({"/healthz": _good, "/broken": _broken}, HOST, 0) as port:
        yield port


async def asked(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Send a request. Return the head and the body of the answer."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("line", "status", "body"),
    [
        (b"GET /healthz HTTP/1.1", 200, b"ok\n"),
        (b"GET /healthz?probe=1 HTTP/1.0", 200, b"ok\n"),
        (b"HEAD /healthz HTTP/1.1", 200, b""),
        (b"POST /healthz HTTP/1.1", 405, b""),
        (b"DELETE /healthz HTTP/1.1", 405, b""),
        (b"GET / HTTP/1.1", 404, b"/healthz\n/broken\n"),
        (b"GET /../etc/passwd HTTP/1.1", 404, b"/healthz\n/broken\n"),
        (b"GET /broken HTTP/1.1", 500, b""),
        (b"GET http://127.0.0.1/healthz HTTP/1.1", 400, b""),
        (b"\x16\x03\x01\x02", 400, b""),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1", 431, b""),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_only_get_and_head_of_a_page_are_answered(
    port: int, line: bytes, status: int, body: bytes
) -> None:
    head, found = await asked(port, line + b"\r\nHost: x\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert found == body
    assert b"secret" not in head


async def test_head_has_the_length_that_get_has(port: int) -> None:
    heads = [(await asked(port, m + b" /healthz HTTP/1.1\r\n\r\n"))[0] for m in (b"GET", b"HEAD")]
    assert heads[0] == heads[1]
    assert b"Content-Length: 3" in heads[0]


async def test_connections_that_say_nothing_end_and_keep_nobody_out_for_ever(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SECONDS", 0.2)
    silent = [await asyncio.open_connection(HOST, port) for _ in range(server.CONNECTIONS + 5)]
    for reader, writer in silent:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.close()
    assert await asked(port, b"GET /healthz HTTP/1.1\r\n\r\n")


async def test_a_port_that_is_taken_is_an_error(port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        async with served({}, HOST, port):
            pass
