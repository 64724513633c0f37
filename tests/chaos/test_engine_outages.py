"""A day without GitHub, and one without Telegram, by a clock that the tests set."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from engine_scenarios import REDIS, mirror
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, LI, NGINX, STATIC, WEI
from gathering import plain
from invariants import violations

from bot.core.transfer import State

HOURS: Final = 25
STEP: Final = 450.0
"""Seconds between two ticks of the outage. Every wait for a retry is shorter."""


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[ChaosWorld]:
    async with chaos_world(tmp_path) as made:
        made.upstream(NGINX, REDIS, STATIC)
        yield made


async def a_day_without(w: ChaosWorld, port: str) -> None:
    """One person asks right before the outage, one in the middle of it."""
    await mirror(w, WEI, NGINX, STATIC)
    await w.tick()
    w.faults.down.add(port)
    await wait(w, HOURS / 2)
    await mirror(w, LI, REDIS, NGINX)
    await w.say(ANA, "/approve #1")
    await wait(w, HOURS / 2)


async def wait(w: ChaosWorld, hours: float) -> None:
    await w.settle(hours * 3600, STEP)


def results(w: ChaosWorld) -> list[str]:
    return [plain(text) for text in w.chat.texts if text.startswith("Done")]


async def judged(w: ChaosWorld, tally: Counter[str], *, commits: int) -> None:
    """Everything is done once, for everybody, within minutes of the outage's end."""
    end = w.clock()
    w.faults.clear()
    await w.rest()
    assert w.clock() - end < timedelta(minutes=15)
    found = violations(await w.evidence())
    tally["faults"] += 1
    tally["violations"] += len(found)
    assert found == []
    assert [text.splitlines()[0] for text in results(w)] == ["Done, 2 of 2:"] * 2
    assert len(w.repository.commits) == commits


async def test_what_was_asked_before_and_during_a_day_without_github_is_done_after_it(
    w: ChaosWorld, tally: Counter[str]
) -> None:
    await a_day_without(w, "MirrorRepository")
    cards = [plain(text) for text in w.chat.texts]
    assert sum("out of reach: tried" in text for text in cards) == 2
    assert results(w) == []
    await judged(w, tally, commits=1)


async def test_what_was_asked_before_and_during_a_day_without_telegram_is_told_after_it(
    w: ChaosWorld, tally: Counter[str]
) -> None:
    await a_day_without(w, "FakeChat")
    assert len(w.chat.messages) == 1  # the card of the first, from right before
    async with w.store.begin() as unit:
        waiting = [t for t in await unit.open_transfers() if t.state is State.WAITING]
    assert [t.image for t in waiting] == [STATIC], "no card has shown yet what Ana approved"
    w.faults.clear()
    await w.settle(60)
    await w.press(ANA, "approve:1")
    await judged(w, tally, commits=3)
