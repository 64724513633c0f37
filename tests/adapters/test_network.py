"""Three clients through five kinds of proxy and past them, over TLS with a private authority."""

import asyncio
import base64
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import WORDS, plain
from tls_world import Certificates

from bot.adapters.github.repository import MirrorRepository
from bot.adapters.github.transport import GitHubBounds
from bot.adapters.network import Network
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.network_guard import GuardedTransport
from bot.adapters.registry.transport import RegistryBounds
from bot.adapters.sockets import open_socket
from bot.adapters.telegram.chat import PollingBot, TelegramChat
from bot.adapters.telegram.transport import Bounds
from bot.core.errors import ConfigError, RefusedError, TransientError
from bot.core.ids import ChatId, Place
from bot.core.image import ImageRef, Target
from bot.workflow.mirror.proxy import proxy_for

HOST = "service.test"
DIGEST = f"sha256:{'a' * 64}"
LOGIN = "wei:p%40ss%3a%E5%AF%86"
PASSWORD = "p@ss:\u5bc6"
PATIENT = 90.0
ANSWERS = {
    "/v2/": {},
    "/repos/": {"path": ".github/workflows/m.yml", "state": "active", "id": 1},
    "/bot": {"ok": True, "result": {"message_id": 5, "date": 1, "chat": {"id": -1, "type": "x"}}},
}


async def telegram(api: str, network: Network) -> None:
    bot = PollingBot("7:hush", api, Bounds(connect=PATIENT), network)
    try:
        await TelegramChat(bot, WORDS).send(Place(ChatId("telegram:-1")), plain("x"), reply_to=None)
    finally:
        await bot.shutdown()


async def github(api: str, network: Network) -> None:
    repository = MirrorRepository(
        api=api,
        token="t",
        repository="a/b",
        branch="main",
        path="l",
        workflow="m.yml",
        network=network,
        bounds=GitHubBounds(read=PATIENT),
    )
    try:
        await repository.workflow()
    finally:
        repository.close()


async def registry(api: str, network: Network) -> None:
    client = RegistryClient(
        addresses={HOST: api},
        target=Target(HOST),
        allowed=[],
        target_login=None,
        source_logins={},
        network=network,
        bounds=RegistryBounds(connect=PATIENT, whole=PATIENT),
    )
    try:
        assert await client.target_digest(ImageRef.parse("gcr.io/a/b:1")) == DIGEST
    finally:
        await client.aclose()


CLIENTS = pytest.mark.parametrize("client", [telegram, github, registry])
Client = Callable[[str, Network], Awaitable[None]]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up. Each is at 127.0.0.1."""
    names: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        if text.endswith(".test"):
            names.append(text)
            text = "127.0.0.1"
        return real(text, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


async def answering(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
    """All three services in one."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while head := await reading.readuntil(b"\r\n\r\n"):
            lines = head.decode().lower().split("\r\n")
            length = next((each[16:] for each in lines if each.startswith("content-length:")), "0")
            await reading.readexactly(int(length))
            path = lines[0].split(" ")[1]
            found = next((each for start, each in ANSWERS.items() if path.startswith(start)), {})
            body = json.dumps(found).encode()
            told = f"Content-Type: application/json\r\nDocker-Content-Digest: {DIGEST}\r\n"
            size = f"Content-Length: {len(body)}\r\n\r\n"
            writing.write(f"HTTP/1.1 200 OK\r\n{told}{size}".encode())
            writing.write(b"" if lines[0].startswith("head") else body)
            await writing.drain()
    writing.close()


