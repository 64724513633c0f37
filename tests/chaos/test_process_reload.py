"""A config that is read again while the bot runs: by SIGHUP, and by /reload."""

import json
import signal

import pytest
from bot_site import Bot, Site

pytestmark = pytest.mark.e2e


def changed(bot: Bot, part: str, **values: object) -> None:
    path = bot.folder / "config.yaml"
    data = json.loads(path.read_text())
    data[part] = data[part] | values
    path.write_text(json.dumps(data))


async def test_an_admin_is_told_what_changed_and_one_who_is_removed_decides_nothing(
    site: Site,
) -> None:
    bot = await site.serving()
    assert await site.answer(await site.say("wei", "/reload"), "Only an admin")
    assert await site.answer(await site.say("ana", "/reload"), "nothing changed")
    changed(bot, "policy", rules=[], limits={"images": 2})
    answer = await site.answer(await site.say("ana", "/reload"), "policy.rules")
    assert "policy.limits.images" in answer["text"]
    assert "imageto-bot setup" in answer["text"]
    asked = await site.say("wei", "/mirror nginx:1.27")
    card = await site.answer(asked, "waits for an admin")
    # A config that is wrong changes nothing and says why. The bot goes on as before.
    changed(bot, "policy", rules="all")
    answer = await site.answer(await site.say("ana", "/reload"), "policy.rules")
    assert "nothing changed" in answer["text"]
    bot.signal(signal.SIGHUP)
    await site.until(lambda: "config not read again: " in bot.log(), bot)
    changed(bot, "policy", rules=[])
    starts = bot.log().count("serves mirror repository")
    changed(bot, "telegram", admins=[1002])
    bot.signal(signal.SIGHUP)
    await site.until(lambda: "config read again: telegram.admins" in bot.log(), bot)
    await site.until(lambda: bot.log().count("serves mirror repository") == starts + 1, bot)
    assert "Only an admin" in await site.press("ana", card, "Approve")
    await site.press("li", card, "Approve")
    assert bot.look("SELECT approved_by FROM transfers") == [("telegram:1002",)]
    path = bot.folder / "config.yaml"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"database": "other.sqlite3"}))
    assert await site.answer(await site.say("li", "/reload"), "database")
    assert await site.answer(await site.say("wei", "/whoami"), "1001")
    assert "Traceback" not in bot.log()
    assert await bot.stop() == 0
