"""PyGithub's way to the network, bounded: every answer has an end, in time and in size.

The time limits of `requests` are for one read each, so an answer that trickles would keep the
one worker thread for ever, and nothing can stop a thread that waits for a socket but the end of
that socket. So a watch shuts it down when the time of a whole exchange is over. What was answered
before is asked for with its mark, which PyGithub does for single objects only. Nothing here knows
what is asked.
"""

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

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

from bot.adapters.github.etags import Version, Versions

_PIECE: Final = 64 * 1024
_OK: Final = 200
_LATER: Final = 202
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OF_THE_WAY: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that tell how a body was packed: a body that is unpacked already is not to be held to
its packed length.
"""


class AnswerError(requests.exceptions.RequestException):
    """An answer that is none: too large, or only the promise of one."""


class RedirectedError(Exception):
    """A redirect. GitHub answers so for a repository that was renamed or transferred.

    A read gets 301, every other method 307. PyGithub follows 301 without the query, and takes 307
    for success: a write would look done and is not.
    """

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds for one read, seconds for one exchange from its first byte to its last, bytes.

    The bytes are those after unpacking. GitHub sends files in base64, so a list of 48 MiB (a
    million images) still fits.
    """

    read: float = 15
    whole: float = 60
    size: int = 64 * 1024 * 1024


def bounded(build: Callable[[], Github], bounds: Bounds, versions: Versions) -> Github:
    """What `build` returns, made to keep to the bounds, and to know old answers again.

    A Requester takes its kinds of connection when it is made, so the change is over when this
    returns.
    """

    class Plain(HTTPRequestsConnectionClass):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.session.mount("http://", _BoundedAdapter(bounds, versions))

    class Secure(HTTPSRequestsConnectionClass):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.session.mount("https://", _BoundedAdapter(bounds, versions))

    Requester.injectConnectionClasses(Plain, Secure)
    try:
        return build()
    finally:
        Requester.resetConnectionClasses()


class _Line:
    """A second handle of the last connection's socket.

    The first is out of reach while TLS is being agreed, and after an answer that ends with its
    connection.
    """

    handle: socket.socket | None = None

    def keep(self, sock: socket.socket) -> socket.socket:
        self.drop()
        self.handle = sock.dup()
        return sock

    def cut(self) -> None:
        if self.handle is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self.handle.shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        if self.handle is not None:
            self.handle.close()
            self.handle = None


class _BoundedAdapter(HTTPAdapter):
    """One exchange at a time, as PyGithub makes them: so there is one line, and one watch."""

    def __init__(self, bounds: Bounds, versions: Versions) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._bounds = bounds
        self._versions = versions
        self._line = _Line()
        self._kinds = _kinds(self._line)

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> HTTPConnectionPool:
        pool: HTTPConnectionPool = super().get_connection_with_tls_context(*args, **more)
        pool.ConnectionCls = self._kinds[pool.scheme or "http"]
        return pool

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]  # as a session calls it
        asked = str(request.url), str(request.headers.get("Accept", ""))
        known = self._versions.of(*asked) if request.method == "GET" else None
        if known is not None:
            request.headers.setdefault("If-None-Match", known.tag)
        answer, body = self._exchange(request, **more)
        if answer.status_code in _REDIRECTS:
            raise RedirectedError(answer.headers.get("Location", ""))
        if known is not None and answer.status_code == _NOT_MODIFIED:
            return self._as_before(answer, known)
        if request.method == "GET" and answer.status_code == _LATER:
            raise AnswerError("an answer for later")  # PyGithub would ask for it without an end
        if request.method == "GET" and answer.status_code == _OK:
            self._versions.keep(*asked, answer.headers, body)
        return self._whole(answer, answer.status_code, answer.headers, body)

    def _exchange(
        self, request: requests.PreparedRequest, **more: Any
    ) -> tuple[requests.Response, bytes]:
        with self._watched() as is_over:
            try:
                answer = super().send(request, **{**more, "timeout": self._bounds.read})
                body = self._read(answer)
            except requests.exceptions.RequestException as error:
                if is_over():
                    raise requests.exceptions.ReadTimeout("it takes too long") from error
                raise
            if is_over():  # what was cut off may look whole
                raise requests.exceptions.ReadTimeout("it takes too long")
        return answer, body

    def _as_before(self, answer: requests.Response, known: Version) -> requests.Response:
        """The answer that still holds, with what the new one says of the limits."""
        headers = CaseInsensitiveDict(known.headers)
        headers.update(answer.headers)
        return self._whole(answer, _OK, headers, known.body)

    def _whole(
        self, answer: requests.Response, status: int, headers: Mapping[str, str], body: bytes
    ) -> requests.Response:
        """An answer with its body read and unpacked."""
        raw = HTTPResponse(
            io.BytesIO(body),
            headers={k: v for k, v in headers.items() if k.lower() not in _OF_THE_WAY},
            status=status,
            reason=answer.reason,
            preload_content=False,
        )
        whole = self.build_response(answer.request, raw)
        whole.encoding = "utf-8"  # else it is guessed, at length
        return whole

    @contextlib.contextmanager
    def _watched(self) -> Iterator[Callable[[], bool]]:
        over = threading.Event()

        def end() -> None:
            over.set()
            self._line.cut()

        watch = threading.Timer(self._bounds.whole, end)
        watch.daemon = True
        watch.start()
        try:
            yield over.is_set
        finally:
            watch.cancel()
            watch.join()

    def _read(self, answer: requests.Response) -> bytes:
        body = bytearray()
        for piece in answer.iter_content(_PIECE):
            body += piece
            if len(body) > self._bounds.size:
                answer.close()
                raise AnswerError(f"an answer of more than {self._bounds.size} bytes")
        return bytes(body)

    def close(self) -> None:
        """An exchange that is under way in another thread ends at once."""
        self._line.cut()
        super().close()
        self._line.drop()


def _kinds(line: _Line) -> Mapping[str, type[HTTPConnection]]:
    """Connections that hand their socket to the watch before they do anything with it."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return line.keep(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.keep(super()._new_conn())

    return {"http": Plain, "https": Secure}
