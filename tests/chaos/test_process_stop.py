"""A stop: short work is finished, long work is left, and nothing is done twice."""

import asyncio
import signal
import time
from collections import Counter

import pytest
from bot_site import Site

from bot.app import STOP_SECONDS

pytestmark = pytest.mark.e2e


async def test_an_answer_and_a_commit_under_way_are_finished_and_saved(
    site: Site, tally: Counter[str]
) -> None:
    """Both at once: a commit that takes GitHub 3 s, and a card that takes Telegram 2 s."""
    bot = await site.serving()
    site.faults.arm(where="github", what="delay 3", path="PUT ")
    await site.answer(await site.say("wei", "/mirror nginx:1.27"))
    await site.until(lambda: site.faults.armed() == [], bot)
    site.faults.arm(where="telegram", what="delay 2", path="sendMessage")
    asked = await site.say("li", "/whoami")
    await site.until(lambda: site.faults.armed() == [], bot)
    assert await bot.stop() == 0
    tally["faults"] += 1
    assert len(await site.answers(asked)) == 1
    assert bot.look("SELECT * FROM notes") == []
    assert len(await site.commits()) == 1
    assert bot.look("SELECT count(*) FROM batches WHERE sha IS NOT NULL") == [(1,)]
    log = bot.log()
    assert "stopping: waiting up to 10 s for steps that have begun" in log
    assert "next start" not in log
    assert "Traceback" not in log
    again = await site.serving()
    await site.answer(await site.say("wei", "/whoami"))
    assert (len(await site.answers(asked)), len(await site.commits())) == (1, 1)
    # A call that hangs, and a second signal: it ends at once, by the signal.
    site.faults.arm(where="telegram", what="delay 600", path="sendMessage")
    await site.say("li", "/whoami")
    await site.until(lambda: site.faults.armed() == [], again)
    again.signal(signal.SIGTERM)
    await site.until(lambda: again.log().count("stopping: waiting") == 2, again)
    again.signal(signal.SIGINT)
    assert await again.end() == 128 + signal.SIGINT


@pytest.mark.chaos
@pytest.mark.parametrize("where", ["github", "telegram"])
async def test_a_call_that_hangs_holds_up_no_stop(
    site: Site, where: str, tally: Counter[str]
) -> None:
    bot = await site.serving()
    hung = {"github": "GET /github", "telegram": "sendMessage"}[where]
    site.faults.arm(where=where, what="delay 600", path=hung)
    asked = await site.say("wei", "/mirror nginx:1.27")
    await site.until(lambda: site.faults.armed() == [], bot)
    began = time.monotonic()
    assert await bot.stop() == 0
    assert time.monotonic() - began > STOP_SECONDS - 1
    assert "some steps did not finish; the next start repeats them" in bot.log()
    assert "Traceback" not in bot.log()
    tally["faults"] += 1
    again = await site.serving()
    await site.answer(asked, "#1")
    await site.until(lambda: again.look("SELECT * FROM batches WHERE sha IS NOT NULL"), again)


@pytest.mark.chaos
async def test_a_stop_finds_every_part_at_rest(site: Site, tally: Counter[str]) -> None:
    """Stopped while it polls, and while Telegram is away: it ends at once and leaves no thread."""
    bot = await site.serving()
    await site.answer(await site.say("wei", "/whoami"))
    assert await bot.stop() == 0
    assert "next start" not in bot.log()
    site.faults.arm(where="telegram", what="refused", times=1000, path="bot")
    away = await site.start()
    await site.until(lambda: "next try in" in away.log(), away)
    assert await away.stop() == 0
    assert "next start" not in away.log()
    site.faults.clear()
    tally["faults"] += 1


@pytest.mark.chaos
async def test_of_many_things_to_say_one_is_finished_and_the_rest_is_left(site: Site) -> None:
    bot = await site.serving()
    site.faults.arm(where="telegram", what="delay 5", times=1000, path="sendMessage")
    asked = [await site.say("wei", "/whoami") for _ in range(6)]
    await site.until(lambda: bot.look("SELECT max(id) FROM notes") == [(len(asked),)], bot)
    assert await bot.stop() == 0
    left = len(bot.look("SELECT id FROM notes"))
    assert left >= 3
    said = sum([len(await site.answers(number)) for number in asked])
    assert said == len(asked) - left
    site.faults.clear()
    await site.serving()
    for number in asked:
        await site.answer(number)
    await asyncio.sleep(1)
    assert [len(await site.answers(number)) for number in asked] == [1] * len(asked)
