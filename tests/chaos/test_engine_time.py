"""The clock jumps both ways, by hours: no wait planned by the wrong clock blocks anything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine_scenarios import mirror
from engine_world import ChaosWorld, chaos_world
from fakes import ANA, NGINX, STATIC, WEI
from invariants import violations

from bot.core.errors import TransientError

YEAR = 365 * 24 * 3600


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[ChaosWorld]:
    async with chaos_world(tmp_path) as made:
        made.upstream(NGINX, STATIC)
        yield made


def results(w: ChaosWorld) -> list[str]:
    return [text for text in w.chat.texts if text.startswith(("Done", "Partly"))]


@pytest.mark.chaos
@pytest.mark.parametrize("hours", [-30, -1, 5])
@pytest.mark.parametrize("ticks", [1, 2, 3, 5])
async def test_a_jump_at_any_moment_holds_nothing_up(w: ChaosWorld, hours: int, ticks: int) -> None:
    await mirror(w, WEI, NGINX)
    for _ in range(ticks):
        await w.settle(2)
    w.jump(hours)
    await w.settle(60)
    assert len(results(w)) == 1
    assert violations(await w.evidence()) == []


async def test_the_next_request_after_a_jump_back_is_served_at_once(w: ChaosWorld) -> None:
    await mirror(w, WEI, NGINX)
    await w.settle(40)
    w.jump(-5)
    await mirror(w, WEI, STATIC)
    await w.settle(10)
    await w.press(ANA, "approve:2")
    await w.settle(40)
    assert len(results(w)) == 2


async def test_a_wish_for_silence_ends_though_the_clock_was_set_back(w: ChaosWorld) -> None:
    w.chat.trouble = [TransientError("Telegram asks to wait", retry_after=30)]
    await mirror(w, WEI, NGINX)
    await w.settle(5)
    w.jump(-5)
    await w.settle(60)
    assert len(results(w)) == 1


async def test_a_wait_of_a_year_that_a_server_names_is_not_obeyed(w: ChaosWorld) -> None:
    w.chat.trouble = [TransientError("Telegram asks to wait", retry_after=YEAR)]
    await mirror(w, WEI, NGINX)
    await w.rest()
    assert len(results(w)) == 1
