"""Opens TCP connections: all addresses of a host side by side, and through SOCKS5 proxies.

The protocol is RFC 1928, its logins RFC 1929. It is written here, since each of the three HTTP
libraries would need a SOCKS library of its own, with other rules on who resolves names.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Generator
from typing import Final

import aiohappyeyeballs

from bot.adapters.network import Proxy, ProxyError

HEAD_START: Final = 0.25
"""Seconds until the next address is tried as well: RFC 8305, section 5."""
_IPV4, _NAME, _IPV6 = 1, 3, 4
_PLAIN, _LOGIN = 0, 2
_REFUSALS: Final = {
    1: "fails",
    2: "does not allow this destination",
    3: "does not reach the network of this destination",
    4: "does not reach this host",
    5: "is refused by this host",
    6: "waited too long for this host",
}
_LONGEST_NAME: Final = 255
_Handshake = Generator[tuple[bytes, int], bytes]


async def open_socket(host: str, port: int, proxy: Proxy | None = None) -> socket.socket:
    """A connection to the first address that answers, or through this SOCKS proxy.

    It does not block. Raises OSError, which is ProxyError if the proxy is at fault.
    """
    loop = asyncio.get_running_loop()
    try:
        sock = await _connected(*((proxy.host, proxy.port) if proxy else (host, port)))
    except OSError as error:
        if proxy is None:
            raise
        raise proxy.error_of(error) from error
    if proxy is None:
        return sock

    async def read(count: int) -> bytes:
        return await loop.sock_recv(sock, count)

    async def write(data: bytes) -> None:
        await loop.sock_sendall(sock, data)

    try:
        await pass_through(proxy, host, port, read, write)
    except BaseException:
        sock.close()
        raise
    return sock


async def _connected(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await aiohappyeyeballs.start_connection(
        found, happy_eyeballs_delay=HEAD_START, interleave=1
    )


async def pass_through(
    proxy: Proxy,
    host: str,
    port: int,
    read: Callable[[int], Awaitable[bytes]],
    write: Callable[[bytes], Awaitable[None]],
) -> None:
    """Let a SOCKS proxy connect to this destination. `read` gives at most so many bytes.

    Raises ProxyError, and what `read`, `write` and the resolver raise.
    """
    if proxy.kind == "socks5":
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        host = str(found[0][4][0])
    steps = _handshake(proxy, host, port)
    told, needed = next(steps)
    while True:
        await write(told)
        answer = b""
        while len(answer) < needed:
            if not (part := await read(needed - len(answer))):
                raise proxy.error("ends the connection")
            answer += part
        try:
            told, needed = steps.send(answer)
        except StopIteration:
            return


def _handshake(proxy: Proxy, host: str, port: int) -> _Handshake:
    """What to send, and how many bytes of the answer are needed then."""
    methods = (_PLAIN, _LOGIN) if proxy.login else (_PLAIN,)
    version, method = yield bytes([5, len(methods), *methods]), 2
    if version != 5:  # noqa: PLR2004 - the version of SOCKS
        raise proxy.error("is no SOCKS5 proxy")
    if method not in methods:
        raise proxy.error("takes no such login" if proxy.login else "asks for a login")
    if method == _LOGIN and proxy.login:
        user, password = (each.encode() for each in proxy.login)
        _, status = yield bytes([1, len(user), *user, len(password), *password]), 2
        if status:
            raise proxy.error("refuses the login")
    _, code = yield bytes([5, 1, 0, *_destination(host), *port.to_bytes(2)]), 2
    if code:
        reason = _REFUSALS.get(code, f"answers {code}")
        raise ProxyError(f"the proxy {proxy} {reason}: {host}:{port}")
    _, kind, first = yield b"", 3  # the address that the proxy connects from, and its port
    yield b"", {_IPV4: 4, _IPV6: 16}.get(kind, first + 1) + 1


def _destination(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        name = host.encode()
        if len(name) > _LONGEST_NAME:
            raise OSError("the name is too long") from None
        return bytes([_NAME, len(name), *name])
    return bytes([_IPV4 if address.version == 4 else _IPV6, *address.packed])  # noqa: PLR2004 - IPv4
