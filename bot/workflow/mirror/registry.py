"""One repository of a registry: its manifests, its blobs, uploads to it, and its login.

Follows https://github.com/opencontainers/distribution-spec/blob/main/spec.md. `copying` decides
what is copied.
"""

import contextlib
import hashlib
import json
import re
import threading
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from . import waits
from .manifest import ACCEPT, Manifest, NotMovedError
from .pulls import Pulls
from .reference import DIGEST
from .registry_http import (
    ANSWER_SECONDS,
    LONGEST_RETRY_AFTER,
    STORE_SECONDS,
    UNREADABLE,
    Answer,
    ask,
    opened,
    wait_as_asked,
)
from .settings import Settings

QUESTIONS_AT_A_TIME = 16
LAYER_READ_BYTES = 1 << 18  # at a time
PUSH = " push"  # suffix of the name in the key of a token that may push

_QUESTIONS = threading.Semaphore(QUESTIONS_AT_A_TIME)


def place_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port. Raises ValueError for an unreadable URL or one with a login."""
    parts = urllib.parse.urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname or "", parts.port or usual


@dataclass(frozen=True)
class Upload:
    """An upload that the target has begun: the address to continue at, and the use of its login."""

    address: str
    use: str


class Repository:
    """One repository at the address where it is reached. Sends a login only when it has one."""

    def __init__(self, settings: Settings, registry: str, path: str) -> None:
        base = settings.addresses.get(registry, f"https://{registry}")
        scheme, _, place = base.partition("://")
        self.insecure = scheme == "http"
        self.name = f"{place}/{path}"  # as skopeo writes it
        self.host, _, self.path = self.name.partition("/")
        server = "registry-1.docker.io" if self.host == "docker.io" else self.host
        self._base = f"{scheme}://{server}/v2/{self.path}/"
        own = [key for key in settings.logins if f"{self.name}/".startswith(f"{key}/")]
        login = settings.logins[max(own, key=len)] if own else ""
        self._basic = f"Basic {login}" if login else ""
        self._known, self._turns = settings.known, settings.turns
        self._patience = settings.patience
        self.pulls: Pulls | None = None  # from the last answer
        self.status = 0  # of the last answer, 0 without one
        self.trouble = False  # whether the last answer was a transient error

    def tls(self, option: str) -> list[str]:
        """Return the option that lets skopeo speak plain HTTP, where that is configured."""
        return [f"--{option}=false"] if self.insecure else []

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
        use: str = "",
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """Send one request. Retries a transient error, but not a request without any answer.

        `use` follows the name in the key of the login.
        """
        headers = {"Accept": ACCEPT, **({"Content-Type": kind} if kind else {})}
        send = partial(ask, method, self._base + what, data=data, seconds=seconds)
        for pause in (*waits.QUESTION_PAUSES, None):
            answer = self._answer(send, headers, use)
            again = answer.trouble and answer.status
            if not again or pause is None or pause > self._patience:
                break
            wait_as_asked(answer, pause, min(LONGEST_RETRY_AFTER, self._patience))
        self.pulls, self.trouble = Pulls.read(answer.headers), answer.trouble
        self.status = answer.status
        return answer

    def _answer(
        self, request: Callable[[dict[str, str]], Answer], headers: dict[str, str], use: str
    ) -> Answer:
        """Send a request with the known login. On a 401, answer its challenge and send it again."""
        sent = self._allowed(use)
        with _QUESTIONS:
            answer = request({**headers, **sent})
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._learn(answer.headers, use, sent)
        with _QUESTIONS:
            return request({**headers, **self._allowed(use)})

    def _allowed(self, use: str = "") -> dict[str, str]:
        met = self._known.get(self.name + use) or (self._known.get(self.host) and self._basic)
        return {"Authorization": met} if met else {}

    def _learn(self, refusal: Message, use: str, sent: dict[str, str]) -> None:
        """Store the answer to a challenge, unless another thread did so after `sent` was sent.

        Basic is valid for a host, a token for one repository. Harbor asks for Basic when it got
        an expired token, which is then dropped. A failing token server does not drop a token.
        """
        key = self.name + use
        with self._turns.setdefault(key, threading.Lock()):
            if self._allowed(use) != sent:
                return
            met = self._meet(refusal.get("WWW-Authenticate", ""))
            if met.startswith("Basic "):
                self._known.pop(key, None)
                self._known[self.host] = met
            elif met:
                self._known[key] = met

    def _meet(self, challenge: str) -> str:
        """Return the Authorization for a challenge. Over TLS, the token server must use TLS too."""
        if not challenge.lower().startswith("bearer "):
            return self._basic
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = given.get("realm", "")
        if not self.insecure and not realm.startswith("https://"):
            return ""
        scope = given.get("scope") or f"repository:{self.path}:pull"
        scopes = [("scope", each) for each in scope.split()]  # two when a layer is to be mounted
        query = urllib.parse.urlencode([("service", given.get("service", "")), *scopes])
        login = {"Authorization": self._basic} if self._basic else {}
        with _QUESTIONS:
            answer = ask("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", login)
        with contextlib.suppress(*UNREADABLE, AttributeError):
            said = json.loads(answer.body)
            if token := said.get("token") or said.get("access_token"):
                return f"Bearer {token}"
        return ""

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
            raise NotMovedError(f"{self.host} does not give its manifest ({answer.words})")
        if f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != digest:
            raise NotMovedError("its manifest has another digest")
        return answer

    def put(self, reference: str, manifest: Manifest) -> None:
        """Store a manifest unchanged. Raises NotMovedError when the registry refuses it."""
        what = f"manifests/{reference}"
        answer = self._ask(
            "PUT", what, manifest.body, kind=manifest.kind, use=PUSH, seconds=STORE_SECONDS
        )
        if answer.status != HTTPStatus.CREATED:
            raise NotMovedError(f"{self.host} does not take its manifest ({answer.words})")

    def holds(self, blob: str) -> bool:
        """Return whether a config or layer is there."""
        return self._ask("HEAD", f"blobs/{blob}").status == HTTPStatus.OK

    def reserve(self, blob: str, origin: "Repository | None" = None) -> Upload | None:
        """Begin an upload. None when the blob of `origin` was mounted, so nothing is to be sent.

        Both are one request. A registry that does not mount begins an upload.
        """
        what, use = "blobs/uploads/", PUSH
        if origin:
            what += f"?mount={blob}&from={urllib.parse.quote(origin.path)}"
            use = f"{PUSH} from {origin.path}"
        answer = self._ask("POST", what, b"", use=use)
        if answer.status == HTTPStatus.CREATED:
            return None
        if answer.status != HTTPStatus.ACCEPTED:
            raise NotMovedError(f"{self.host} does not begin an upload ({answer.words})")
        try:
            address = urllib.parse.urljoin(self._base + what, answer.headers.get("Location", ""))
            here = place_of(address) == place_of(self._base)
        except ValueError:
            here = False
        if not here:  # another host must not get the login
            raise NotMovedError(f"{self.host} names another host or scheme for an upload")
        return Upload(address, use)

    def upload(self, to: Upload, blob: str, size: int, parts: Iterable[bytes]) -> None:
        """Send a blob. The registry checks its digest. Raises NotMovedError."""
        url = f"{to.address}{'&' if '?' in to.address else '?'}digest={blob}"
        headers = {**self._allowed(to.use), "Content-Length": str(size)}
        headers["Content-Type"] = "application/octet-stream"
        answer = ask("PUT", url, headers, data=parts, seconds=STORE_SECONDS)
        if answer.status != HTTPStatus.CREATED:
            words = f"{self.host} does not take a layer ({answer.words})"
            raise NotMovedError(words, passing=answer.trouble)

    def blob(self, digest: str) -> Any:
        """Open a blob for reading. Raises NotMovedError."""
        url = f"{self._base}blobs/{digest}"
        try:
            sent = self._allowed()
            try:
                return opened("GET", url, sent)
            except urllib.error.HTTPError as refused:
                with refused:  # a token of Docker Hub expires after 5 minutes
                    if refused.code != HTTPStatus.UNAUTHORIZED or refused.url != url:
                        raise
                    self._learn(refused.headers, "", sent)
                return opened("GET", url, self._allowed())
        except urllib.error.HTTPError as refused:
            answer = Answer(refused.code, Message(), b"")
        except (OSError, ValueError, HTTPException):
            answer = Answer(0, Message(), b"")
        words = f"{self.host} does not give a layer ({answer.words})"
        raise NotMovedError(words, passing=answer.trouble)

    def poured(self, answer: Any, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes as they come. Raises NotMovedError when fewer or too late."""
        left, deadline = size, waits.layer_deadline()
        while left:
            try:
                part = answer.read1(min(left, LAYER_READ_BYTES))
            except (OSError, ValueError, HTTPException):
                part = b""
            if not part:
                raise NotMovedError(f"{self.host} breaks off a layer", passing=True)
            if time.monotonic() > deadline:
                raise NotMovedError("a layer takes too long")
            left -= len(part)
            yield part
