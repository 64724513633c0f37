"""One bot per database, by flock(2): the kernel releases the lock however the process ends.

There is no PID file: after a kill or a power cut, its number may belong to another process.
The lock must not keep out commands that only read the database while a bot runs.
"""

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bot.core.errors import TakenError, TransientError

log = logging.getLogger(__name__)

HANDOVER: Final = 15.0
"""Seconds that a new bot waits for the old one: longer than a shutdown takes."""
_LOOK: Final = 0.2


@asynccontextmanager
async def alone(database: Path, *, patience: float = HANDOVER) -> AsyncIterator[int]:
    """Hold the lock of the database. Yields its file descriptor.

    Raises TakenError where another bot still holds it after `patience` seconds, and TransientError
    where the lock file cannot be opened.
    """
    held = await _held(database, time.monotonic() + patience)
    try:
        yield held
    finally:
        os.close(held)


def is_taken(database: Path) -> bool:
    """Whether a bot holds the lock of the database now."""
    path = _lock_file(database)
    if not path.exists():
        return False
    looked = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(looked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(looked)
    return False


async def _held(database: Path, deadline: float) -> int:
    path, told = _lock_file(database), False
    while True:
        try:
            return _try(path)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TakenError(
                    f"another bot uses the database {database}: stop it first, or give this one"
                    " a database and a token of its own"
                ) from None
        except OSError as error:
            raise TransientError(
                f"the database {database}: {path.name}: {error.strerror}"
            ) from error
        if not told:
            log.warning("another bot uses the database %s; waiting for it to stop", database)
        told = True
        await asyncio.sleep(_LOOK)


def _try(path: Path) -> int:
    taken = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(taken)
        raise
    return taken


def _lock_file(database: Path) -> Path:
    """Next to the real file, so that two symlinks to a database share one lock."""
    real = database.resolve()
    return real.with_name(f"{real.name}.lock")
