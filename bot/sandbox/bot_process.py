"""Runs the production bot in the sandbox, and restarts it as systemd or Docker would.

The bot is a direct child, so that a person or a test can find its process and kill it.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bot.sandbox.lifetime import stop, tied

log = logging.getLogger(__name__)

RESTART_SECONDS: Final = 0.5
STOP_SECONDS: Final = 15.0
CONFIG_EXIT: Final = 2
"""The bot's exit code for a wrong config. It is not restarted after this."""


class BotProcess:
    """The bot of the sandbox. It can be killed, and is then started again."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def kept_alive(
        self, *, config: Path, environment: Mapping[str, str], output: Path
    ) -> AsyncIterator[None]:
        """Run `imageto-bot run` while the context is open, with its log appended to `output`."""
        keeper = asyncio.create_task(self._keep(config, {**_base(), **environment}, output))
        try:
            yield
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    def kill(self) -> bool:
        """Send SIGKILL, as a lack of memory would. False where no bot runs."""
        if self._process is None or self._process.returncode is not None:
            return False
        self._process.kill()
        return True

    async def _keep(self, config: Path, environment: Mapping[str, str], output: Path) -> None:
        while True:
            with output.open("ab") as log_file:
                process = self._process = await asyncio.create_subprocess_exec(
                    *tied(_command(config)),
                    env=environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log_file,
                    stderr=log_file,
                )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await stop(process, grace=STOP_SECONDS)
                raise
            if code == CONFIG_EXIT:
                log.error("the bot does not start: see %s", output)
                return
            log.warning("the bot ended with code %d; starting it again", code)
            await asyncio.sleep(RESTART_SECONDS)


def _base() -> dict[str, str]:
    """Return what any process needs of our environment, without the tokens in it."""
    needed = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")
    kept = {name: os.environ[name] for name in needed if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_PROXY": "*"}


def _command(config: Path) -> list[str]:
    # -P: a folder named bot in the working directory must not be imported instead.
    return [sys.executable, "-P", "-m", "bot", "run", "--config", str(config)]
