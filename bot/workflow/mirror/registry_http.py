"""HTTP requests with limits on the time and size of an answer. A redirect gets no login.

`registry` and `github` use it, and know what the answers mean.
"""

import contextlib
import json
import math
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected

from .connections import Connection, Connections, Place

ANSWER_SECONDS = 30  # of silence
STORE_SECONDS = 300  # of silence while the target stores a layer or a manifest
BODY_SECONDS = 120  # in all, since a slow body is never silent
LONGEST_RETRY_AFTER = 60  # seconds
BODY_BYTES = 4 << 20  # of one answer, unless said otherwise
REFUSAL_BYTES = 1 << 16  # of the answer that explains a refusal
READ_BYTES = 1 << 16  # at a time
REDIRECTS = 10  # of one request
QUESTIONS_AT_A_TIME = 64  # at one place, so that nobody waits for another's registry
UNREADABLE = (ValueError, OverflowError, RecursionError)  # what reading untrusted JSON can raise
TOO_LONG = "its answer is too long"
UNLISTED = "its login would go to the token server "
ELSEWHERE = "redirects to an address that is not used"

_CONNECTIONS = Connections()
_ROOM: dict[Place, threading.Semaphore] = {}
_MOVED = (301, 302, 303, 307, 308)
_PATH_CHARACTERS = "/%:=&?~#+!$,;'@()*[]"  # that a redirect's address keeps as they are


class NoAnswerError(Exception):
    """A request without a usable answer. Its text says why, in the words that skopeo uses too."""

    @classmethod
    def by(cls, error: Exception) -> "NoAnswerError":
        """Translate what the standard library raises."""
        return cls(_cause(error))

    @property
    def answer(self) -> "Answer":
        """Return the answer that stands for it."""
        return Answer(0, Message(), b"", str(self))


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"x509: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return "tls: server gave HTTP response to HTTPS client"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, (RemoteDisconnected, IncompleteRead, EOFError, ssl.SSLEOFError)):
        return "unexpected EOF"
    if isinstance(error, ssl.SSLError):
        return f"tls: {(error.reason or 'failed').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        again = error.errno == socket.EAI_AGAIN
        return "temporary failure in name resolution" if again else "no such host"
    if isinstance(error, OSError):
        words = error.strerror or str(error)
        return words.replace("Tunnel connection failed", "proxyconnect").lower()
    return str(error) if isinstance(error, ValueError) else "malformed HTTP response"


@dataclass(frozen=True)
class Answer:
    """The answer of a server. Status 0 means no usable answer, and `cause` says why."""

    status: int
    headers: Message
    body: bytes
    cause: str = ""

    @property
    def words(self) -> str:
        """Return the server's own words: the first error in its body, or else its status.

        See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes. The
        code is written as Docker and skopeo write it.
        """
        if not self.status:
            return self.cause or "no answer"
        phrase = HTTPStatus(self.status).phrase if self.status in _STATUSES else ""
        status = f"status {self.status} ({phrase})" if phrase else f"status {self.status}"
        own = self._own_words()
        return f"{status}: {own}" if own and self.status >= _BROKEN else own or status

    def _own_words(self) -> str:
        with contextlib.suppress(*UNREADABLE, LookupError, TypeError, AttributeError):
            first = json.loads(self.body)["errors"][0]
            code, message = str(first["code"]), str(first.get("message") or "")
            name = code.lower().replace("_", " ")
            return name if message.lower() in ("", name) else f"{name}: {message}"
        return ""

    @property
    def trouble(self) -> bool:
        """Return whether the same request may work later."""
        if not self.status:
            return not self.cause.startswith(_LASTING)
        full = self.status == HTTPStatus.INSUFFICIENT_STORAGE
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or (self.status >= _BROKEN and not full)

    @property
    def retry_after(self) -> "int | None":
        """Return the seconds that the server asks to wait, by a number or by a date, if it does."""
        wish = self.headers.get("Retry-After", "").strip()
        if wish.isdecimal():
            return int(wish[:9])
        with contextlib.suppress(*UNREADABLE, TypeError):
            return max(0, math.ceil(parsedate_to_datetime(wish).timestamp() - time.time()))
        return None


_LASTING = ("x509: ", "tls: ", TOO_LONG, ELSEWHERE, UNLISTED)
_STATUSES = frozenset(HTTPStatus)
_BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR


