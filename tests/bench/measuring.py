"""What one piece of work cost: wall time, CPU time, and peak memory.

CPU time is the kernel's: by wait4 for each command and all that it waited for, by /proc before
and after for a daemon. Memory is the sum of the kernel's own peaks of the processes that run at a
time, looked at when each command starts and twenty times a second. Shared pages count for each
process. Everything started here is ended here, by its id.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from bot.sandbox.lifetime import tied

LIMIT_SECONDS = 900.0
_LOOK = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


class NotDoneError(Exception):
    """A contender did not do its work. The text is the last line of its output."""


class Spending:
    """Starts commands and adds up their cost. `daemons` are processes that serve them."""

    def __init__(
        self, env: Mapping[str, str], daemons: Sequence[int] = (), limit: float = LIMIT_SECONDS
    ) -> None:
        self.env = dict(env)
        self.peak = 0
        self.wall = 0.0
        self._daemons = daemons
        self._limit = limit
        self._processor = 0.0
        self._lock = threading.Lock()
        self._running: dict[int, IO[bytes]] = {}
        self._over = threading.Event()
        self._late = False

    @property
    def processor(self) -> float:
        return self._processor

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        watching = threading.Thread(target=self._watch, name="memory")
        before, started = sum(map(_used, self._daemons)), time.monotonic()
        watching.start()
        try:
            yield
        except NotDoneError as failed:
            raise NotDoneError(self._too_late() or str(failed)) from failed
        finally:
            self.wall = self.wall or time.monotonic() - started
            self._processor += sum(map(_used, self._daemons)) - before
            self._over.set()
            watching.join()

    def _too_late(self) -> str:
        return f"took longer than {self._limit:g} s" if self._late else ""

    def charge(self, wall: float, processor: float) -> None:
        """Count these instead of the cost of the process that started the work."""
        self.wall, self._processor = wall, processor

    def run(self, *command: str, given: bytes = b"") -> bytes:
        """Run one command to its end and return its output."""
        with self.start(*command, out=subprocess.PIPE, given=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(given)
                process.stdin.close()
            said = process.stdout.read()
            self.wait(process, said)
        return said

    def start(
        self,
        *command: str,
        out: int = subprocess.DEVNULL,
        given: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command. Its stderr goes to a file, since an unread pipe would block it."""
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `wait`
        process = subprocess.Popen(
            command, env=self.env, stdin=given, stdout=out, stderr=complaints
        )
        with self._lock:
            self._running[process.pid] = complaints
        self.peak = max(self.peak, _peak(process.pid))
        return process

    def wait(self, process: subprocess.Popen[bytes], said: bytes = b"") -> None:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        with self._lock, self._running.pop(process.pid) as complaints:
            self._processor += used.ru_utime + used.ru_stime
            complaints.seek(0)
            said = complaints.read() or said
        if process.returncode:
            words = said.decode(errors="replace").strip().splitlines() or ["no words"]
            raise NotDoneError(f"{Path(str(process.args[0])).name}: {words[-1][:300]}")  # type: ignore[index]

    def _watch(self) -> None:
        until = time.monotonic() + self._limit
        while not self._over.wait(_LOOK):
            with self._lock:
                roots = [*self._running, *self._daemons]
            self.peak = max(self.peak, sum(map(_peak, _tree(roots))))
            if time.monotonic() > until and not self._late:
                self._late = True
                with self._lock:
                    for pid in self._running:
                        os.kill(pid, signal.SIGTERM)


@contextlib.contextmanager
def daemon(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a server running until the block or this process ends."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            tied(command), env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tree(roots: Sequence[int]) -> set[int]:
    found: set[int] = set()
    left = list(roots)
    while left:
        pid = left.pop()
        if pid in found:
            continue
        found.add(pid)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                left += map(int, (task / "children").read_text().split())
    return found


def _peak(pid: int) -> int:
    """Return the bytes of a process at its peak since it began to run its program."""
    with contextlib.suppress(OSError):
        for each in Path(f"/proc/{pid}/status").read_text().splitlines():
            if each.startswith("VmHWM:"):
                return int(each.split()[1]) << 10
    return 0


def _used(pid: int) -> float:
    """Return the CPU seconds of a daemon, of its living children and of those it waited for."""
    total = 0
    for each in _tree([pid]):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICKS
