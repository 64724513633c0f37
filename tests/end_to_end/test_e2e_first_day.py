"""The first day: `init` on services with nothing set up, `run`, and the first image that is pulled.

Real processes, git, act, skopeo and registries. The person types nothing, sends one message and
presses one button.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.world import ANSWERS, open_sandbox

T = TypeVar("T")
COMMAND = str(Path(sys.executable).with_name("imageto-bot"))
PATIENCE = 90
ENVIRONMENT = {"PATH": os.environ["PATH"], "NO_PROXY": "*", "PYTHONUNBUFFERED": "1"}


async def until(look: Callable[[], T]) -> T:
    async with asyncio.timeout(PATIENCE):
        while not (found := look()):
            await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def imageto_bot(*arguments: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            COMMAND, *arguments, env=ENVIRONMENT, stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                await process.wait()


async def test_from_nothing_to_the_first_pulled_image(tmp_path: Path) -> None:
    chat, config = TelegramState(), tmp_path / "mine" / "config.yaml"
    config.parent.mkdir()
    ana = next(person for person in chat.people.values() if person.name == "ana")

    def said(words: str) -> int:
        return next((m.id for m in chat.messages() if m.sender is None and words in m.text), 0)

    async with open_sandbox(port=0, data=tmp_path, chat=chat, bare=True) as made:
        log, where = tmp_path / "init.log", ("--config", str(config))
        answers = ("--answers", str(tmp_path / ANSWERS))
        async with imageto_bot("init", *answers, *where, log=log) as process:
            code = await until(lambda: re.search(r"/start@\S+ \w+", log.read_text()))
            chat.say(ana, chat.group, code[0])
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 0, log.read_text()
        assert "workflow: ok: " in log.read_text()
        async with imageto_bot("run", *where, log=tmp_path / "run.log"):
            chat.say(ana, chat.group, "/mirror@imageto_bot nginx:1.27")
            card = await until(lambda: said("waits for an admin"))
            chat.press(ana, chat.group, card, "Approve")
            await until(lambda: said("docker pull"))
        (image,) = await made.registries.images("target")
    assert image["name"].endswith("docker.io/library/nginx:1.27")
