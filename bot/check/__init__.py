"""The `check` command: proves that the bot will work, or tells that it is alive.

It must leave nothing behind. Each line names what was checked. One with FAILED or a warning also
says what to do. cli.py sets the exit code.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.adapters.store import last_beat
from bot.adapters.store.lock import is_taken
from bot.adapters.telegram.inspection import Inspection
from bot.check.github import github
from bot.check.machine import machine
from bot.check.registries import sources, target
from bot.check.report import CheckLines, Report, Say, ok, warning
from bot.check.telegram import telegram
from bot.clients import open_inspection
from bot.config import Secrets, Settings

_TITLES: Final = {"telegram": "Telegram", "github": "GitHub"}


async def alive(settings: Settings, within: timedelta, say: Say) -> bool:
    """Return whether a bot uses this database and got an answer from each service in this time."""
    database = Path(settings.database)
    if not is_taken(database):
        say(f"FAILED: no bot uses {database}; start it with `imageto-bot run`")
        return False
    answers = [await _answered(database, name, within, say) for name in settings.services]
    return all(answers)


async def _answered(database: Path, service: str, within: timedelta, say: Say) -> bool:
    last = await asyncio.to_thread(last_beat, database, service)
    title = _TITLES.get(service, service)
    # The answer may lie in the future if the clock was set back. A live bot soon stores a new one.
    if last is None or abs(datetime.now(UTC) - last) > within:
        say(f"FAILED: last answer from {title}: {last or 'never'}; read the log of the bot")
        return False
    say(f"ok: last answer from {title} at {last:%H:%M:%S} UTC")
    return True


async def everything(
    settings: Settings, secrets: Secrets, say: Say, *, as_json: bool = False
) -> bool:
    """Check all services and this machine. A failure does not stop the others."""
    report = Report(say, as_json=as_json)
    await report.take("config", _config(settings))
    async with open_inspection(settings, secrets) as services:
        await report.take("this machine", machine(settings, services.network))
        if services.bot is not None and settings.telegram is not None:
            inspection = Inspection(services.bot)
            await report.take("telegram", telegram(inspection, settings, settings.telegram))
        await report.take("repository", github(services.repository, settings))
        await report.take("registries", sources(services.registries, settings, secrets))
        await report.take("target", target(services.registries, services.harbor, settings, secrets))
    return report.end()


async def _config(settings: Settings) -> CheckLines:
    yield ok("config", "it can be read")
    for line in settings.policy.warnings():
        yield warning("config", line, "correct it")
    for number, rule in enumerate(settings.policy_in_force().rules):
        if rule.signer is not None:
            name = f"policy.rules.{number}.verify"
            yield ok(name, f"images have to be signed by {rule.signer.name}")
