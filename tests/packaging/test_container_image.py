"""The image: built by buildah on a base that debootstrap makes, and run with nothing but its data.

The base of a release lies at Docker Hub. This one has Debian's Python instead, which shows that the
Dockerfile needs nothing else of it. The wheels are those of requirements.lock.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from debian import ROOT, done, ended, free_port, need
from test_cli import TOKENS, config

pytestmark = pytest.mark.packaging
SECONDS = 90
NOBODY = 10001


@dataclass(frozen=True)
class Image:
    """What was built: its config, and its root as a folder."""

    config: dict[str, Any]
    root: Path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    need("debootstrap", "buildah", "runc")
    if os.geteuid() != 0:
        pytest.skip("only root can build an image here, so not tested")
    folder = tmp_path_factory.mktemp("image")
    try:
        yield _built(folder)
    finally:  # a gigabyte
        shutil.rmtree(folder)


def _built(folder: Path) -> Image:
    storage = ("--root", f"{folder}/storage", "--runroot", f"{folder}/run")
    buildah = ("buildah", *storage, "--storage-driver", "vfs")
    base = _base(folder / "base", buildah)
    wheels = _wheels(folder / "wheels", folder / "base")
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    done(
        *(*buildah, "build", "--isolation", "chroot", "--format", "docker", "--tag", "bot"),
        *("--build-arg", f"BASE={base}", "--volume", f"{wheels}:/wheels:ro"),
        *("--volume", f"{folder}/pip.conf:/etc/pip.conf:ro", ROOT),
    )
    made = done(*buildah, "from", "localhost/bot").split()[-1]
    found = json.loads(done(*buildah, "inspect", "--type", "image", "localhost/bot"))
    root = Path(done(*buildah, "mount", made).strip())  # a folder of the driver: no mount
    return Image(found["Docker"]["config"], root)


def _base(root: Path, buildah: tuple[str, ...]) -> str:
    packages = "--include=python3,python3-venv,ca-certificates"
    done("debootstrap", "--variant=minbase", packages, "bookworm", root)
    done("tar", "-C", root, "-cf", root.with_suffix(".tar"), ".")
    empty = done(*buildah, "from", "scratch").split()[-1]
    done(*buildah, "add", empty, root.with_suffix(".tar"), "/")
    done(*buildah, "commit", empty, "localhost/base")
    done(*buildah, "rm", empty)
    return "localhost/base"


def _wheels(folder: Path, base: Path) -> Path:
    """The wheels that the base's Python takes."""
    (python,) = (base / "usr/bin").glob("python3.[0-9][0-9]")
    done(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--python-version", python.name.removeprefix("python")),
        *("--requirement", ROOT / "requirements.lock", "--dest", folder),
    )
    return folder


@dataclass(frozen=True)
class Running:
    folder: Path
    name: str
    address: str
    process: "subprocess.Popen[str]"


@pytest.fixture
def running(image: Image, tmp_path: Path) -> Iterator[Running]:
    """The image as `docker run` of docs/operating.md runs it, and without any shell."""
    for shell in image.root.glob("usr/bin/*sh"):
        shell.unlink()
    port = free_port()
    (tmp_path / "config").mkdir()
    written = config(tmp_path / "config", database="/data/bot.sqlite3", http=f"127.0.0.1:{port}")
    written.chmod(0o644)
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", NOBODY, NOBODY)
    tmp_path.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps(_bundle(image, tmp_path)))
    name = f"imageto-bot-{os.getpid()}"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["runc", "run", "--bundle", str(tmp_path), name], stdout=log, stderr=log, text=True
        )
    yield Running(tmp_path, name, f"http://127.0.0.1:{port}", process)
    if process.poll() is None:
        ended(process, stop=("runc", "kill", name, "KILL"))


def _bundle(image: Image, folder: Path) -> dict[str, Any]:
    environment = [*image.config["Env"], "NO_PROXY=*", "IMAGETO_CONFIG=/config/config.yaml"]
    environment += [f"{name}={value}" for name, value in TOKENS.items()]
    nothing: list[str] = []
    return {
        "ociVersion": "1.0.0",
        "root": {"path": str(image.root), "readonly": True},
        "process": {
            "user": {"uid": NOBODY, "gid": NOBODY},
            "args": [*image.config["Entrypoint"], *image.config["Cmd"]],
            "env": environment,
            "cwd": image.config["WorkingDir"],
            "noNewPrivileges": True,
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), nothing),
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"]},  # noqa: S108 - in the container
            *(
                {"destination": f"/{name}", "source": f"{folder}/{name}", "type": "bind"}
                | {"options": ["rbind", access]}
                for name, access in (("data", "rw"), ("config", "ro"))
            ),
        ],
        "linux": {"namespaces": [{"type": each} for each in ("pid", "mount", "ipc", "uts")]},
    }


def test_the_image_says_who_it_is_and_starts_without_a_shell(image: Image) -> None:
    assert image.config["User"] == f"{NOBODY}:{NOBODY}"
    for key in ("Entrypoint", "Cmd"):
        assert image.config[key][0] not in {"/bin/sh", "sh"}
    assert image.config["Healthcheck"]["Test"] == [
        *("CMD", "python", "-m", "bot", "check", "--alive"),
    ]
    assert (image.root / "data").stat().st_uid == NOBODY


def test_the_image_runs_with_a_read_only_root_and_no_rights(running: Running) -> None:
    deadline = time.monotonic() + SECONDS
    while (said := _status(running, "/healthz")) != (200, "ok\n"):
        assert running.process.poll() is None, (running.folder / "log").read_text()
        assert time.monotonic() < deadline, (said, (running.folder / "log").read_text())
        time.sleep(0.2)
    status, said = _status(running, "/readyz")
    assert status == 503
    silent = "{}: no answer for 3 minutes. The log says why"
    assert set(said.splitlines()) == {silent.format(each) for each in ("telegram", "github")}
    checked = subprocess.run(
        ["runc", "exec", running.name, "python", "-m", "bot", "check", "--alive"],
        capture_output=True,
        text=True,
        check=False,
    )
    never = "FAILED: last answer from {}: never; read the log of the bot"
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [never.format(each) for each in ("Telegram", "GitHub")]
    assert ended(running.process, stop=("runc", "kill", running.name, "TERM")) == 0
    assert " INFO bot.app: stopping" in (running.folder / "log").read_text()
    (database,) = (running.folder / "data").glob("*.sqlite3")
    assert (database.stat().st_uid, database.stat().st_mode & 0o777) == (NOBODY, 0o600)


def _status(running: Running, page: str) -> tuple[int, str]:
    try:
        answer = httpx.get(f"{running.address}{page}", trust_env=False)
    except httpx.TransportError as error:
        return 0, str(error)
    return answer.status_code, answer.text
