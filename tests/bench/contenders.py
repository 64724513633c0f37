"""The other ways to do the same work, each used as its own documentation says.

None of them knows which lines are new, so they get the whole list, as the original workflow did.
Their logins are written beforehand, which costs them nothing.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from measuring import NotDoneError, Spending, daemon
from registry_fixture import PASSWORD, USER
from sites import Site

_READY_SECONDS = 30.0


class Contender(Protocol):
    """One way to do the work."""

    name: str

    def missing(self) -> str:
        """Return why it cannot be measured here, or ""."""
        ...

    def opened(self, site: Site) -> contextlib.AbstractContextManager[Sequence[int]]:
        """Set up what is not measured. Yields the daemons that work for it all the time."""
        ...

    def go(self, site: Site, spending: Spending) -> None:
        """Do the work. Raises NotDoneError."""
        ...


class Loop:
    """The original loop: pull, tag and push of each line, on a machine without any image."""

    options: tuple[str, ...] = ("--quiet",)

    def __init__(self) -> None:
        self._client: tuple[str, ...] = ()

    def go(self, site: Site, spending: Spending) -> None:
        for image in site.work.images:
            there, here = site.places(image)
            spending.run(*self._client, "pull", *self.options, there)
            spending.run(*self._client, "tag", there, here)
            spending.run(*self._client, "push", *self.options, here)


class DockerLoop(Loop):
    name = "original loop (docker)"

    def missing(self) -> str:
        programs = [name for name in ("docker", "dockerd") if shutil.which(name) is None]
        if programs:
            return f"{' and '.join(programs)} not on PATH"
        return "" if os.geteuid() == 0 else "dockerd needs root"

    @contextlib.contextmanager
    def opened(self, site: Site) -> Iterator[Sequence[int]]:
        place = site.folder / "docker"
        place.mkdir()
        address = f"unix://{place}/socket"
        self._client = ("docker", "--host", address)
        command = ["dockerd", "--host", address, "--data-root", f"{place}/data"]
        command += ["--exec-root", f"{place}/exec", "--pidfile", f"{place}/pid"]
        command += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        with daemon(command, site.env, site.folder / "dockerd.log") as process:
            _until(lambda: _answers((*self._client, "version"), site.env), "dockerd")
            yield (process.pid,)


class PodmanLoop(Loop):
    """For machines where no docker daemon can be started."""

    name = "original loop (podman)"
    options = ("--quiet", "--tls-verify=false")

    def missing(self) -> str:
        return "" if shutil.which("podman") else "podman not on PATH"

    @contextlib.contextmanager
    def opened(self, site: Site) -> Iterator[Sequence[int]]:
        place = site.folder / "podman"
        folders = ("--root", f"{place}/data", "--runroot", f"{place}/run")
        self._client = ("podman", *folders, "--events-backend=none", "--cgroup-manager=cgroupfs")
        yield ()


class OnPath:
    """A program that needs no setup."""

    name = ""
    program = ""

    def missing(self) -> str:
        return "" if shutil.which(self.program) else f"{self.program} not on PATH"

    @contextlib.contextmanager
    def opened(self, site: Site) -> Iterator[Sequence[int]]:
        yield ()


class SkopeoCopy(OnPath):
    """`skopeo copy --all` of each line, one after another."""

    name, program = "skopeo copy --all", "skopeo"

    def go(self, site: Site, spending: Spending) -> None:
        options = ("--all", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false")
        for image in site.work.images:
            places = [f"docker://{place}" for place in site.places(image)]
            spending.run("skopeo", "copy", *options, *places)


class SkopeoSync(OnPath):
    """`skopeo sync` of the whole list. It finds out itself what the target has."""

    name, program = "skopeo sync", "skopeo"

    def go(self, site: Site, spending: Spending) -> None:
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for image in site.work.images:
            wanted[image.repository.removeprefix("docker.io/")].append(image.tag)
        listed = site.folder / "sync.yml"
        listed.write_text(json.dumps({"docker.io": {"tls-verify": False, "images": wanted}}))
        options = ("--all", "--scoped", "--keep-going", "--dest-tls-verify=false")
        places = ("--src=yaml", "--dest=docker", str(listed), site.target)
        spending.run("skopeo", "sync", *options, *places)


class Crane(OnPath):
    """`crane copy` of each line, one after another."""

    name, program = "crane copy", "crane"

    def go(self, site: Site, spending: Spending) -> None:
        for image in site.work.images:
            spending.run("crane", "copy", "--insecure", *site.places(image))


class Regsync(OnPath):
    """`regsync once` of the whole list."""

    name, program = "regsync once", "regsync"

    def go(self, site: Site, spending: Spending) -> None:
        login = {"registry": site.target, "user": USER, "pass": PASSWORD, "tls": "disabled"}
        pairs = [dict(zip(("source", "target"), site.places(i))) for i in site.work.images]  # noqa: B905 - two of two
        config = site.folder / "regsync.yml"
        config.write_text(
            json.dumps(
                {
                    "version": 1,
                    "creds": [{"registry": site.source, "tls": "disabled"}, login],
                    "sync": [{"type": "image", **pair} for pair in pairs],
                }
            )
        )
        spending.run("regsync", "once", "--config", str(config))


class ImageSyncer(OnPath):
    """`image-syncer` of the whole list, with its own default of parallel copies."""

    name, program = "image-syncer", "image-syncer"

    def go(self, site: Site, spending: Spending) -> None:
        logins, listed = site.folder / "auth.json", site.folder / "images.json"
        target = {"username": USER, "password": PASSWORD, "insecure": True}
        logins.write_text(json.dumps({site.source: {"insecure": True}, site.target: target}))
        listed.write_text(json.dumps(dict(site.places(image) for image in site.work.images)))
        spending.run("image-syncer", f"--auth={logins}", f"--images={listed}")


def _answers(command: Sequence[str], env: dict[str, str]) -> bool:
    return subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0


def _until(ready: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _READY_SECONDS
    while not ready():
        if time.monotonic() > until:
            raise NotDoneError(f"{what} did not start")
        time.sleep(0.1)
