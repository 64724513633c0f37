"""Runs a load against the real bot in the sandbox, and checks that every request was answered.

Telegram and GitHub are the sandbox's servers, the repository is a real git repository, and both
registries are real docker-registry servers. Only act is replaced: see runner.py.
"""

import asyncio
import itertools
import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crowd import Ask, Size, chat_world, plan
from images import images, missing, put
from meter import (
    Calls,
    Sample,
    StoredTimes,
    bot_process,
    give_way_to_bot,
    percentile,
    sample,
)
from runner import StandInRunner

from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import ChatMessage
from bot.sandbox.world import RunningSandbox, open_sandbox

PATIENCE = 240.0
"""Seconds after the last message until everybody must have an answer."""
LOOK_SECONDS = 0.25
PULL = "docker pull "
HEARD = "this bot takes its updates"
DATABASE = "imageto-bot.sqlite3"


@dataclass(frozen=True)
class Asked:
    """A request that was made. `at` is when Telegram's server took it."""

    ask: Ask
    update: int
    message: int
    at: float


@dataclass
class Played:
    """The outcome of a load. `wrong` is empty where nothing was lost and nothing came twice."""

    size: Size
    took: float
    stored: list[float]
    answered: list[float]
    reactions: int
    calls: Calls
    bot: Sample
    load: float
    runs: int
    warnings: list[str]
    wrong: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return percentile(self.stored, 99)

    @property
    def github_calls(self) -> int:
        return sum(self.calls.of("github").values())

    @property
    def too_many(self) -> int:
        """Return how often Telegram answered that the rate limit was exceeded."""
        return self.calls.refused["telegram", 429]

    @property
    def nearest_commits(self) -> float:
        """Return the shortest time between two commits in seconds."""
        times = self.calls.commits
        return min((b - a for a, b in itertools.pairwise(times)), default=float("inf"))


async def play(size: Size) -> Played:
    calls, runner, chat = Calls(), StandInRunner(), chat_world(size)
    with tempfile.TemporaryDirectory(prefix="imageto-load-") as made:
        data = Path(made)
        async with open_sandbox(
            port=0, data=data, chat=chat, runner=runner, watch=calls.watch
        ) as place:
            runner.target = place.registries.socket("target")
            await put(place.registries.client("source"), images(size.images), set())
            calls.owner = place.github.token
            calls.clear()
            give_way_to_bot()
            await until_heard(place.log)
            before = len(place.github.actions.runs())
            with StoredTimes(data / DATABASE) as stored:
                started = time.monotonic()
                asked = await _ask(chat, plan(size, chat))
                await _until_answered(chat, asked)
                took = time.monotonic() - started
                await until_closed(data / DATABASE)
            played = Played(
                size=size,
                took=took,
                stored=[(stored.of(each.update) or started + 1e6) - each.at for each in asked],
                answered=_waits(chat, asked, started),
                reactions=sum(bool(m.reactions) for m in chat.messages()),
                calls=calls,
                bot=sample(bot_process()),
                load=os.getloadavg()[0],
                runs=len(place.github.actions.runs()) - before,
                warnings=logged(place, "WARNING"),
            )
            played.wrong += await _wrong(place, asked, data / DATABASE)
    return played


async def until_heard(log: Path) -> None:
    """Wait until the bot confirms updates: with a new token it first checks for another bot."""
    async with asyncio.timeout(PATIENCE):
        while HEARD not in log.read_text():  # noqa: ASYNC240 - a small file
            await asyncio.sleep(LOOK_SECONDS)


async def _ask(chat: TelegramState, asks: Sequence[Ask]) -> list[Asked]:
    started, asked = time.monotonic(), []
    for ask in asks:
        await asyncio.sleep(max(0.0, started + ask.at - time.monotonic()))
        person, place = chat.people[ask.person], chat.chats[ask.chat]
        message = chat.say(person, place, f"/mirror {ask.image.name}")
        update = chat.updates.pending()[-1].id
        asked.append(Asked(ask, update, message.id, time.monotonic()))
    return asked


