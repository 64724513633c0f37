"""Where a contender works: two registries, the slow links before them, and skopeo's config.

The source stays. The target is new for each run: empty, or with what a list had copied before. At
0 ms without a limit of bandwidth there is no link, and everybody talks to the registries directly.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from own_images import Image
from registry_fixture import PASSWORD, USER, Registry, registry

from bot.sandbox.lifetime import tied
from bot.sandbox.registry.confinement import environment, registries_conf

MEMORY, ROOM = Path("/dev/shm"), 2_000_000_000  # noqa: S108 - a folder of our own is made there
LINE = Path(__file__).with_name("slow_link.py")


@dataclass(frozen=True)
class Link:
    """How far away a registry is. Connections are cut after these bytes, and each `seconds`."""

    milliseconds: float = 0
    megabits: float = 0
    down: int = 0
    up: int = 0
    seconds: float = 0

    def __str__(self) -> str:
        limit = f", {self.megabits:g} Mbit/s" if self.megabits else ""
        return f"{self.milliseconds:g} ms{limit}"


@dataclass(frozen=True)
class Work:
    """`images` is the list, and a push adds `added` to it. Without any, the whole list is checked.

    `moving` is what the target lacks, `held` the storage of the target before.
    """

    title: str
    link: Link
    images: Sequence[Image]
    moving: Sequence[Image]
    added: Sequence[Image] = ()
    held: Path | None = None
    without: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.title}, {self.link}"


@dataclass(frozen=True)
class Site:
    """Addresses as a contender reaches them. `real` are the registries behind the links."""

    work: Work
    source: str
    target: str
    real: tuple[Registry, Registry]
    folder: Path
    env: dict[str, str]
    logins: tuple[tuple[str, ...], tuple[str, ...]] = ((), ("--user", f"{USER}:{PASSWORD}"))
    """Options of curl, for the source and for the target."""

    def places(self, image: Image) -> tuple[str, str]:
        """Return an image's source and target, without any mapping of names."""
        return f"{self.source}/{image.name}", f"{self.target}/{image.name}"


@contextlib.contextmanager
def storage() -> Iterator[Path]:
    """Make a folder for the registries, in memory where it fits, so that no disk is measured."""
    fits = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="imageto-bench-", dir=MEMORY if fits else None) as made:
        yield Path(made)


@contextlib.contextmanager
def site(work: Work, source: Registry, folder: Path) -> Iterator[Site]:
    """Make everything new but the source. `folder` is for the target, as `storage` yields it."""
    target_folder = folder / "target"
    target_folder.mkdir()
    place = Path(tempfile.mkdtemp(prefix="imageto-bench-"))
    try:
        if work.held is not None:
            shutil.copytree(work.held, target_folder / "data")
        with contextlib.ExitStack() as stack:
            target = stack.enter_context(registry(target_folder, (USER, PASSWORD)))
            near = [stack.enter_context(line(each.address, work.link)) for each in (source, target)]
            env = _environment(place, *near)
            yield Site(work, near[0], near[1], (source, target), place, env)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(target_folder)


@contextlib.contextmanager
def line(address: str, link: Link) -> Iterator[str]:
    if not (link.milliseconds or link.megabits):
        yield address
        return
    with counted(address, link) as (near, _):
        yield near


@contextlib.contextmanager
def counted(address: str, link: Link) -> Iterator[tuple[str, Callable[[], dict[str, int]]]]:
    """Yield a link's address, and what tells its connections and bytes so far."""
    numbers = (link.milliseconds, link.megabits, link.down, link.up, link.seconds)
    command = [sys.executable, str(LINE), address, *map(str, numbers)]
    with subprocess.Popen(tied(command), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        out = process.stdout

        def told() -> dict[str, int]:
            process.send_signal(signal.SIGUSR1)
            return dict(json.loads(out.readline()))

        try:
            yield f"127.0.0.1:{out.readline().strip()}", told
        finally:
            process.terminate()


def _environment(place: Path, source: str, target: str) -> dict[str, str]:
    home = place / "home"
    conf = home / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    text = registries_conf(known=("docker.io",), source=source, target=target, internet=False)
    conf.write_text(text)
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    auth = home / "config.json"
    auth.write_text(json.dumps({"auths": {target: {"auth": login}}}))
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "TMPDIR")}
    logins = {"REGISTRY_AUTH_FILE": str(auth), "DOCKER_CONFIG": str(home)}
    return kept | environment(home, internet=False) | logins