@dataclass
class ProxyServer:
    """HTTP CONNECT and SOCKS5 on one port. `status`, `code`: what it answers, 200 and 0 are yes."""

    login: tuple[str, str] | None = ("wei", PASSWORD)
    status: int = 200
    code: int = 0
    port: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def serve(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first = await reading.readexactly(1)
            answer = self._socks if first == b"\x05" else self._http
            if port := await answer(reading, writing):
                await self._relay(reading, writing, port)
        writing.close()

    async def _http(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> int:
        lines = (await reading.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        wanted = base64.b64encode(":".join(self.login or ()).encode()).decode()
        right = not self.login or f"proxy-authorization: basic {wanted}".lower() in [
            each.lower() for each in lines
        ]
        status = self.status if right else 407
        writing.write(f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n".encode())
        await writing.drain()
        host, _, port = lines[0].split(" ")[1].rpartition(":")
        return self._granted(host, int(port)) if status == 200 else 0

    async def _socks(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> int:
        (count,) = await reading.readexactly(1)
        method = 2 if self.login else 0
        offered = await reading.readexactly(count)
        writing.write(bytes([5, method if method in offered else 255]))
        if method not in offered:
            return 0
        if self.login:
            await reading.readexactly(1)
            got = await text_of(reading), await text_of(reading)
            writing.write(bytes([1, got != self.login]))
            if got != self.login:
                return 0
        kind = (await reading.readexactly(4))[3]
        length = {1: 4, 4: 16}.get(kind) or (await reading.readexactly(1))[0]
        name = await reading.readexactly(length)
        port = int.from_bytes(await reading.readexactly(2))
        writing.write(bytes([5, self.code, 0, 3, 1]) + b"x" + bytes(2))
        await writing.drain()
        return 0 if self.code else self._granted(host_of(kind, name), port)

    def _granted(self, host: str, port: int) -> int:
        self.asked.append((host, port))
        return port

    async def _relay(
        self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter, port: int
    ) -> None:
        far_reading, far_writing = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            passed_on(reading, far_writing), passed_on(far_reading, writing), return_exceptions=True
        )


async def text_of(reading: asyncio.StreamReader) -> str:
    (length,) = await reading.readexactly(1)
    return (await reading.readexactly(length)).decode()


def host_of(kind: int, name: bytes) -> str:
    return name.decode() if kind == 3 else socket.inet_ntop(socket.AF_INET, name)


async def passed_on(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
    try:
        while part := await reading.read(1 << 16):
            writing.write(part)
            await writing.drain()
    finally:
        writing.close()


@asynccontextmanager
async def serving(
    serve: Any, tls: ssl.SSLContext | None = None, at: socket.socket | None = None
) -> AsyncIterator[int]:
    """A server that ends its connections when it ends. Yields its port."""
    tasks = set[asyncio.Task[None]]()

    async def served(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reading, writing))
        tasks.add(task)
        await asyncio.wait([task])
        writing.transport.abort()

    at = at or socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(served, sock=at, ssl=tls)
    async with server:
        yield at.getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # aborted connections are told so by the loop


@asynccontextmanager
async def world(
    certificates: Certificates, proxy: ProxyServer, *, tls_proxy: bool = False
) -> AsyncIterator[str]:
    """The address of the service. The proxy stands beside it."""
    context = certificates.context()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(answering, context))
        proxy.port = await stack.enter_async_context(
            serving(proxy.serve, context if tls_proxy else None)
        )
        yield f"https://{HOST}:{port}"


SETTINGS = {
    "http": ("HTTPS_PROXY", f"http://{LOGIN}@127.0.0.1"),
    "https": ("https_proxy", f"https://{LOGIN}@127.0.0.1"),
    "socks5": ("all_proxy", f"socks5://{LOGIN}@127.0.0.1"),
    "socks5h": ("ALL_PROXY", f"socks5h://{LOGIN}@127.0.0.1"),
    "bare": ("HTTPS_PROXY", f"{LOGIN}@127.0.0.1"),
}
EXCEPTIONS = {"another.test,10.0.0.0/8": False, ".test": True, f"{HOST}:PORT": True}


@CLIENTS
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("entries", EXCEPTIONS)
async def test_each_client_takes_the_proxy_or_goes_past_it(
    client: Client, kind: str, entries: str, certificates: Certificates, resolved: list[str]
) -> None:
    name, address = SETTINGS[kind]
    proxy = ProxyServer()
    async with world(certificates, proxy, tls_proxy=kind == "https") as api:
        port = int(api.rpartition(":")[2])
        variables = {
            name: f"{address}:{proxy.port}",
            "no_proxy": entries.replace("PORT", str(port)),
        }
        await client(api, Network(variables, certificates.authority.read_text()))
    direct = EXCEPTIONS[entries]
    far = "127.0.0.1" if kind == "socks5" else HOST
    assert proxy.asked == ([] if direct else [(far, port)])
    assert bool(resolved) is (direct or kind == "socks5")


async def hanging_up(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
    """Take a request, and end the connection instead of an answer."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reading.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_lost_answer_is_unclear_behind_a_proxy_too(
    scheme: str, certificates: Certificates, resolved: list[str]
) -> None:
    proxy, tunnel = ProxyServer(None), scheme == "https"
    async with (
        serving(hanging_up, certificates.context()) as port,
        serving(proxy.serve if tunnel else hanging_up) as proxy_port,
    ):
        network = Network(
            {"ALL_PROXY": f"http://127.0.0.1:{proxy_port}"}, certificates.authority.read_text()
        )
        with pytest.raises(TransientError) as told:
            await github(f"{scheme}://{HOST}:{port}", network)
    assert told.value.unclear
    assert not resolved


@CLIENTS
async def test_a_private_authority_has_to_be_named(
    client: Client, certificates: Certificates, resolved: list[str]
) -> None:
    async with world(certificates, ProxyServer()) as api:
        with pytest.raises(TransientError):
            await client(api, Network({}))
    assert resolved


def test_a_private_authority_is_trusted_besides_the_public_ones(certificates: Certificates) -> None:
    public = Network({}).tls.get_ca_certs()
    both = Network({}, certificates.authority.read_text()).tls.get_ca_certs()
    assert len(both) == len(public) + 1
    assert all(each in both for each in public)


WITH, WITHOUT = f"{LOGIN}@", ""
REFUSALS = [
    ("http", WITH, ProxyServer(("wei", "other")), "refuses the login (407); correct ALL_PROXY"),
    ("http", WITHOUT, ProxyServer(), "asks for a login (407); correct ALL_PROXY"),
    ("http", WITH, ProxyServer(status=403), "answers 403; correct ALL_PROXY"),
    ("http", WITHOUT, None, "cannot be reached; correct ALL_PROXY"),
    ("socks5h", WITH, ProxyServer(("wei", "other")), "refuses the login; correct ALL_PROXY"),
    ("socks5h", WITHOUT, ProxyServer(), "asks for a login; correct ALL_PROXY"),
    ("socks5h", WITHOUT, ProxyServer(None, code=2), f"does not allow this destination: {HOST}:"),
    ("socks5", WITHOUT, ProxyServer(None, code=5), "is refused by this host: 127.0.0.1:"),
    ("socks5h", WITHOUT, None, "cannot be reached; correct ALL_PROXY"),
]


@CLIENTS
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case[0]} {case[3]}")
async def test_what_a_proxy_refuses_is_told_without_its_login(
    client: Client,
    case: tuple[str, str, ProxyServer | None, str],
    certificates: Certificates,
    resolved: list[str],
) -> None:
    kind, login, proxy, words = case
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    async with world(certificates, proxy or ProxyServer()) as api:
        port = proxy.port if proxy else nobody
        network = Network({"ALL_PROXY": f"{kind}://{login}127.0.0.1:{port}"})
        with pytest.raises(TransientError) as told:
            await client(api, network)
    assert f"the proxy {kind}://127.0.0.1:{port} {words}" in str(told.value)
    assert "wei" not in str(told.value)


async def test_a_name_at_a_private_address_is_refused_behind_a_proxy_that_resolves_none(
    certificates: Certificates, resolved: list[str]
) -> None:
    proxy = ProxyServer()
    async with world(certificates, proxy):
        network = Network({"all_proxy": f"socks5://{LOGIN}@127.0.0.1:{proxy.port}"})
        guarded = GuardedTransport(network=network)
        with pytest.raises(RefusedError, match=r"service\.test is at a private address"):
            await guarded.handle_async_request(httpx.Request("GET", f"https://{HOST}/v2/"))
        await guarded.aclose()
    assert (proxy.asked, resolved) == ([], [HOST])


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05"])
async def test_what_is_no_socks_proxy_is_told_as_such(said: bytes) -> None:
    async def serve(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        await reading.read(1)
        writing.write(said)
        writing.write_eof()

    async with serving(serve) as port:
        variables = {"all_proxy": f"socks5h://127.0.0.1:{port}"}
        with pytest.raises(OSError, match=r"is no SOCKS5 proxy|ends the connection"):
            await open_socket(HOST, 443, Network(variables).proxy_of("https", HOST, None))


@pytest.fixture
def beside_a_black_hole() -> Iterator[socket.socket]:
    """A server's socket. At its port 127.0.0.2 takes no connection, and refuses none."""
    with contextlib.ExitStack() as stack:
        good = socket.create_server(("127.0.0.1", 0))
        hole = stack.enter_context(socket.socket())
        hole.bind(("127.0.0.2", good.getsockname()[1]))
        hole.listen(0)
        for _ in range(3):  # its queue is full, and the kernel drops what comes
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(hole.getsockname())
        yield good


@CLIENTS
async def test_a_dead_address_holds_nobody_up(
    client: Client,
    beside_a_black_hole: socket.socket,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        """One after the other, each may take 90 seconds to connect."""
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, int(port))) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    network = Network({}, certificates.authority.read_text())
    async with (
        serving(answering, certificates.context(), beside_a_black_hole) as port,
        asyncio.timeout(PATIENT / 2),
    ):
        await client(f"https://{HOST}:{port}", network)


VARIABLES = [
    ({"https_proxy": "http://a.test:1", "HTTPS_PROXY": "http://b.test:1"}, "a.test:1"),
    ({"HTTPS_PROXY": "a.test", "ALL_PROXY": "http://b.test:1"}, "a.test:80"),
    ({"HTTP_PROXY": "http://a.test:1"}, ""),
    ({"all_proxy": "http://a.test:1"}, "a.test:1"),
    ({"ALL_PROXY": " http://[fd00::1]:1/ ", "https_proxy": " "}, "fd00::1:1"),
    *(
        ({"ALL_PROXY": "http://a.test:1", name: entries}, "" if spares else "a.test:1")
        for name in ("NO_PROXY", "no_proxy")
        for entries, spares in (
            *(("*", True), ("gcr.io", True), (".gcr.io", True), ("*.io", True), ("cr.io", False)),
            *(("x, GCR.IO.", True), ("gcr.io:443", True), ("gcr.io:80", False)),
        )
    ),
]


@pytest.mark.parametrize(("variables", "named"), VARIABLES)
def test_the_bot_and_the_workflow_read_the_variables_alike(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    own, of_workflow = (
        Network().proxy_of("https", "gcr.io", None),
        proxy_for("https", "gcr.io", 443),
    )
    for found in (own, of_workflow):
        assert (f"{found.host}:{found.port}" if found else "") == named


def test_loopback_is_never_asked_for_through_a_proxy() -> None:
    network = Network({"http_proxy": "proxy.test:3128"})
    for host in ("localhost", "127.0.0.1", "127.8.0.1", "::1", "[::1]"):
        assert network.proxy_of("http", host, 80) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("socks4://wei:hush@p.test:1080", "is a socks4 proxy; write one of http://, https://, soc"),
        ("http://wei:hush@:1", "should be http://HOST:PORT"),
        ("http://wei:hush@p.test:99999", "should be http://HOST:PORT"),
        (f"socks5://wei:{'hush' * 64}@p.test", "its login is longer than 255 bytes"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_at_the_start(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"^all_proxy: {words}") as told:
        Network({"all_proxy": text})
    assert "hush" not in str(told.value)


def test_a_proxy_of_another_kind_that_nothing_needs_is_no_trouble() -> None:
    network = Network({"http_proxy": "p:1", "https_proxy": "p:2", "all_proxy": "socks4://p:3"})
    assert str(network.proxy_of("https", "gcr.io", None)) == "http://p:2"


def test_certificates_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE or SSL_CERT_DIR: No such file"):
        Network({})
