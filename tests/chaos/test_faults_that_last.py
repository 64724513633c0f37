"""Faults that last for longer: what people read meanwhile, and how often it is retried."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from fault_calls import is_over
from faults_world import FaultsWorld, faults_world

IMAGE = "docker.io/library/nginx:1.27"
OFTEN = 1_000_000


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultsWorld]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with faults_world(tmp_path) as made:
        made.source.put("library/nginx", "1.27")
        yield made


async def mirrored(world: FaultsWorld, message: int) -> None:
    for _ in range(60):
        if await is_over(world, message) and "Done, 1 of 1" in world.texts(message)[-1]:
            break
        await world.step()
    for _ in range(8):
        await world.step()


async def lasting(world: FaultsWorld, seconds: float) -> None:
    end = world.clock.now + timedelta(seconds=seconds)
    while world.clock.now < end:
        await world.step()


async def test_a_token_that_github_refuses_holds_everything_and_admins_read_of_it(
    world: FaultsWorld, tally: Counter[str]
) -> None:
    world.faults.arm(where="github", what="status 401", times=OFTEN)
    message = world.say(f"/mirror {IMAGE}", images=[IMAGE])
    await lasting(world, 300)
    assert "no longer accepts my token" in world.texts(message)[-1]
    asked = world.say("/status", who="ana")
    await world.step()
    await world.step()
    assert "Problem now: GitHub no longer accepts my token" in world.texts(asked)[-1]
    tried = [heard for heard in world.heard if heard.where == "github"]
    assert len(tried) <= 6
    world.faults.clear()
    await lasting(world, 600)
    await mirrored(world, message)
    found = await world.violated()
    tally["faults"] += 1
    tally["violations"] += len(found)
    assert found == []


@pytest.mark.chaos
async def test_an_hour_without_github_is_waited_for_in_growing_steps(
    world: FaultsWorld, tally: Counter[str]
) -> None:
    world.faults.arm(where="github", what="refused", times=OFTEN)
    message = world.say(f"/mirror {IMAGE}", images=[IMAGE])
    await lasting(world, 3600)
    told = world.texts(message)
    assert any("GitHub cannot be reached: tried once, trying again" in text for text in told)
    assert any("times, next try at" in text for text in told)
    times = [heard.at for heard in world.heard if heard.where == "github"]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(times) < 25
    assert waits[0] < 5
    assert 225 <= waits[-1] <= 380
    world.faults.clear()
    await lasting(world, 400)
    await mirrored(world, message)
    found = await world.violated()
    tally["faults"] += 1
    tally["violations"] += len(found)
    assert found == []


async def test_a_repository_out_of_the_tokens_sight_is_named_and_told_from_a_missing_workflow(
    world: FaultsWorld, tally: Counter[str]
) -> None:
    world.faults.arm(where="github", what="status 404", times=OFTEN)
    message = world.say(f"/mirror {IMAGE}", images=[IMAGE])
    await lasting(world, 30)
    assert "GitHub shows the bot's token no repository ana/mirror" in world.texts(message)[-1]
    found = await world.violated()
    tally["faults"] += 1
    tally["violations"] += len(found)
    assert found == []


async def test_what_is_wrong_is_said_in_the_readers_language(
    world: FaultsWorld, tally: Counter[str]
) -> None:
    """Li's Telegram is in Chinese, so every private message to her is in Chinese."""
    li = world.people.person("li")
    world.faults.arm(where="source", what="status 502", times=OFTEN, path="GET /token")
    message = world.people.say(li, world.people.chat_of(li, "private"), f"/mirror {IMAGE}")
    await lasting(world, 30)
    (card,) = world.replies(message.id)
    assert "docker.io 内部出错，已试" in card.text
    tally["faults"] += 1
