"""One repository of a registry: its manifests, its blobs, uploads to it, and its login.

Follows https://github.com/opencontainers/distribution-spec/blob/main/spec.md. `copying` decides
what is copied.
"""

import hashlib
import re
import urllib.parse
from collections.abc import Iterable
from email.message import Message
from functools import partial
from http import HTTPStatus

from . import waits
from .authorization import PULL, PUSH, Scope, scope_of
from .manifest import ACCEPT, Manifest, NotMovedError
from .pulls import Pulls
from .reference import DIGEST
from .registry_http import (
    ANSWER_SECONDS,
    BODY_BYTES,
    LONGEST_RETRY_AFTER,
    STORE_SECONDS,
    Answer,
    NoAnswerError,
    Opened,
    answer_of,
    open_ahead,
    opened,
    wait_as_asked,
)
from .settings import Settings

CONNECTIONS_EACH = 2  # opened ahead for a repository: for a config and a layer
SOURCE, TARGET = "source", "target"
_NEXT = re.compile(r'<([^<>\s]{1,2000})>;\s*rel="?next"?')


def digest_of(body: bytes) -> str:
    """Return the digest of a manifest."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


STORED = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED)


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
        if self.scope:
            self._login.expect(self.scope)
        self.patience = settings.patience
        self.pulls: Pulls | None = None  # from the last answer
        self.last = Answer(0, Message(), b"")

    def tls(self, option: str) -> list[str]:
        """Return the option that lets skopeo speak plain HTTP, where that is configured."""
        return [f"--{option}=false"] if self.insecure else []

    def refused(self, answer: Answer) -> NotMovedError:
        """Return the error of an answer: its side, and the registry's own words."""
        where = "" if answer.status else f"{self.host}: "
        odd = 0 < answer.status < HTTPStatus.BAD_REQUEST  # something on the way has answered
        words = f"malformed HTTP response: {answer.words}" if odd else answer.words
        return NotMovedError(
            f"{self.side}: {where}{words}", passing=odd or answer.trouble, status=answer.status
        )

    def broken(self, why: NotMovedError, digest: str) -> NotMovedError:
        """Return the error for a part that the source names and has not."""
        if why.status != HTTPStatus.NOT_FOUND:
            return why
        words = str(why).removeprefix(f"{self.side}: ")
        return NotMovedError(f"{self.side}: broken image: {words}: {digest}")

    def enter(self) -> Answer:
        """Prove the login at the registry itself, and at its token server if it has one."""
        url = urllib.parse.urljoin(self.base, "/v2/")
        return answer_of(lambda: self._opened("GET", url, frozenset(), {}))

    def manifest(self, method: str, reference: str, limit: int = BODY_BYTES) -> Answer:
        """Send HEAD or GET for a manifest. Docker Hub counts only GET as a pull."""
        return self._ask(method, f"manifests/{reference}", limit=limit)

    def _ask(
        self,
        method: str,
        what: str,
        data: bytes | None = None,
        *,
        kind: str = "",
        scope: Scope | None = None,
        seconds: float = ANSWER_SECONDS,
        limit: int = BODY_BYTES,
    ) -> Answer:
        """Send one request. Retries a transient error, but not a request without any answer."""
        headers = {"Accept": ACCEPT, **({"Content-Type": kind} if kind else {})}
        asked = partial(self._opened, method, self.base + what, scope or self.scope, headers)
        for pause in (*waits.QUESTION_PAUSES, None):
            answer = answer_of(partial(asked, data=data, seconds=seconds), limit)
            again = answer.trouble and answer.status
            if not again or pause is None or pause > self.patience:
                break
            wait_as_asked(answer, pause, min(LONGEST_RETRY_AFTER, self.patience))
        self.pulls, self.last = Pulls.read(answer.headers), answer
        return answer

    def _opened(
        self,
        method: str,
        url: str,
        scope: Scope,
        headers: dict[str, str],
        *,
        data: bytes | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Opened:
        """Send a request with the login that is known. After a refusal, once more with another.

        Raises NoAnswerError, also with what a token server said.
        """
        with self._login.first_alone() as first:
            sent = self._login.header(scope)
            got = opened(method, url, {**headers, **sent}, data=data, seconds=seconds)
            refused = got.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
            again = refused and self._login.learn(got.answer(), scope, sent)
        if first:
            open_ahead(url, CONNECTIONS_EACH * self._login.expected)
        if not again or (other := self._login.header(scope)) == sent:
            return got
        return opened(method, url, {**headers, **other}, data=data, seconds=seconds)

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

    def fetch(self, digest: str, size: int = 0) -> Manifest:
        """Return the manifest with exactly this digest. Raises NotMovedError.

        `size` is what an index says of it, if known. A longer one is refused.
        """
        return Manifest.read(self.raw(digest, size))

    def raw(self, digest: str, size: int = 0) -> Answer:
        """Return the bytes of the manifest with exactly this digest. Raises NotMovedError."""
        answer = self.manifest("GET", digest, min(size, BODY_BYTES) or BODY_BYTES)
        if answer.status != HTTPStatus.OK:
            raise self.refused(answer)
        if digest_of(answer.body) != digest:
            words = f"{self.side}: the manifest does not match, expected {digest}"
            raise NotMovedError(words, passing=True)
        return answer

    def tagged(self, tag: str) -> tuple[str, Manifest]:
        """Return what a tag names, and its digest, where HEAD does not tell. Costs a pull.

        Raises NotMovedError.
        """
        answer = self.manifest("GET", tag)
        if answer.status != HTTPStatus.OK:
            raise self.refused(answer)
        return digest_of(answer.body), Manifest.read(answer)

    def put(self, reference: str, manifest: Manifest) -> Answer:
        """Store a manifest unchanged. Raises NotMovedError when the registry refuses it.

        A body that reached it as another one is sent again.
        """
        what = f"manifests/{reference}"
        answer = self._ask("PUT", what, manifest.body, kind=manifest.kind, seconds=STORE_SECONDS)
        if answer.status not in STORED:
            why = self.refused(answer)
            why.passing |= answer.words.startswith("digest invalid")
            raise why
        return answer

    def pages(self, what: str, most: int) -> tuple[list[Answer], bool]:
        """Ask for a list, page by page. Returns the pages, and whether these are all of them."""
        found: list[Answer] = []
        while len(found) < most:
            found.append(self._ask("GET", what))
            link = _NEXT.match(found[-1].headers.get("Link", ""))
            if not link:
                return found, found[-1].status == HTTPStatus.OK
            url = urllib.parse.urljoin(self.base + what, link[1])
            if not url.startswith(self.base):
                break
            what = url.removeprefix(self.base)
        return found, False

    def holds(self, blob: str) -> bool:
        """Return whether a config or layer is there."""
        return self._ask("HEAD", f"blobs/{blob}").status == HTTPStatus.OK

    def mount(self, blob: str, origin: "Repository") -> Answer:
        """Ask to take a blob from another repository. A registry that does not begins an upload."""
        what = f"blobs/uploads/?mount={blob}&from={urllib.parse.quote(origin.path)}"
        return self._ask("POST", what, b"", scope=self.scope | scope_of(origin.path, PULL))

    def begin(self) -> Answer:
        """Begin an upload."""
        return self._ask("POST", "blobs/uploads/", b"")

    def session(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        *,
        data: bytes | Iterable[bytes] = b"",
        fresh: bool = False,
    ) -> Answer:
        """Send a request about an upload. A layer is sent once: its source has to be asked again.

        After a 401 the next request has another token.
        """

        def send() -> Opened:
            if isinstance(data, bytes):
                return self._opened(method, url, self.scope, headers or {}, data=data)
            sent = self._login.header(self.scope)
            given = {**(headers or {}), **sent}
            got = opened(method, url, given, data=data, seconds=STORE_SECONDS, fresh=fresh)
            if got.status == HTTPStatus.UNAUTHORIZED:
                self._login.learn(got.answer(), self.scope, sent)
                self._login.header(self.scope)  # what a token server in trouble says counts
            return got

        return answer_of(send)

    def blob(self, digest: str, offset: int = 0) -> Opened:
        """Open a blob for reading, from an offset on where the registry can. Raises NotMovedError.

        Its status is then 206, else 200.
        """
        wish = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            got = self._opened("GET", f"{self.base}blobs/{digest}", self.scope, wish)
            begins = got.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
            part = got.status == HTTPStatus.PARTIAL_CONTENT and offset and begins
            if part or got.status == HTTPStatus.OK:
                return got
            answer = got.answer()
        except NoAnswerError as why:
            answer = why.answer
        raise self.broken(self.refused(answer), digest)
