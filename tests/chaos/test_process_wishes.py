"""Commands of the host beside a bot that runs: it carries out what they wish."""

import re

import pytest
from bot_site import Site

pytestmark = pytest.mark.e2e

COMMITTED = "SELECT 1 FROM batches WHERE sha IS NOT NULL"


async def test_the_host_refills_asks_who_and_forgets_beside_a_bot(site: Site) -> None:
    bot = await site.serving()
    await site.say("wei", "/mirror nginx:1.27")
    await site.until(lambda: bot.look(COMMITTED), bot)
    code, output = await site.command(bot, "refill")
    assert (code, "the bot that runs does it" in output) == (0, True), output
    busy = "a wish of the host: docker.io/library/nginx:1.27: under way already"
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
