"""The workflow over TLS with tokens, beside other ways, on lines with a round trip.

Both registries and their token servers are behind a link each, which counts connections and bytes.
The floor is curl: it knows in advance what the target lacks and has a token for all, and it sends
the same bytes over kept connections. Logins are written beforehand. Seconds and processor time are
those of a way's own processes, and its peak is the sum of the kernel's own peaks of the processes
that ran at a time. "left" is what stays at the target of uploads that never ended.
"""

import base64
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from comparing import note
from keeping_target import Target, keeping_target
from measuring import NotDoneError, Spending
from own_images import Image
from registry_fixture import BASH, COPY, PASSWORD, USER, Registry, World, github_server, install
from sites import Link, counted
from the_floor import Floor
from tls_world import Certificates
from token_registry import Signer, token_registry, token_server

MB = 1_000_000
SLOW = 10.0  # a way that takes longer is measured once
LIMIT = 400.0
ROOT = Path(__file__).parents[2]
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WORKFLOW, FLOOR, SKOPEO, EIGHT = (
    "this workflow",
    "floor (curl)",
    "skopeo copy",
    "skopeo copy, 8 at a time",
)
OTHERS = ("crane copy, 8 at a time", "regctl image copy, 8 at a time", "regsync once")
BEFORE = "the version before"


@dataclass(frozen=True)
class Work:
    """`images` are copied, where the folder `held` is what the target has before.

    With `whole`, all of a list is checked. `keeps`: the target is the one that keeps what arrived.
    """

    title: str
    images: Sequence[Image]
    data: Path
    source: Link
    target: Link
    held: Path | None = None
    whole: bool = False
    keeps: bool = False
    ways: tuple[str, ...] = (WORKFLOW,)
    runs: int = 99

    @property
    def name(self) -> str:
        same = str(self.source) == str(self.target)
        ms = f"{self.source}" if same else f"{self.source}, target {self.target}"
        return f"{self.title}, {ms}"

    @property
    def moving(self) -> Sequence[Image]:
        return () if self.whole else self.images

    @property
    def size(self) -> float:
        return sum({d: n for image in self.images for d, n in image.blobs.items()}.values()) / MB


@dataclass(frozen=True)
class Run:
    """What one run took. Sizes are in MB. `gets` and `puts` are of manifests."""

    wall: float
    processor: float
    peak: float
    connections: int
    requests: int
    refused: int
    gets: int
    puts: int
    down: float
    up: float
    left: float
    whole: bool


@dataclass
class Found:
    """What one way did on one work. Each number is the median of its runs."""

    work: Work
    contender: str
    measures: list[Run] = field(default_factory=list)
    failed: str = ""

    def of(self, what: str) -> float:
        return statistics.median(getattr(run, what) for run in self.measures)

    @property
    def wall(self) -> float:
        return self.of("wall")

    @property
    def whole(self) -> bool:
        return all(run.whole for run in self.measures)


@dataclass(frozen=True)
class Site:
    """A work, and where a way does it. `logins` are options of curl for both sides."""

    work: Work
    source: str
    target: str
    folder: Path
    logins: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        return [f"{image.repository}:{image.tag}" for image in self.work.images]


