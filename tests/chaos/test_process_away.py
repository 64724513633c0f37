"""Telegram away, bot away, machine suspended, clock set: the bot goes on and says so."""

import asyncio
import signal
from collections import Counter

import pytest
from bot_site import SECONDS, Site

from bot.adapters.telegram.transport import BOUNDS

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

HOUR = 3600.0
AWAY = "I was offline from"


async def confessions(site: Site) -> list[str]:
    return [m["text"] for m in await site.read() if AWAY in m["text"]]


async def test_after_more_than_a_day_the_chat_hears_once_that_messages_may_be_lost(
    site: Site, tally: Counter[str]
) -> None:
    bot = await site.serving(clock=-25 * HOUR)
    await site.answer(await site.say("wei", "/whoami"))
    assert await bot.stop() == 0
    bot = await site.serving()
    await site.until(lambda: "what was sent before" in bot.log(), bot)
    await site.answer(await site.say("wei", "/whoami"))
    assert await bot.stop() == 0
    bot = await site.serving()
    await site.answer(await site.say("wei", "/whoami"))
    (said,) = await confessions(site)
    assert "If one of yours is missing, send it again." in said
    tally["faults"] += 1
    # A clock that is set during a run is no absence, and delays nothing.
    for clock in (30 * HOUR, -8 * HOUR):
        bot.set_clock(clock)
        asked = await site.say("wei", f"/mirror nginx:1.{abs(int(clock))}")
        await site.answer(asked, "submitted")
    assert len(await confessions(site)) == 1
    assert "Traceback" not in bot.log()


async def test_telegram_and_github_out_of_reach_for_a_while_delay_everything_and_lose_nothing(
    site: Site, tally: Counter[str]
) -> None:
    bot = await site.serving()
    site.faults.arm(where="telegram", what="refused", times=100_000, path="bot")
    site.faults.arm(where="github", what="status 502", times=100_000)
    asked = [await site.say("wei", f"/mirror nginx:1.{number}") for number in range(4)]
    await asyncio.sleep(20)
    site.faults.clear()
    tally["faults"] += 2
    for number in asked:
        await site.answer(number, "submitted")
    assert [len(await site.answers(number)) for number in asked] == [1] * 4
    assert len(await site.commits()) == 1
    assert await confessions(site) == []
    assert bot.log().count("serves mirror repository") == 1


async def test_a_machine_that_sleeps_goes_on_where_it_was(site: Site, tally: Counter[str]) -> None:
    bot = await site.serving()
    await site.answer(await site.say("wei", "/mirror nginx:1.26"), "submitted")
    bot.signal(signal.SIGSTOP)
    asked = await site.say("wei", "/mirror nginx:1.27")
    await asyncio.sleep(BOUNDS.poll + 3)
    bot.signal(signal.SIGCONT)
    tally["faults"] += 1
    await site.answer(asked, "submitted")
    assert len(await site.answers(asked)) == 1
    async with asyncio.timeout(SECONDS):
        while len(await site.commits()) < 2:
            await asyncio.sleep(0.1)
    assert await bot.stop() == 0


async def test_a_clock_set_back_with_waits_under_way_stalls_nothing(
    site: Site, tally: Counter[str]
) -> None:
    """As on a machine that takes its local time for UTC until its clock is synchronised."""
    bot = await site.serving(clock=8 * HOUR)
    site.faults.arm(where="github", what="status 502", times=3)
    site.faults.arm(where="telegram", what="retry-after 4", path="sendMessage")
    first = await site.say("wei", "/mirror nginx:1.26")
    await site.until(lambda: len(site.faults.armed()) < 2, bot)
    bot.set_clock(0)
    second = await site.say("li", "/mirror nginx:1.27")
    for asked in (first, second):
        await site.answer(asked, "submitted")
    assert len(await site.commits()) in (1, 2)
    tally["faults"] += 3
