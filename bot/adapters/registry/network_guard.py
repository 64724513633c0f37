"""Where a request may go to, when users and other servers choose the host.

A connection goes to the very address that was checked, so a name cannot point at a public
address while it is checked and at a private one while it is used. Nothing here knows what a
registry is, nor which hosts are on its lists.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import httpcore
import httpx

from bot.adapters.proxies import Proxies
from bot.core.errors import RefusedError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host; raises OSError where there are none."""

OPERATORS: Final = "imageto.operators"
"""The request extension of a host that the operator wrote down: it may be private."""

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")
"""By RFC 9637, which Python's own lists do not know yet."""
_RELAYS: Final = ipaddress.IPv4Network("192.88.99.0/24")
"""Gateways to 6to4, withdrawn by RFC 7526: whoever is nearest may say that it is one."""
_LAST_PORT: Final = 65535


def host_of(url: httpx.URL) -> str:
    """As it goes over the wire; `url.host` decodes `xn--` names and may fail at that."""
    return url.raw_host.decode("ascii")


async def system_resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether anybody on the internet would reach the same machine under this address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:  # the network's gateway turns it into the IPv4 address at its end
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GLOBAL_UNICAST or ip in _DOCUMENTATION or ip.sixtofour or ip.teredo:
            return False
    elif ip in _RELAYS:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class GuardedTransport(httpx.AsyncBaseTransport):
    """The way out: public addresses only, but for requests marked as the operator's own.

    With `trust_env`, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for the
    bot's other clients, but never for loopback. A proxy resolves names by itself, so behind one
    the operator's proxy is what keeps names out of private networks; addresses written as
    numbers are still checked here.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = system_resolve,
        trust_env: bool = True,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._context = httpx.create_ssl_context()
        backend = backend or httpcore.AnyIOBackend()
        self._public = _PoolTransport(self._context, _PublicOnly(resolve, backend))
        self._operators = _PoolTransport(self._context, backend)
        self._proxies = Proxies(None if trust_env else {})
        self._by_proxy: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operators = request.extensions.get(OPERATORS) is True
        _check_written(request.url, operators=operators)
        proxy = self._proxy_of(request.url)
        if proxy is not None:
            return await self._proxied(proxy).handle_async_request(request)
        transport = self._operators if operators else self._public
        return await transport.handle_async_request(request)

    def _proxy_of(self, url: httpx.URL) -> str | None:
        return self._proxies.of(url.scheme, host_of(url), url.port)

    def _proxied(self, proxy: str) -> httpx.AsyncHTTPTransport:
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = httpx.AsyncHTTPTransport(verify=self._context, proxy=proxy)
        return self._by_proxy[proxy]

    async def aclose(self) -> None:
        for transport in (self._public, self._operators, *self._by_proxy.values()):
            await transport.aclose()


def _check_written(url: httpx.URL, *, operators: bool) -> None:
    """What can be told from the address alone, so that it counts behind a proxy too."""
    host = host_of(url)
    if url.port is not None and not 0 < url.port <= _LAST_PORT:
        raise RefusedError(f"{host} has no port {url.port}")
    if operators:
        return
    try:
        private = not is_public(host)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            raise RefusedError(f"{host[:80]!r} is no name of a host") from None
        # 2130706433, 0x7f.1 and the like: some resolvers take them for 127.0.0.1.
        last = host.rstrip(".").rpartition(".")[2]
        private = re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", last) is not None
    if private:
        raise RefusedError(f"{host} is a private address")


class _PoolTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport; only the way to open a connection is given to it."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=context)
        # httpx has no argument for it; a test drives the whole to see that it is in effect.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=8,
            keepalive_expiry=30,
            network_backend=backend,
        )


class _PublicOnly(httpcore.AsyncNetworkBackend):
    """Resolves, checks every address found, and connects to one of those."""

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
        trouble: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._checked(host, port):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        # One private address among public ones is no accident: none of them is used.
        if not all(is_public(address) for address in addresses):
            raise RefusedError(f"{host} is at a private address")
        return addresses
