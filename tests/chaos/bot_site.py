"""The real bot process between test servers: Telegram and GitHub are the sandbox's.

The registry only knows digests, and a push starts no run. These tests are about the process
itself: start, stop, waits, storage. sandbox_people.py has the whole sandbox instead.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.github.server import GitHub
from bot.sandbox.page_api import chat_routes
from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState
from bot.workflow import shipped

ROOT = Path(__file__).parents[2]
TOKEN = "7000000001:token-of-a-bot-of-tests"
NAME = "example/mirror"
LIST = b"# one a line\n"
KEY = "5e" * 32
KEY_ID = hashlib.sha256(bytes.fromhex(KEY)).hexdigest()[:12]
WORKFLOW = shipped.files("main", "image.list", key_id=KEY_ID)
SECONDS = 90.0
"""Seconds that anything may take, since the machine may be busy."""
LOOK_SECONDS = 0.15
"""Seconds between two looks. Each costs the machine, on which the bot has to do its work."""
Message = dict[str, Any]


@dataclass
class Bot:
    """One bot process: its config, its log and its clock."""

    process: asyncio.subprocess.Process
    folder: Path
    ended: asyncio.Task[int]

    @property
    def database(self) -> Path:
        return self.folder / "bot.sqlite3"

    def log(self) -> str:
        return (self.folder / "bot.log").read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self, seconds: float = SECONDS) -> int:
        """Return its exit code once it has ended by itself."""
        return await asyncio.wait_for(asyncio.shield(self.ended), seconds)

    async def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.end()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.ended

    def set_clock(self, seconds: float) -> None:
        set_clock(self.folder, seconds)

    def look(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database while the bot runs."""
        address = f"{self.database.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute(query).fetchall()


def set_clock(folder: Path, seconds: float) -> None:
    fresh = folder / "clock.new"
    fresh.write_text(str(seconds))
    fresh.replace(folder / "clock")


LOGIN = {"HARBOR_USER": "robot$mirror", "HARBOR_PWD": "sandbox-only"}
"""The login at the target, which `setup` stores as secrets of the run."""


