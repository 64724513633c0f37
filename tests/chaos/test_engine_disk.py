"""The database refuses writes for a while, as on a full disk, and can still be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine_scenarios import COMPOSE, REDIS, mirror
from engine_world import ChaosWorld, chaos_world
from fakes import NGINX, WEI
from invariants import violations

from bot.core.ids import ChatId

PRIVATE = ChatId(WEI.id)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[ChaosWorld]:
    async with chaos_world(tmp_path) as made:
        made.upstream(NGINX, REDIS)
        yield made


async def full_for_a_while(w: ChaosWorld) -> None:
    w.faults.down.add("store")
    await w.settle(300, 30)
    w.faults.down.clear()


@pytest.mark.parametrize("ticks", [0, 1, 3, 6])
async def test_nothing_is_said_twice_and_nothing_lost_while_the_disk_is_full(
    w: ChaosWorld, ticks: int
) -> None:
    await mirror(w, WEI, NGINX)
    await w.say(WEI, "/help")
    for _ in range(ticks):
        await w.tick()
        w.clock.pass_time(3)
    await full_for_a_while(w)
    await w.rest()
    assert violations(await w.evidence()) == []
    assert sum(text.startswith("Done, 1 of 1") for text in w.chat.texts) == 1


async def test_a_file_goes_back_once_though_the_disk_was_full(w: ChaosWorld) -> None:
    await w.send(WEI, "compose.yaml", COMPOSE, chat=PRIVATE)
    await w.settle(5)
    await w.press(WEI, "all:1", chat=PRIVATE)
    while not any(text.startswith("Done") for text in w.chat.texts):
        await w.tick()
        w.clock.pass_time(1)
    await full_for_a_while(w)
    await w.rest()
    assert len(w.chat.documents) == 1
    assert violations(await w.evidence()) == []
