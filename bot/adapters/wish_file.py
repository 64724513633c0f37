"""The file of wishes beside the database: commands on the host append to it, the bot empties it.

The bot renames it before it reads. A command locks it for each write, so that it never writes to a
file that the bot has read already.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from bot.engine.ports.wishes import Wish, WishKind

log = logging.getLogger(__name__)


class WishFile:
    def __init__(self, database: Path) -> None:
        real = database.resolve()
        self._path = real.with_name(f"{real.name}.wishes")
        self._taken = real.with_name(f"{real.name}.wishes.taken")

    def leave(self, wishes: Iterable[Wish]) -> None:
        """Append these wishes. Raises OSError."""
        lines = "".join(json.dumps(asdict(each)) + "\n" for each in wishes)
        while not self._append(lines.encode()):
            pass

    def take(self) -> list[Wish] | None:
        """See the port. None also while a command writes."""
        if self._path.exists() and not self._taken.exists():
            self._path.rename(self._taken)
        if not self._taken.exists():
            return None
        with self._taken.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            return list(_wishes(file.read().decode("utf-8", errors="replace")))

    def done(self) -> None:
        self._taken.unlink(missing_ok=True)

    def _append(self, lines: bytes) -> bool:
        """False where the bot has taken the file before it could be locked."""
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(self._path, file):
                return False
            os.write(file, lines)
        finally:
            os.close(file)
        return True


def _is_at(path: Path, file: int) -> bool:
    """Whether the path still names this open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _wishes(text: str) -> Iterator[Wish]:
    for line in text.splitlines():
        try:
            read = json.loads(line)
            yield Wish(WishKind(read["kind"]), str(read["about"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("a wish of the host cannot be read: %.200s", line)
