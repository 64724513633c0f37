"""Copies the images this run was started for to the target registry, and reports on each.

It stands in the mirror repository as `.github/mirror.py`, put there by `imageto-bot setup`, and
needs Python 3.10 and skopeo, nothing more. Lines of image.list, inputs and answers of registries
are untrusted: every reference passes the grammar before use, no shell is started, and passwords
reach neither an argument list, nor the log, nor the summary.
"""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from itertools import chain, repeat
from pathlib import Path
from typing import Any

ANSWER_SECONDS, COPY_SECONDS = 30, 3600  # of silence, and in all
BODY_SECONDS = 120  # in all: a body that comes drop by drop is never silent
WORDS = 1000  # characters at both ends of what skopeo says that are looked at
LIST_BYTES, SUMMARY_CHARACTERS = 50 << 20, 200_000  # a summary over 1 MiB is dropped
LOG_CHARACTERS = 1000
LARGEST = 2**63 - 1  # bytes: what fits into a database
UNREADABLE = (ValueError, OverflowError, RecursionError)  # what JSON of foreign hands comes to
CHILDREN = 64  # platforms and attestations of one index that are read for its size
PAUSES = (2, 6, 18, 54, 120, 300)  # between the tries of an image whose registry is in trouble
PATIENCE = 80  # seconds of them an image; the variable PATIENCE changes it
LONGEST_REST = 60  # seconds: no server is let ask for more at a time
POLLS = (5, 15, 45, 120, 300)  # and 300 again: between two looks at the pulls that are left
RUN_SECONDS = 285 * 60  # for waits: under `timeout-minutes`, with time for a copy after them
BEGAN = time.monotonic()
INDEX_PULLS = 20  # that an image of many platforms may cost: each counts, and each attestation
PLACES = 8  # copies at a time, measured; the variable PARALLEL changes it
AWAKE, LOOKS = 128, threading.Semaphore(16)  # images in hand, and questions asked at a time
GATHER, MOMENT = 1.0, 0.02  # seconds a copy waits for those that are looked at, and to get in line
GLANCE = 1.0  # seconds between two looks whether a layer that others wait for has arrived
SHARED = 1_000_000  # bytes: a smaller layer goes up twice sooner than it is waited for
_TARGETS = ("HARBOR_HOST", "HARBOR_USER", "HARBOR_PWD", "HARBOR_PREFIX", "NAMING")
NAMES = (*_TARGETS, "REGISTRY_ADDRESSES", "SOURCE_AUTH", "PATIENCE")
SECRETS = ("HARBOR_PWD", "SOURCE_AUTH", "GITHUB_TOKEN")
ACCEPT = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "oci.image.index.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.v2+json",
        "docker.distribution.manifest.v1+prettyjws",
    )
)
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
    def trouble(self) -> bool:
        """Say whether asking again may help."""
        return self.status in {0, 429} or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Keeps the method (urllib turns HEAD into GET, which counts as a pull) and drops the login."""

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        del fp, code, msg, headers
        if req.get_method() not in ("GET", "HEAD"):
            return None
        if not newurl.startswith(("https://", f"{req.type}://")):
            return None
        kept = {k: v for k, v in req.header_items() if k.lower() == "accept"}
        return urllib.request.Request(newurl, headers=kept, method=req.get_method())  # noqa: S310 - http(s) only, see above

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # Python 3.10 lacks it


OPENER = urllib.request.build_opener(_Redirect)


def read(answer: Any, limit: int) -> bytes | None:
    """Read a body; None where it is too long, or takes too long."""
    body, until = bytearray(), time.monotonic() + BODY_SECONDS
    while part := answer.read1(1 << 16):
        body += part
        if len(body) > limit or time.monotonic() > until:
            return None
    return bytes(body)


def ask(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    data: bytes | None = None,
    limit: int = 4 << 20,
) -> Answer:
    """Send one request; a refusal is an answer too."""
    headers = {"User-Agent": "imageto-bot", **headers}
    if not url.startswith(("https://", "http://")):
        return Answer(0, Message(), b"")
    try:
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - http(s) only, see above
        with OPENER.open(request, timeout=ANSWER_SECONDS) as got:
            body = read(got, limit)
            return Answer(0 if body is None else got.status, got.headers, body or b"")
    except urllib.error.HTTPError as refused:
        with refused:  # what another host asks for after a redirect is none of our login's concern
            return Answer(refused.code, refused.headers if refused.url == url else Message(), b"")
    except (OSError, ValueError, OverflowError, HTTPException):
        return Answer(0, Message(), b"")


def rest(answer: Answer, pause: float) -> None:
    """Sleep as long as the server asks for, within bounds, or else for `pause`."""
    wish = answer.headers.get("Retry-After", "")
    time.sleep(min(int(wish[:9]), LONGEST_REST) if wish.isdecimal() else pause)


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


class Repository:
    """One repository where it is really reached; asks without a login unless one is its own."""

    def __init__(self, settings: Settings, registry: str, path: str) -> None:
        base = settings.addresses.get(registry, f"https://{registry}")
        scheme, _, place = base.partition("://")
        self.insecure = scheme == "http"
        self.name = f"{place}/{path}"  # as skopeo calls it
        self.host, _, self._path = self.name.partition("/")
        server = "registry-1.docker.io" if self.host == "docker.io" else self.host
        self._base = f"{scheme}://{server}/v2/{self._path}/"
        own = [key for key in settings.logins if f"{self.name}/".startswith(f"{key}/")]
        login = settings.logins[max(own, key=len)] if own else ""
        self._basic = f"Basic {login}" if login else ""
        self._known, self._patience = settings.known, settings.patience
        self.pulls: Pulls | None = None  # as the last answer said it

    def tls(self, option: str) -> list[str]:
        """Return the option of skopeo that lets it speak plain HTTP, where that is wanted."""
        return [f"--{option}=false"] if self.insecure else []

    def manifest(self, method: str, reference: str) -> Answer:
        """HEAD or GET; Docker Hub counts only GET as a pull. Trouble is waited out, shortly."""
        for pause in PAUSES[:2]:
            answer = self._ask(method, f"manifests/{reference}")
            if not answer.trouble or pause > self._patience:
                return answer
            rest(answer, pause)
        return self._ask(method, f"manifests/{reference}")

    def holds(self, blob: str) -> bool:
        """Ask whether a config or layer has arrived."""
        if not DIGEST.fullmatch(blob):
            return False
        return self._ask("HEAD", f"blobs/{blob}").status == HTTPStatus.OK

    def _ask(self, method: str, what: str) -> Answer:
        for _ in range(2):
            met = self._known.get(self.name) or (self._known.get(self.host) and self._basic)
            headers = {"Accept": ACCEPT, **({"Authorization": met} if met else {})}
            with LOOKS:
                answer = ask(method, self._base + what, headers)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                break
            met = self._meet(answer.headers.get("WWW-Authenticate", ""))
            # All repositories of a host that asks for Basic do so, and each has its own token.
            self._known[self.host if met.startswith("Basic ") else self.name] = met
        self.pulls = Pulls.read(answer.headers)
        return answer

    def _meet(self, challenge: str) -> str:
        """Meet the registry's challenge; it says who makes its tokens, and TLS is a must there."""
        if not challenge.lower().startswith("bearer "):
            return self._basic
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = given.get("realm", "")
        if not self.insecure and not realm.startswith("https://"):
            return ""
        scope = given.get("scope") or f"repository:{self._path}:pull"
        query = urllib.parse.urlencode({"service": given.get("service", ""), "scope": scope})
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

    def blobs(self, reference: str) -> dict[str, int]:
        """Return the size of every config and layer; none where a part is not to be had."""
        blobs: dict[str, int] = {}
        try:
            top = json.loads(self.manifest("GET", reference).body)
            children = [child["digest"] for child in top.get("manifests", [])]
            if len(children) > CHILDREN:
                return {}
            read = (json.loads(self.manifest("GET", child).body) for child in children)
            for each in read if children else [top]:
                for blob in (each["config"], *each["layers"]):
                    blobs[str(blob["digest"])] = int(blob["size"])
        except (*UNREADABLE, KeyError, TypeError, AttributeError):
            return {}
        return blobs if min(blobs.values()) >= 0 and sum(blobs.values()) <= LARGEST else {}


