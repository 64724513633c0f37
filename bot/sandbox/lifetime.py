"""How long a process of the sandbox lives: no longer than the sandbox itself.

It exists because a sandbox that is killed cannot clean up after itself; the kernel then does it.
Processes are ended by pid alone, never by name.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Sequence


def tied(command: Sequence[str]) -> list[str]:
    """Return the command so that it gets SIGTERM when the thread that starts it is gone."""
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []), *command]


async def stop(process: asyncio.subprocess.Process, *, grace: float) -> None:
    """Ask a process to end, and end it when it has not done so after `grace` seconds."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):  # a child of it may hold its pipe: asyncio waits
            await asyncio.wait_for(process.wait(), grace)
