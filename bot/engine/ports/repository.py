"""The port of the mirror repository: its list of images, its commits and its runs.

A write is sent once, and its outcome may be unclear. So the caller must look for the effect before
it writes again. Each call may raise `errors.TransientError` (the same call may work later) and
`errors.RefusedError` (it will not).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from bot.core.batch import CopyResult, Run
from bot.core.ids import BatchId, CommitSha, RunId

Names: TypeAlias = Collection[str]
"""How a run may name one image: it takes one of these."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """image.list as it is: its bytes, and the blob sha that a write has to name."""

    content: bytes
    blob: str


class WorkflowState(StrEnum):
    ACTIVE = "active"
    MISSING = "missing"
    OFF = "off"
    DIFFERS = "differs"
    """Its files are not those that this bot ships: `setup` has to be run."""


WORKFLOW_ADVICE: Final = {
    WorkflowState.MISSING: "missing on the default branch: run `imageto-bot setup`",
    WorkflowState.OFF: "switched off: enable it on the Actions page",
    WorkflowState.DIFFERS: "not the one that this bot ships: run `imageto-bot setup`",
}
"""For operators, after "the workflow is"."""


class ImageListFile(Protocol):
    """Reads image.list."""

    async def read_list(self) -> ListFile:
        """The file on the configured branch. A missing file is empty, with an empty blob."""


class InstalledWorkflow(Protocol):
    """Compares the workflow of the mirror repository with the one that this bot ships."""

    async def workflow(self) -> WorkflowState:
        """Whether the mirror workflow is there, switched on, and the one that this bot ships."""

    def last_workflow(self) -> WorkflowState | None:
        """What `workflow` found last. None before the first look. Makes no call."""


@dataclass(frozen=True, slots=True)
class TokenState:
    """`accepted`: whether the last call was, None before it. `ends`: None where nobody tells."""

    accepted: bool | None = None
    ends: datetime | None = None


class KnowsToken(Protocol):
    def token(self) -> TokenState:
        """What GitHub said of the bot's token. Makes no call."""


class Writes(ImageListFile, Protocol):
    """Writes a batch, and finds what an earlier write has done."""

    async def write_list(self, content: bytes, *, blob: str, message: str) -> CommitSha:
        """Replace the file by one commit. Raises StaleError where it is no longer `blob`."""

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        """The recent commit on the branch that names the batch in its trailer."""

    async def dispatch(self, decision: str, *, batch: BatchId) -> Run | None:
        """Start a run for the images of a sealed block (core/seal.py).

        None where GitHub does not say which run it started.
        """

    async def run_of_commit(self, sha: CommitSha) -> Run | None:
        """The run of the mirror workflow that the push of this commit started."""

    async def run_of_dispatch(self, batch: BatchId, *, since: datetime) -> Run | None:
        """The run whose title names the batch, among those created after `since` (UTC)."""


class Runs(InstalledWorkflow, Protocol):
    """Reads runs of the mirror workflow, and the state of the workflow itself."""

    async def run(self, run: RunId) -> tuple[Run, CommitSha]:
        """The run as it is now, and the commit that it runs on."""

    async def results(
        self, run: Run, sha: CommitSha, *, awaited: Collection[Names]
    ) -> tuple[CopyResult, ...]:
        """What exactly this run has posted so far, one result per image.

        `awaited`: the names of each image that is looked for. Others may be left out.
        """

    async def statuses(
        self, run: Run, sha: CommitSha, *, contexts: Collection[str]
    ) -> Mapping[str, tuple[str, str]]:
        """State and text of exactly this run's statuses of these contexts, as far as there are."""

    async def unstarted(self, run: RunId) -> str | None:
        """Why no runner took this run, which has ended: GitHub's words, or "" where it has none.

        None: a runner took it.
        """


class Repository(Writes, Runs, Protocol):
    """Everything that a batch needs of the mirror repository."""