# --- what may go on at the same time


class Traffic:
    """Lets copies go on: so many at a time, no layer twice, no more pulls than are left.

    skopeo remembers, from one process to the next, which layers the target holds, and has them
    mounted. It cannot know of one that is on its way: whoever needs that waits for it here, until
    the target has it, which is long before the whole image is there. Who brings most of what
    others need goes first, so that they wait once and not for one another.
    """

    def __init__(self, places: int) -> None:
        self._turn = threading.Condition()
        self._places = places
        self._flying: set[str] = set()
        self._landed: set[str] = set()
        self._waiting: list[set[str]] = []
        self._looks = 0
        self._promised: Counter[str] = Counter()

    def copy(
        self,
        layers: set[str],
        work: Callable[[], tuple[str, str]],
        promised: Mapping[str, int],
        holds: Callable[[str], bool] = lambda _: False,
    ) -> tuple[str, str]:
        """Do the work when it is its turn; the pulls promised to it are counted after that.

        `holds` asks whether the target has a layer of it by now.
        """
        with self._turn:
            self._waiting.append(layers)
            self._turn.wait_for(lambda: not self._looks, GATHER)
            self._turn.wait_for(lambda: False, MOMENT)
            self._turn.wait_for(lambda: self._places and self._may_go(layers))
            self._waiting.remove(layers)
            self._places -= 1
            own = layers - self._landed
            self._flying |= own
        digest, trouble, over = "", "", threading.Event()
        threading.Thread(target=self._watch, args=(own, holds, over), daemon=True).start()
        try:
            digest, trouble = work()
        finally:
            over.set()
            with self._turn:
                self._places += 1
                self._flying -= own
                self._landed |= own if digest and not trouble else set()
                self._promised.subtract(promised)
                self._turn.notify_all()
        return digest, trouble

    def _watch(self, own: set[str], holds: Callable[[str], bool], over: threading.Event) -> None:
        """Let those go who wait for a layer that has arrived, until its image is over.

        A look after it arrived: skopeo notes a little later that it did.
        """
        arrived: set[str] = set()
        while not over.wait(GLANCE):
            with self._turn:
                wanted = set().union(*self._waiting) & own & self._flying
                if landed := wanted & arrived:
                    self._flying -= landed
                    self._landed |= landed
                    self._turn.notify_all()
            arrived |= {layer for layer in wanted - arrived if holds(layer)}

    def _may_go(self, layers: set[str]) -> bool:
        """Say whether nothing of it is on its way, and nobody brings more of it."""
        left = layers - self._landed
        others = (other - self._landed for other in self._waiting)
        return not left & self._flying and not any(
            len(other) > len(left) and left & other for other in others
        )

    @contextlib.contextmanager
    def look(self) -> Iterator[None]:
        """Say that somebody is found out about, for whom others had better wait a little."""
        with self._turn:
            self._looks += 1
        try:
            yield
        finally:
            with self._turn:
                self._looks -= 1
                self._turn.notify_all()

    def promise(self, host: str, need: int, pulls: Pulls) -> bool:
        """Set pulls aside, if enough are left beside those that other copies may still use."""
        with self._turn:
            enough = pulls.left - self._promised[host] >= need
            self._promised[host] += need if enough else 0
            return enough


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
    trouble = skopeo(folder, "login", *options, target.host, given=settings.password)
    if trouble:
        raise ValueError(one_line(f"login to the target: {trouble.removeprefix('target: ')}"))


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
        self.source = Repository(settings, image.registry, image.path)
        path = target_path(image, settings.prefix, settings.naming)
        self.target = Repository(settings, settings.host, path)

    def result(self) -> Result:
        """Try until it is there, or not to be had, or patience or time is used up."""
        left = self.patience
        for pause in PAUSES:
            done = self.attempt()
            left -= pause
            late = self.spent + pause > COPY_SECONDS or time.monotonic() - BEGAN > RUN_SECONDS
            if done.state != "error" or done.text.startswith("skopeo:") or left < 0 or late:
                return done
            say(f"again in {pause} s: {self.image}: {done.text}")
            time.sleep(pause)
        return self.attempt()

    def attempt(self) -> Result:
        """Copy it with all its platforms, unless the target has the very same."""
        with self.traffic.look():
            found = self.look()
        return found if isinstance(found, Result) else self.moved(*found)

    def look(self) -> "Result | tuple[str | None, dict[str, int], int]":
        """Ask both sides; return digest, blobs and the pulls set aside, if it has to move."""
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
        # Where pulls are counted a look at the layers is one: the name must do in their place.
        return wanted, source.blobs(wanted) if wanted and not pulls else {}, pulls

    def moved(self, wanted: str | None, blobs: dict[str, int], pulls: int) -> Result:
        """Have it copied when its turn comes, and look at what arrived."""
        image, source, target = self.image, self.source, self.target
        name = image.tag or image.digest
        layers = {digest for digest, size in blobs.items() if size >= SHARED}
        layers = layers if blobs else {source.name}
        promised = {source.host: pulls}
        copied, trouble = self.traffic.copy(layers, self.copy, promised, target.holds)
        if trouble:
            return Result(image, "error" if TROUBLE.search(trouble) else "failure", trouble)
        held = target.digest(name)
        if not copied or held not in (copied, None):  # None: Harbor hides what is not scanned yet
            text = f"mismatch: copied {copied or 'nothing'}, target holds {held or 'nothing'}"
            return Result(image, "failure", one_line(text))
        if copied != wanted or not blobs:
            blobs = target.blobs(copied)  # where a GET is no pull from Docker Hub
        size = f" {sum(blobs.values())}" if blobs else ""
        return Result(image, "success", f"{copied}{size} copied")

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
            seconds = max(1, COPY_SECONDS - int(self.spent))
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
    if event.get("forced") or not before.strip("0"):
        return now, False
    old = github(env, "GET", f"contents/image.list?{urllib.parse.urlencode({'ref': before})}")
    known = set(entries(old.body)) if old.status == HTTPStatus.OK else set()
    return [line for line in now if line not in known], False


