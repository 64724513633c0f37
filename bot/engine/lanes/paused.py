"""The mirror repository while an admin has paused the bot: it is read, and nothing is written."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from bot.core.batch import CopyResult, Run
from bot.core.errors import TransientError
from bot.core.ids import BatchId, CommitSha, RunId
from bot.core.retry import TroubleKind
from bot.engine.ports.repository import ListFile, Names, Repository, WorkflowState

PAUSED_WAIT: Final = 30.0
"""Seconds until a write is tried again. The pause has to be lifted by then."""


class Paused(Repository):
    """Raises TransientError in place of each write, until the pause is over."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def workflow(self) -> WorkflowState:
        """Asked before a batch is formed: so what is approved waits, and can be cancelled."""
        raise _pause()

    async def write_list(self, *_: object, **__: object) -> CommitSha:
        raise _pause()

    async def dispatch(self, *_: object, **__: object) -> Run | None:
        raise _pause()

    async def read_list(self) -> ListFile:
        return await self._repository.read_list()

    def last_workflow(self) -> WorkflowState | None:
        return self._repository.last_workflow()

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        return await self._repository.find_commit(batch)

    async def run_of_commit(self, sha: CommitSha) -> Run | None:
        return await self._repository.run_of_commit(sha)

    async def run_of_dispatch(self, batch: BatchId, *, since: datetime) -> Run | None:
        return await self._repository.run_of_dispatch(batch, since=since)

    async def run(self, run: RunId) -> tuple[Run, CommitSha]:
        return await self._repository.run(run)

    async def results(
        self, run: Run, sha: CommitSha, *, awaited: Collection[Names]
    ) -> tuple[CopyResult, ...]:
        return await self._repository.results(run, sha, awaited=awaited)

    async def statuses(
        self, run: Run, sha: CommitSha, *, contexts: Collection[str]
    ) -> Mapping[str, tuple[str, str]]:
        return await self._repository.statuses(run, sha, contexts=contexts)

    async def unstarted(self, run: RunId) -> str | None:
        return await self._repository.unstarted(run)


def _pause() -> TransientError:
    words = "an admin has paused all commits and dispatches"
    return TransientError(words, kind=TroubleKind.PAUSED, retry_after=PAUSED_WAIT)
