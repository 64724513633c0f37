"""The HTTP transport below PyGithub: bounds each exchange in time and size, and uses ETags.

1. `requests` has time limits per read. A body that trickles would block the worker thread forever.
2. A thread that waits for a socket can be stopped only by shutting the socket down. So a timer
   does that when the time for the whole exchange is over.
3. PyGithub sends conditional requests for single objects only. Here every GET is one.

It must not know what is requested.
"""

import asyncio
import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from github import Github
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
)
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from bot.adapters.github.etags import CachedResponse, EtagCache
from bot.adapters.network import Network, Proxy, of_proxy
from bot.adapters.sockets import open_socket

_CHUNK: Final = 64 * 1024
_ENCODING_HEADERS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""They describe the body as it was sent. The body kept here is already decoded."""
_OF_CONNECTING: Final = (requests.exceptions.ProxyError, requests.exceptions.SSLError)
"""They are taken to mean that nothing was sent: see errors.py."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class UnusableResponseError(requests.exceptions.RequestException):
    """The answer is too large, or 202: GitHub has not computed it yet."""


class RedirectedError(Exception):
    """A redirect. GitHub answers so for a repository that was renamed or transferred.

    A read gets 301, every other method 307. PyGithub follows 301 without the query, and takes 307
    for success: a write would look done and is not.
    """

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubBounds:
    """`read` and `whole`: seconds for one read and for the exchange. `size`: bytes when decoded.

    GitHub sends files in base64, so a list of 48 MiB (a million images) fits into `size`.
    """

    read: float = 15
    whole: float = 60
    size: int = 64 * 1024 * 1024


GITHUB_BOUNDS: Final = GitHubBounds()


def bounded_client(
    build: Callable[[], Github],
    bounds: GitHubBounds,
    cache: EtagCache,
    network: Network,
    note: Callable[[Mapping[str, str]], None],
) -> Github:
    """The client that `build` makes, with bounded exchanges and a cache.

    `note` gets the headers of each answer, in the thread of the call. A Requester reads the global
    connection classes when it is made. They are reset at the end.
    """

    class BoundedHttp(HTTPRequestsConnectionClass):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.session.trust_env = False  # `network` has the proxies and the certificates
            self.session.mount("http://", _BoundedAdapter(bounds, cache, network, note))

    class BoundedHttps(HTTPSRequestsConnectionClass):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.session.trust_env = False  # `network` has the proxies and the certificates
            self.session.mount("https://", _BoundedAdapter(bounds, cache, network, note))

    Requester.injectConnectionClasses(BoundedHttp, BoundedHttps)
    try:
        return build()
    finally:
        Requester.resetConnectionClasses()


class _SocketHandle:
    """A duplicate of the current connection's socket.

    urllib3 does not give access to its own during the TLS handshake, nor after an answer that ends
    with its connection.
    """

    handle: socket.socket | None = None

    def set(self, sock: socket.socket) -> socket.socket:
        self.close()
        self.handle = sock.dup()
        return sock

    def shut_down(self) -> None:
        if self.handle is not None:
            with contextlib.suppress(OSError):  # it has closed by itself
                self.handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.close()
            self.handle = None


