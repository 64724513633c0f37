"""Copies the images this run was started for to the target registry, and reports on each.

It stands in the mirror repository as `.github/mirror.py`, put there by `imageto-bot setup`, and
needs Python 3.10 and skopeo, nothing more. It moves layers itself, all side by side, straight from
the source's answer into the request to the target; what is out of the ordinary, and whatever goes
wrong, is left to skopeo. Lines of image.list, inputs and answers of registries are
untrusted: every reference passes the grammar before use, no shell is started, and passwords reach
neither an argument list, nor the log, nor the summary.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from itertools import chain, repeat
from pathlib import Path
from typing import Any

ANSWER_SECONDS, COPY_SECONDS = 30, 3600  # of silence, and in all for a layer or for skopeo
LOGIN_SECONDS = 60  # in all, for skopeo
STORE_SECONDS = 300  # of silence while the target puts a layer where it belongs
BODY_SECONDS = 120  # in all: a body that comes drop by drop is never silent
WORDS = 1000  # characters at both ends of what skopeo says that are looked at
LIST_BYTES, SUMMARY_CHARACTERS = 50 << 20, 200_000  # a summary over 1 MiB is dropped
LOG_CHARACTERS = 1000
LARGEST = 2**63 - 1  # bytes: what fits into a database
UNREADABLE = (ValueError, OverflowError, RecursionError)  # what JSON of foreign hands comes to
CHILDREN, BLOBS = 64, 1000  # of one image: manifests in its index, configs with layers
MANIFESTS = 16 << 20  # bytes of all manifests of one image
CHUNK = 1 << 18  # bytes that are read at a time
PAUSES = (2, 6, 18, 54, 120, 300)  # between the tries of an image whose registry is in trouble
PATIENCE = 80  # seconds of them an image, and 2 and 6 a question; the variable PATIENCE changes it
LONGEST_REST = 60  # seconds: no server is let ask for more at a time
POSTS = (1, 5, 20)  # seconds between the tries of what is asked of GitHub
POLLS = (5, 15, 45, 120, 300)  # and 300 again: between two looks at the pulls that are left
RUN_SECONDS = 285 * 60  # for waits: under `timeout-minutes`, with time for a copy after them
LAST_SECONDS = 290 * 60  # for layers on their way: an image that lost one still has its status
BEGAN = time.monotonic()
INDEX_PULLS = 20  # that an image of many platforms may cost: each counts, and each attestation
PLACES = 16  # layers that move at a time, measured; the variable PARALLEL changes it
AWAKE, ASKED = 128, 16  # images in hand, and questions asked at a time
LOOKS = threading.Semaphore(ASKED)
PUSH = " push"  # stands after the name in the key under which a token is kept that may push
_TARGETS = ("HARBOR_HOST", "HARBOR_USER", "HARBOR_PWD", "HARBOR_PREFIX", "NAMING")
NAMES = (*_TARGETS, "REGISTRY_ADDRESSES", "SOURCE_AUTH", "PATIENCE")
SECRETS = ("HARBOR_PWD", "SOURCE_AUTH", "GITHUB_TOKEN")
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
KINDS = (
    *INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join((*KINDS, "application/vnd.docker.distribution.manifest.v1+prettyjws"))
# A service in trouble; what does not match is the image's own fault.
TROUBLE = re.compile(
    r"too ?many ?requests|rate limit|time(?:d )?out|deadline exceeded|\beof\b|broken pipe|skopeo:"
    r"|connection (?:refused|reset)|unreachable|temporary|misbehaving|no such host|stream error"
    r"|status[^0-9]{0,30}5\d\d|\b5\d\d \([a-z]|goaway|proxyconnect|no route to|name resolution"
    r"|closed network|not match,? expected|unexpected end of json|invalid character '<'",
    re.IGNORECASE,
)
# Which side skopeo was at: what it says it was doing stands before any name.
_TARGET = r"destination|writing|upload|logging|authenticating"
_SOURCE = r"source|reading|pinging|choosing|parsing"
# What stands around the useful words in skopeo's, from the outside in: a status has 140 characters.
NOISE = (
    (r"^initializing(?: image from)? \w+ \S+ |^.* at destination: ", ""),
    (r"^copying (?:image \S+|system image) from manifest list: ", ""),
    (r"^writing blob: (?:uploading layer chunked: )?|^writing manifest: ", ""),
    (r"^reading (?:config )?blob(?: \S+)?: ", ""),
    (r'^authenticating creds for "\S+": |^choosing an image from manifest list \S+ ', ""),
    (r'^parsing manifest list ".*": ', ""),
    (r"^failed to read from destination repository \S+: ", ""),
    (r"^.* (?:in|to) [^ ]+: ", ""),
    (r"\bpinging container registry [^ ]+: (?=[A-Z])", ""),
    (r"\bpinging container registry ", ""),
    (r'\b[A-Z][a-z]+ "\w+://([^/"]*)[^"]*": ', r"\1: "),  # a method and its address: the host
    (r"\b(sha\d+:[0-9a-f]{12})[0-9a-f]+", r"\1…"),
    (r"^(.+): \1$", r"\1"),
)

# The grammar of core/image.py, in short.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?")
PATH = re.compile(rf"{_NAME}(?:/{_NAME})*")
REST = re.compile(
    rf"(?P<path>{PATH.pattern})(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?"
)
DIGEST = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}")
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
DOCKER = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Image:
    """A fully qualified reference; tag or digest may be empty, never both."""

    registry: str
    path: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Image | None":
        """Read a reference as Docker does; None when the text is none."""
        head, slash, rest = text.partition("/")
        if not slash or not (re.search(r"[.:A-Z]", head) or head == "localhost"):
            head, rest = "docker.io", text
        head = "docker.io" if head in DOCKER else head
        if head == "docker.io" and "/" not in rest:
            rest = f"library/{rest}"
        found = REST.fullmatch(rest)
        if not found or not HOST.fullmatch(head) or len(found["path"]) > 255:  # noqa: PLR2004 - distribution's limit
            return None
        if re.fullmatch(r"[0-9a-f]{64}", text):  # an image's local id
            return None
        tag, digest = found["tag"] or "", found["digest"] or ""
        return cls(head, found["path"], tag if tag or digest else "latest", digest)

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.registry}/{self.path}{tag}{digest}"


def target_path(image: Image, prefix: str, naming: str) -> str:
    """Where an image lives in the target; `flat` keeps it to one level, without collisions."""
    path = f"{image.registry.lower().replace(':', '_')}/{image.path}"
    if naming == "flat":  # a slash stands between alphanumerics: an odd run of dashes is a slash
        path = path.replace("-", "--").replace("/", "-")
    return f"{prefix}/{path}" if prefix else path


def one_line(text: str, limit: int = 140) -> str:
    """Make foreign text fit for a status: one line that shows all there is of it."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= limit else f"{shown[:40]}…{shown[41 - limit :]}"