def share(lines: list[str], shards: str, shard: str) -> list[str]:
    """Return what one of the jobs of the matrix does: every line is some job's, whatever is set."""
    names = [name.strip() for name in shards.split(",")]
    return lines[names.index(shard) :: len(names)] if shard in names else lines


def post(env: Mapping[str, str], result: Result, pauses: Sequence[float] = (1, 5, 20, 0)) -> bool:
    """Post the status of one image; twice does no harm, so it is tried again."""
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": result.state,
        "context": f"mirror/{result.image}",
        "description": result.text,
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",  # the bot knows its run's statuses by it
    }
    for pause in pauses:
        answer = github(env, "POST", f"statuses/{env['GITHUB_SHA']}", json.dumps(body).encode())
        if answer.status == HTTPStatus.CREATED:
            return True
        final = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.TOO_MANY_REQUESTS
        if not pause or (final and not answer.headers.get("Retry-After")):
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
            post(self.env, done, (0,))  # once: GitHub takes 500 an hour, nobody waits for these
        return done, True

    def tell(self, image: Image, told: list[str], text: str) -> None:
        """Log that an image waits, and post it the first time."""
        say(f"waiting {image}: {text}")
        if not (told or self.whole):
            post(self.env, Result(image, "pending", one_line(text)), (0,))
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
        wish = env.get("PARALLEL", "")
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
