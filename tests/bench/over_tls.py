"""The workflow over TLS with tokens, on lines with a round trip and on lines that break.

Each registry and each token server is behind a front that counts connections and bytes, and behind
a slow link. Connections, requests, refusals and bytes are exact whatever else the machine does, so
the bars are about those. Seconds are shown with the load average. skopeo copies image by image, as
a loop over a list does.
"""

import base64
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from own_images import Image, Recipe, big, publish, tiny
from registry_fixture import (
    BASH,
    COPY,
    PASSWORD,
    USER,
    Registry,
    World,
    github_server,
    install,
    registry,
)
from report import Row, below
from sites import Link, line
from tls_world import Certificates, Side, front
from token_registry import Signer, token_registry, token_server

MB = 1_000_000
CUT = 8 << 20
LIMIT = 600  # seconds for one run
WORKFLOW, SKOPEO = "this workflow", "skopeo copy --all"
COLUMNS = (
    *("work, round trip", "way", "s", "CPU s", "peak MB", "connections", "requests", "401"),
    *("GETs of manifests at the source", "MB from source", "MB to target", "all there"),
)


@dataclass(frozen=True)
class Work:
    """`images` are copied, where `held` is what the target has before. `cut` names a direction."""

    title: str
    images: Sequence[Image]
    milliseconds: float = 50
    held: bool = False
    cut: str = ""
    ways: tuple[str, ...] = (WORKFLOW,)

    @property
    def name(self) -> str:
        return f"{self.title}, {self.milliseconds:g} ms"


@dataclass(frozen=True)
class Run:
    wall: float
    processor: float
    peak: float
    connections: int
    requests: int
    refused: int
    gets: int
    down: float
    up: float
    whole: bool


