"""Two bots at once, with one database or with one token: never two writers, never silence."""

import asyncio
import contextlib
import sqlite3
from collections import Counter

import pytest
from bot_site import Bot, Site

pytestmark = pytest.mark.e2e

OURS = "this bot takes its updates"


@pytest.mark.sweep
async def test_a_second_bot_waits_for_the_database_and_takes_it_over_after_a_kill(
    site: Site, tally: Counter[str]
) -> None:
    first = await site.serving()
    second = await site.start()
    waiting = "another bot uses the database"
    await site.until(lambda: waiting in second.log(), first, second)
    asked = await site.say("wei", "/whoami")
    await site.answer(asked)
    assert second.log().count("serves mirror repository") == 1, "the second serves beside the first"
    await first.kill()
    tally["kill points"] += 1
    await site.until(lambda: second.log().count("serves mirror repository") == 2, second)
    await site.answer(await site.say("wei", "/whoami"))
    assert await second.stop() == 0


@pytest.mark.chaos
async def test_a_second_bot_that_waits_for_the_database_in_vain_says_so_and_ends_with_3(
    site: Site,
) -> None:
    first = await site.serving()
    waiting = await site.start()
    linked = site.folder / "linked"
    linked.symlink_to(first.folder)  # another name of the same database
    other = await site.start("linked")
    assert (await waiting.end(), await other.end()) == (3, 3)
    lines = [line for line in first.log().splitlines() if line.startswith("imageto-bot: ")]
    assert len(lines) == 2
    assert all("stop it first, or give this one a database" in line for line in lines)
    assert "Traceback" not in first.log()
    assert await first.stop() == 0


@pytest.mark.chaos
async def test_a_bot_that_waits_for_the_database_stops_at_once_when_told(site: Site) -> None:
    first = await site.serving()
    waiting = await site.start("bot")
    await site.until(lambda: "another bot uses" in waiting.log(), waiting)
    assert await waiting.stop() == 0
    assert not first.ended.done()


@pytest.mark.chaos
async def test_check_and_setup_work_beside_a_running_bot(site: Site) -> None:
    bot = await site.serving()
    await site.answer(await site.say("wei", "/whoami"))
    code, said = await site.command(bot, "check")
    assert (code, "not what the config says: HARBOR_HOST, NAMING, POLICY" in said) == (1, True), (
        said
    )
    code, said = await site.command(bot, "setup")
    assert code == 0, said
    _, said = await site.command(bot, "check")
    for name in ("database", "telegram", "webhook", "repository", "variables of the workflow"):
        assert f"{name}: ok: " in said, said
    code, said = await site.command(bot, "check", "--alive")
    assert (code, said.startswith("ok: last answer from Telegram")) == (0, True)
    await site.answer(await site.say("wei", "/whoami"))
    await bot.kill()
    code, said = await site.command(bot, "check", "--alive")
    assert (code, said.startswith("FAILED: no bot uses ")) == (1, True)


async def first_to_serve(site: Site) -> Bot:
    """A bot that knows that the token is its own."""
    first = await site.serving("first")
    await site.until(lambda: OURS in first.log(), first)
    return first


@pytest.mark.chaos
async def test_of_two_bots_with_one_token_the_first_goes_on_and_the_other_waits_for_its_end(
    site: Site, tally: Counter[str]
) -> None:
    first = await first_to_serve(site)
    second = await site.serving("second")
    same = "with the same token (409 Conflict)"
    await site.until(lambda: same in first.log() and same in second.log(), first, second)
    asked = [await site.say("wei", f"/mirror nginx:1.{number}") for number in range(5)]
    for number in asked:
        assert (await site.answer(number))["text"].startswith("#")
    await site.until(lambda: first.look("SELECT * FROM batches WHERE sha IS NOT NULL"), first)
    await asyncio.sleep(3)
    commits = "\n".join(await site.commits())
    assert [commits.count(f"nginx:1.{number}@sha256:") for number in range(5)] == [1] * 5
    assert second.look("SELECT * FROM requests") == []
    assert first.look("SELECT count(*) FROM requests") == [(5,)]
    tally["faults"] += 1
    assert await first.stop() == 0
    await site.until(lambda: OURS in second.log(), second)
    await site.answer(await site.say("li", "/whoami"))
    assert second.look("SELECT count(*) FROM people WHERE id = 'telegram:1002'") == [(1,)]
    assert await second.stop() == 0


@pytest.mark.chaos
async def test_a_bot_that_was_started_from_a_copy_writes_nothing_beside_the_first(
    site: Site, tally: Counter[str]
) -> None:
    first = await first_to_serve(site)
    site.faults.arm(where="github", what="status 503", times=1000)
    await site.say("wei", "/mirror nginx:1.0")
    approved = "SELECT * FROM transfers WHERE approved_at IS NOT NULL"
    await site.until(lambda: first.look(approved), first)
    copied = site.folder / "second"
    copied.mkdir()
    with (
        contextlib.closing(sqlite3.connect(first.database)) as there,
        contextlib.closing(sqlite3.connect(copied / first.database.name)) as here,
    ):
        there.backup(here)
        here.execute("UPDATE cursors SET value = value - 3600 WHERE name LIKE 'beat%'")
        here.commit()
    site.faults.clear()
    second = await site.serving("second")
    await site.until(lambda: "(409 Conflict)" in second.log(), first, second)
    await site.until(lambda: first.look("SELECT * FROM batches WHERE sha IS NOT NULL"), first)
    await asyncio.sleep(3)
    assert len(await site.commits()) == 1
    assert "bot.engine.lanes.batch" not in second.log()
    tally["faults"] += 1
