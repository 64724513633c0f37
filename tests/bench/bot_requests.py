"""What a request costs the bot: the seconds of each step, and the calls to GitHub.

The bot is the real process. Telegram and GitHub are the sandbox's servers, repository and
registries are real. **act is replaced** by the runner of the load (tests/load/runner.py), since
only the bot is measured. A run takes a given time, copies by HTTP and posts the results. Times are
those of the servers: when Telegram had a message, when GitHub had the commit, when the run ended.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from crowd import Size, chat_world
from images import LoadImage, put
from meter import Calls, Sample, StoredTimes, bot_process, give_way_to_bot, sample
from play import DATABASE, PULL, until_closed, until_heard
from runner import StandInRunner

from bot.core.batch import poll_interval
from bot.engine.lanes.batch_forming import BATCH_INTERVAL
from bot.sandbox.github.act import Job
from bot.sandbox.telegram.values import ChatMessage
from bot.sandbox.world import RunningSandbox, open_sandbox

T = TypeVar("T")

PATIENCE = 120.0
LOOK_SECONDS = 0.01
AFTER = 5.0
"""Seconds in which a late call would still be seen."""
_OPEN = "SELECT count(*) FROM batches WHERE closed_at IS NULL"


@dataclass(frozen=True)
class Plan:
    """`runs` is how many seconds the run of each single request takes. The others are counts."""

    runs: tuple[float, ...]
    calm: int
    at_once: int
    idle: float


@dataclass(frozen=True)
class Alone:
    """One request from a message to its result. Times are in seconds."""

    commit: float
    answer: float
    interval: float
    calls: dict[str, int]
    unchanged: int


@dataclass
class Found:
    alone: list[Alone] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)
    stored_a_second: float = 0.0
    idle: dict[str, int] = field(default_factory=dict)
    bot: Sample | None = None


class TimedRunner(StandInRunner):
    """Waits so many seconds before it copies, and records when it has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.ended = 0.0

    async def __call__(self, act: str, job: Job) -> bool:
        await asyncio.sleep(self.seconds)
        good = await super().__call__(act, job)
        self.ended = time.monotonic()
        return good


class Requests:
    def __init__(
        self, place: RunningSandbox, runner: TimedRunner, calls: Calls, database: Path
    ) -> None:
        self._place = place
        self._runner = runner
        self._calls = calls
        self._database = database
        self._last_commit = float("-inf")

    async def alone(self, image: LoadImage, seconds: float) -> Alone:
        """Request an image in the group, and approve it as soon as the button is there."""
        chat, group, runner = self._place.chat, self._place.chat.group, self._runner
        spaced = self._last_commit + BATCH_INTERVAL.total_seconds() + 1 - time.monotonic()
        await asyncio.sleep(max(0.0, spaced))
        self._calls.clear()
        runner.seconds, runner.ended = seconds, 0.0
        asked = chat.say(chat.people["wei"], group, f"/mirror {image.name}")
        card = await _until(lambda: self._reply(asked, lambda m: bool(m.keyboard)))
        pressed = time.monotonic()
        chat.press(chat.people["ana"], group, card.id, "Approve")
        await _until(lambda: self._reply(asked, lambda m: PULL in m.text))
        answered = time.monotonic()
        await self._closed()
        await asyncio.sleep(AFTER)
        self._last_commit = self._calls.commits[-1]
        age = timedelta(seconds=runner.ended - self._last_commit)
        return Alone(
            commit=self._last_commit - pressed,
            answer=max(0.0, answered - runner.ended),
            interval=poll_interval(age).total_seconds(),
            calls=self._calls.of("github"),
            unchanged=self._calls.unchanged["github"],
        )

    async def calm(self, image: LoadImage, count: int) -> list[float]:
        """Send messages one after the other. Return the seconds until each is stored."""
        chat, asked = self._place.chat, []
        members = [each for each in chat.people.values() if each.name.startswith("member-")]
        with StoredTimes(self._database) as stored:
            for number in range(count):
                person = members[number % len(members)]
                at = time.monotonic()
                chat.say(person, chat.chats[person.id], f"/mirror {image.name}")
                asked.append((chat.updates.pending()[-1].id, at))
                await asyncio.sleep(0.25)
            last = asked[-1][0]
            await _until(lambda: stored.last() >= last)
            return [(stored.of(update) or float("inf")) - at for update, at in asked]

    async def at_once(self, image: LoadImage, count: int) -> float:
        """Return how many messages a second are stored when all wait at Telegram."""
        chat = self._place.chat
        members = [each for each in chat.people.values() if each.name.startswith("member-")]
        with StoredTimes(self._database) as stored:
            began = time.monotonic()
            for number in range(count):
                person = members[number % len(members)]
                chat.say(person, chat.chats[person.id], f"/mirror {image.name}")
            last = chat.updates.pending()[-1].id
            await _until(lambda: stored.last() >= last)
            return count / ((stored.of(last) or float("inf")) - began)

    async def idle(self, seconds: float) -> dict[str, int]:
        """Return the calls to GitHub while nothing is open."""
        await self._closed()
        await asyncio.sleep(AFTER)
        self._calls.clear()
        await asyncio.sleep(seconds)
        return self._calls.of("github")

    async def _closed(self) -> None:
        await until_closed(self._database)
        await _until(lambda: not self._look(_OPEN))

    def _look(self, query: str) -> int:
        address = f"{self._database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def _reply(self, to: ChatMessage, fits: Callable[[ChatMessage], bool]) -> ChatMessage | None:
        own = (m for m in self._place.chat.messages() if m.sender is None and m.reply_to == to.id)
        return next((m for m in own if m.chat == to.chat and fits(m)), None)


async def requests(plan: Plan, size: Size) -> Found:
    calls, runner, chat = Calls(), TimedRunner(), chat_world(size)
    single = [LoadImage(f"gcr.io/some/alone{number}", "1.0") for number in range(len(plan.runs))]
    known = LoadImage("docker.io/library/known", "1.0")
    found = Found()
    with tempfile.TemporaryDirectory(prefix="imageto-requests-") as made:
        data = Path(made)
        async with open_sandbox(
            port=0, data=data, chat=chat, runner=runner, watch=calls.watch
        ) as place:
            source, target = (place.registries.client(side) for side in ("source", "target"))
            runner.target = place.registries.socket("target")
            await put(source, [*single, known], set())
            await put(target, [known], set())
            calls.owner = place.github.token
            give_way_to_bot()
            await until_heard(place.log)
            bench = Requests(place, runner, calls, data / DATABASE)
            for image, seconds in zip(single, plan.runs, strict=True):
                found.alone.append(await bench.alone(image, seconds))
            found.calm = await bench.calm(known, plan.calm)
            found.stored_a_second = await bench.at_once(known, plan.at_once)
            found.idle = await bench.idle(plan.idle)
            found.bot = sample(bot_process())
    return found


async def _until(look: Callable[[], T | None]) -> T:
    async with asyncio.timeout(PATIENCE):
        while not (found := look()):
            await asyncio.sleep(LOOK_SECONDS)
    return found
