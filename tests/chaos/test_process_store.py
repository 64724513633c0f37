"""The real process with a database that it cannot write: people read why, and nothing is lost."""

import asyncio
import resource
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bot_site import Bot, Site

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

EXCUSE = "I cannot save anything right now"


@contextmanager
def locked(bot: Bot) -> Iterator[None]:
    """Hold the write lock, as another program would."""
    other = sqlite3.connect(bot.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def full(bot: Bot) -> Iterator[None]:
    """Limit the size of the bot's files, so that the database's log cannot grow."""
    size = Path(f"{bot.database}-wal").stat().st_size
    assert size > len(bot.log()) + 4096, "its other log has to go on"
    before = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, before)


TROUBLES = {
    "locked": (locked, "database is locked: another program holds it"),
    "full": (full, "disk I/O error: check its disk, and whether it is full"),
}


async def excuses(site: Site) -> list[int]:
    return [m["reply_to"] for m in await site.read() if EXCUSE in m["text"]]


@pytest.mark.parametrize("trouble", list(TROUBLES))
async def test_what_comes_while_nothing_can_be_stored_is_excused_once_and_taken_up_later(
    site: Site, trouble: str, tally: Counter[str]
) -> None:
    bot = await site.serving()
    await site.answer(await site.say("wei", "/mirror nginx:1.26"), "approved")
    card = next(m for m in await site.read() if m["from"] == "bot")
    barred, words = TROUBLES[trouble]
    with barred(bot):
        asked = [await site.say("wei", f"/mirror nginx:1.{n}") for n in (27, 28)]
        chatter = await site.say("li", "good morning")
        await site.until(lambda: words in bot.log(), bot)
        await site.answer(asked[0], EXCUSE)
        status = await site.say("li", "/whoami")
        await asyncio.sleep(6)
        assert await excuses(site) == asked[:1]
        assert "updates: the database" in bot.log()
        assert len(await site.read()) == 2 + 4 + 1, "something else was said"
    tally["faults"] += 1
    for number in asked:
        await site.answer(number, "#")
    await site.answer(status, "Your id: 1002")
    assert await site.answers(chatter) == []
    assert await excuses(site) == asked[:1]
    assert card["id"] in {m["id"] for m in await site.read()}
    assert bot.look("SELECT count(*) FROM requests") == [(3,)]
    assert "Traceback" not in bot.log()
    assert bot.log().count("serves mirror repository") == 1
    assert await bot.stop() == 0


async def test_half_a_minute_under_lock_delays_everything_and_loses_nothing(
    site: Site, tally: Counter[str]
) -> None:
    bot = await site.serving()
    await site.answer(await site.say("wei", "/whoami"))
    with locked(bot):
        asked = [await site.say("wei", f"/mirror redis:{n}") for n in range(4)]
        await asyncio.sleep(30)
        code, said = await site.command(bot, "check", "--alive")
        assert (code, said.startswith("ok: last answer from Telegram")) == (0, True)
    tally["faults"] += 1
    for number in asked:
        await site.answer(number, "#", seconds=30)
    assert [len(await site.answers(number)) for number in asked[1:]] == [1, 1, 1]
    await site.until(
        lambda: bot.look("SELECT count(*) FROM transfers WHERE batch IS NOT NULL") == [(4,)], bot
    )


async def test_a_press_that_cannot_be_stored_is_answered_and_counts_when_it_can(
    site: Site, tally: Counter[str]
) -> None:
    bot = await site.serving()
    asked = await site.say("wei", "/mirror docker.io/bitnami/nginx:1.27")
    card = await site.answer(asked, "waits for an admin")
    with locked(bot):
        assert "Press again" in await site.press("ana", card, "Approve")
    tally["faults"] += 1
    await site.answer(asked, "Approved by Ana")
    assert bot.look("SELECT approved_by FROM transfers") == [("telegram:1003",)]
