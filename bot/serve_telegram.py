"""Serves Telegram: asks who the bot is there, sets its menus, and polls.

Nothing is decided here. app.py starts and stops it, beside the other services.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.adapters.store import last_beat
from bot.adapters.telegram import SERVICE, TELEGRAM
from bot.adapters.telegram.chat import Menu, PollingBot, introduce, set_menus
from bot.adapters.telegram.hearing import Hearing
from bot.adapters.telegram.polling import Polling, StoredOffset
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.telegram.takeover import Takeover
from bot.build import Running, make_intake, make_outage, utc_now
from bot.config import Settings, TelegramSection
from bot.core.policy import Role
from bot.dialog.commands import menu_for
from bot.dialog.language import Language
from bot.dialog.message import say

RECENTLY_ALIVE: Final = timedelta(seconds=90)
"""If Telegram answered this database's bot so recently, it restarts without a takeover: no other
bot can have used the token meanwhile.
"""


async def serve_telegram(running: Running, bot: PollingBot, section: TelegramSection) -> None:
    """Until the parts stop. Another bot may be doing the same work until the polling knows."""
    shutdown, reconciler = running.reload.parts, running.reconciler
    settled = _was_alive_recently(Path(running.settings.database))
    reconciler.hold(held=not settled)
    me = await shutdown.unless_requested(introduce(bot))
    if me is None:
        return
    running.log_name(f"@{me}")
    takeover = Takeover(settled=settled, hold=lambda held: reconciler.hold(held=held))
    hearing = Hearing()
    asking = hearing.keep_asking(bot, section.chats, running.adapters.store.move_chat)
    async with asyncio.TaskGroup() as group:
        group.create_task(shutdown.unless_requested(_set_menus(running, bot, section)))
        group.create_task(shutdown.unless_requested(asking))
        await _polling(running, bot, me, takeover, hearing).run(shutdown)


def _was_alive_recently(database: Path) -> bool:
    last = last_beat(database, TELEGRAM)
    return last is not None and abs(utc_now() - last) <= RECENTLY_ALIVE


def _polling(
    running: Running, bot: PollingBot, me: str, takeover: Takeover, hearing: Hearing
) -> Polling:
    ahead = running.adapters.store.ahead()
    return Polling(
        bot=bot,
        words=running.adapters.words,
        receiver=make_intake(running, ahead, SERVICE, me),
        offset=StoredOffset(ahead),
        alive=make_outage(running, SERVICE).note_answer,
        turn=takeover,
        hearing=hearing,
        together=ahead.together,
    )


async def _set_menus(running: Running, bot: PollingBot, section: TelegramSection) -> None:
    menus = make_menus(running.settings, running.adapters.words)
    await set_menus(bot, menus=menus, chats=section.chats, admin_ids=section.admins)


def make_menus(settings: Settings, words: TelegramWords) -> list[Menu]:
    """The command menu in the language of the config for everybody, and in every language."""
    languages: list[tuple[Language, str | None]] = [(settings.language, None)]
    languages += [(language, str(language)[:2]) for language in Language]
    return [_menu(words, language, code) for language, code in languages]


def _menu(words: TelegramWords, language: Language, code: str | None) -> Menu:
    members, admins = (
        [
            (str(spec.name), words.plain(say(f"command-{spec.name}"), language))
            for spec in menu_for(role)
        ]
        for role in (Role.MEMBER, Role.ADMIN)
    )
    return Menu(code, members, admins)
