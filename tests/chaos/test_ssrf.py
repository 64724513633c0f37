"""People who may only write to the bot cannot make it connect to internal addresses.

Traps listen on loopback and must see no connection. Names, addresses, redirects, token servers
and lists of a registry lead there. What the guard makes of single answers is in
tests/adapters/registry/test_client.py.
"""

import asyncio
import ipaddress
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import LI, TARGET, digest_of, world
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.network import Network
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.network_guard import GuardedTransport, is_public
from bot.core.errors import BotError, ConfigError
from bot.core.image import BadReference, ImageRef

DIGEST = digest_of("a")


@dataclass
class Trap:
    """A listener on every loopback address that must see no connection."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    """Listen where all of 127.0.0.0/8 and 0.0.0.0 lead, and on ::1 if available."""
    set_up = Trap(0)

    async def hear(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        set_up.heard.append(b"connected")
        writing.close()

    server = await asyncio.start_server(hear, "0.0.0.0", 0)
    set_up.port = server.sockets[0].getsockname()[1]
    servers = [server]
    if socket.has_ipv6:
        with suppress(OSError):
            servers.append(await asyncio.start_server(hear, "::1", set_up.port))
    try:
        yield set_up
    finally:
        for each in servers:
            each.close()


# ---- addresses, in every notation there is

PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.171",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.251",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
)
PRIVATE_6 = (
    "::",
    "::1",
    "::ffff:0:127.0.0.1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:808:808::",
)


def embedded(address: str) -> Iterator[str]:
    """The IPv6 addresses that gateways and kernels translate to an IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    yield str(ipaddress.IPv6Address((0xFFFF << 32) | number))  # mapped
    yield str(ipaddress.IPv6Address(number)) if number else "::"  # compatible, long withdrawn
    yield str(ipaddress.IPv6Address((0x64FF9B << 96) | number))  # NAT64
    yield str(ipaddress.IPv6Address((0x64FF9B0001 << 80) | number))  # NAT64 of a private network
    yield str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))  # 6to4
    yield str(ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)))  # Teredo


def spelled(address: str) -> Iterator[str]:
    """How else C's resolver reads an IPv4 address in a host."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    yield from (str(number), hex(number), hex(number).upper().replace("0X", "0x"), f"0{number:o}")
    yield from (
        f"{a}.{(int(b) << 16) | (int(c) << 8) | int(d)}",
        f"{a}.{b}.{int(c) * 256 + int(d)}",
    )
    yield ".".join(f"0{int(part):o}" for part in (a, b, c, d))
    yield ".".join(hex(int(part)) for part in (a, b, c, d))
    yield f"{a}.{b}.{c}.0{int(d):03o}"
    yield f"{address}."
    yield f"0{a}.{b}.{c}.{d}"


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_6])
def test_no_private_address_is_public_in_any_form(address: str, tally: Counter[str]) -> None:
    forms = [address, *(embedded(address) if "." in address and ":" not in address else ())]
    tally["inputs"] += len(forms)
    assert [form for form in forms if is_public(form)] == []


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_within_an_ipv6_one_is_never_more_public(
    address: ipaddress.IPv4Address,
) -> None:
    forms = [form for form in embedded(str(address)) if is_public(form)]
    assert not forms or is_public(str(address))
    assert len(forms) <= 1  # only the NAT64 prefix that everybody has: 64:ff9b::/96


# ---- the connection


def resolving(*answers: Sequence[str]) -> Callable[[str, int], Any]:
    """A name server that changes its answers. The last one is repeated."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def client(
    network: httpx.AsyncBaseTransport,
    *,
    allowed: Sequence[str] = ("gcr.io",),
    addresses: dict[str, str] | None = None,
) -> RegistryClient:
    return RegistryClient(
        addresses=addresses or {},
        target=TARGET,
        allowed=allowed,
        target_login=("robot", "hush"),
        source_logins={"gcr.io": ("wei", "hush"), "evil.example": ("wei", "hush")},
        transport=network,
    )


async def everything_asked(asking: RegistryClient, image: ImageRef) -> list[BaseException]:
    """Every question that the bot has for a source. Each must end in a BotError."""
    questions = (
        asking.source_digest(image),
        asking.tags(image),
        asking.shape(image, DIGEST),
        asking.describe(image, DIGEST),
    )
    told = await asyncio.gather(*questions, return_exceptions=True)
    return [error for error in told if isinstance(error, BaseException)]


@pytest.mark.parametrize("spelling", range(11))
async def test_a_registry_that_is_an_address_is_never_connected_to(
    spelling: int, tally: Counter[str]
) -> None:
    """Even where the operator's list of registries contains it by mistake."""
    async with trap() as t:
        network = GuardedTransport(network=Network({}))  # the system's own resolver
        for address in ("127.0.0.1", "127.1.2.3", "0.0.0.0"):
            host = [*spelled(address)][spelling]
            image = f"{host}:{t.port}/a/b:1"
            tally["inputs"] += 1
            try:
                parsed = ImageRef.parse(image)
            except BadReference:
                continue
            asking = client(network, allowed=[parsed.registry])
            errors = await everything_asked(asking, parsed)
            assert len(errors) == 4
            assert [error for error in errors if not isinstance(error, BotError)] == []
        await network.aclose()
        assert t.heard == []


