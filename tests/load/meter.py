"""What is measured under load, and how.

**Stored**: watch_offset.py, a process of its own, reads the stored offset of Telegram's updates
every millisecond. It sees only committed transactions, so a message counts as stored when it
would survive a power cut. Several updates between two reads get the later time.
**Calls** are counted in front of the sandbox's servers.
**Memory and files** come from /proc of the bot's process.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox_process import children
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.lifetime import tied

_WATCH = Path(__file__).with_name("watch_offset.py")
LOWER = 10
"""The niceness of everything but the bot."""
_NUMBERS = re.compile(r"/[0-9a-f]{40}(?=/|$)|/\d+(?=/|$)")
_TOKEN = re.compile(r"/bot[^/]+/")


class StoredTimes:
    """When the database had each update, by time.monotonic."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._seen: list[tuple[int, float]] = []

    def __enter__(self) -> Self:
        command = tied([sys.executable, str(_WATCH), str(self._database)])
        self._told = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._told)
        with suppress(PermissionError):  # it inherits our niceness, but must not be late
            os.setpriority(os.PRIO_PROCESS, self._process.pid, 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._read()
        self._told.close()

    def of(self, update: int) -> float | None:
        self._read()
        return next((at for stored, at in self._seen if stored >= update), None)

    def last(self) -> int:
        self._read()
        return self._seen[-1][0] if self._seen else 0

    def _read(self) -> None:
        if self._told.closed:
            return
        told = os.pread(self._told.fileno(), 1 << 24, 0).decode()
        lines = (line.split() for line in told.splitlines(keepends=True) if line.endswith("\n"))
        self._seen = [(int(offset), float(at)) for offset, at in lines]


class Calls:
    """Counts the requests to the sandbox's servers. See bot.sandbox.world.Watch."""

    def __init__(self) -> None:
        self.made: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str, int]] = Counter()
        self.unchanged: Counter[str] = Counter()  # answered 304, which no limit counts
        self.commits: list[float] = []
        self.owner = ""

    def watch(self, name: str, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._note(name, scope, message["status"])
                await send(message)

            await app(scope, receive, noted)

        return counted

    def _note(self, name: str, scope: Scope, status: int) -> None:
        who = name if name == "telegram" or self._is_owner(scope) else "runner"
        what = f"{scope['method']} {_kind(scope['path'])}"
        self.made[who, what] += 1
        if status >= 400:
            self.refused[who, status] += 1
        self.unchanged[who] += status == 304
        if what == "PUT /contents/image.list" and status < 300:
            self.commits.append(time.monotonic())

    def _is_owner(self, scope: Scope) -> bool:
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        return bool(self.owner) and sent.endswith(self.owner)

    def clear(self) -> None:
        """Forget the calls of the setup."""
        for counts in (self.made, self.refused, self.unchanged, self.commits):
            counts.clear()

    def of(self, who: str) -> dict[str, int]:
        return {what: count for (by, what), count in self.made.most_common() if by == who}


def _kind(path: str) -> str:
    path = _NUMBERS.sub("/N", _TOKEN.sub("/", path))
    for front in ("/telegram", "/github/repos/example/mirror", "/github"):
        path = path.removeprefix(front)
    return path


def bot_process() -> int:
    """Return the bot's process id: the child of this process that runs `imageto-bot run`."""
    for child in children(os.getpid()):
        if "run" in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
            return child
    raise AssertionError("the bot does not run")


def give_way_to_bot() -> None:
    """Renice all but the bot: the rest stands for other machines and must not take its CPU time."""
    bot = bot_process()
    for process in (os.getpid(), *children(os.getpid())):
        if process != bot:
            os.setpriority(os.PRIO_PROCESS, process, LOWER)


@dataclass(frozen=True)
class Sample:
    """One sample of a process: memory in MB, open file descriptors, CPU time in seconds."""

    rss: float
    peak: float
    files: int
    processor: float


def sample(pid: int) -> Sample:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return Sample(_megabytes(status, "VmRSS"), _megabytes(status, "VmHWM"), files, seconds)


def _megabytes(status: Mapping[str, str], name: str) -> float:
    return int(status[name].split()[0]) / 1024


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
