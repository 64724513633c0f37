"""The transport below the Telegram library: bytes on the wire, and no token in errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import WORDS, plain
from telegram import Bot
from telegram.error import TimedOut

from bot.adapters.telegram.chat import PollingBot, TelegramChat
from bot.adapters.telegram.transport import BoundedRequest, Bounds, OutOfReach
from bot.core.errors import TransientError
from bot.core.ids import ChatId, Place
from bot.engine.ports.chat import Document

TOKEN = "7000000001:hush"
SENT = b'{"ok":true,"result":{"message_id":5,"date":1,"chat":{"id":-1,"type":"group"},"text":"x"}}'


@asynccontextmanager
async def hearing(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that gives every request one answer. Yields its port and what it received."""
    heard: list[bytes] = []

    async def serve(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        head = await reading.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((line for line in lines if line.startswith(b"content-length:")), b":0")
        heard.append(head + await reading.readexactly(int(length.partition(b":")[2])))
        writing.write(answer)
        await writing.drain()
        writing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def ok(body: bytes = SENT) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def talking(api: str) -> AsyncIterator[PollingBot]:
    bot = PollingBot(TOKEN, api, Bounds())
    try:
        yield bot
    finally:
        await bot.shutdown()


async def send(bot: Bot) -> None:
    await TelegramChat(bot, WORDS).send(Place(ChatId("telegram:-1")), plain("x"), reply_to=None)


async def test_a_name_of_a_file_ends_no_header() -> None:
    async with hearing(ok()) as (port, heard), talking(f"http://127.0.0.1:{port}") as bot:
        document = Document('a"b\r\nX-Evil: 1 \u4e2d.yaml', b"a: 1\r\n")
        await TelegramChat(bot, WORDS).send_file(
            Place(ChatId("telegram:-1")), document, plain("back"), reply_to=None
        )
    (said,) = heard
    assert b"\r\nX-Evil" not in said
    assert 'filename="a%22b%0D%0AX-Evil: 1 \u4e2d.yaml"'.encode() in said
    assert b"\r\n\r\na: 1\r\n\r\n--" in said


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer_of_http_is_trouble_that_tells_no_token(answer: bytes) -> None:
    async with hearing(answer) as (port, _), talking(f"http://127.0.0.1:{port}") as bot:
        with pytest.raises(TransientError, match="out of reach") as caught:
            await send(bot)
        told: BaseException | None = caught.value
        while told is not None and not isinstance(told, OutOfReach):
            assert TOKEN not in f"{told}{told!r}"
            told = told.__cause__ or told.__context__
        assert TOKEN not in f"{told}{told!r}"


async def test_nobody_is_followed_elsewhere() -> None:
    async with hearing(ok()) as (elsewhere, led):
        place = b"http://127.0.0.1:%d/" % elsewhere
        moved = b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n"
        async with hearing(moved) as (port, heard), talking(f"http://127.0.0.1:{port}") as bot:
            with pytest.raises(TransientError):
                await send(bot)
        assert (len(heard), led) == (1, [])


async def test_whoever_waits_for_a_free_connection_for_too_long_sends_nothing() -> None:
    heard, over = list[bytes](), asyncio.Event()

    async def serve(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        heard.append(await reading.read(100))
        await over.wait()
        writing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        one = BoundedRequest(Bounds(connect=0.5), connections=1)
        first, *others = (asyncio.create_task(one.do_request(url, "POST")) for _ in range(3))
        told = await asyncio.gather(*others, return_exceptions=True)
        over.set()
        await asyncio.wait({first})
        await one.shutdown()
    assert [type(error) for error in told] == [TimedOut, TimedOut]
    assert len(heard) == 1