class Opened:
    """An answer whose body is still to be read. `elsewhere` says whether a redirect led there."""

    def __init__(self, connection: Connection, response: HTTPResponse) -> None:
        self.status, self.headers, self.elsewhere = response.status, response.headers, False
        self._connection, self._response = connection, response
        self._left, self._closed = response.length, False
        self._answer: Answer | None = None

    def close(self) -> None:
        """Keep the connection if the body was read to its end. Else close it.

        After an interim answer (1xx) the final one is still to come.
        """
        if self._closed:
            return
        self._closed = True
        read = self._left == 0 or self._response.isclosed()
        if read and self.status >= HTTPStatus.OK:
            self._response.close()
            _CONNECTIONS.give(self._connection)
        else:
            self._response.close()
            self._connection.close()

    def read1(self, most: int) -> bytes:
        """Read what has come, at most `most` bytes. Nothing at the end. Raises NoAnswerError."""
        if self._left is not None:
            most = min(most, self._left)
        if not most:
            return b""
        try:
            part = self._response.read1(most)
        except (OSError, ValueError, HTTPException) as error:
            raise NoAnswerError.by(error) from None
        if self._left is not None:
            self._left -= len(part)
            if not part:
                raise NoAnswerError("unexpected EOF")
        return part

    def body(self, limit: int) -> bytes:
        """Read the body. Raises NoAnswerError if it is longer than `limit`, or takes too long."""
        body, deadline = bytearray(), time.monotonic() + BODY_SECONDS
        while part := self.read1(READ_BYTES):
            body += part
            if len(body) > limit:
                raise NoAnswerError(TOO_LONG)
            if time.monotonic() > deadline:
                raise NoAnswerError("timed out: its answer does not end")
        return bytes(body)

    def answer(self, limit: int = BODY_BYTES) -> Answer:
        """Read all of it, and close it. Raises NoAnswerError for a success that is not whole.

        Of a refusal, the words are read as far as they are of use. Another host's refusal keeps no
        challenge.
        """
        if self._answer is None:
            with contextlib.closing(self):
                self._answer = self._read(limit)
        return self._answer

    def _read(self, limit: int) -> Answer:
        if self.status < HTTPStatus.BAD_REQUEST:
            return Answer(self.status, self.headers, self.body(limit))
        body = b""
        with contextlib.suppress(NoAnswerError):
            body = self.body(REFUSAL_BYTES)
        return Answer(self.status, Message() if self.elsewhere else self.headers, body)


def opened(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    seconds: float = ANSWER_SECONDS,
    fresh: bool = False,
) -> Opened:
    """Send one request, follow redirects of GET and HEAD, and return the open answer.

    A `fresh` one goes over a new connection. A redirect keeps the method, since a GET would count
    as a pull, and gets neither the login nor the challenge of another host. Raises NoAnswerError.
    """
    headers = {"User-Agent": "imageto-bot-run", **headers}
    for moves in range(REDIRECTS):
        got = _sent(method, url, headers, data, seconds, fresh=fresh)
        got.elsewhere = moves > 0
        if got.status not in _MOVED or method not in ("GET", "HEAD"):
            return got
        url = _next_address(url, got)
        kept = {"accept", "user-agent", "range"}
        headers = {name: value for name, value in headers.items() if name.lower() in kept}
    raise NoAnswerError("too many redirects")


def _next_address(url: str, got: Opened) -> str:
    with contextlib.suppress(NoAnswerError), contextlib.closing(got):
        got.body(READ_BYTES)  # the body of a redirect may be long: then its connection is closed
    place = urllib.parse.quote(got.headers.get("Location", ""), safe=_PATH_CHARACTERS)
    try:
        address = urllib.parse.urljoin(url, place)
        secure = url.startswith("http://") or Place.of(address).scheme == "https"
    except ValueError:
        secure = False
    if not secure:
        raise NoAnswerError(ELSEWHERE)
    return address


def _sent(
    method: str,
    url: str,
    headers: dict[str, str],
    data: bytes | Iterable[bytes] | None,
    seconds: float,
    *,
    fresh: bool,
) -> Opened:
    """Send one request over a kept connection, or over a new one where that had ended.

    A request that can be repeated is a question. Layers on their way up have places of their own.
    """
    try:
        place, question = Place.of(url), data is None or isinstance(data, bytes)
        with _room(place) if question else contextlib.nullcontext():
            connection = _CONNECTIONS.take(place, seconds, fresh=fresh)
            if connection.used and question:
                with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
                    return _over(connection, method, url, headers, data)
                connection = _CONNECTIONS.take(place, seconds, fresh=True)
            return _over(connection, method, url, headers, data)
    except (OSError, ValueError, HTTPException) as error:
        raise NoAnswerError.by(error) from None


def open_ahead(url: str, number: int) -> None:
    """Open connections while the first answer of a server is read: others will need them soon."""
    with contextlib.suppress(ValueError):
        place = Place.of(url)
        most = min(number, QUESTIONS_AT_A_TIME) - 1
        _CONNECTIONS.open_ahead(place, max(0, most), ANSWER_SECONDS)


def _room(place: Place) -> threading.Semaphore:
    return _ROOM.setdefault(place, threading.Semaphore(QUESTIONS_AT_A_TIME))


def _over(
    connection: Connection,
    method: str,
    url: str,
    headers: dict[str, str],
    data: bytes | Iterable[bytes] | None,
) -> Opened:
    try:
        return Opened(connection, connection.send_request(method, url, headers, data))
    except BaseException:
        connection.close()
        raise


def ask(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    limit: int = BODY_BYTES,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Send one request and read the answer. A refusal is an answer too."""
    return answer_of(lambda: opened(method, url, headers, data=data, seconds=seconds), limit)


def answer_of(request: Callable[[], Opened], limit: int = BODY_BYTES) -> Answer:
    """Send a request and read its answer. That there is none is an answer too."""
    try:
        return request().answer(limit)
    except NoAnswerError as why:
        return why.answer


def wait_as_asked(answer: Answer, pause: float, longest: float = LONGEST_RETRY_AFTER) -> None:
    """Sleep for the Retry-After of an answer, at most `longest` seconds, or else for `pause`."""
    wish = answer.retry_after
    time.sleep(pause if wish is None else min(wish, longest))
