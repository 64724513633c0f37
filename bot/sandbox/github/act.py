"""One run of the mirror workflow by act, on this machine, without containers.

It exists to keep act's command line, its files and its end in one place. Secrets go in by files
of mode 600, never by arguments; nothing that was started here outlives the call.
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
    """Everything one act process needs; `directory` is its own and holds the clone."""

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
    """Return the path of act, which its wheel puts beside the interpreter."""
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if found is None:
        raise ConfigError("act is not installed: pip install 'imageto-bot[sandbox]'")
    return found


async def run_act(act: str, job: Job) -> bool:
    """Run the workflow to its end and say whether it succeeded; when cancelled, end it."""
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
    """Read from act's log the steps with their conclusion, None while one is going on."""
    found: dict[str, str | None] = {}
    for line in log.splitlines():
        if begun := _BEGUN.search(line):
            found.setdefault(begun[1], None)
        elif (done := _DONE.search(line)) and done[2] in found:
            found[done[2]] = "success" if done[1] == "✅" else "failure"
    return list(found.items())


def _command(act: str, job: Job) -> list[str]:
    """JSON is YAML, and YAML files carry any value unchanged, which act's .env files do not."""
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
    """Return the variable that every process of this run, and no other, inherits."""
    return {"XDG_CACHE_HOME": str(job.directory / "cache")}


async def _record(process: asyncio.subprocess.Process, job: Job) -> None:
    """Write the log line by line, so that a secret cut in two cannot slip past the mask."""
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
    """Ask act to stop (it ends its steps), then end what is left of the run, by pid."""
    reading = asyncio.create_task(_drain(process))
    await stop(process, grace=_GRACE)
    for pid in await asyncio.to_thread(_pids, job):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reading, _GRACE)
    await asyncio.to_thread(_tidy, job)


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read to the pipe's end: before it asyncio neither says that act ended nor closes the pipe."""
    while process.stdout is not None and await process.stdout.read(_CHUNK):
        pass


def _pids(job: Job) -> list[int]:
    """Find the processes of this run: act's steps are sessions of their own, so not by group."""
    mark = "".join(f"{name}={value}" for name, value in _mark(job).items()).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def _tidy(job: Job) -> None:
    """Leave the log alone: the clone is the repository again, the files held secrets."""
    for name in ("clone", "cache"):
        shutil.rmtree(job.directory / name, ignore_errors=True)
    for name in ("secrets.yml", "variables.yml", "environment.yml", "event.json"):
        (job.directory / name).unlink(missing_ok=True)