@dataclass
class Bench:
    """What all runs share."""

    folder: Path
    source: Registry
    signer: Signer
    certificates: Certificates

    @contextmanager
    def sides(self, place: Path, work: Work) -> Iterator[tuple[list[Side], list[str]]]:
        """Both registries, and their addresses behind the links."""
        tls = {
            "certificate": str(self.certificates.certificate),
            "key": str(self.certificates.key),
        }
        with ExitStack() as stack:
            sides, addresses = [], []
            held = place / "held" if work.held else None
            if held:
                shutil.copytree(self.source.data, held)
            for name, data in (("source", self.source.data), ("target", held)):
                tokens = stack.enter_context(token_server(self.signer, self.certificates.context()))
                far = stack.enter_context(front(tokens.realm.partition("/service")[0]))
                near = stack.enter_context(line(far.address, Link(work.milliseconds)))
                tokens.realm = f"https://{near}/service/token"
                made = stack.enter_context(token_registry(place / name, tokens, data, tls))
                plain = stack.enter_context(
                    registry(place / f"{name}-plain", data=data or place / name / "data")
                )
                door = stack.enter_context(front(made.address))
                if work.cut:
                    limited = {"source": "down", "target": "up"}[name]
                    door.limit = {limited: CUT} if name in work.cut.split() else {}
                sides.append(Side(made, tokens, door, far, plain))
                addresses.append(stack.enter_context(line(door.address, Link(work.milliseconds))))
            yield sides, addresses

    def run(self, work: Work, way: str) -> Run:
        place = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        with self.sides(place, work) as (sides, addresses), github_server() as github:
            world = World(self.source, sides[1].registry, github, place)
            install(place)
            command, env = WAYS[way](work, place, addresses)
            given = world.environment() | {"SSL_CERT_FILE": str(self.certificates.authority)} | env
            (place / "bin").mkdir()
            (place / "bin" / "skopeo").symlink_to(shutil.which("skopeo") or "skopeo")
            began = time.monotonic()
            process = subprocess.Popen(
                command, cwd=place, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
            wall = time.monotonic() - began
            asked = [side.logged() for side in sides]
            storage = place / "held" if work.held else place / "target" / "data"
            run = Run(
                wall,
                used.ru_utime + used.ru_stime,
                used.ru_maxrss * 1024 / MB,
                sum(side.front.connections for side in sides),
                sum(map(len, asked)),
                sum(status == 401 for each in asked for _, _, status in each),
                sum(m == "GET" and "/manifests/" in path for m, path, _ in asked[0]),
                sides[0].front.bytes["down"] / MB,
                sides[1].front.bytes["up"] / MB,
                all(_named(storage, image) == image.digest for image in work.images),
            )
        shutil.rmtree(place)
        return run


def _named(storage: Path, image: Image) -> str:
    """Return the digest that the registry's own files name."""
    tags = f"docker/registry/v2/repositories/{image.repository}/_manifests/tags/{image.tag}"
    link = storage / tags / "current" / "link"
    return link.read_text() if link.exists() else ""


Way = Callable[[Work, Path, list[str]], tuple[list[str], dict[str, str]]]


def by_workflow(work: Work, place: Path, addresses: list[str]) -> tuple[list[str], dict[str, str]]:
    (place / "image.list").write_text("".join(f"{image.name}\n" for image in work.images))
    (place / "event.json").write_text(json.dumps({"before": "0" * 40}))
    source, target = addresses
    whole = {"GITHUB_EVENT_NAME": "workflow_dispatch"} if work.held else {}
    return [*BASH, COPY["run"]], {
        "HARBOR_HOST": target,
        "REGISTRY_ADDRESSES": json.dumps({"docker.io": f"https://{source}/docker.io"}),
        "MIRROR_SOURCE_AUTH": json.dumps({"auths": {source: {"auth": _login()}}}),
        "PATIENCE": "80",
        **whole,
    }


def by_skopeo(work: Work, place: Path, addresses: list[str]) -> tuple[list[str], dict[str, str]]:
    auth = place / "auth.json"
    auth.write_text(json.dumps({"auths": {each: {"auth": _login()} for each in addresses}}))
    names = [f"{image.repository}:{image.tag}" for image in work.images]
    source, target = addresses
    (place / "names").write_text("".join(f"{name}\n" for name in names))
    copy = "skopeo copy --all --preserve-digests --retry-times=3 --quiet"
    loop = f'while read -r n; do {copy} "docker://{source}/$n" "docker://{target}/$n"; done < names'
    return ["bash", "-c", loop], {"REGISTRY_AUTH_FILE": str(auth)}


WAYS: dict[str, Way] = {WORKFLOW: by_workflow, SKOPEO: by_skopeo}


def _login() -> str:
    return base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def layer(size: int) -> list[Recipe]:
    """One image of one large layer."""
    return [Recipe("docker.io/library/large", "1", {"amd64": (("large", size),)})]


def works(source: Registry, *, small: bool = False) -> list[Work]:
    """All rows. With `small`, the same with little in it, for a test."""
    unit, few, large = (1000, 4, 40 * MB) if small else (240_000, 500, 105 * MB)
    images = publish(source.address, big(unit))
    listed = publish(source.address, tiny(range(few)))
    one = publish(source.address, layer(large))
    both = (WORKFLOW,) if small else (WORKFLOW, SKOPEO)
    return [
        Work("1 tiny image", listed[:1], ways=both),
        Work("20 images", images, ways=both),
        Work("100 tiny new", listed[:100]),
        Work(f"{few} unchanged", listed, held=True),
        Work(f"{few} unchanged", listed, 0, held=True),
        Work("a large layer, the source cuts each 8 MB", one, cut="source", ways=both),
        Work("a large layer, both cut each 8 MB", one, cut="source target"),
    ]


def measured(folder: Path, runs: int, *, small: bool = False) -> list[tuple[Work, str, list[Run]]]:
    signer, certificates = Signer.made(folder), Certificates.made(folder)
    with registry(folder / "source") as source:
        bench = Bench(folder, source, signer, certificates)
        pairs = [(work, way) for work in works(source, small=small) for way in work.ways]
        return [(work, way, [bench.run(work, way) for _ in range(runs)]) for work, way in pairs]


def lines(found: Sequence[tuple[Work, str, list[Run]]]) -> list[list[str]]:
    def shown(work: Work, way: str, runs: list[Run]) -> list[str]:
        middle = [
            statistics.median(getattr(run, name) for run in runs)
            for name in ("wall", "processor", "peak", "connections", "requests", "refused", "gets")
        ]
        moved = [statistics.median(getattr(run, name) for run in runs) for name in ("down", "up")]
        whole = "yes" if all(run.whole for run in runs) else "**no**"
        numbers = [f"{middle[0]:.2f}", f"{middle[1]:.2f}", *(f"{n:.0f}" for n in middle[2:])]
        return [work.name, way, *numbers, *(f"{n:.1f}" for n in moved), whole]

    return [shown(*each) for each in found]


def bars(found: Sequence[tuple[Work, str, list[Run]]]) -> list[Row]:
    rows = []
    for work, way, runs in found:
        if way != WORKFLOW:
            continue
        run = max(runs, key=lambda each: each.requests)
        size = sum({d: n for image in work.images for d, n in image.blobs.items()}.values()) / MB
        rows.append(Row(f"all of it arrives: {work.name}", f"{run.whole}", "True", run.whole))
        if work.cut:
            over = 1.05 if work.cut == "source" else 1.3
            rows.append(
                below(f"… bytes to the target, of its size ({size:.1f} MB)", run.up / size, over)
            )
        else:
            rows.append(below("… refusals 401", run.refused, 5))
            rows.append(below("… connections", run.connections, 200))
        if work.held:
            rows.append(Row("… GETs of manifests at the source", str(run.gets), "0", run.gets == 0))
    return rows
