"""The sandbox in the test's own process, without a bot: for tests of what is around it.

sandbox_process.py starts all of it as a user does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sandbox_process import Sandbox

from bot.sandbox import world
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.world import RunningSandbox


@dataclass
class WithoutBot:
    """`environment` is what the bot would have got, and `people` act by the API."""

    place: RunningSandbox
    people: Sandbox
    environment: dict[str, str] = field(repr=False)


@asynccontextmanager
async def sandbox_without_bot(data: Path, **options: Any) -> AsyncIterator[WithoutBot]:
    given: dict[str, Any] = {}

    class NoBot(BotProcess):
        def kept_alive(self, **started: Any) -> Any:
            given.update(started)
            return nullcontext()

    async def no_wait(*_: object) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "BotProcess", NoBot)
        patch.setattr(world, "_until_polling", no_wait)
        async with world.open_sandbox(port=0, data=data, **options) as place:
            place.log.touch()
            with httpx.Client(base_url=place.address, trust_env=False, timeout=20) as api:
                people = Sandbox(cast("Any", None), data, place.address, api)
                yield WithoutBot(place, people, dict(given["environment"]))
