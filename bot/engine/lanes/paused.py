"""The mirror repository while an admin has paused the bot: it is read, and nothing is written."""

from typing import Any, Final, cast

from bot.core.errors import TransientError
from bot.core.ids import CommitSha
from bot.core.retry import TroubleKind
from bot.engine.ports.repository import Repository

PAUSED_WAIT: Final = 30.0
"""Seconds until a write is tried again. The pause has to be lifted by then."""


def paused(repository: Repository) -> Repository:
    """The same repository, whose writes raise TransientError until the pause is over."""
    return cast(Repository, _Paused(repository))


class _Paused:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    async def workflow(self) -> object:
        """Asked before a batch is formed: so what is approved waits, and can be cancelled."""
        raise _pause()

    async def write_list(self, *_: object, **__: object) -> CommitSha:
        raise _pause()

    async def dispatch(self, *_: object, **__: object) -> object:
        raise _pause()


def _pause() -> TransientError:
    words = "an admin has paused all commits and dispatches"
    return TransientError(words, kind=TroubleKind.PAUSED, retry_after=PAUSED_WAIT)
