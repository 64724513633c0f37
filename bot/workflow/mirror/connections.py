"""Kept connections: a request goes over one that an earlier request to the same place has opened.

A connection costs a round trip, with TLS two and a handshake. A TLS session is resumed where the
server lets it. `registry_http` sends requests and reads answers over them.
"""

import functools
import io
import select
import socket
import ssl
import threading
import time
import urllib.parse
from collections import Counter, defaultdict
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple

from .proxy import Proxy, proxy_for

IDLE_SECONDS = 20.0  # servers close what is idle for longer, some after 5 s
HEAD_SECONDS = 60.0  # from the first wait for an answer's head to its end, beside that wait


class _Timely(io.RawIOBase):
    """Reads a socket. A head that comes byte by byte is never silent, but ends here."""

    def __init__(self, sock: socket.socket) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self.until = time.monotonic() + (sock.gettimeout() or 0) + HEAD_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self.until:
            raise TimeoutError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Response(HTTPResponse):
    """An answer whose head has to come in time, also the one of a proxy's tunnel."""

    def __init__(self, sock: socket.socket, *given: Any, **more: Any) -> None:
        super().__init__(sock, *given, **more)
        self.fp.close()
        self._timely = _Timely(sock)
        self.fp = io.BufferedReader(self._timely)

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        self._timely.until = float("inf")


class Place(NamedTuple):
    """Where a URL leads: connections to it are alike."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Place":
        """Raises ValueError for a URL that is unreadable, not HTTP, or holds a login."""
        scheme, _, rest = url.partition("://")
        return cls._read(f"{scheme}://{rest.partition('/')[0]}")

    @classmethod
    @functools.lru_cache(maxsize=256)
    def _read(cls, url: str) -> "Place":
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname:
            raise ValueError("neither http nor https")
        return cls(parts.scheme, parts.hostname, parts.port or (443 if _tls(parts.scheme) else 80))


class Connection(HTTPConnection):
    """One connection to a place, direct or through a proxy. `used` once it has had an answer."""

    response_class = Response

    def __init__(self, place: Place, proxy: Proxy | None, seconds: float) -> None:
        host, port = (proxy.host, proxy.port) if proxy else (place.host, place.port)
        super().__init__(host, port, timeout=seconds)
        self.place, self.session = place, _NO_SESSION
        self.used, self.whole = False, True  # whether all of its requests were sent
        self.default_port = 443 if _tls(place.scheme) else 80
        self._login = {"Proxy-Authorization": proxy.login} if proxy and proxy.login else {}
        self._through_proxy = proxy is not None and not _tls(place.scheme)
        if proxy and _tls(place.scheme):
            self.set_tunnel(place.host, place.port, self._login)

    def connect(self) -> None:
        """Connect, through the proxy's tunnel if there is one, and begin TLS."""
        super().connect()
        if _tls(self.place.scheme):
            self.sock = context().wrap_socket(
                self.sock, server_hostname=self.place.host, session=self.session
            )

    def send_request(
        self, method: str, url: str, headers: dict[str, str], data: bytes | Iterable[bytes] | None
    ) -> HTTPResponse:
        """Send one request and read the head of its answer. Raises OSError and HTTPException."""
        parts = urllib.parse.urlsplit(url)
        path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        if self._through_proxy:
            headers = {**headers, **self._login}
            path = f"{parts.scheme}://{parts.netloc}{path}"
        if self.sock is None:
            self.connect()  # what breaks here, at a proxy or in a handshake, is no answer
        try:
            self.request(method, path, data, headers)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            self.whole = False  # a server may answer before it has read all
            answer = Response(self.sock, method=method)
            answer.begin()
            return answer
        return self.getresponse()


_NO_SESSION: ssl.SSLSession | None = None


class Connections:
    """The idle connections of this process, and the TLS session of each place."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._coming: Counter[Place] = Counter()  # opened ahead, and not there yet
        self._idle: defaultdict[Place, list[tuple[float, Connection]]] = defaultdict(list)
        self._sessions: dict[Place, ssl.SSLSession | None] = {}

    def take(self, place: Place, seconds: float, *, fresh: bool = False) -> Connection:
        """Return a connection to a place that waits `seconds` for an answer.

        A `fresh` one is new. Raises ValueError for a proxy that cannot be used.
        """
        while not fresh and (kept := self._last(place)):
            if kept.sock and _silent(kept.sock):
                kept.sock.settimeout(seconds)
                return kept
            kept.close()  # the server has closed it, or has said what nobody asked
        made = Connection(place, proxy_for(place.scheme, place.host, place.port), seconds)
        made.session = self._sessions.get(place)
        return made

    def open_ahead(self, place: Place, number: int, seconds: float) -> None:
        """Begin to open connections that will be needed soon. Whoever needs one waits for it."""
        with self._lock:
            self._coming[place] += number
        begun = 0
        try:
            while begun < number:
                threading.Thread(target=self._open, args=(place, seconds), daemon=True).start()
                begun += 1
        except RuntimeError:  # no thread is left: nobody may wait for those that never come
            self._came(place, number - begun)

    def _open(self, place: Place, seconds: float) -> None:
        made = None
        try:
            made = self.take(place, seconds, fresh=True)
            made.used = True  # by the time it is needed, the server may have closed it
            made.connect()
            self.give(made)
        except (OSError, ValueError, HTTPException):  # whoever needs one will meet the cause
            if made:
                made.close()
        finally:
            self._came(place, 1)

    def _came(self, place: Place, number: int) -> None:
        with self._lock:
            self._coming[place] -= number
            self._lock.notify_all()

    def give(self, connection: Connection) -> None:
        """Keep a connection whose last answer was read to its end, if the server keeps it."""
        if not connection.whole:
            connection.close()
        first, connection.used = not connection.used, True
        sock = connection.sock
        if first and isinstance(sock, ssl.SSLSocket) and not sock.session_reused:
            self._sessions[connection.place] = sock.session  # costs as much as a request
        if sock:
            with self._lock:
                self._idle[connection.place].append((time.monotonic(), connection))
                self._lock.notify_all()  # one alone might wait for another place

    def _last(self, place: Place) -> Connection | None:
        """Return the connection that was used last. Close those that were idle for too long."""
        with self._lock:
            self._lock.wait_for(lambda: self._idle[place] or not self._coming[place])
            idle = self._idle[place]
            since, last = idle.pop() if idle else (0.0, None)
            old = time.monotonic() - IDLE_SECONDS
            late = [each for when, each in idle if when < old]
            self._idle[place] = [(when, each) for when, each in idle if when >= old]
        if last and since < old:
            late.append(last)
            last = None
        for each in late:
            each.close()
        return last


def _tls(scheme: str) -> bool:
    return scheme == "https"


def _silent(sock: socket.socket) -> bool:
    """Return whether a server has said nothing but TLS's own, such as tickets for sessions."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    if not waiting.poll(0):
        return True
    sock.settimeout(0)
    try:
        sock.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        pass
    return False


_CONTEXTS: list[ssl.SSLContext] = []
_ONE_CONTEXT = threading.Lock()


def context() -> ssl.SSLContext:
    """Return the one TLS context: reading the system's certificates costs more than a request.

    A session belongs to its context, so there must not be a second one.
    """
    with _ONE_CONTEXT:
        if not _CONTEXTS:
            _CONTEXTS.append(ssl.create_default_context())
        return _CONTEXTS[0]