@dataclass
class Site:
    world: TelegramState
    faults: ArmedFaults
    github: GitHub
    api: httpx.AsyncClient
    folder: Path
    bots: list[Bot] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.api.base_url).rstrip("/")

    async def start(self, name: str = "bot", *, clock: float = 0.0, **changes: object) -> Bot:
        """Start a bot. Bots with the same name share a folder, and so a database."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        set_clock(folder, clock)
        self.configure(folder, **changes)
        command = [sys.executable, str(Path(__file__).with_name("driven_bot.py"))]
        with (folder / "bot.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                "run",
                "--config",
                str(folder / "config.yaml"),
                cwd=folder,
                env=self.environment(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        bot = Bot(process, folder, asyncio.create_task(process.wait()))
        self.bots.append(bot)
        return bot

    async def serving(self, name: str = "bot", **changes: Any) -> Bot:
        """Start a bot and wait until it has polled and found no other instance."""
        bot = await self.start(name, **changes)
        serves = "serves mirror repository"
        await self.until(lambda: bot.database.exists() and serves in bot.log(), bot)
        return bot

    def configure(self, folder: Path, **changes: object) -> None:
        people = {person.name: person.id for person in self.world.people.values()}
        data: dict[str, Any] = {
            "telegram": {
                "chats": [self.world.group.id],
                "admins": [people["ana"]],
                "members": [people["wei"], people["li"]],
                "api": f"{self.address}/telegram",
            },
            "github": {"repository": NAME, "api": f"{self.address}/github"},
            "target": {"host": "target.example.com"},
            "policy": {
                "registries": ["docker.io"],
                "rules": [{"images": "docker.io/library/**", "then": "approve"}],
            },
            "addresses": {
                "docker.io": f"{self.address}/source",
                "target.example.com": f"{self.address}/target",
            },
            "database": str(folder / "bot.sqlite3"),
        }
        (folder / "config.yaml").write_text(json.dumps(data | changes))

    def environment(self, folder: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
            "TELEGRAM_TOKEN": TOKEN,
            "GITHUB_TOKEN": self.github.token,
            "DECISION_KEY": KEY,
            "CLOCK_FILE": str(folder / "clock"),
        }

    async def command(self, bot: Bot, *arguments: str) -> tuple[int, str]:
        """Run another command with a bot's config, while the bot runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "bot",
            *arguments,
            "--config",
            str(bot.folder / "config.yaml"),
            cwd=bot.folder,
            env=self.environment(bot.folder) | LOGIN,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        assert process.returncode is not None
        return process.returncode, output.decode()

    # -- people ---------------------------------------------------------------------------

    async def say(self, who: str, text: str, *, chat: str = "group") -> int:
        answer = await self.api.post("/api/chat", json={"as": who, "text": text, "chat": chat})
        answer.raise_for_status()
        number: int = answer.json()["id"]
        return number

    async def press(self, who: str, message: Message, button: str) -> str:
        pressed = {"as": who, "message": message["id"], "button": button}
        answer = await self.api.post("/api/press", json=pressed)
        return str(answer.json().get("answer"))

    async def read(self) -> list[Message]:
        found: list[Message] = (await self.api.get("/api/chat")).json()["messages"]
        return found

    async def answers(self, to: int) -> list[Message]:
        return [m for m in await self.read() if m["from"] == "bot" and m["reply_to"] == to]

    async def answer(self, to: int, words: str = "", *, seconds: float = SECONDS) -> Message:
        """Wait for the first answer that holds these words."""
        deadline = time.monotonic() + seconds
        while True:
            for message in await self.answers(to):
                if words in message["text"]:
                    return message
            assert time.monotonic() < deadline, (words, await self.read(), self._logs())
            await asyncio.sleep(LOOK_SECONDS)

    async def until(self, look: Callable[[], object], *bots: Bot, seconds: float = SECONDS) -> None:
        """Wait until it is true. Fail if the bot ends meanwhile."""
        deadline = time.monotonic() + seconds
        while not look():
            assert not any(bot.ended.done() for bot in bots), self._logs()
            assert time.monotonic() < deadline, self._logs()
            await asyncio.sleep(LOOK_SECONDS)

    def _logs(self) -> str:
        return "\n".join(bot.log()[-3000:] for bot in self.bots)

    async def commits(self) -> list[str]:
        log = await self.github.repository.log(await self.github.repository.head())
        return [commit.message for commit in log if "Batch:" in commit.message]


async def registry(request: Request) -> Response:
    """A registry with a distinct digest for every source image, and an empty target."""
    if request.path_params["side"] == "target":
        return Response(status_code=404)
    digest = hashlib.sha256(request.path_params["rest"].encode()).hexdigest()
    headers = {
        "Docker-Content-Digest": f"sha256:{digest}",
        "Content-Type": "application/vnd.oci.image.index.v1+json",
    }
    return Response(headers=headers)


@asynccontextmanager
async def bot_site(folder: Path) -> AsyncIterator[Site]:
    faults, world = ArmedFaults(), TelegramState()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            GitHub(
                data=folder / "github",
                name=NAME,
                files={"image.list": LIST, **WORKFLOW},
                faults=faults,
                environment={},
            )
        )
        github.actions.enabled = False  # a push starts nothing
        telegram = FaultMiddleware(telegram_app(world, token=TOKEN), faults, "telegram")
        app = Starlette(
            routes=[
                Mount("/telegram", app=telegram),
                Mount("/github", app=github.app),
                Route("/v2/{side}/{rest:path}", registry, methods=["HEAD", "GET"]),
                *chat_routes(world, faults, press_seconds=15.0),
            ]
        )
        port = await stack.enter_async_context(served(app))
        api = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=90)
        )
        site = Site(world, faults, github, api, folder)
        try:
            yield site
        finally:
            for bot in site.bots:
                await bot.kill()
