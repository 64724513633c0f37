"""Guards against server-side request forgery, as users and registries choose hosts.

The connection goes to the very address that was checked. So a name cannot resolve to a public
address for the check and to a private one for the connection (DNS rebinding). Which registries
are allowed is decided in client.py.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from asyncio.staggered import staggered_race
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httpcore
import httpx

from bot.adapters.network import Network, Proxy, ProxyError
from bot.adapters.sockets import HEAD_START, pass_through
from bot.core.errors import RefusedError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port. Raises OSError if there are none."""

FROM_CONFIG: Final = "imageto.from_config"
"""The request extension for a host that the operator named. It may be private."""

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")
"""RFC 9637, which Python's own lists do not have yet."""
_RELAYS: Final = ipaddress.IPv4Network("192.88.99.0/24")
"""6to4 relays, withdrawn by RFC 7526. Any network may announce one."""
_PROTOCOLS: Final = ipaddress.IPv4Network("192.0.0.0/24")
"""Kept for protocols by RFC 6890. To older Pythons a few of them are public, such as 192.0.0.8."""
MAX_PORT: Final = 65535


def host_of(url: httpx.URL) -> str:
    """The host as it is sent. `url.host` decodes `xn--` names and may fail."""
    return url.raw_host.decode("ascii")


async def system_resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether this address means the same machine everywhere on the internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:  # a gateway translates it to the IPv4 address in its last 32 bits
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GLOBAL_UNICAST or ip in _DOCUMENTATION or ip.sixtofour or ip.teredo:
            return False
    elif ip in _RELAYS or ip in _PROTOCOLS:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to public addresses, and those marked FROM_CONFIG to any address.

    A proxy resolves names itself, but for socks5. So that proxy has to keep names out of private
    networks. Addresses written as numbers are still checked here.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = system_resolve,
        network: Network | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`network`: None reads the environment."""
        self._network = network or Network()
        self._resolve = resolve
        self._backend = backend or httpcore.AnyIOBackend()
        self._pools: dict[tuple[Proxy | None, bool], _PoolTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from_config = request.extensions.get(FROM_CONFIG) is True
        _check_url(request.url, from_config=from_config)
        proxy = self._network.proxy_of(request.url.scheme, host_of(request.url), request.url.port)
        pool = self._pool(proxy, from_config=from_config)
        if proxy is None:
            return await pool.handle_async_request(request)
        try:
            response = await pool.handle_async_request(request)
        except httpx.ProxyError as error:
            raise httpx.ProxyError(str(proxy.error_of(error))) from error
        if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            await response.aclose()
            raise httpx.ProxyError(str(proxy.refusal("407")))
        return response

    def _pool(self, proxy: Proxy | None, *, from_config: bool) -> "_PoolTransport":
        """Connections of one kind are kept together, and apart from those of the other kinds."""
        if (proxy, from_config) not in self._pools:
            backend = _ThroughProxy(self._backend, proxy) if proxy else self._backend
            # An HTTP proxy and socks5h get the name, so no address of it is to be checked here.
            if not from_config and (proxy is None or proxy.kind == "socks5"):
                backend = _PublicAddressesOnly(self._resolve, backend)
            self._pools[proxy, from_config] = _PoolTransport(self._network.tls, backend, proxy)
        return self._pools[proxy, from_config]

    async def aclose(self) -> None:
        for transport in self._pools.values():
            await transport.aclose()


def _check_url(url: httpx.URL, *, from_config: bool) -> None:
    """Check what the URL alone shows. This also protects requests through a proxy."""
    host = host_of(url)
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise RefusedError(f"{host} has no port {url.port}")
    if from_config:
        return
    try:
        private = not is_public(host)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            raise RefusedError(f"{host[:80]!r} is not a host name") from None
        # Some resolvers read 2130706433 or 0x7f.1 as 127.0.0.1.
        last = host.rstrip(".").rpartition(".")[2]
        private = re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", last) is not None
    if private:
        raise RefusedError(f"{host} is a private address")


class _PoolTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport with another way to open connections."""

    def __init__(
        self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend, proxy: Proxy | None
    ) -> None:
        super().__init__(verify=context)
        # httpx has no argument for it. A test checks that this takes effect.
        more: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": 100,
            "max_keepalive_connections": 8,
            "keepalive_expiry": 30,
            "network_backend": backend,
        }
        if proxy is None or proxy.is_socks:
            self._pool = httpcore.AsyncConnectionPool(**more)
        else:
            if proxy.kind == "https":
                more["proxy_ssl_context"] = context
            if login := proxy.basic():
                more["proxy_headers"] = {"Proxy-Authorization": login}
            self._pool = httpcore.AsyncHTTPProxy(str(proxy), **more)


class _ThroughProxy(httpcore.AsyncNetworkBackend):
    """Connects to an HTTP proxy, or through a SOCKS proxy to the destination itself."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, proxy: Proxy) -> None:
        self._inner = inner
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        proxy = self._proxy
        try:
            stream = await self._inner.connect_tcp(
                proxy.host, proxy.port, timeout, local_address, socket_options
            )
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise httpcore.ProxyError(str(proxy.error_of(error))) from error
        if not proxy.is_socks:
            return stream
        read, write = partial(stream.read, timeout=timeout), partial(stream.write, timeout=timeout)
        try:
            await pass_through(proxy, host, port, read, write)
        except BaseException as error:
            await stream.aclose()
            if isinstance(error, (ProxyError, httpcore.NetworkError, httpcore.TimeoutException)):
                raise httpcore.ProxyError(str(proxy.error_of(error))) from error
            if isinstance(error, OSError):
                raise httpcore.ConnectError(str(error)) from error
            raise
        return stream


class _PublicAddressesOnly(httpcore.AsyncNetworkBackend):
    """Resolves a name, checks all its addresses, and connects to the first of them that answers."""

    def __init__(self, resolve: Resolve, inner: httpcore.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        attempts = [
            partial(self._inner.connect_tcp, address, port, timeout, local_address, socket_options)
            for address in await self._checked(host, port)
        ]
        stream, _, failures = await staggered_race(attempts, HEAD_START)
        if isinstance(stream, httpcore.AsyncNetworkStream):
            return stream
        raise next(filter(None, failures), httpcore.ConnectError(f"{host} has no address"))

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        # A private address among public ones is no accident. None of them is used.
        if not all(is_public(address) for address in addresses):
            raise RefusedError(f"{host} is at a private address")
        return addresses
