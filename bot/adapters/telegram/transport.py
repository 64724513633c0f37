"""HTTP to the Bot API: the library's transport on aiohttp, with limits of time and size.

aiohttp takes less CPU time per call than the library's own client, and calls are most of the
bot's work. It must not interpret responses: chat.py does.
"""

import asyncio
import json
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import httpx
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.adapters.network import Network, Proxy, of_proxy
from bot.adapters.sockets import open_socket

_TOO_LARGE: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG}
)
_OF_A_PROXY: Final = (
    *(aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
    aiohttp.ClientConnectorDNSError,  # through a proxy, its name is the only one that is resolved
)
_PARSED: Final = frozenset({400, 401, 403, 404, 408, 409, 429})
"""4xx codes that the library or we distinguish. Any other is treated as 400."""


class TooLarge(BadRequest):
    """The server, or a proxy in front of it, refuses the request for its size."""


class OutOfReach(NetworkError):  # noqa: N818 - it reads as what it is
    """No complete response: the connection failed or broke. `proxy`: what is wrong with it."""

    def __init__(self, text: str, proxy: str = "") -> None:
        super().__init__(text)
        self.proxy = proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds to connect, for one read, for a whole call, and of a long poll. `size` is in bytes.

    The read timeout is longer than the library's 5 s: a send that timed out may have arrived, and
    would be repeated. One response holds at most 4 MiB of updates, and wanted files are smaller.
    """

    connect: float = 5
    read: float = 20
    whole: float = 60
    poll: int = 30
    size: int = 8 * 1024 * 1024


BOUNDS: Final = Bounds()


class BoundedRequest(BaseRequest):
    """The library's transport: https://docs.python-telegram-bot.org/telegram.request.baserequest.html"""

    def __init__(
        self, bounds: Bounds, *, network: Network | None = None, connections: int, poll: int = 0
    ) -> None:
        """`network`: None reads the environment."""
        self._size = bounds.size
        self._connections = connections
        self._limits = aiohttp.ClientTimeout(
            total=bounds.whole + poll,
            # Includes the wait for a free connection, DNS and a proxy. Without this limit, a call
            # could be sent late and then be cut off by `total`.
            connect=2 * bounds.connect,
            sock_connect=bounds.connect,
            sock_read=bounds.read + poll,
        )
        self._network = network or Network()
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return self._limits.sock_read

    async def initialize(self) -> None:
        """Do nothing: the first call opens the session."""

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        """Status and body. The timeouts of a single call are ignored: ours apply."""
        where = urlsplit(url)
        proxy = self._network.proxy_of(where.scheme, where.hostname or "", where.port)
        try:
            code, payload = await self._exchange(url, method, proxy, _body(request_data))
        except TimeoutError as error:
            raise TimedOut from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Without the error's text: it may quote the URL, which contains the token, or a login.
            blamed = isinstance(error, _OF_A_PROXY) or of_proxy(error)
            told = str(proxy.error_of(error)) if proxy and blamed else ""
            raise OutOfReach(type(error).__name__, told) from error
        if code in _TOO_LARGE:
            raise TooLarge(f"the request is too large ({code})")
        if code >= HTTPStatus.BAD_REQUEST and not payload.startswith(b"{"):
            payload = payload[:80]  # the library quotes it in an error, which is logged
        refused = HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR
        return (HTTPStatus.BAD_REQUEST if refused and code not in _PARSED else code), payload

    async def _exchange(
        self, url: str, method: str, proxy: Proxy | None, body: dict[str, Any]
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = self._opened(proxy)
        if proxy and not proxy.is_socks:
            body["proxy"] = str(proxy)
            body["proxy_headers"] = {"Proxy-Authorization": proxy.basic()} if proxy.login else {}
        async with self._session.request(method, url, allow_redirects=False, **body) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise TelegramError("Invalid server response: it is packed")
            payload = bytearray()
            async for piece in answer.content.iter_any():
                payload += piece
                if len(payload) > self._size:
                    raise TelegramError("Invalid server response: it is too large")
            return answer.status, bytes(payload)

    def _opened(self, proxy: Proxy | None) -> aiohttp.ClientSession:
        """All calls go to one server, so one proxy serves them all."""
        more: dict[str, Any] = {"limit": self._connections, "ssl": self._network.tls}
        socks = proxy if proxy and proxy.is_socks else None
        return aiohttp.ClientSession(
            connector=_SocksConnector(socks, **more) if socks else aiohttp.TCPConnector(**more),
            timeout=self._limits,
            # No compression: a small compressed response can be huge when decompressed.
            headers={"Accept-Encoding": "identity", "User-Agent": self.USER_AGENT},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As in the library, but an invalid payload is not logged."""
        try:
            told = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise TelegramError("Invalid server response") from error
        if not isinstance(told, dict):
            raise TelegramError("Invalid server response")
        return told


class _Unresolved(aiohttp.abc.AbstractResolver):
    """Leaves a name as it is."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            {"hostname": host, "host": host, "port": port, "family": family, "proto": 0, "flags": 0}
        ]

    async def close(self) -> None:
        """Do nothing."""


class _SocksConnector(aiohttp.TCPConnector):
    """aiohttp's own connector knows no SOCKS."""

    def __init__(self, proxy: Proxy, **more: Any) -> None:
        super().__init__(resolver=_Unresolved(), **more)
        self._proxy = proxy

    async def _wrap_create_connection(self, *args: Any, **more: Any) -> Any:
        """In place of the one that connects. aiohttp has no other way in: a test watches it."""
        host, port = more.pop("addr_infos")[0][-1][:2]
        async with asyncio.timeout(more["timeout"].sock_connect):
            sock = await open_socket(host, port, self._proxy)
        return await asyncio.get_running_loop().create_connection(
            *args, sock=sock, ssl=more["ssl"], server_hostname=more["server_hostname"]
        )


def _body(data: RequestData | None) -> dict[str, Any]:
    """The arguments for aiohttp. httpx encodes files: it quotes their names as browsers do."""
    if data is None or not data.parameters:
        return {}
    if not data.contains_files:
        return {"data": data.json_parameters}
    made = httpx.Request("POST", "", data=data.json_parameters, files=data.multipart_data)
    return {"data": made.read(), "headers": {"Content-Type": made.headers["Content-Type"]}}
