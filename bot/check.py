"""Looks whether everything the config names can be reached, and whether a bot is well.

Reads only. Each line says what was looked at and, where it is not well, who can mend it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.store import last_beat
from bot.adapters.store.lock import is_taken
from bot.adapters.telegram.chat import ask_name
from bot.app import Clients, connected
from bot.config import Secrets, Settings
from bot.core.errors import BotError
from bot.core.image import ImageRef
from bot.engine.outage import HEARTBEAT
from bot.engine.ports.repository import WorkflowState

Say = Callable[[str], None]


async def alive(settings: Settings, within: timedelta, say: Say) -> bool:
    """Whether a bot uses this database, and heard from Telegram lately."""
    database = Path(settings.database)
    if not is_taken(database):
        say("not well: no bot is running here")
        return False
    last = await asyncio.to_thread(last_beat, database, HEARTBEAT)
    # A beat that lies ahead is of a clock that was set back: whoever lives beats anew.
    if last is None or abs(datetime.now(UTC) - last) > within:
        say(f"not well: last heard from Telegram {last or 'never'}")
        return False
    say(f"well: heard from Telegram at {last:%H:%M:%S} UTC")
    return True


async def everything(settings: Settings, secrets: Secrets, say: Say) -> bool:
    """Reach Telegram, the mirror repository and the target; all is looked at in any case."""
    say("config: well")
    async with connected(settings, secrets) as parts:
        looks = {
            "telegram": _telegram,
            "mirror repository": _repository,
            "target": _target,
        }
        well = True
        for name, look in looks.items():
            try:
                say(f"{name}: {await look(parts)}")
            except BotError as error:
                say(f"{name}: NOT WELL: {error}")
                well = False
    return well


async def _telegram(parts: Clients) -> str:
    return f"well, I am @{await ask_name(parts.bot)}"


async def _repository(parts: Clients) -> str:
    state = await parts.repository.workflow()
    if state is not WorkflowState.ACTIVE:
        raise BotError(f"its workflow is {state}: run `imageto-bot setup`, or enable it")
    listed = await parts.repository.read_list()
    return f"well, its workflow is active, the list holds {len(listed.content)} bytes"


async def _target(parts: Clients) -> str:
    found = await parts.registries.target_digest(ImageRef.parse("docker.io/library/hello-world"))
    return "well, it can be read" + (" and holds hello-world" if found else "")
