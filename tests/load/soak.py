"""A steady load with occasional faults, and the bot's memory and open files over time.

Flat means that the median of the last quarter is that of the second one. The tolerance is 5 % or
3 MB for memory, and 2 for files. The first quarter is the warm-up. An idle bot is flat too. So it
must be the same process to the end, and everybody must have an answer.
"""

import asyncio
import math
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from crowd import SEED, Size, chat_world
from images import LoadImage, images, put
from meter import Calls, Sample, bot_process, sample
from play import DATABASE, OPEN, logged, one, until_closed
from runner import StandInRunner

from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.world import open_sandbox

SIZE = Size(people=50, requests=0, images=400, seconds=0, groups=4)
EVERY = 1.5
"""Seconds between two requests: the chats' rate limits permit this."""
FAULT_EVERY = 20.0
SAMPLE_EVERY = 5.0
PATIENCE = 60.0
"""Seconds after the last message until nothing may be open any more."""
FAULTS = (
    {"where": "telegram", "what": "status 502", "times": 3},
    {"where": "telegram", "what": "retry-after 2", "path": "sendMessage"},
    {"where": "telegram", "what": "lost", "path": "editMessageText"},
    {"where": "telegram", "what": "status 500", "path": "getUpdates"},
    {"where": "github", "what": "status 503", "times": 2},
    {"where": "github", "what": "lost", "path": "PUT "},
    {"where": "github", "what": "garbage"},
    {"where": "source", "what": "refused", "times": 3},
    {"where": "source", "what": "retry-after 2"},
    {"where": "target", "what": "status 500", "times": 2},
    {"where": "target", "what": "delay 3"},
)


@dataclass(frozen=True)
class Soaked:
    """`processes` is the bot's process id at the start and at the end, None where none ran."""

    minutes: float
    samples: Sequence[Sample]
    requests: int
    faults: int
    processes: tuple[int | None, int | None]
    open: int
    errors: Sequence[str]

    @property
    def expected(self) -> int:
        """Return how many samples there are if the bot lives to the end."""
        return int(self.minutes * 60 / SAMPLE_EVERY)

    def medians(self, name: str) -> tuple[float, float]:
        """Return the medians of the second and of the last quarter."""
        values = [float(getattr(each, name)) for each in self.samples]
        quarter = len(values) // 4
        if not quarter:  # it died at once: there is nothing to compare
            return (math.nan, math.nan)
        return (
            statistics.median(values[quarter : 2 * quarter]),
            statistics.median(values[3 * quarter :]),
        )


async def soak(minutes: float) -> Soaked:
    chat, runner = chat_world(SIZE), StandInRunner()
    with tempfile.TemporaryDirectory(prefix="imageto-soak-") as made:
        data = Path(made)
        http = f"127.0.0.1:{_free_port()}"
        async with open_sandbox(
            port=0, data=data, chat=chat, runner=runner, watch=Calls().watch, http=http
        ) as place:
            runner.target = place.registries.socket("target")
            pool = images(SIZE.images)
            await put(place.registries.client("source"), pool, set())
            until, first = time.monotonic() + minutes * 60, _process()
            async with httpx.AsyncClient(base_url=place.address, trust_env=False) as api:
                requests, faults, samples = await asyncio.gather(
                    _ask(chat, pool, until),
                    _break(api, until),
                    _watch(first, until, f"http://{http}/metrics"),
                )
            with suppress(TimeoutError):  # what is open then is reported as a number
                async with asyncio.timeout(PATIENCE):
                    await until_closed(data / DATABASE)
            return Soaked(
                minutes=minutes,
                samples=samples,
                requests=requests,
                faults=faults,
                processes=(first, _process()),
                open=one(data / DATABASE, OPEN),
                errors=logged(place, "ERROR"),
            )


def _process() -> int | None:
    with suppress(AssertionError, FileNotFoundError):  # none runs, or it ends just now
        return bot_process()
    return None


async def _ask(chat: TelegramState, pool: Sequence[LoadImage], until: float) -> int:
    """Another member makes each request. Images repeat, as they do in a team."""
    lot = random.Random(SEED)  # noqa: S311 - the plan has to be reproducible
    members = [person for person in chat.people.values() if person.name.startswith("member-")]
    count = 0
    while time.monotonic() < until:
        person = members[count % len(members)]
        chat.say(person, chat.chats[person.id], f"/mirror {lot.choice(pool).name}")
        count += 1
        await asyncio.sleep(EVERY)
    return count


async def _break(api: httpx.AsyncClient, until: float) -> int:
    count = 0
    while time.monotonic() + FAULT_EVERY < until:
        await asyncio.sleep(FAULT_EVERY)
        armed = await api.post("/api/faults", json=FAULTS[count % len(FAULTS)])
        armed.raise_for_status()
        count += 1
    return count


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def _watch(pid: int | None, until: float, metrics: str) -> list[Sample]:
    """Sample one process only: a restarted bot would have little memory in use.

    Its metrics are scraped as often.
    """
    samples = []
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as prometheus:
        while pid is not None and time.monotonic() < until:
            with suppress(OSError, KeyError, httpx.TransportError):  # it is dying, or dead
                samples.append(sample(pid))
                (await prometheus.get(metrics)).raise_for_status()
            await asyncio.sleep(SAMPLE_EVERY)
    return samples
