"""A runner's surroundings for the tests of the workflow: two real registries and a small GitHub.

It uses no server of the sandbox: the workflow must not be judged by the bot's own servers. Images
are laid into the registries' folders, which costs a tenth of pushing them. Test files import its
two fixtures by name.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import bcrypt
import httpx
import pytest
import yaml

from bot.sandbox.registry.storage import Storage
from bot.workflow import shipped

WORKFLOW = yaml.safe_load(shipped.workflow("main", "image.list"))
CHECK, COPY = WORKFLOW["jobs"]["mirror"]["steps"][-2:]
"""The two steps of mirror.yml that run a script. They are run here as they are shipped."""
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""How a runner starts the script of a step with `shell: bash`."""
USER, PASSWORD = "robot$mirror", "s3cret-of-the-target"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
SHA, RUN = "a" * 40, "318"
KEY = "5e" * 32
KEY_ID = hashlib.sha256(bytes.fromhex(KEY)).hexdigest()[:12]
POLICY: dict[str, Any] = {
    "registries": ["docker.io", "ghcr.io", "gcr.io", "quay.io", "example.com:5000"],
    "rules": [],
    "floating": [],
}
"""No rule: a person would be asked about each image, so lines written by hand are copied."""
SKOPEO = """#!/bin/sh
{ printf '%s ' "$@"; echo; cat /proc/$$/environ | tr '\\0' '\\n'; } >> "$HOME/skopeo.log"
exec REAL "$@"
"""
BLOCKED = "".join(
    f'[[registry]]\nprefix = "{name}"\nlocation = "127.0.0.1:9"\nblocked = true\n'
    for name in ("docker.io", "ghcr.io", "gcr.io", "example.com:5000")
)


# Shared: creating a client loads the authorities, which takes longer than a request here.
CLIENT = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Registry:
    """A docker-registry process. `log` is its access log, and `data` the folder of its images."""

    address: str
    log: Path
    data: Path
    auth: tuple[str, str] | None = None

    def head(self, name: str, reference: str) -> str | None:
        answer = CLIENT.head(
            f"http://{self.address}/v2/{name}/manifests/{reference}",
            headers={"Accept": f"{INDEX}, {MANIFEST}, {DOCKER_MANIFEST}"},
            auth=self.auth,
        )
        return answer.headers["Docker-Content-Digest"] if answer.is_success else None

    def logged(self, pattern: str, times: int, since: int = 0) -> list[str]:
        """Wait for a match of the pattern: the access log is written after the answer."""
        found: list[str] = []
        for _ in range(1800):
            found = re.findall(pattern, self.log.read_bytes()[since:].decode())
            if len(found) >= times:
                break
            time.sleep(0.05)
        return found

    def put(self, name: str, reference: str, manifest: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(manifest).encode()
        Storage(self.data).manifest(name, body, (reference,) if reference else ())
        return {"mediaType": manifest["mediaType"], "digest": digest_of(body), "size": len(body)}

    def blob(self, name: str, kind: str, body: bytes) -> dict[str, Any]:
        Storage(self.data).blob(name, body)
        return {"mediaType": kind, "digest": digest_of(body), "size": len(body)}


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@contextmanager
def registry(
    directory: Path, auth: tuple[str, str] | None = None, data: Path | None = None
) -> Iterator[Registry]:
    """Run a registry with a login, if any. `data` may be that of another one."""
    directory.mkdir(exist_ok=True)
    checks = {}
    if auth is not None:
        passwords = directory / "passwords"
        hashed = bcrypt.hashpw(auth[1].encode(), bcrypt.gensalt(4)).decode()
        passwords.write_text(f"{auth[0]}:{hashed}\n")
        checks = {"htpasswd": {"realm": "test", "path": str(passwords)}}
    data = data or directory / "data"
    with running(directory, data, checks) as address:
        yield Registry(address, directory / "log", data, auth)


@contextmanager
def running(
    directory: Path,
    data: Path,
    auth: dict[str, dict[str, str]],
    tls: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run a docker-registry with its config and log in the directory. Yield its address.

    `tls` are its certificate and its key, by the names of its config.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"delete": {"enabled": True}, "filesystem": {"rootdirectory": str(data)}},
        "http": {"addr": address, **({"tls": dict(tls)} if tls else {})},
        **({"auth": auth} if auth else {}),
    }
    (directory / "config.yml").write_text(json.dumps(config))  # JSON is also YAML
    log = directory / "log"
    with log.open("wb") as out:
        command = ["docker-registry", "serve", str(directory / "config.yml")]
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait(90)


def wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    for _ in range(1800):
        try:
            socket.create_connection((host, int(port)), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(address)


@dataclass
class GitHub:
    """The endpoints that the script uses. It keeps statuses, and the list as of earlier commits."""

    address: str = ""
    sha: str = SHA
    statuses: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket.listen(128)
    server.daemon_threads = True  # a kept connection may still be open
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.socket.listen(256)  # many connections at once
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Quiet(BaseHTTPRequestHandler):
    """A handler that sends one answer per request and writes no log. `reply` makes the answer."""

    def reply(self) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.reply()

    do_HEAD = do_POST = do_GET  # noqa: N815 - the standard library's names

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def sends_on(elsewhere: str) -> type[Quiet]:
    """A registry that asks for a login and then redirects, like those behind a CDN."""

    class SendsOn(Quiet):
        def reply(self) -> None:
            if self.headers["Authorization"] is None:
                self.answer(401, WWW_Authenticate='Basic realm="r"')
            else:
                self.answer(307, Location=f"{elsewhere}{self.path}")

    return SendsOn


@contextmanager
def github_server() -> Iterator[GitHub]:
    github = GitHub()

    class Handler(Quiet):
        def reply(self) -> None:
            if self.command == "POST":
                self.post_status()
                return
            url = urlsplit(self.path)
            old = github.lists.get(parse_qs(url.query).get("ref", [""])[0])
            good = url.path == "/repos/wei/mirror/contents/image.list" and old is not None
            self.answer(200 if good else 404, (old or "").encode())

        def post_status(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if github.refusals:
                self.answer(github.refusals.pop(), Retry_After="0")
            elif self.path != f"/repos/wei/mirror/statuses/{github.sha}":
                self.answer(422)
            elif self.headers["Authorization"] != "Bearer token-of-the-run":
                self.answer(401)
            else:
                github.statuses.append(body)
                self.answer(201, b"{}")

    with serving(Handler) as github.address:
        yield github


@dataclass
class Ran:
    """The output and the effects of one run."""

    code: int
    output: str
    summary: str
    statuses: dict[str, dict[str, Any]]
    skopeo: str
    posted: list[dict[str, Any]]

    def says(self, image: str) -> str:
        status = self.statuses[f"mirror/{image}"]
        return f"{status['state']}: {status['description']}"


def install(folder: Path) -> None:
    """Write the workflow's files as `setup` does."""
    for path, content in shipped.files("main", "image.list", key_id=KEY_ID).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@dataclass
class World:
    """Everything around one run: registries, GitHub, environment."""

    source: Registry
    target: Registry
    github: GitHub
    directory: Path

    def environment(self) -> dict[str, str]:
        names = ("docker.io", "ghcr.io", "example.com:5000")
        addresses = {
            name: f"http://{self.source.address}/{name.replace(':', '_')}" for name in names
        }
        nowhere = "http://127.0.0.1:9"
        return {
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "https_proxy": nowhere,
            "http_proxy": nowhere,
            "no_proxy": "127.0.0.1",
            "HARBOR_HOST": self.target.address,
            "HARBOR_PREFIX": "",
            "NAMING": "",
            "MIRROR_USER": USER,
            "MIRROR_PASSWORD": PASSWORD,
            "MIRROR_SOURCE_AUTH": "",
            "REGISTRY_ADDRESSES": json.dumps(
                {**addresses, self.target.address: f"http://{self.target.address}"}
            ),
            "LIST": "image.list",
            "POLICY": json.dumps(POLICY),
            "DECISION_KEY": KEY,
            "DECISION_KEY_ID": KEY_ID,
            "PARALLEL": "",
            "PATIENCE": "0",
            "GITHUB_TOKEN": "token-of-the-run",
            "GITHUB_API_URL": self.github.address,
            "GITHUB_SERVER_URL": "http://github.test",
            "GITHUB_REPOSITORY": "wei/mirror",
            "GITHUB_RUN_ID": RUN,
            "GITHUB_ACTOR": "li",
            "GITHUB_SHA": SHA,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_EVENT_PATH": str(self.directory / "event.json"),
            "GITHUB_STEP_SUMMARY": str(self.directory / "summary.md"),
        }

    def run(self, text: str | None, event: dict[str, Any] | None = None, **env: str) -> Ran:
        if text is not None:
            self._write("image.list", text)
        self._write("event.json", json.dumps(event or {"before": "0" * 40}))
        done = subprocess.run(
            [*BASH, COPY["run"]],
            cwd=self.directory,
            env=self.environment() | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=90,
        )
        return self.left(done.returncode, done.stdout)

    def _write(self, name: str, text: str) -> None:
        """Write a file as a whole: another run may be reading it."""
        place = self.directory / f"{name}.{threading.get_ident()}"
        place.write_text(text, encoding="utf-8")
        place.replace(self.directory / name)

    def left(self, code: int, output: str) -> Ran:
        posted = list(self.github.statuses)
        statuses = {status["context"]: status for status in posted}
        self.github.statuses.clear()
        texts = []
        for name in ("summary.md", "skopeo.log"):
            path = self.directory / name
            texts.append(path.read_text(encoding="utf-8") if path.exists() else "")
            path.unlink(missing_ok=True)
        return Ran(code, output, texts[0], statuses, texts[1], posted)

    def seed(
        self,
        name: str,
        tag: str = "1",
        platforms: tuple[str, ...] = ("amd64", "arm64"),
        layer: bytes = b"",
    ) -> str:
        """Lay a small image into the source, over `layer` if any. Return its index's digest."""
        base = [layer] if layer else []
        children = []
        for platform in platforms:
            own = gzip.compress(f"{name}:{tag} {platform}".encode(), mtime=0)
            diffs = [digest_of(each) for each in (*base, gzip.decompress(own))]
            config = {
                "architecture": platform,
                "os": "linux",
                "rootfs": {"type": "layers", "diff_ids": diffs},
            }
            kinds = "application/vnd.oci.image.config.v1+json", f"{LAYER}+gzip"
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self.source.blob(name, kinds[0], json.dumps(config).encode()),
                "layers": [
                    *(self.source.blob(name, LAYER, each) for each in base),
                    self.source.blob(name, kinds[1], own),
                ],
            }
            pushed = self.source.put(name, "", manifest)
            children.append({**pushed, "platform": {"architecture": platform, "os": "linux"}})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
        return str(self.source.put(name, tag, index)["digest"])

    @staticmethod
    def get(registry: Registry, name: str, reference: str) -> bytes:
        url = f"http://{registry.address}/v2/{name}/manifests/{reference}"
        accept = {"Accept": f"{INDEX}, {MANIFEST}"}
        return CLIENT.get(url, headers=accept, auth=registry.auth).raise_for_status().content

    def size(self, registry: Registry, name: str, digest: str) -> int:
        """Sum the sizes of an index's blobs. No two platforms share a blob here."""
        total = 0
        for child in json.loads(self.get(registry, name, digest))["manifests"]:
            manifest = json.loads(self.get(registry, name, child["digest"]))
            total += sum(blob["size"] for blob in (manifest["config"], *manifest["layers"]))
        return total

    def asked_of_the_source(self, act: Callable[[], object]) -> list[str]:
        """Return the methods of the manifest requests that the source got during `act`."""
        before = len(self.source.log.read_bytes())
        act()
        log = self.source.log.read_bytes()[before:].decode()
        return re.findall(r'"(HEAD|GET) /v2/\S+/manifests/', log)


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, Registry]]:
    directory = tmp_path_factory.mktemp("registries")
    with (
        registry(directory / "source") as source,
        registry(directory / "target", (USER, PASSWORD)) as target,
    ):
        yield source, target


@pytest.fixture
def world(registries: tuple[Registry, Registry], tmp_path: Path) -> Iterator[World]:
    source, target = registries
    conf = tmp_path / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(BLOCKED)
    shim = tmp_path / "bin" / "skopeo"
    shim.parent.mkdir()
    shim.write_text(SKOPEO.replace("REAL", shutil.which("skopeo") or "skopeo"))
    shim.chmod(0o755)
    install(tmp_path)
    with github_server() as github:
        yield World(source, target, github, tmp_path)