async def _until_answered(chat: TelegramState, asked: Sequence[Asked]) -> None:
    """Wait until every request has its result, or PATIENCE is over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        told = _results(chat)
        if all(told[each.ask.chat, each.message] for each in asked):
            return
        await asyncio.sleep(LOOK_SECONDS)


async def until_closed(database: Path) -> None:
    """Wait until the last cards are up to date, which is after the last result."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and one(database, OPEN):
        await asyncio.sleep(LOOK_SECONDS)


OPEN = "SELECT count(*) FROM requests WHERE closed_at IS NULL"


def one(database: Path, wanted: str) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        found = connection.execute(wanted).fetchone()
    connection.close()
    return int(found[0])


def _replies(chat: TelegramState) -> list[ChatMessage]:
    return [m for m in chat.messages() if m.sender is None and m.reply_to is not None]


def _results(chat: TelegramState) -> Counter[tuple[int, int | None]]:
    return Counter((m.chat.id, m.reply_to) for m in _replies(chat) if PULL in m.text)


def _waits(chat: TelegramState, asked: Sequence[Asked], started: float) -> list[float]:
    """Return the seconds from a message to its result. The chat's clock counts whole seconds."""
    offset = time.time() - time.monotonic()
    told = {(m.chat.id, m.reply_to): m.date for m in _replies(chat) if PULL in m.text}
    found = ((told.get((a.ask.chat, a.message)), a.at + offset) for a in asked)
    return [max(0.0, at - asked_at) for at, asked_at in found if at is not None]


def logged(place: RunningSandbox, level: str) -> list[str]:
    return [line for line in place.log.read_text().splitlines() if f" {level} " in line]


async def _wrong(place: RunningSandbox, asked: Sequence[Asked], database: Path) -> list[str]:
    """Return every promise that was broken, as text."""
    wrong = [*_wrong_answers(place.chat, asked), *await _wrong_list(place, asked)]
    for what, query in {
        "requests are open": OPEN,
        "transfers are not mirrored": "SELECT count(*) FROM transfers WHERE ended != 'mirrored'"
        " OR ended IS NULL",
        "notes are unsaid": "SELECT count(*) FROM notes",
        "batches are open": "SELECT count(*) FROM batches WHERE closed_at IS NULL",
    }.items():
        if count := one(database, query):
            wrong.append(f"{count} {what}")
    if (count := one(database, "SELECT count(*) FROM requests")) != len(asked):
        wrong.append(f"{count} requests are stored, {len(asked)} were made")
    if errors := logged(place, "ERROR"):
        wrong.append(f"the bot logged {len(errors)} errors: {errors[0][:200]}")
    return wrong


def _wrong_answers(chat: TelegramState, asked: Sequence[Asked]) -> list[str]:
    wrong, told = [], _results(chat)
    replies = Counter((m.chat.id, m.reply_to) for m in _replies(chat))
    texts = {(m.chat.id, m.reply_to): m.text for m in _replies(chat) if PULL in m.text}
    for each in asked:
        key = (each.ask.chat, each.message)
        if told[key] != 1:
            wrong.append(f"{each.ask.person} was told {told[key]} results for {each.ask.image}")
        elif each.ask.image.name not in texts[key]:
            wrong.append(f"{each.ask.person} was told of another image: {texts[key]}")
        if replies[key] > 2:
            wrong.append(f"{each.ask.person} got {replies[key]} messages for {each.ask.image}")
    return wrong


async def _wrong_list(place: RunningSandbox, asked: Sequence[Asked]) -> list[str]:
    wanted = {each.ask.image for each in asked}
    file = await place.github.repository.file("main", "image.list")
    lines = file.data.decode().splitlines() if file is not None else []
    listed = Counter(line for line in lines if line and not line.startswith("#"))
    wrong = [f"{name} is listed {listed[name]} times" for name in listed if listed[name] != 1]
    if set(listed) != {image.name for image in wanted}:
        wrong.append(f"image.list names {len(listed)} images, {len(wanted)} were asked for")
    absent = await missing(place.registries.client("target"), sorted(wanted, key=str))
    return [*wrong, *(f"{name} is not at the target" for name in absent)]
