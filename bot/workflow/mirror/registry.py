"""One repository of a registry: its manifests, its blobs, uploads to it, and its login.

Follows https://github.com/opencontainers/distribution-spec/blob/main/spec.md. `copying` decides
what is copied.
"""

import hashlib
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus

from . import waits
from .authorization import PULL, PUSH, Scope, scope_of
from .connections import Place
from .manifest import ACCEPT, Manifest, NotMovedError, OddError
from .pulls import Pulls
from .reference import DIGEST
from .registry_http import (
    ANSWER_SECONDS,
    LONGEST_RETRY_AFTER,
    STORE_SECONDS,
    Answer,
    NoAnswerError,
    Opened,
    opened,
    wait_as_asked,
)
from .settings import Settings

LAYER_READ_BYTES = 1 << 18  # at a time
SOURCE, TARGET = "source", "target"


@dataclass(frozen=True)
class Upload:
    """An upload that the target has begun: where it continues, and what its token is for."""

    address: str
    scope: Scope


_STORED = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED)


class Repository:
    """One repository at the address where it is reached. Sends a login only when it has one.

    `side` is what a result calls it: the source, which is only read, or the target.
    """

    def __init__(self, settings: Settings, registry: str, path: str, side: str = SOURCE) -> None:
        base = settings.addresses.get(registry, f"https://{registry}")
        scheme, _, place = base.partition("://")
        self.insecure = scheme == "http"
        self.name = f"{place}/{path}"  # as skopeo writes it
        self.side, (self.host, _, self.path) = side, self.name.partition("/")
        server = "registry-1.docker.io" if self.host == "docker.io" else self.host
        self.base = f"{scheme}://{server}/v2/{self.path}/"
        self._login = settings.authorization(self.name, secure=not self.insecure)
        actions = (PULL, PUSH) if side == TARGET else (PULL,)
        self.scope = scope_of(self.path, *actions) if self.path else frozenset()
        self._login.expect(self.scope)
        self._patience = settings.patience
        self.pulls: Pulls | None = None  # from the last answer
        self.last = Answer(0, Message(), b"")

    def tls(self, option: str) -> list[str]:
        """Return the option that lets skopeo speak plain HTTP, where that is configured."""
        return [f"--{option}=false"] if self.insecure else []

    def refused(self, answer: Answer) -> NotMovedError:
        """Return the error of an answer: its side, and the registry's own words."""
        where = "" if answer.status else f"{self.host}: "
        return NotMovedError(f"{self.side}: {where}{answer.words}", passing=answer.trouble)

    def enter(self) -> Answer:
        """Prove the login at the registry itself, and at its token server if it has one."""
        return self._once("GET", urllib.parse.urljoin(self.base, "/v2/"), frozenset())

    def manifest(self, method: str, reference: str) -> Answer:
        """Send HEAD or GET for a manifest. Docker Hub counts only GET as a pull."""
        return self._ask(method, f"manifests/{reference}")

    def _ask(
        self,
        method: str,
        what: str,
        data: bytes | None = None,
        *,
        kind: str = "",
        scope: Scope | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """Send one request. Retries a transient error, but not a request without any answer."""
        headers = {"Accept": ACCEPT, **({"Content-Type": kind} if kind else {})}
        for pause in (*waits.QUESTION_PAUSES, None):
            answer = self._once(
                method, self.base + what, scope or self.scope, headers, data=data, seconds=seconds
            )
            again = answer.trouble and answer.status
            if not again or pause is None or pause > self._patience:
                break
            wait_as_asked(answer, pause, min(LONGEST_RETRY_AFTER, self._patience))
        self.pulls, self.last = Pulls.read(answer.headers), answer
        return answer

    def _once(
        self,
        method: str,
        url: str,
        scope: Scope,
        headers: dict[str, str] | None = None,
        *,
        data: bytes | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        try:
            got = self._opened(method, url, headers or {}, scope, data=data, seconds=seconds)
            return got.answer()
        except NoAnswerError as why:
            return why.answer

    def _opened(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        scope: Scope,
        *,
        data: bytes | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Opened:
        """Send a request with the login that is known. After a refusal, once more with another.

        Raises NoAnswerError, also with what a token server said.
        """
        with self._login.first_alone():
            sent = self._login.header(scope)
            got = opened(method, url, {**headers, **sent}, data=data, seconds=seconds)
            refused = got.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
            if not refused or not self._login.learn(got.answer(), scope, sent):
                return got
        sent = self._login.header(scope)
        return opened(method, url, {**headers, **sent}, data=data, seconds=seconds)

    @property
    def trouble(self) -> bool:
        """Whether the last answer was a transient error."""
        return self.last.trouble

    def digest(self, reference: str) -> str | None:
        """Ask for a digest. "" when there is no such manifest, None when it is unknown."""
        answer = self.manifest("HEAD", reference)
        if answer.status == HTTPStatus.NOT_FOUND:
            return ""
        found = answer.headers.get("Docker-Content-Digest", "")
        return found if answer.status == HTTPStatus.OK and DIGEST.fullmatch(found) else None

    def fetch(self, digest: str) -> Manifest:
        """Return the manifest with exactly this digest. Raises NotMovedError."""
        return Manifest.read(self.raw(digest))

    def raw(self, digest: str) -> Answer:
        """Return the bytes of the manifest with exactly this digest. Raises NotMovedError."""
        answer = self.manifest("GET", digest)
        if answer.status != HTTPStatus.OK:
            raise self.refused(answer)
        if f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != digest:
            raise NotMovedError("its manifest has another digest")
        return answer

    def put(self, reference: str, manifest: Manifest) -> None:
        """Store a manifest unchanged. Raises NotMovedError when the registry refuses it."""
        what = f"manifests/{reference}"
        answer = self._ask("PUT", what, manifest.body, kind=manifest.kind, seconds=STORE_SECONDS)
        if answer.status not in _STORED:
            raise self.refused(answer)

    def holds(self, blob: str) -> bool:
        """Return whether a config or layer is there."""
        return self._ask("HEAD", f"blobs/{blob}").status == HTTPStatus.OK

    def reserve(self, blob: str, origin: "Repository | None" = None) -> Upload | None:
        """Begin an upload. None when the blob of `origin` was mounted, so nothing is to be sent.

        Both are one request. A registry that does not mount begins an upload.
        """
        what, scope = "blobs/uploads/", self.scope
        if origin:
            what += f"?mount={blob}&from={urllib.parse.quote(origin.path)}"
            scope |= scope_of(origin.path, PULL)
        answer = self._ask("POST", what, b"", scope=scope)
        if answer.status == HTTPStatus.CREATED:
            return None
        if answer.status != HTTPStatus.ACCEPTED:
            raise self.refused(answer)
        try:
            address = urllib.parse.urljoin(self.base + what, answer.headers.get("Location", ""))
            here = Place.of(address) == Place.of(self.base)
        except ValueError:
            here = False
        if not here:  # another host must not get the login
            raise OddError(f"{self.host} names another host or scheme for an upload")
        return Upload(address, scope)

    def upload(self, to: Upload, blob: str, size: int, parts: Iterable[bytes]) -> None:
        """Send a blob. The registry checks its digest. Raises NotMovedError."""
        url = f"{to.address}{'&' if '?' in to.address else '?'}digest={blob}"
        headers = {**self._login.header(to.scope), "Content-Length": str(size)}
        headers["Content-Type"] = "application/octet-stream"
        try:
            answer = opened("PUT", url, headers, data=parts, seconds=STORE_SECONDS).answer()
        except NoAnswerError as why:
            answer = why.answer
        if answer.status not in _STORED:
            raise self.refused(answer)

    def blob(self, digest: str) -> Opened:
        """Open a blob for reading. Raises NotMovedError."""
        try:
            got = self._opened("GET", f"{self.base}blobs/{digest}", {}, self.scope)
            if got.status == HTTPStatus.OK:
                return got
            answer = got.answer()
        except NoAnswerError as why:
            answer = why.answer
        raise self.refused(answer)

    def poured(self, answer: Opened, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes as they come. Raises NotMovedError when fewer or too late."""
        left, deadline = size, waits.layer_deadline()
        while left:
            try:
                part = answer.read1(min(left, LAYER_READ_BYTES))
            except NoAnswerError as why:
                raise NotMovedError(f"{self.side}: {self.host}: {why}", passing=True) from None
            if not part:
                raise NotMovedError(f"{self.side}: {self.host}: unexpected EOF", passing=True)
            if time.monotonic() > deadline:
                raise NotMovedError(f"{self.side}: deadline exceeded: a layer takes too long")
            left -= len(part)
            yield part