@pytest.mark.parametrize("host", ["localhost", "localhost.localdomain", "ip6-localhost"])
async def test_a_name_of_this_machine_is_never_connected_to(host: str) -> None:
    async with trap() as t:
        network = GuardedTransport(network=Network({}))
        image = ImageRef.parse(f"{host}:{t.port}/a/b:1")
        asking = client(network, allowed=[image.registry])
        assert len(await everything_asked(asking, image)) == 4
        await asking.aclose()
        assert t.heard == []


@pytest.mark.parametrize(
    "answers",
    [
        (["127.0.0.1"],),
        (["::1"],),
        (["::ffff:127.0.0.1"],),
        (["0.0.0.0"],),
        (["127.0.0.1", "8.8.8.8"],),
    ],
    ids=str,
)
async def test_a_name_that_leads_to_this_machine_is_never_connected_to(
    answers: Sequence[Sequence[str]],
) -> None:
    async with trap() as t:
        network = GuardedTransport(resolve=resolving(*answers), network=Network({}))
        image = ImageRef.parse(f"evil.example:{t.port}/a/b:1")
        asking = client(network, allowed=[image.registry])
        assert len(await everything_asked(asking, image)) == 4
        await asking.aclose()
        assert t.heard == []


async def test_a_name_is_resolved_once_for_each_connection_and_the_answer_is_what_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: public when it is checked, loopback when it is used."""
    asked: list[str] = []
    system = asyncio.BaseEventLoop.getaddrinfo

    async def getaddrinfo(self: Any, host: Any, *rest: Any, **named: Any) -> Any:
        """A second lookup of the name, below our transport, resolves to the trap."""
        if host == "evil.example":
            asked.append(str(host))
            host = "127.0.0.1"
        return await system(self, host, *rest, **named)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    async with trap() as t:
        # 192.88.99.0/24 is public and unused: a connection there fails, also without a network.
        resolve = resolving(["203.0.113.1"], ["127.0.0.1"])
        monkeypatch.setattr(
            "bot.adapters.registry.network_guard.is_public", lambda a: a != "127.0.0.1"
        )
        network = GuardedTransport(resolve=resolve, network=Network({}))
        image = ImageRef.parse(f"evil.example:{t.port}/a/b:1")
        asking = client(network, allowed=[image.registry])
        with pytest.raises(BotError):
            async with asyncio.timeout(90):
                await asking.source_digest(image)
        with pytest.raises(BotError, match="private address"):
            await asking.source_digest(image)
        await asking.aclose()
        assert asked == []
        assert t.heard == []


# ---- redirects by a registry that is allowed


def hosts_of(port: int) -> list[str]:
    return [
        f"127.0.0.1:{port}",
        f"localhost:{port}",
        f"[::1]:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"2130706433:{port}",
        f"0x7f.1:{port}",
        f"0177.0.0.1:{port}",
        f"127.1:{port}",
        f"0:{port}",
        f"wei:secret@127.0.0.1:{port}",
        f"gcr.io@127.0.0.1:{port}",
        f"127.0.0.1:{port}#gcr.io",
        f"127.0.0.1:{port}?gcr.io",
        f"127.0.0.1:{port}\\@gcr.io",
        f"evil.example:{port}",
    ]


SCHEMES = ("https", "http", "HTTPS", "ftp", "file", "gopher", "dict", "ldap", "unix", "")


class Sending(httpx.AsyncBaseTransport):
    """gcr.io redirects to `place` in the way `how`. Every other host is really asked."""

    def __init__(self, how: str, place: str) -> None:
        self.how, self.place = how, place
        self.network = GuardedTransport(resolve=resolving(["127.0.0.1"]), network=Network({}))
        self.elsewhere: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "gcr.io":
            self.elsewhere.append(request)
            return await self.network.handle_async_request(request)
        place = self.place.encode()
        match self.how:
            case "redirect":
                return httpx.Response(307, headers=[(b"Location", place)])
            case "realm":
                challenge = b'Bearer realm="' + place + b'",service="gcr.io"'
                return httpx.Response(401, headers=[(b"WWW-Authenticate", challenge)])
            case _:
                link = b"<" + place + b'>; rel="next"'
                return httpx.Response(200, headers=[(b"Link", link)], json={"tags": ["1"]})

    async def aclose(self) -> None:
        await self.network.aclose()


@pytest.mark.parametrize("how", ["redirect", "realm", "link"])
async def test_no_registry_can_send_the_bot_to_this_machine(how: str, tally: Counter[str]) -> None:
    image = ImageRef.parse("gcr.io/a/b:1")
    async with trap() as t:
        sending = Sending(how, "")
        for scheme, host in product(SCHEMES, hosts_of(t.port)):
            place = f"{scheme}://{host}/v2/token" if scheme else f"//{host}/v2/token"
            tally["inputs"] += 1
            sending.place = place
            sending.elsewhere.clear()
            asking = client(sending)
            told = await asyncio.gather(
                asking.source_digest(image), asking.tags(image), return_exceptions=True
            )
            for outcome in told:
                assert not isinstance(outcome, BaseException) or isinstance(outcome, BotError)
            for request in sending.elsewhere:
                assert "authorization" not in request.headers, place
                assert request.url.scheme == "https", place
        await sending.aclose()
        assert t.heard == []


async def test_a_chain_of_redirects_ends_at_the_first_place_that_is_not_allowed() -> None:
    hops = iter(f"https://hop{number}.example/" for number in range(2))

    class Chain(Sending):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "127.0.0.1":
                return await self.network.handle_async_request(request)
            return httpx.Response(302, headers={"Location": next(hops, self.place)})

    async with trap() as t:
        asking = client(Chain("redirect", f"https://127.0.0.1:{t.port}/"))
        with pytest.raises(BotError):
            await asking.source_digest(ImageRef.parse("gcr.io/a/b:1"))
        await asking.aclose()
        assert t.heard == []


# ---- the environment


async def test_no_login_comes_out_of_a_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some libraries send what ~/.netrc holds for a host, or `default` holds for every host."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login wei password hush-from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    heard: list[bytes] = []

    async def serve(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        heard.append(await reading.readuntil(b"\r\n\r\n"))
        body = json.dumps({"state": "active"}).encode()
        writing.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writing.write(b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writing.drain()
        writing.close()

    from bot.adapters.github.repository import MirrorRepository  # noqa: PLC0415 - only here

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with server:
        network = GuardedTransport()
        asking = client(network, addresses={"gcr.io": address})
        with pytest.raises(BotError):
            await asking.source_digest(ImageRef.parse("gcr.io/a/b:1"))
        await asking.aclose()
        github = MirrorRepository(
            api=address, token="t", repository="a/b", branch="main", path="l", workflow="m.yml"
        )
        await github.workflow()
        github.close()
    assert len(heard) == 3  # HEAD and GET of the registry, and GitHub
    basic = b"Basic " + httpx.BasicAuth("wei", "hush-from-netrc")._auth_header.encode()[6:]
    assert not [told for told in heard if basic in told or b"hush-from-netrc" in told]


async def test_a_proxy_of_the_environment_gets_no_address_that_is_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Internal hosts that the proxy could reach are also refused."""
    async with trap() as t:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{t.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{t.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for host in ("10.0.0.1", "169.254.169.254", "2130706433", "0x7f.1", "192.168.1.1"):
            asking = client(GuardedTransport(), allowed=[f"{host}:80"])
            assert len(await everything_asked(asking, ImageRef.parse(f"{host}:80/a/b:1"))) == 4
            await asking.aclose()
        assert t.heard == []


# ---- what people write


WRITTEN = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/_x",
    "http://169.254.169.254/latest/meta-data",
    "https://wei:secret@127.0.0.1/v2/",
    "127.0.0.1:80/a:1",
    "2130706433/a:1",
    "0x7f.1:80/a:1",
    "[::1]:80/a:1",
    "evil.example/a:1",
    "localhost/a:1",
    "harbor.example.com.evil.example/a:1",
    "gcr.io@127.0.0.1/a:1",
    "gcr.io:80@evil.example/a:1",
    "docker.io\\@evil.example/a:1",
]


async def test_whatever_a_person_asks_for_only_allowed_registries_are_asked(
    tmp_path: Path, tally: Counter[str]
) -> None:
    async with world(tmp_path) as w:
        seen: list[str] = []
        ask = w.registries.source_digest

        async def source_digest(image: ImageRef) -> str | None:
            seen.append(image.registry)
            return await ask(image)

        w.registries.source_digest = source_digest  # type: ignore[method-assign]
        for number, text in enumerate(["nginx:1.27", *WRITTEN], 1):
            tally["inputs"] += 1
            await w.say(LI, f"/mirror {text}")
            await w.say(LI, f"/lookup {text}")
            await w.say(LI, f"/mirror #{number}")
            await w.press(LI, f"want:{text}")
            await w.reconciler.tick()
        assert seen
        assert set(seen) <= {"docker.io", "gcr.io"}


@pytest.mark.parametrize(
    "address",
    ["file:///etc", "gopher://a", "http://wei:secret@a", "http://", "//a", "http://a?b", "ftp://a"],
)
def test_the_operators_own_addresses_are_plain_too(address: str) -> None:
    with pytest.raises(ConfigError):
        client(httpx.MockTransport(lambda _: httpx.Response(200)), addresses={"a.io": address})


async def test_the_trap_hears_a_connection() -> None:
    """Shows that the trap sees a connection. Otherwise silence would prove nothing."""
    async with trap() as t:
        asking = RegistryClient(
            addresses={"gcr.io": f"http://127.0.0.1:{t.port}"},  # in the operator's config
            target=TARGET,
            allowed=["gcr.io"],
            target_login=None,
            source_logins={},
            network=Network({}),
        )
        with pytest.raises(BotError):
            await asking.source_digest(ImageRef.parse("gcr.io/a/b:1"))
        await asking.aclose()
        assert t.heard == [b"connected"]