def say(text: str) -> None:
    """Write one line of the log at once, whatever is in it; threads must not mix theirs.

    The runner takes `::name::` at the start of a line for a command, and `##[name]` anywhere.
    """
    line = one_line(text, LOG_CHARACTERS).replace("##[", "# #[")
    sys.stdout.write(f"{re.sub('^::', ': :', line)}\n")
    sys.stdout.flush()


def cell(text: str) -> str:
    """Make a cell of a Markdown table that shows the text as it is: no link, no image, no tag.

    Within code nothing is read as Markdown but the end of the code and that of the cell.
    """
    shown = one_line(text).replace("`", "'").replace("|", "¦")
    return f"`{shown}`" if shown else ""


# --- HTTP: bounded, and no login goes along with a redirect


@dataclass(frozen=True)
class Answer:
    """What a server said; status 0 when nothing usable came."""

    status: int
    headers: Message
    body: bytes

    @property
    def words(self) -> str:
        """Say it at the end of a sentence."""
        return f"answers {self.status}" if self.status else "no answer"

    @property
    def trouble(self) -> bool:
        """Say whether asking again may help."""
        return self.status in {0, 429} or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def passing(self) -> bool:
        """Say so of GitHub: what is no refusal passes, and one that names a time to wait."""
        refusal = HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.TOO_MANY_REQUESTS
        return not refusal or bool(self.headers.get("Retry-After"))


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Keeps the method (urllib turns HEAD into GET, which counts as a pull) and drops the login."""

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        del code, msg, headers
        fp.close()  # urllib would read the body of a redirect to its end, however far that is
        if req.get_method() not in ("GET", "HEAD"):
            return None
        if not newurl.startswith(("https://", f"{req.type}://")):
            return None
        kept = {k: v for k, v in req.header_items() if k.lower() in {"accept", "user-agent"}}
        return urllib.request.Request(newurl, headers=kept, method=req.get_method())  # noqa: S310 - http(s) only, see above

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # Python 3.10 lacks it


# One context for all: to read the system's certificates costs more than a question.
OPENER = urllib.request.build_opener(
    _Redirect, urllib.request.HTTPSHandler(context=ssl.create_default_context())
)


def read(answer: Any, limit: int) -> bytes | None:
    """Read a body; None where it is too long, or takes too long."""
    body, until = bytearray(), time.monotonic() + BODY_SECONDS
    while part := answer.read1(1 << 16):
        body += part
        if len(body) > limit or time.monotonic() > until:
            return None
    return bytes(body)


def opened(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Any:
    """Send one request and return the answer to read from; the errors of urllib go through."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("neither http nor https")
    headers = {"User-Agent": "imageto-bot", **headers}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - http(s) only, see above
    return OPENER.open(request, timeout=seconds)


