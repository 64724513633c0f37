"""Ends the sandbox's child processes, also when the sandbox itself is killed.

A killed process cannot clean up, so setpriv asks the kernel to do it. Processes are ended by pid,
never by name.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Sequence


def tied(command: Sequence[str]) -> list[str]:
    """Return the command run by setpriv, if installed: SIGTERM when the parent thread ends."""
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []), *command]


async def stop(process: asyncio.subprocess.Process, *, grace: float) -> None:
    """Send SIGTERM to a process, and SIGKILL if it still runs after `grace` seconds."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):  # asyncio waits for a pipe that a child may hold
            await asyncio.wait_for(process.wait(), grace)