@dataclass
class Bench:
    """What all runs share."""

    folder: Path
    signer: Signer
    certificates: Certificates

    def measured(self, work: Work, way: str) -> tuple[Run, str]:
        """Do a work in one way. Returns what it took, and why it failed."""
        place = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        with self.sides(work, place) as sides, github_server() as github:
            world = World(sides.registries[0], sides.registries[-1], github, place)
            env = world.environment() | self._environment(work, place, sides.addresses)
            _install(place, way)
            spending, failed = Spending(env, limit=LIMIT), ""
            site = self._site(work, place, sides.addresses)
            try:
                with spending.measured():
                    WAYS[way](site, spending)
            except NotDoneError as why:
                failed = str(why)
            run = sides.run(work, spending, good=not failed)
        shutil.rmtree(place)
        return run, failed

    @contextmanager
    def sides(self, work: Work, place: Path) -> "Iterator[Sides]":
        own, held = Sides([], None, [], [], []), work.held
        if held and not work.whole:
            held = shutil.copytree(held, place / "held")
        with ExitStack() as stack:

            def link(address: str, by: Link, kept: list[Told]) -> str:
                near, told = stack.enter_context(counted(address, by))
                kept.append(told)
                return near

            def side(name: str, data: Path | None, by: Link) -> None:
                secret = self.certificates.context()
                tokens = stack.enter_context(token_server(self.signer, secret))
                server = tokens.realm.partition("//")[2].partition("/")[0]
                near = link(server, Link(by.milliseconds), own.beside)
                tokens.realm = f"https://{near}/service/token"
                made = token_registry(place / name, tokens, data, self._files)
                own.registries.append(stack.enter_context(made))
                own.addresses.append(link(own.registries[-1].address, by, own.told))

            side("source", work.data, work.source)
            if work.keeps:
                own.kept = stack.enter_context(keeping_target(LOGIN, self.certificates.context()))
                own.addresses.append(link(own.kept.address, work.target, own.told))
            else:
                side("target", held, work.target)
            yield own

    @property
    def _files(self) -> dict[str, str]:
        own = self.certificates
        return {"certificate": str(own.certificate), "key": str(own.key)}

    def _site(self, work: Work, place: Path, addresses: Sequence[str]) -> Site:
        token: tuple[str, ...] = ()
        if FLOOR in work.ways:
            scopes = {image.repository: frozenset({"pull", "push"}) for image in work.images}
            token = ("-H", f"Authorization: Bearer {self.signer.token(scopes)}")
        source, target = (f"https://{each}" for each in addresses)
        return Site(work, source, target, place, (token, token))

    def _environment(self, work: Work, place: Path, addresses: Sequence[str]) -> dict[str, str]:
        """What the ways read: the workflow its variables, and all others their files."""
        auths = json.dumps({"auths": {each: {"auth": LOGIN} for each in addresses}})
        (place / "config.json").write_text(auths)
        (place / "image.list").write_text("".join(f"{image.name}\n" for image in work.images))
        (place / "event.json").write_text(json.dumps({"before": "0" * 40}))
        source, target = addresses
        return {
            "SSL_CERT_FILE": str(self.certificates.authority),
            "REGISTRY_AUTH_FILE": str(place / "config.json"),
            "DOCKER_CONFIG": str(place),
            "HARBOR_HOST": target,
            "REGISTRY_ADDRESSES": json.dumps({"docker.io": f"https://{source}/docker.io"}),
            "MIRROR_SOURCE_AUTH": json.dumps({"auths": {source: {"auth": LOGIN}}}),
            "PATIENCE": "80",
            **({"GITHUB_EVENT_NAME": "workflow_dispatch"} if work.whole else {}),
        }


Told = Callable[[], dict[str, int]]


@dataclass
class Sides:
    """Both registries behind their links, and what tells of these and of the token servers'."""

    registries: list[Registry]
    kept: Target | None
    addresses: list[str]
    told: list[Told]
    beside: list[Told]

    def asked(self) -> list[list[tuple[str, str, int]]]:
        both = [_requests(each.log.read_text("utf-8")) for each in self.registries]
        return [*both, self.kept.asked] if self.kept else both

    def run(self, work: Work, spending: Spending, *, good: bool) -> Run:
        asked, told = self.asked(), [each() for each in self.told]
        beside = [each() for each in self.beside]
        target = self.kept or self.registries[1]
        puts = [path for m, path, _ in asked[1] if m == "PUT" and "/manifests/" in path]
        return Run(
            spending.wall,
            spending.processor,
            spending.peak / MB,
            sum(each["connections"] for each in (*told, *beside)),
            sum(map(len, asked)),
            sum(status == 401 for each in asked for _, _, status in each),
            sum(m == "GET" and "/manifests/" in path for m, path, _ in asked[0]),
            len(puts),
            told[0]["down"] / MB,
            told[1]["up"] / MB,
            _left(target) / MB,
            good and all(_named(target, image) == image.digest for image in work.images),
        )


def _requests(log: str) -> list[tuple[str, str, int]]:
    found = re.findall(r'"([A-Z]+) (/v2/\S*) HTTP/1.1" (\d+)', log)
    return [(method, path, int(status)) for method, path, status in found]


def _left(target: Target | Registry) -> int:
    if isinstance(target, Target):
        return target.left
    found = target.data.glob("docker/registry/v2/repositories/**/_uploads/*/data")
    return sum(path.stat().st_size for path in found)


def _named(target: Target | Registry, image: Image) -> str:
    """Return the digest that a tag names, by the registry's own files."""
    if isinstance(target, Target):
        return target.manifests.get(f"/v2/{image.repository}/manifests/{image.tag}", "")
    tags = f"docker/registry/v2/repositories/{image.repository}/_manifests/tags/{image.tag}"
    link = target.data / tags / "current" / "link"
    return link.read_text() if link.exists() else ""


Way = Callable[[Site, Spending], object]


def _install(place: Path, way: str) -> None:
    """Write the workflow's files and its script: as it ships now, or by the reference BEFORE."""
    (place / "bin").mkdir()
    if way != BEFORE:
        install(place)
        (place / "run").write_text(COPY["run"])
        return
    git = ["git", "-C", str(ROOT), "archive", os.environ["BEFORE"], "bot/__init__.py"]
    packed = subprocess.run([*git, "bot/workflow"], check=True, capture_output=True).stdout
    (place / "before").mkdir()
    subprocess.run(["tar", "-x", "-C", str(place / "before")], input=packed, check=True)
    subprocess.run([sys.executable, "-c", INSTALL], cwd=place, check=True)


INSTALL = """\
import sys, yaml, pathlib
sys.path.insert(0, "before")
from bot.workflow import shipped
for path, content in shipped.files("main", "image.list").items():
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_bytes(content)
job = yaml.safe_load(shipped.workflow("main", "image.list"))["jobs"]["mirror"]
pathlib.Path("run").write_text(job["steps"][-1]["run"])
"""


def by_workflow(site: Site, spending: Spending) -> None:
    script = (site.folder / "run").read_text()
    spending.run("env", "-C", str(site.folder), *BASH, script)


def _loop(command: str, at_a_time: int) -> Way:
    """Copy image by image. In the command, $S and $T stand for both sides, and $0 for the name."""

    def go(site: Site, spending: Spending) -> None:
        sides = (site.source.partition("//")[2], site.target.partition("//")[2])
        head = " ".join(f"{k}={shlex.quote(v)}" for k, v in zip("ST", sides, strict=True))
        each = f"xargs -P {at_a_time} -n 1 sh -c {shlex.quote(command)}"
        spending.run("sh", "-c", f"export {head}; {each}", given="\n".join(site.names).encode())

    return go


def by_regsync(site: Site, spending: Spending) -> None:
    sides = [each.partition("//")[2] for each in (site.source, site.target)]
    logins = [{"registry": each, "user": USER, "pass": PASSWORD} for each in sides]
    pairs = [
        {"type": "image", "source": f"{sides[0]}/{n}", "target": f"{sides[1]}/{n}"}
        for n in site.names
    ]
    told = {"version": 1, "creds": logins, "defaults": {"parallel": 16}, "sync": pairs}
    (site.folder / "regsync.yml").write_text(json.dumps(told))
    spending.run("regsync", "once", "--config", str(site.folder / "regsync.yml"))


_SKOPEO = (
    "skopeo copy --all --preserve-digests --retry-times=3 --quiet docker://$S/$0 docker://$T/$0"
)
WAYS: dict[str, Way] = {
    WORKFLOW: by_workflow,
    FLOOR: Floor().go,
    SKOPEO: _loop(_SKOPEO, 1),
    EIGHT: _loop(_SKOPEO, 8),
    OTHERS[0]: _loop("crane copy $S/$0 $T/$0", 8),
    OTHERS[1]: _loop("regctl image copy $S/$0 $T/$0", 8),
    OTHERS[2]: by_regsync,
    BEFORE: by_workflow,
}


def missing(way: str) -> str:
    """Return what a way needs that is not there, or ""."""
    if way == BEFORE:
        return "" if os.environ.get("BEFORE") else "BEFORE is not set"
    program = {FLOOR: "curl", WORKFLOW: "bash"}.get(way, way.partition(" ")[0])
    return "" if shutil.which(program) else f"{program} not on PATH"


def measured(folder: Path, works: Sequence[Work], runs: int) -> list[Found]:
    """Measure all ways of all works. Each round has each way once, so that noise hits all."""
    bench, found = Bench(folder, Signer.made(folder), Certificates.made(folder)), []
    for work in works:
        own = [Found(work, way) for way in work.ways if not missing(way)]
        for number in range(min(runs, work.runs)):
            for each in own:
                if each.failed or (number and each.wall > SLOW):
                    continue
                run, each.failed = bench.measured(work, each.contender)
                each.measures.append(run)
                note(f"{work.name}: {each.contender}: {run.wall:.2f} s {each.failed}")
        found += own
    return found