def ask(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | Iterable[bytes] | None = None,
    limit: int = 4 << 20,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Send one request; a refusal is an answer too."""
    try:
        with opened(method, url, headers, data=data, seconds=seconds) as got:
            body = read(got, limit)
            return Answer(0 if body is None else got.status, got.headers, body or b"")
    except urllib.error.HTTPError as refused:
        with refused:  # what another host asks for after a redirect is none of our login's concern
            return Answer(refused.code, refused.headers if refused.url == url else Message(), b"")
    except (OSError, ValueError, OverflowError, HTTPException):
        return Answer(0, Message(), b"")


def rest(answer: Answer, pause: float, most: float = LONGEST_REST) -> None:
    """Sleep as long as the server asks for, up to `most`, or else for `pause`."""
    wish = answer.headers.get("Retry-After", "")
    time.sleep(min(int(wish[:9]), most) if wish.isdecimal() else pause)


@dataclass(frozen=True)
class Pulls:
    """What a registry that counts pulls says is left of them: Docker Hub does, on HEAD too."""

    left: int
    limit: int
    need: int  # for the image that was asked about: how many platforms it has is not known

    @classmethod
    def read(cls, headers: Message) -> "Pulls | None":
        """Read `100;w=21600`; None where nothing is counted, as it is for those who pay."""
        given = (headers.get(f"ratelimit-{name}", "") for name in ("remaining", "limit"))
        left, limit = (re.match(r"[0-9]{1,9}(?=;|$)", text.strip()) for text in given)
        if not left or not limit:
            return None
        many = re.search("index|list", headers.get("Content-Type", ""))
        need = max(1, min(INDEX_PULLS, int(limit[0]) // 2)) if many else 1
        return cls(int(left[0]), int(limit[0]), need)


# --- settings and registries


@dataclass(frozen=True)
class Settings:
    """What the workflow's variables and secrets say."""

    host: str
    prefix: str
    naming: str
    user: str
    password: str = field(repr=False)
    addresses: dict[str, str]
    logins: dict[str, str] = field(repr=False)  # "host" or "host/namespace" -> Basic
    patience: int = 0  # seconds that are waited for a registry in trouble, an image
    known: dict[str, str] = field(default_factory=dict, repr=False)  # place -> Authorization
    turns: dict[str, threading.Lock] = field(default_factory=dict, repr=False)  # to learn that

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Settings":
        """Raise ValueError with the line that people need, which never holds a value."""
        given = {name: env.get(name, "").strip() for name in NAMES}
        for name in ("HARBOR_HOST", "HARBOR_USER", "HARBOR_PWD"):
            if not given[name]:
                raise ValueError(f"login to the target: {name} is not set in the repository")
        host, user, password, prefix, naming, *_, wish = given.values()
        if not HOST.fullmatch(host) or naming not in ("", "nested", "flat"):
            raise ValueError("HARBOR_HOST must be a bare host name, NAMING nested or flat")
        if prefix and not PATH.fullmatch(prefix):
            raise ValueError("HARBOR_PREFIX must be a project name, such as mirror")
        addresses = _read(
            "REGISTRY_ADDRESSES", given, '{"registry": "https://address"}', _addresses
        )
        logins = _read("SOURCE_AUTH", given, '{"auths": {"registry": {"auth": "..."}}}', _logins)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        place = addresses.get(host, f"https://{host}").split("/")[2]
        logins, patience = {**logins, place: login}, int(wish) if wish.isdecimal() else PATIENCE
        return cls(host, prefix, naming, user, password, addresses, logins, patience)


def _read(
    name: str, given: dict[str, str], shape: str, how: Callable[[Any], dict[str, str]]
) -> dict[str, str]:
    try:
        return how(json.loads(given[name] or "{}"))
    except (*UNREADABLE, AttributeError, KeyError, TypeError):  # its words may hold a secret
        raise ValueError(f"{name} must be JSON such as {shape}") from None


def _addresses(read: Any) -> dict[str, str]:
    found = {name: str(url).rstrip("/") for name, url in read.items()}
    if not all(re.match(r"https?://[^/]", url) for url in found.values()):
        raise ValueError
    return found


def _logins(read: Any) -> dict[str, str]:
    """Bring the keys to one form: Docker writes https://HOST/v1/ where skopeo writes HOST."""
    found = {}
    for key, entry in read.get("auths", {}).items():
        name = re.sub(r"^https?://([^/]*).*", r"\1", key)
        found["docker.io" if name in DOCKER else name] = str(entry["auth"])
    return found


class NotMovedError(Exception):
    """Why an image was not moved here, in words for the log; `passing` where it may be soon."""

    def __init__(self, words: str, *, passing: bool = False) -> None:
        super().__init__(words)
        self.passing = passing


@dataclass(frozen=True)
class Manifest:
    """What stands under one digest: an index has children, every other manifest has blobs."""

    body: bytes
    kind: str
    children: tuple[str, ...]
    blobs: dict[str, int]  # digest of a config or layer -> bytes

    @classmethod
    def read(cls, answer: Answer) -> "Manifest":
        """Raise NotMovedError where it is out of the ordinary: old, or with layers elsewhere."""
        try:
            said = json.loads(answer.body)
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            children = tuple(
                dict.fromkeys(str(each["digest"]) for each in said.get("manifests", ()))
            )
            parts = [] if children else [said["config"], *said["layers"]]
            blobs = {str(part["digest"]): int(part["size"]) for part in parts}
            elsewhere = any(part.get("urls") for part in parts)
        except (*UNREADABLE, KeyError, TypeError, AttributeError):
            raise NotMovedError("its manifest cannot be read") from None
        named = all(SHA256.fullmatch(digest) for digest in (*children, *blobs))
        few = len(children) <= CHILDREN and len(blobs) <= BLOBS
        sizes = min(blobs.values(), default=0) >= 0 and sum(blobs.values()) <= LARGEST
        plain = kind in KINDS and (kind in INDEXES) == bool(children) and not elsewhere
        if not (plain and named and few and sizes):
            raise NotMovedError("its manifest is not an everyday one")
        return cls(answer.body, kind, children, blobs)


def place_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port; ValueError where they cannot be read, or name a login."""
    parts = urllib.parse.urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname or "", parts.port or usual


@dataclass(frozen=True)
class Upload:
    """An upload that the target has begun: where it goes on, and what its login is for."""

    address: str
    use: str


class Repository:
    """One repository where it is really reached; asks without a login unless one is its own."""

    def __init__(self, settings: Settings, registry: str, path: str) -> None:
        base = settings.addresses.get(registry, f"https://{registry}")
        scheme, _, place = base.partition("://")
        self.insecure = scheme == "http"
        self.name = f"{place}/{path}"  # as skopeo calls it
        self.host, _, self.path = self.name.partition("/")
        server = "registry-1.docker.io" if self.host == "docker.io" else self.host
        self._base = f"{scheme}://{server}/v2/{self.path}/"
        own = [key for key in settings.logins if f"{self.name}/".startswith(f"{key}/")]
        login = settings.logins[max(own, key=len)] if own else ""
        self._basic = f"Basic {login}" if login else ""
        self._known, self._turns = settings.known, settings.turns
        self._patience = settings.patience
        self.pulls: Pulls | None = None  # as the last answer said it
        self.trouble = False  # and whether it was one

    def tls(self, option: str) -> list[str]:
        """Return the option of skopeo that lets it speak plain HTTP, where that is wanted."""
        return [f"--{option}=false"] if self.insecure else []

    def manifest(self, method: str, reference: str) -> Answer:
        """HEAD or GET; Docker Hub counts only GET as a pull."""
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
        """Send one request, and again where the answer is trouble, not where there is none.

        `use` stands after the name in the key of its login.
        """
        headers = {"Accept": ACCEPT, **({"Content-Type": kind} if kind else {})}
        send = partial(ask, method, self._base + what, data=data, seconds=seconds)
        for pause in (*PAUSES[:2], None):
            answer = self._answer(send, headers, use)
            again = answer.trouble and answer.status
            if not again or pause is None or pause > self._patience:
                break
            rest(answer, pause, min(LONGEST_REST, self._patience))
        self.pulls, self.trouble = Pulls.read(answer.headers), answer.trouble
        return answer

    def _answer(
        self, request: Callable[[dict[str, str]], Answer], headers: dict[str, str], use: str
    ) -> Answer:
        """Send a request with the login that it takes, which its first refusal may tell."""
        sent = self._allowed(use)
        with LOOKS:
            answer = request({**headers, **sent})
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self._learn(answer.headers, use, sent)
        with LOOKS:
            return request({**headers, **self._allowed(use)})

    def _allowed(self, use: str = "") -> dict[str, str]:
        met = self._known.get(self.name + use) or (self._known.get(self.host) and self._basic)
        return {"Authorization": met} if met else {}

    def _learn(self, refusal: Message, use: str, sent: dict[str, str]) -> None:
        """Keep what meets a challenge, unless another thread did so after `sent` was sent.

        Basic is a host's, a token one repository's. Harbor asks for Basic where it got an old
        token, which then must not stand before the login; and a token server in trouble takes
        no token away.
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
        """Meet the registry's challenge; it says who makes its tokens, and TLS is a must there."""
        if not challenge.lower().startswith("bearer "):
            return self._basic
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = given.get("realm", "")
        if not self.insecure and not realm.startswith("https://"):
            return ""
        scope = given.get("scope") or f"repository:{self.path}:pull"
        scopes = [("scope", each) for each in scope.split()]  # two where a layer is to be mounted
        query = urllib.parse.urlencode([("service", given.get("service", "")), *scopes])
        login = {"Authorization": self._basic} if self._basic else {}
        with LOOKS:
            answer = ask("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", login)
        with contextlib.suppress(*UNREADABLE, AttributeError):
            said = json.loads(answer.body)
            if token := said.get("token") or said.get("access_token"):
                return f"Bearer {token}"
        return ""

    def digest(self, reference: str) -> str | None:
        """Ask for a digest; "" where there is no such manifest, None where nobody can say."""
        answer = self.manifest("HEAD", reference)
        if answer.status == HTTPStatus.NOT_FOUND:
            return ""
        found = answer.headers.get("Docker-Content-Digest", "")
        return found if answer.status == HTTPStatus.OK and DIGEST.fullmatch(found) else None

    def fetch(self, digest: str) -> Manifest:
        """Return the manifest with this very digest; NotMovedError where it is not to be had."""
        answer = self.manifest("GET", digest)
        if answer.status != HTTPStatus.OK:
            raise NotMovedError(f"{self.host} does not give its manifest ({answer.words})")
        if f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != digest:
            raise NotMovedError("its manifest has another digest")
        return Manifest.read(answer)

    def put(self, reference: str, manifest: Manifest) -> None:
        """Store a manifest as it came; NotMovedError where the registry does not take it."""
        what = f"manifests/{reference}"
        answer = self._ask(
            "PUT", what, manifest.body, kind=manifest.kind, use=PUSH, seconds=STORE_SECONDS
        )
        if answer.status != HTTPStatus.CREATED:
            raise NotMovedError(f"{self.host} does not take its manifest ({answer.words})")

    def holds(self, blob: str) -> bool:
        """Ask whether a config or layer is there."""
        return self._ask("HEAD", f"blobs/{blob}").status == HTTPStatus.OK

    def reserve(self, blob: str, origin: "Repository | None" = None) -> Upload | None:
        """Begin an upload; None where the blob of `origin` was mounted and nothing is to be sent.

        The distribution specification has both in one request: who does not mount begins.
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
        if not here:  # no login goes there
            raise NotMovedError(f"{self.host} names another host or scheme for an upload")
        return Upload(address, use)

    def upload(self, to: Upload, blob: str, size: int, parts: Iterable[bytes]) -> None:
        """Send a blob; the registry sees to it that it has this digest, as it must."""
        url = f"{to.address}{'&' if '?' in to.address else '?'}digest={blob}"
        headers = {**self._allowed(to.use), "Content-Length": str(size)}
        headers["Content-Type"] = "application/octet-stream"
        answer = ask("PUT", url, headers, data=parts, seconds=STORE_SECONDS)
        if answer.status != HTTPStatus.CREATED:
            words = f"{self.host} does not take a layer ({answer.words})"
            raise NotMovedError(words, passing=answer.trouble)

    def blob(self, digest: str) -> Any:
        """Open a blob to read it; NotMovedError where it is not to be had."""
        url = f"{self._base}blobs/{digest}"
        try:
            sent = self._allowed()
            try:
                return opened("GET", url, sent)
            except urllib.error.HTTPError as refused:
                with refused:  # a token of Docker Hub is good for 5 minutes
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
        """Yield so many bytes as they come; NotMovedError where there are fewer, or too late."""
        left = size
        until = min(time.monotonic() + COPY_SECONDS, BEGAN + LAST_SECONDS)
        while left:
            try:
                part = answer.read1(min(left, CHUNK))
            except (OSError, ValueError, HTTPException):
                part = b""
            if not part:
                raise NotMovedError(f"{self.host} breaks off a layer", passing=True)
            if time.monotonic() > until:
                raise NotMovedError("a layer takes too long")
            left -= len(part)
            yield part


# --- what may go on at the same time


def move(
    blob: str, size: int, source: Repository, target: Repository, origin: Repository | None
) -> None:
    """Have one blob in the target, at best by a mount; NotMovedError where that fails."""
    if target.holds(blob):
        return
    upload = None
    if origin:
        with contextlib.suppress(NotMovedError):  # who may not mount it may well upload it
            upload = target.reserve(blob, origin)
            if not upload:
                return
    with source.blob(blob) as answer:  # first: what is not to be had needs no upload
        upload = upload or target.reserve(blob)
        if upload:
            target.upload(upload, blob, size, source.poured(answer, size))


def unless(wrong: list[Exception], work: Callable[[], None]) -> None:
    """Do one of several works; none after one of them went wrong."""
    if wrong:
        raise wrong[0]
    try:
        work()
    except Exception as error:
        wrong.append(error)
        raise


class Traffic:
    """Lets copies go on: so many layers at a time, and no pulls that are not left.

    What one image brings to the target, the others that need it wait for, and have it mounted.
    """

    def __init__(self, places: int) -> None:
        self.questions = ThreadPoolExecutor(4 * AWAKE)  # most of them may sleep, in trouble
        self._half = max(1, places // 2)  # one image of many large layers leaves room for others
        self.copies = threading.Semaphore(self._half)  # skopeo moves several layers itself
        self._layers = ThreadPoolExecutor(places)
        self._ways: dict[str, tuple[Repository, Future[None]]] = {}  # who brings a blob
        self._lock = threading.Lock()
        self._promised: Counter[str] = Counter()

    def bring(self, blobs: Mapping[str, int], source: Repository, target: Repository) -> None:
        """Have all blobs in the target when this returns; an error where one is not."""
        wrong: list[Exception] = []
        room = threading.Semaphore(self._half)

        def begin(blob: str, origin: Repository | None = None) -> Future[None]:
            work = partial(move, blob, blobs[blob], source, target, origin)
            return self._layers.submit(unless, wrong, work)

        def way(blob: str) -> tuple[Repository, Future[None]]:
            room.acquire()
            by, job = self._way(blob, target, begin)
            if by is target:
                job.add_done_callback(lambda _: room.release())
            else:
                room.release()
            return by, job

        ways = {blob: way(blob) for blob in blobs}
        jobs = []
        for blob in blobs:
            by, job = ways[blob]
            if by is not target and job.exception():
                by, job = way(blob)  # the next who needs it, maybe this one; not all in a row
            lost = by is not target and job.exception()
            if not lost and by.name != target.name:
                room.acquire()
                job = begin(blob, by)
                job.add_done_callback(lambda _: room.release())
            jobs.append(job)
        wait(jobs)  # all of them: skopeo must not bring what is still on its way
        for job in jobs:
            job.result()

    def _way(
        self, blob: str, target: Repository, begin: Callable[[str], Future[None]]
    ) -> tuple[Repository, Future[None]]:
        """Return who brings a blob, and the work; that begins where nobody does, or has."""
        with self._lock:
            known = self._ways.get(blob)
            if not known or (known[1].done() and known[1].exception()):
                known = self._ways[blob] = target, begin(blob)
            return known

    def promise(self, host: str, need: int, pulls: Pulls) -> bool:
        """Set pulls aside, if enough are left beside those that other copies may still use."""
        with self._lock:
            enough = pulls.left - self._promised[host] >= need
            self._promised[host] += need if enough else 0
            return enough

    def used(self, host: str, pulls: int) -> None:
        """Take back a promise: the registry has counted by now."""
        with self._lock:
            self._promised[host] -= pulls


# --- copying


def skopeo(folder: Path, *arguments: str, given: str = "", seconds: int = 0) -> str:
    """Return why it failed, in one line, or nothing; it sees none of this script's secrets."""
    seconds = seconds or COPY_SECONDS
    env = {k: v for k, v in os.environ.items() if k not in SECRETS}
    env["REGISTRY_AUTH_FILE"] = str(folder / "auth.json")
    command = ["skopeo", f"--command-timeout={seconds}s", *arguments]
    limit = seconds + 60
    try:
        done = subprocess.run(
            command, input=given.encode(), capture_output=True, check=False, env=env, timeout=limit
        )
    except (OSError, subprocess.TimeoutExpired) as broken:
        return f"skopeo: {type(broken).__name__}"
    return cause(done.stderr.decode(errors="replace")) if done.returncode else ""


def cause(stderr: str) -> str:
    """Find in skopeo's last words what people can use, with the side it is about."""
    fatal = re.findall(r'level=fatal msg=(?:"((?:[^"\\]|\\.)*)"|(\S+))', stderr)
    text = "".join(fatal[-1]) if fatal else (stderr.strip().splitlines() or ["no words"])[-1]
    if len(text) > 2 * WORDS:  # a registry chose the words, and the patterns below are slow on long
        text = f"{text[:WORDS]}…{text[-WORDS:]}"
    text = re.sub(r"\\(.)", lambda m: " " if m[1] in "nrt" else m[1], text)
    # A layer that the source tears off is met in the middle of its upload.
    text = re.sub(r"^.* happened during read: ", "reading blob: ", text)
    side = re.search(f"{_TARGET}|{_SOURCE}", text)
    for noise, kept in NOISE:
        text = re.sub(noise, kept, text)
    if side:
        text = f"{'target' if re.match(_TARGET, side[0]) else 'source'}: {text}"
    return one_line(text)


def log_in(settings: Settings, folder: Path) -> None:
    """Write the logins to a file that only we can read; ValueError when the target's is wrong."""
    target = Repository(settings, settings.host, "")
    others = {k: {"auth": v} for k, v in settings.logins.items() if k != target.host}
    file = os.open(folder / "auth.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"auths": others}, out)
    options = [f"--username={settings.user}", "--password-stdin", *target.tls("tls-verify")]
    left = settings.patience
    for pause in PAUSES:  # it is for all images: one that is lost would fail them all
        trouble = skopeo(
            folder, "login", *options, target.host, given=settings.password, seconds=LOGIN_SECONDS
        )
        left -= pause
        words = one_line(f"login to the target: {trouble.removeprefix('target: ')}")
        if not trouble:
            return
        if left < 0 or trouble.startswith("skopeo:") or not TROUBLE.search(trouble):
            break
        say(f"again in {pause} s: {words}")
        time.sleep(pause)
    raise ValueError(words)


@dataclass(frozen=True)
class Result:
    """What became of one image; `state` is that of its commit status."""

    image: Image
    state: str
    text: str
    seconds: float = 0.0
    waited: float = 0.0  # of them, for pulls


class Copying:
    """The way of one image from its source to the target, with all the tries it takes."""

    def __init__(
        self, image: Image, run: "Run", settings: Settings, tell: Callable[[str], object]
    ) -> None:
        """`tell` is given the words why, when the image has to wait for pulls."""
        self.image, self.folder, self.traffic, self.tell = image, run.folder, run.traffic, tell
        self.patience, self.waited, self.spent = settings.patience, 0.0, 0.0
        self.read: dict[str, Manifest] = {}
        self.source = Repository(settings, image.registry, image.path)
        path = target_path(image, settings.prefix, settings.naming)
        self.target = Repository(settings, settings.host, path)

    def result(self) -> Result:
        """Try until it is there, or not to be had, or patience or time is used up."""
        left, began = self.patience, time.monotonic()
        for pause in PAUSES:
            done = self.attempt()
            left -= pause
            now = time.monotonic()
            late = now - began - self.waited + pause > COPY_SECONDS or now - BEGAN > RUN_SECONDS
            if done.state != "error" or done.text.startswith("skopeo:") or left < 0 or late:
                return done
            say(f"again in {pause} s: {self.image}: {done.text}")
            time.sleep(pause)
        return self.attempt()

    def attempt(self) -> Result:
        """Copy it with all its platforms, unless the target has the very same."""
        found = self.look()
        return found if isinstance(found, Result) else self.moved(*found)

    def look(self) -> "Result | tuple[str | None, int]":
        """Ask both sides; return the digest and the pulls set aside, if it has to move."""
        image, source, target = self.image, self.source, self.target
        name = image.tag or image.digest
        wanted = image.digest or source.digest(image.tag)
        if wanted and wanted == target.digest(name):
            return Result(image, "success", f"{wanted} skipped")  # its size would cost a GET
        if image.digest:
            source.digest(image.digest)  # for the pulls that are left
        pulls = 0 if wanted == "" else self.pulls_set_aside()
        if pulls is None:
            return Result(image, "error", self.short_of_pulls())
        return wanted, pulls

    def moved(self, wanted: str | None, pulls: int) -> Result:
        """Have it copied, and look at what arrived."""
        image, target = self.image, self.target
        try:
            copied, trouble, size = self.copied(wanted)
        finally:
            self.traffic.used(self.source.host, pulls)
        if trouble:
            return Result(image, "error" if TROUBLE.search(trouble) else "failure", trouble)
        held = target.digest(image.tag or image.digest)
        if not copied or held not in (copied, None):  # None: Harbor hides what is not scanned yet
            text = f"mismatch: copied {copied or 'nothing'}, target holds {held or 'nothing'}"
            return Result(image, "failure", one_line(text))
        size = size or self.size(copied)
        known = f" {size}" if 0 < size <= LARGEST else ""
        return Result(image, "success", f"{copied}{known} copied")

    def copied(self, wanted: str | None) -> tuple[str, str, int]:
        """Return the digest that was copied, or else what went wrong, and the bytes, if known."""
        if wanted:
            try:
                return wanted, "", self.carried(wanted)
            except Exception as why:  # noqa: BLE001 - whatever it is, skopeo may know better
                words = str(why) if isinstance(why, NotMovedError) else type(why).__name__
                say(f"note: skopeo takes over {self.image}: {words}")
        with self.traffic.copies:
            return *self.copy(), 0

    def carried(self, wanted: str) -> int:
        """Do it without skopeo, twice if need be: what was read and moved costs nothing again."""
        if self.target.trouble:  # each manifest would cost a pull for nothing
            raise NotMovedError(f"{self.target.host} is in trouble")
        try:
            return self.carried_once(wanted)
        except NotMovedError as why:
            if not why.passing or PAUSES[0] > self.patience:
                raise
            say(f"again in {PAUSES[0]} s: {self.image}: {why}")
            time.sleep(PAUSES[0])
            return self.carried_once(wanted)

    def carried_once(self, wanted: str) -> int:
        """Move the layers, then the manifests of the platforms, then the index; return bytes."""
        top, children, blobs = self.manifests(self.source, wanted)
        self.traffic.bring(blobs, self.source, self.target)
        list(self.traffic.questions.map(self.target.put, children, children.values()))
        self.target.put(self.image.tag or self.image.digest, top)
        return sum(blobs.values())

    def manifests(
        self, side: Repository, digest: str
    ) -> tuple[Manifest, dict[str, Manifest], dict[str, int]]:
        """Return a manifest, those that it names, and the blobs of all of them with their bytes.

        Each is read once: it cannot change.
        """

        def read(digest: str) -> Manifest:
            if digest not in self.read:
                self.read[digest] = side.fetch(digest)
            return self.read[digest]

        if not SHA256.fullmatch(digest):
            raise NotMovedError("its digest is not of SHA-256")
        top = read(digest)
        children = dict(
            zip(top.children, self.traffic.questions.map(read, top.children), strict=True)
        )
        every = (top, *children.values())
        blobs = dict(chain.from_iterable(each.blobs.items() for each in every))
        nested = any(each.children for each in children.values())
        if nested or sum(len(each.body) for each in every) > MANIFESTS or len(blobs) > BLOBS:
            raise NotMovedError("its manifests are not everyday ones")
        return top, children, blobs

    def size(self, copied: str) -> int:
        """Ask the target, where a GET counts no pull; 0 where it cannot be known."""
        try:
            return sum(self.manifests(self.target, copied)[2].values())
        except NotMovedError:
            return 0

    def pulls_set_aside(self) -> int | None:
        """Wait for enough pulls; 0 where none are counted, None when the run's time is up."""
        began, pauses = time.monotonic(), chain(POLLS, repeat(POLLS[-1]))
        while pulls := self.source.pulls:
            late = time.monotonic() - BEGAN > RUN_SECONDS
            need = 1 if late else pulls.need  # what is left is tried in the end
            if self.traffic.promise(self.source.host, need, pulls):
                break
            if late:
                return None
            pause = next(pauses)
            self.tell(f"{self.short_of_pulls()}, asks again in {pause} s")
            time.sleep(pause)
            self.source.digest(self.image.digest or self.image.tag)
            self.source.pulls = self.source.pulls or pulls  # an answer in trouble says nothing
            self.waited = time.monotonic() - began
        return need if pulls else 0

    def short_of_pulls(self) -> str:
        """Say it so that the bot knows it for what it is."""
        pulls = self.source.pulls or Pulls(0, 0, 0)
        waited = f", waited {self.waited / 60:.0f} min" if self.waited else ""
        text = f"source: too many requests: {pulls.left} of {pulls.limit} pulls left"
        return f"{text} at {self.image.registry}{waited}"

    def copy(self) -> tuple[str, str]:
        """Return the digest that was copied and what went wrong; one of them is empty."""
        image, began = self.image, time.monotonic()
        taken = f"@{image.digest}" if image.digest else f":{image.tag}"  # skopeo refuses both
        given = f":{image.tag}" if image.tag else f"@{image.digest}"
        with tempfile.TemporaryDirectory(dir=self.folder) as own:  # a failure leaves an old file
            digest = Path(own) / "digest"
            options = ["--all", "--preserve-digests", "--quiet", "--retry-times=3"]
            options += [f"--digestfile={digest}"]
            options += self.source.tls("src-tls-verify") + self.target.tls("dest-tls-verify")
            places = (f"docker://{self.source.name}{taken}", f"docker://{self.target.name}{given}")
            left = min(COPY_SECONDS - self.spent, BEGAN + LAST_SECONDS - began)
            seconds = max(1, int(left))
            trouble = skopeo(self.folder, "copy", *options, *places, seconds=seconds)
            self.spent += time.monotonic() - began
            return (digest.read_text().strip() if digest.exists() else ""), trouble


# --- which images, and what is said of them


def entries(content: bytes) -> list[str]:
    """Return what the lines of image.list say, each once, as core/image_list.py reads them."""
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    texts = (re.sub(rb"(?:^|\s)#.*", b"", line).strip() for line in lines)
    return list(dict.fromkeys(text.decode(errors="replace") for text in texts if text))


def github(env: Mapping[str, str], method: str, path: str, data: bytes | None = None) -> Answer:
    """Ask GitHub about this repository, as this run."""
    kind = "json" if data else "raw+json"
    headers = {
        "Accept": f"application/vnd.github.{kind}",
        "Authorization": f"Bearer {env['GITHUB_TOKEN']}",
        "Content-Type": "application/json",
    }
    url = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/{path}"
    return ask(method, url, headers, data=data, limit=LIST_BYTES)


def asked_for(env: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the inputs of a dispatch, or the lines a push added, or else the whole list.

    True where nobody asked for these very images: then only news is worth a status.
    """
    event_name, file = env["GITHUB_EVENT_NAME"], Path("image.list")
    if event_name == "workflow_dispatch" and env["IMAGES"].strip():
        return list(dict.fromkeys(env["IMAGES"].split())), False
    now = entries(file.read_bytes() if file.exists() else b"")
    if event_name != "push":
        return share(now, env.get("SHARDS", ""), env.get("SHARD", "")), True
    event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    before = str(event.get("before") or "")
    if not before.strip("0"):
        return now, False
    known = None if event.get("forced") else entries_at(env, before)
    return (now, True) if known is None else ([line for line in now if line not in known], False)


def entries_at(env: Mapping[str, str], commit: str) -> set[str] | None:
    """Return what the list said at a commit; None where GitHub does not tell."""
    path = f"contents/image.list?{urllib.parse.urlencode({'ref': commit})}"
    for pause in (*POSTS, None):
        old = github(env, "GET", path)
        if old.status == HTTPStatus.OK:
            return set(entries(old.body))
        if old.status == HTTPStatus.NOT_FOUND:
            return set()  # this push began it
        if pause is None or not old.passing:
            break
        rest(old, pause)
    return None


def share(lines: list[str], shards: str, shard: str) -> list[str]:
    """Return what one of the jobs of the matrix does: every line is some job's, whatever is set."""
    names = [name.strip() for name in shards.split(",")]
    return lines[names.index(shard) :: len(names)] if shard in names else lines


def post(env: Mapping[str, str], result: Result, pauses: Sequence[float] = POSTS) -> bool:
    """Post the status of one image; twice does no harm, so it is tried again."""
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": result.state,
        "context": f"mirror/{result.image}",
        "description": result.text,
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",  # the bot knows its run's statuses by it
    }
    for pause in (*pauses, None):
        answer = github(env, "POST", f"statuses/{env['GITHUB_SHA']}", json.dumps(body).encode())
        if answer.status == HTTPStatus.CREATED:
            return True
        if pause is None or not answer.passing:
            break
        rest(answer, pause)
    say(f"note: the status of {result.image} could not be posted ({answer.status or 'no answer'})")
    return False


def summarise(env: Mapping[str, str], results: Sequence[Result], bad: Sequence[str]) -> None:
    """Write the table of the run's page, cut before GitHub would drop all of it."""
    rows = [(line, "invalid", "not an image reference") for line in bad]
    rows += [(str(r.image), r.state, r.text) for r in results]
    table = "| image | result | |\n|---|---|---|\n"
    for number, row in enumerate(rows):
        table += f"| {' | '.join(map(cell, row))} |\n"
        if len(table) > SUMMARY_CHARACTERS:
            table += f"\nand {len(rows) - number - 1} more\n"
            break
    if place := env.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as out:
            out.write(table)


def log_line(result: Result) -> str:
    """Say in one line of the log what became of an image."""
    if result.state != "success":
        return f"{result.state} {result.image}: {result.text}"
    waited = f", {result.waited:.0f} s of them waiting for pulls" if result.waited else ""
    digest, *size, done = result.text.split()
    shown = f" {int(size[0]) / 1e6:.1f} MB" if size else ""
    return f"{done} {result.image} {digest[:19]}…{shown} {result.seconds:.1f} s{waited}"


@dataclass(frozen=True)
class Run:
    """What all images of a run have in common; without settings there is `trouble`."""

    env: Mapping[str, str]
    folder: Path
    whole: bool
    settings: Settings | None
    trouble: str
    traffic: Traffic

    def handle(self, image: Image) -> tuple[Result, bool]:
        """Mirror one image, log it and post it; whatever happens to it, the others go on."""
        began, waited = time.monotonic(), 0.0
        try:
            done = Result(image, "error", self.trouble)
            if self.settings:
                copying = Copying(image, self, self.settings, partial(self.tell, image, []))
                done, waited = copying.result(), copying.waited
        except Exception as unforeseen:  # noqa: BLE001 - one image must not stop the rest
            done = Result(image, "error", f"mirror.py: {type(unforeseen).__name__}")
        done = replace(done, seconds=time.monotonic() - began, waited=waited)
        say(log_line(done))
        if not self.whole:
            return done, post(self.env, done)
        if self.settings and not done.text.endswith(" skipped"):
            post(self.env, done, ())  # once: GitHub takes 500 an hour, nobody waits for these
        return done, True

    def tell(self, image: Image, told: list[str], text: str) -> None:
        """Log that an image waits, and post it the first time."""
        say(f"waiting {image}: {text}")
        if not (told or self.whole):
            post(self.env, Result(image, "pending", one_line(text)), ())
        told.append(text)


def main() -> int:
    """Do the run; 1 when any image failed or could not be reported."""
    env = os.environ
    lines, whole = asked_for(env)
    parsed = {line: Image.parse(line) for line in lines}
    images = list(dict.fromkeys(image for image in parsed.values() if image))
    bad = [line for line, image in parsed.items() if not image]
    for line in bad:
        say(f"invalid {one_line(line)!r}: not an image reference")
    say(f"{len(images)} to mirror to {env.get('HARBOR_HOST', '')}")
    with tempfile.TemporaryDirectory() as name:
        folder, settings, trouble = Path(name), None, ""
        try:
            if images:
                settings = Settings.read(env)
                log_in(settings, folder)
        except ValueError as told:
            settings, trouble = None, str(told)
            say(f"error {trouble}")
        wish = env.get("PARALLEL", "").strip()
        traffic = Traffic(int(wish) or PLACES if wish.isdecimal() else PLACES)
        run = Run(env, folder, whole, settings, trouble, traffic)
        with ThreadPoolExecutor(AWAKE) as pool:
            ended = list(pool.map(run.handle, images))
    summarise(env, [result for result, _ in ended], bad)
    good = sum(result.state == "success" for result, _ in ended)
    say(f"{good} of {len(parsed)} in the target")
    return 0 if not trouble and not bad and good == len(images) and all(p for _, p in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
