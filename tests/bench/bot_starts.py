"""The time from the start of the bot's process until it asks Telegram for messages.

The process is the real one, with its own config. Telegram is the sandbox's server. With a token
that a database has not used lately, the bot first waits for 4 s whether another bot has the same
one. So the moment when it accepts messages is measured too. Imports have ended when the bot logs
that it starts.
"""

import asyncio
import json
import os
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from history import write_history
from play import HEARD
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox.lifetime import stop, tied
from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.world import new_token

TOKEN = new_token()
PATIENCE = 60.0
LOOK_SECONDS = 0.02
GRACE = 15.0
_STARTS = "version "


@dataclass(frozen=True)
class Start:
    """Seconds: `whole` from the start of the process, the others from the end of its imports."""

    whole: float
    asking: float
    taking: float


@dataclass(frozen=True)
class Starts:
    """Starts with a new database, and with a history and a token that was used just now."""

    new: Sequence[Start]
    used: Sequence[Start]
    transfers: int


class _Bench:
    def __init__(self) -> None:
        self.polls: list[float] = []
        self.address = ""

    def watched(self, app: ASGIApp) -> ASGIApp:
        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            if str(scope.get("path", "")).endswith("/getUpdates"):
                self.polls.append(time.time())
            await app(scope, receive, send)

        return noted

    def configure(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        nobody = f"{self.address}/nobody"
        told = {
            "telegram": {"chats": [-1001], "admins": [1003], "api": f"{self.address}/telegram"},
            "github": {"repository": "example/mirror", "api": nobody},
            "target": {"host": "target.example.com"},
            "policy": {"registries": ["docker.io"]},
            "addresses": {"docker.io": nobody, "target.example.com": nobody},
            "database": str(folder / "bot.sqlite3"),
        }
        config = folder / "config.yaml"
        config.write_text(json.dumps(told))
        return config

    async def start(self, folder: Path) -> Start:
        """Start the bot, and stop it when it accepts messages."""
        config, log = self.configure(folder), folder / "bot.log"
        self.polls.clear()
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        secrets = {"TELEGRAM_TOKEN": TOKEN, "GITHUB_TOKEN": "nobody-asks"}
        command = [sys.executable, "-P", "-m", "bot", "run", "--config", str(config)]
        with log.open("wb") as output:
            began = time.time()
            process = await asyncio.create_subprocess_exec(
                *tied(command),
                env={**kept, **secrets, "NO_PROXY": "*"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        fresh = not _has_beat(folder / "bot.sqlite3")
        try:
            async with asyncio.timeout(PATIENCE):
                while not self.polls or (fresh and HEARD not in log.read_text()):
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(LOOK_SECONDS)
                await asyncio.sleep(0.5)  # it stores its heartbeat after the first answer
        finally:
            await stop(process, grace=GRACE)
        lines = log.read_text()
        imported = _time(lines, _STARTS)
        taking = _time(lines, HEARD) if fresh else self.polls[0]
        return Start(self.polls[0] - began, self.polls[0] - imported, taking - imported)


async def starts(times: int, transfers: int) -> Starts:
    with tempfile.TemporaryDirectory(prefix="imageto-starts-") as made:
        async with _bench() as bench:
            new = [await bench.start(Path(made) / str(number)) for number in range(times)]
            used = Path(made) / "0"
            with closing(sqlite3.connect(used / "bot.sqlite3", isolation_level=None)) as connection:
                write_history(connection.execute, transfers)
            await bench.start(used)  # the heartbeat must be recent
            again = [await bench.start(used) for _ in range(times)]
    return Starts(new, again, transfers)


@asynccontextmanager
async def _bench() -> AsyncIterator[_Bench]:
    bench = _Bench()
    telegram = bench.watched(telegram_app(TelegramState(), token=TOKEN))
    async with served(Starlette(routes=[Mount("/telegram", app=telegram)])) as port:
        bench.address = f"http://127.0.0.1:{port}"
        yield bench


def _has_beat(database: Path) -> bool:
    with suppress(sqlite3.OperationalError):
        address = f"{database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            wanted = "SELECT count(*) FROM cursors WHERE name LIKE 'beat%'"
            return bool(connection.execute(wanted).fetchone()[0])
    return False


def _time(log: str, words: str) -> float:
    """Return when the bot logged the first line with these words."""
    line = next(line for line in log.splitlines() if words in line)
    found = re.match(r"(\S+ \S+),(\d{3}) ", line)
    assert found is not None, line
    at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the log's is local time
    return at.timestamp() + int(found[2]) / 1000