class _BoundedAdapter(HTTPAdapter):
    """Runs one exchange at a time, as PyGithub does. So one socket and one timer are enough."""

    def __init__(
        self,
        bounds: GitHubBounds,
        cache: EtagCache,
        network: Network,
        note: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._bounds = bounds
        self._note = note
        self._cache = cache
        self._network = network
        self._proxy: Proxy | None = None
        self._is_connecting = False
        self._socket = _SocketHandle()
        self._classes = _connection_classes(self._connect, self._note_connecting)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._network.tls, **more)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        context = self._network.tls
        return super().proxy_manager_for(
            proxy, ssl_context=context, proxy_ssl_context=context, **more
        )

    def proxy_headers(self, _: str) -> dict[str, str]:
        """The login as UTF-8. requests itself can send Latin letters alone."""
        login = self._proxy.basic() if self._proxy else ""
        return {"Proxy-Authorization": login} if login else {}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: requests would add its own authorities to those of `network`."""

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> HTTPConnectionPool:
        pool: HTTPConnectionPool = super().get_connection_with_tls_context(*args, **more)
        pool.ConnectionCls = self._classes[pool.scheme or "http"]
        return pool

    def _note_connecting(self, connecting: bool) -> None:  # noqa: FBT001 - the one thing it notes
        self._is_connecting = connecting

    def _connect(self, connection: HTTPConnection) -> socket.socket:
        """All addresses side by side, where urllib3 waits 15 seconds for each that is dead."""
        socks = self._proxy if self._proxy and self._proxy.is_socks else None

        async def opened() -> socket.socket:
            async with asyncio.timeout(self._bounds.read):
                return await open_socket(connection.host, connection.port or 0, socks)

        try:
            sock = asyncio.run(opened())  # this thread has no loop of its own
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "no address answers in time") from error
        except OSError as error:
            raise NewConnectionError(connection, str(error)) from error
        sock.settimeout(self._bounds.read)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket.set(sock)

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]  # as a session calls it
        key = str(request.url), str(request.headers.get("Accept", ""))
        cached = self._cache.get(*key) if request.method == "GET" else None
        if cached is not None:
            request.headers.setdefault("If-None-Match", cached.tag)
        answer, body = self._exchange(request, **more)
        self._note(answer.headers)
        if answer.status_code in _REDIRECTS:
            raise RedirectedError(answer.headers.get("Location", ""))
        if cached is not None and answer.status_code == HTTPStatus.NOT_MODIFIED:
            return self._confirmed(answer, cached)
        if request.method == "GET" and answer.status_code == HTTPStatus.ACCEPTED:
            raise UnusableResponseError("202 to a GET")  # PyGithub would repeat it without end
        if request.method == "GET" and answer.status_code == HTTPStatus.OK:
            self._cache.keep(*key, answer.headers, body)
        return self._decoded(answer, answer.status_code, answer.headers, body)

    def _exchange(
        self, request: requests.PreparedRequest, **more: Any
    ) -> tuple[requests.Response, bytes]:
        where = urlsplit(str(request.url))
        proxy = self._network.proxy_of(where.scheme, where.hostname or "", where.port)
        self._proxy = proxy
        proxies = {where.scheme: str(proxy)} if proxy and not proxy.is_socks else {}
        more |= {"timeout": self._bounds.read, "proxies": proxies}
        self._is_connecting = False
        with self._timed() as is_over:
            try:
                answer = super().send(request, **more)
                body = self._read(answer)
            except requests.exceptions.RequestException as error:
                if is_over():
                    raise requests.exceptions.ReadTimeout("the exchange took too long") from error
                if not self._is_connecting:
                    if isinstance(error, _OF_CONNECTING):  # urllib3 blames the proxy all the same
                        raise requests.exceptions.ConnectionError("no whole answer") from error
                    raise
                if proxy and (isinstance(error, requests.exceptions.ProxyError) or of_proxy(error)):
                    raise requests.exceptions.ProxyError(str(proxy.error_of(error))) from error
                raise
            if is_over():  # a body that was cut off may look complete
                raise requests.exceptions.ReadTimeout("the exchange took too long")
        return answer, body

    def _confirmed(self, answer: requests.Response, cached: CachedResponse) -> requests.Response:
        """The cached answer, with the rate limit headers of the 304."""
        headers = CaseInsensitiveDict(cached.headers)
        headers.update(answer.headers)
        return self._decoded(answer, HTTPStatus.OK, headers, cached.body)

    def _decoded(
        self, answer: requests.Response, status: int, headers: Mapping[str, str], body: bytes
    ) -> requests.Response:
        """An answer whose body has been read and decoded."""
        raw = HTTPResponse(
            io.BytesIO(body),
            headers={k: v for k, v in headers.items() if k.lower() not in _ENCODING_HEADERS},
            status=status,
            reason=answer.reason,
            preload_content=False,
        )
        decoded = self.build_response(answer.request, raw)
        decoded.encoding = "utf-8"  # guessing it would take long
        return decoded

    @contextlib.contextmanager
    def _timed(self) -> Iterator[Callable[[], bool]]:
        over = threading.Event()

        def end() -> None:
            over.set()
            self._socket.shut_down()

        timer = threading.Timer(self._bounds.whole, end)
        timer.daemon = True
        timer.start()
        try:
            yield over.is_set
        finally:
            timer.cancel()
            timer.join()

    def _read(self, answer: requests.Response) -> bytes:
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._bounds.size:
                answer.close()
                raise UnusableResponseError(f"an answer of more than {self._bounds.size} bytes")
        return bytes(body)

    def close(self) -> None:
        """End the exchange of another thread at once."""
        self._socket.shut_down()
        super().close()
        self._socket.close()


def _connection_classes(
    connect: Callable[[HTTPConnection], socket.socket], note: Callable[[bool], None]
) -> Mapping[str, type[HTTPConnection]]:
    """Connection classes by scheme, whose sockets are opened by `connect`.

    `note` gets True before a connection is made, and False once a request can be sent on it.
    """

    class OpenedHttp(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

        def connect(self) -> None:
            note(True)
            super().connect()
            note(False)

    class OpenedHttps(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

        def connect(self) -> None:
            note(True)
            super().connect()
            note(False)

    return {"http": OpenedHttp, "https": OpenedHttps}
