"""A run that the runner ends: SIGINT to the step's shell alone, then SIGTERM, then kill -9.

https://github.com/actions/runner: 7.5 s pass after SIGINT, and 2.5 s after SIGTERM.
"""

import errno
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mirror_fronts import before, left_to_skopeo
from registry_fixture import BASH, COPY, World, registries, world

from bot.workflow.mirror import ending
from bot.workflow.mirror import main as main_module

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@contextmanager
def step(world: World, images: str, **env: str) -> "Iterator[subprocess.Popen[str]]":
    """The step as the runner starts it. A shell's job in the background ignores SIGINT."""
    (world.directory / "image.list").write_text(images)
    (world.directory / "event.json").write_text(json.dumps({"before": "0" * 40}))
    (world.directory / "temp").mkdir()
    given = world.environment() | {"RUNNER_TEMP": str(world.directory / "temp")} | env
    with subprocess.Popen(
        [*BASH, COPY["run"]],
        cwd=world.directory,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_that_is_stopped_leaves_no_login_no_upload_and_no_child(
    world: World, number: signal.Signals
) -> None:
    held, odd = f"docker.io/wei/held-{number}", f"docker.io/wei/odd-{number}"
    for name in (held, odd):
        world.seed(name, platforms=("amd64",))
    left_to_skopeo(world)
    sending, cancelled = threading.Event(), threading.Event()

    def holds(method: str, path: str) -> tuple[int, bytes] | None:
        upload = f"/{held}/blobs/uploads/" in path
        if upload and method == "DELETE":
            cancelled.set()
        if upload and method == "PUT":
            sending.set()
            cancelled.wait(90)
            return 404, b""
        return None

    pipe, skopeo = world.directory / "started", world.directory / "bin" / "skopeo"
    os.mkfifo(pipe)
    skopeo.write_text(f"#!/bin/sh\necho $$ > {pipe}\nexec sleep 600\n")
    with before(f"http://{world.target.address}", holds) as front:
        host = front.address.partition("://")[2]
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"]) | {host: front.address}
        given = {"HARBOR_HOST": host, "REGISTRY_ADDRESSES": json.dumps(addresses)}
        with step(world, f"{held}:1\n{odd}:1\n", **given) as process:
            child = int(pipe.read_text())
            assert sending.wait(90)
            assert list((world.directory / "temp").glob("*/*/auth.json"))
            posted = list(world.github.statuses)
            process.send_signal(number)
            for _ in range(2):
                process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=90)
    assert process.returncode == 130, said
    assert said.endswith("stopped by a signal\n")
    assert not list((world.directory / "temp").iterdir())
    assert front.of("DELETE", "/blobs/uploads/") >= 1
    assert gone(child)
    assert world.github.statuses == posted, said


def gone(child: int) -> bool:
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_the_end_of_a_run_is_shorter_than_the_runner_waits() -> None:
    assert main_module.SIGNAL_SECONDS + ending.CANCEL_SECONDS < 7.5 - 2


def test_a_target_that_is_silent_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "CANCEL_SECONDS", 0.1)
    answered = threading.Event()
    with ending.upload(lambda: answered.wait(90)):
        ending.cancel_uploads()
        assert not answered.is_set()
    answered.set()


def test_nothing_begins_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    monkeypatch.setattr(ending, "_STOPPED", stopped)
    ending.kill_children()
    with pytest.raises(OSError, match="over"), ending.child(["true"], {}):
        pass


class ExitedError(Exception):
    """What ends a test in place of its process."""


@pytest.mark.parametrize("number", SIGNALS)
def test_after_a_signal_no_login_stays_also_while_something_else_writes(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signalled(_env: object, folder: Path) -> int:
        (folder / "auth.json").touch()
        (folder / "a").mkdir()
        signal.raise_signal(number)
        return 0

    def rmdir(path: str, **_more: object) -> None:
        signal.raise_signal(number)  # another one, while the folder is removed
        raise OSError(errno.ENOTEMPTY, "written meanwhile", path)

    def leave(code: int) -> None:
        raise ExitedError(code)

    before = [signal.getsignal(each) for each in SIGNALS]
    monkeypatch.setattr(ending, "_STOPPED", threading.Event())
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setattr(main_module, "carried_out", signalled)
    monkeypatch.setattr(os, "_exit", leave)
    try:
        with monkeypatch.context() as full:
            full.setattr(os, "rmdir", rmdir)
            with pytest.raises(ExitedError, match="130"):
                main_module.main()
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)
    assert not list(tmp_path.glob("*/auth.json"))
