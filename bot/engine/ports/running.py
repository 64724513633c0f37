"""The port of what clusters run: see core/running.py. Values as in store.py."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.ids import ChatId
from bot.core.running import RunningImages


class KeepsRunning(Protocol):
    async def keep_running(self, running: RunningImages) -> None:
        """Store a list in place of the one of that name. The oldest beyond the bound go."""


class Running(KeepsRunning, Protocol):
    async def running(self, chat: ChatId) -> Sequence[RunningImages]:
        """The lists that people of a chat gave, by name."""
