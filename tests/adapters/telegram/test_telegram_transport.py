"""The transport below the Telegram library: bytes on the wire, proxies, and no token in errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from telegram import Bot
from telegram.error import NetworkError, TimedOut

from bot.adapters.proxies import Proxies
from bot.adapters.telegram.chat import PollingBot, TelegramChat
from bot.adapters.telegram.transport import BoundedRequest, Bounds, OutOfReach
from bot.core.errors import ConfigError, TransientError
from bot.core.ids import ChatId, Place
from bot.dialog.message import Rendered
from bot.engine.ports.chat import Document

TOKEN = "7000000001:hush"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
SENT = b'{"ok":true,"result":{"message_id":5,"date":1,"chat":{"id":-1,"type":"group"},"text":"x"}}'


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


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
    await TelegramChat(bot).send(Place(ChatId("telegram:-1")), Rendered("x"), reply_to=None)


async def test_a_name_of_a_file_ends_no_header() -> None:
    async with hearing(ok()) as (port, heard), talking(f"http://127.0.0.1:{port}") as bot:
        document = Document('a"b\r\nX-Evil: 1 \u4e2d.yaml', b"a: 1\r\n")
        await TelegramChat(bot).send_file(
            Place(ChatId("telegram:-1")), document, Rendered("back"), reply_to=None
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


async def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hearing(ok()) as (port, heard):
        monkeypatch.setenv("ALL_PROXY", f"wei:secret@127.0.0.1:{port}")
        async with talking("http://telegram.invalid") as bot:
            await send(bot)
        (said,) = heard
    assert said.startswith(b"POST http://telegram.invalid/bot7000000001:hush/sendMessage HTTP/1.1")
    assert b"Proxy-Authorization: Basic d2VpOnNlY3JldA==" in said


async def test_a_proxy_is_not_asked_for_what_it_excepts(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[str] = []

    async def getaddrinfo(_: object, host: str, *rest: object, **named: object) -> list[object]:
        """No test asks a name server."""
        resolved.append(host)
        raise OSError("no such name")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    async with hearing(ok()) as (port, heard):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "telegram.invalid")
        async with talking("http://telegram.invalid") as bot:
            with pytest.raises(NetworkError):
                await bot.raw_updates(1)
    assert (resolved, heard) == (["telegram.invalid"], [])


def test_loopback_is_never_asked_for_through_a_proxy() -> None:
    proxies = Proxies({"http": "proxy.example:3128", "all": "http://other.example:1"})
    assert proxies.of("http", "gcr.io", None) == "http://proxy.example:3128"
    assert proxies.of("https", "gcr.io", 8443) == "http://other.example:1"
    for host in ("localhost", "127.0.0.1", "127.8.0.1", "::1"):
        assert proxies.of("http", host, 80) is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_another_kind_is_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "socks5://wei:secret@proxy.example:1080")
    with pytest.raises(ConfigError, match=f"^{name.upper()}: is a socks5 proxy") as told:
        PollingBot(TOKEN, "https://telegram.invalid")
    assert "secret" not in str(told.value)


def test_a_proxy_of_another_kind_that_nothing_needs_is_no_trouble() -> None:
    proxies = Proxies({"http": "p:1", "https": "http://p:1", "all": "socks5://p:2"})
    assert proxies.of("https", "gcr.io", None) == "http://p:1"


async def test_a_login_at_a_proxy_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://wei:p\u0141ss@127.0.0.1:9")
    async with talking("http://telegram.invalid") as bot:
        with pytest.raises(TransientError, match="out of reach") as told:
            await send(bot)
    assert "\u0141" not in f"{told.value}{told.value.__cause__!r}"


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
