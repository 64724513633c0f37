"""Tools of Debian that only these tests need. `make packaging` installs them where it can."""

import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def need(*tools: str) -> None:
    """Skip the test, with words, where a tool is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not on this machine, so not tested here: {', '.join(missing)}")


def done(*command: str | Path, input_text: str | None = None) -> str:
    """Run a command that has to succeed. Return what it says."""
    ran = subprocess.run(
        list(map(str, command)), input=input_text, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, (command, ran.stdout[-2000:], ran.stderr[-2000:])
    return ran.stdout + ran.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def ended(process: "subprocess.Popen[str]", *, stop: Sequence[str] = ()) -> int:
    """Stop a process that was started here, by a command or by SIGTERM. Return its exit code."""
    if stop:
        subprocess.run(stop, check=False, capture_output=True)
    else:
        process.terminate()
    try:
        return process.wait(timeout=90)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
