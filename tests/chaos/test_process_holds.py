"""What one admin stops stays stopped over a restart, until two admins or the host lift it.

The host's commands run beside a bot that runs, which carries out what they wish.
"""

import re
import signal

import pytest
from bot_site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]


async def test_a_pause_holds_every_commit_until_two_admins_lift_it(site: Site) -> None:
    people = {person.name: person.id for person in site.world.people.values()}
    admins = [people["ana"], people["li"]]
    telegram = {
        "chats": [site.world.group.id],
        "admins": admins,
        "members": [people["wei"]],
        "api": f"{site.address}/telegram",
    }
    bot = await site.serving(telegram=telegram)
    await site.answer(await site.say("ana", "/pause the registry moves"), "two admins send /resume")
    await site.until(lambda: bot.log().count("serves mirror repository") == 2, bot)
    card = await site.say("wei", "/mirror nginx:1.27")
    assert await site.answer(card, "an admin has paused me")
    bot.signal(signal.SIGKILL)
    await bot.end()
    bot = await site.serving(telegram=telegram)
    told = await site.answer(await site.say("wei", "/status"), "has paused all commits")
    assert "the registry moves" in told["text"]
    assert await site.commits() == []
    await site.answer(await site.say("ana", "/resume"), "One more admin")
    await site.answer(await site.say("ana", "/resume"), "One more admin")
    assert await site.commits() == []
    await site.answer(await site.say("li", "/resume"), "pause is over")
    await site.until(lambda: len(site.github.actions.runs()) >= 0 and bot.look(COMMITTED), bot)
    assert len(await site.commits()) == 1
    assert await bot.stop() == 0


COMMITTED = "SELECT 1 FROM batches WHERE sha IS NOT NULL"


async def test_a_block_denies_at_once_and_the_host_lifts_it_refills_and_forgets(site: Site) -> None:
    ask = {"registries": ["docker.io"], "rules": []}
    bot = await site.serving(policy=ask)
    card = await site.answer(await site.say("wei", "/mirror nginx:1.27"), "waits for an admin")
    told = await site.answer(await site.say("ana", "/block nginx bad bytes"), "are denied")
    assert "docker.io/library/nginx" in told["text"]
    await site.until(lambda: bot.log().count("serves mirror repository") == 2, bot)
    await site.press("ana", card, "Approve")
    await site.answer(await site.say("li", "/mirror nginx:1.27.3"), "bad bytes")
    assert await site.commits() == []
    code, output = await site.command(bot, "unblock", "redis")
    assert (code, "within a second" in output) == (0, True)
    await site.until(lambda: "there is no block docker.io/library/redis" in bot.log(), bot)
    await site.command(bot, "unblock", "nginx")
    await site.until(
        lambda: "block docker.io/library/nginx is lifted from the host" in bot.log(), bot
    )
    await site.until(lambda: bot.log().count("serves mirror repository") == 4, bot)
    card = await site.answer(await site.say("wei", "/mirror nginx:1.27.3"), "waits for an admin")
    await site.press("ana", card, "Approve")
    await site.until(lambda: bot.look(COMMITTED), bot)
    code, output = await site.command(bot, "refill")
    assert (code, "the running bot does it" in output) == (0, True), output
    busy = "a wish of the host: docker.io/library/nginx:1.27.3: under way already"
    await site.until(lambda: busy in bot.log(), bot)
    (commit,) = await site.commits()
    (pseudonym,) = re.findall(r"asked (p:[0-9a-f]{8});", commit)
    code, output = await site.command(bot, "who", pseudonym)
    wei = next(p.id for p in site.world.people.values() if p.name == "wei")
    assert (code, output.split()[0]) == (0, f"telegram:{wei}")
    await site.command(bot, "forget", f"telegram:{wei}")
    await site.until(lambda: f"telegram:{wei} is forgotten" in bot.log(), bot)
    assert (await site.command(bot, "who", pseudonym))[0] == 1
    assert await bot.stop() == 0
    assert (await site.command(bot, "resume"))[0] == 1
