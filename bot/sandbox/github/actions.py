"""GitHub Actions of the sandbox: the list of runs, and the queue in front of act.

A run gets what GitHub gives it and act does not: an id, a place in a queue, a state, its own
token, a time limit and cancelling. Runs are kept in a file, so that a sandbox that is restarted
on the same folder still lists them.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.act import Job, find_act, run_act
from bot.sandbox.github.git_repository import GitError, GitRepository
from bot.sandbox.github.repository_state import RepositoryState
from bot.sandbox.github.secrets_api import SecretStore
from bot.sandbox.github.triggers import (
    COMMITS_OF_A_PUSH,
    WORKFLOW,
    Trigger,
    concerned,
    event_file,
    skipped,
    title,
)

_AT_A_TIME = 2
_DELAY = 0.3
_TIME_LIMIT = 900.0
_FIRST_ID = 300
_UNPAID = (
    "The job was not started because recent account payments have failed or your spending limit "
    "needs to be increased. Please check the 'Billing & plans' section in your settings"
)
_UNSTARTED = {"billing": ("failure", _UNPAID), "startup-failure": ("startup_failure", "")}
"""Conclusion and annotation of a run that no runner takes, by the fault."""

Runner = Callable[[str, Job], Awaitable[bool]]
"""Executes a run, given the path of act. True if all of it succeeded."""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run as the API shows it. `shown` becomes true when GitHub would first list it."""

    id: int
    event: str
    sha: str
    title: str
    server: str
    created_at: str
    updated_at: str
    started_at: str
    status: str = "queued"
    conclusion: str | None = None
    shown: bool = False
    attempt: int = 1
    branch: str = "main"
    taken: bool = False
    """A runner has taken it. `annotation` has GitHub's words if none does."""
    annotation: str = ""

    @property
    def number(self) -> int:
        return self.id - _FIRST_ID


class Actions:
    """Start runs for triggers, two at a time at most. Leaving the context ends all of them."""

    def __init__(
        self,
        *,
        repository: GitRepository,
        data: Path,
        state: RepositoryState,
        faults: ArmedFaults,
        environment: Mapping[str, str],
        delay: float = _DELAY,
        time_limit: float = _TIME_LIMIT,
        runner: Runner = run_act,
    ) -> None:
        self.state = state
        self.enabled = True
        self.workflow_enabled = True
        self.secret_store = SecretStore()
        self.secrets = self.secret_store.repository
        self.variables: dict[str, str] = {}
        self.tokens: set[str] = set()
        self._repository = repository
        self._data = data
        self._faults = faults
        self._environment = dict(environment)
        self._delay = delay
        self._time_limit = time_limit
        self._runner = runner
        self._slots = asyncio.Semaphore(_AT_A_TIME)
        self._runs: dict[int, WorkflowRun] = {}
        self._triggers: dict[int, Trigger] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._last = _FIRST_ID
        self._act = ""

    async def __aenter__(self) -> Self:
        self._act = find_act()
        self._data.mkdir(parents=True, exist_ok=True)
        self._load()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            _cancel(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    def runs(self) -> list[WorkflowRun]:
        """Return the runs that GitHub would list by now, newest first."""
        return [run for run in reversed(self._runs.values()) if run.shown]

    def run(self, number: int) -> WorkflowRun | None:
        """Return one run. The id from a dispatch works at once, even before the run is listed."""
        return self._runs.get(number)

    def log(self, number: int) -> str:
        """Return what act printed, secrets masked."""
        path = self._log(number)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def mark(self) -> object:
        """Return a value that changes with any run and its log."""
        running = [number for number in self._tasks if self._log(number).exists()]
        sizes = [self._log(number).stat().st_size for number in running]
        return [(run.id, run.attempt, run.status) for run in self.runs()], sizes

    def _log(self, number: int) -> Path:
        return self._directory(number) / "log.txt"

    async def pushed(self, branch: str, *, before: str, after: str, server: str) -> None:
        """Start a run for a push, if GitHub would."""
        tip = await self._repository.commit(after)
        if tip is None or skipped(tip.message) or not (self.enabled and self.workflow_enabled):
            return
        workflow = await self._repository.file(after, WORKFLOW)
        text = workflow.data.decode(errors="replace") if workflow else ""
        if not concerned(text, branch, await self._repository.changed_paths(before, after)):
            return
        forced = not await self._repository.is_ancestor(before, after)
        new = await self._repository.log(f"{before}..{after}", limit=COMMITS_OF_A_PUSH)
        commits = [(each.sha, each.message) for each in reversed(new)]
        push = Trigger("push", after, server, tip.message, before, branch=branch, forced=forced)
        await self.start(replace(push, commits=commits))

    async def start(self, trigger: Trigger) -> int | None:
        """Queue a run and return its id, or None when the commit has no workflow file."""
        workflow = await self._repository.file(trigger.sha, WORKFLOW)
        if workflow is None:
            return None
        self._last += 1
        if self._faults.take("actions", "no-run"):
            return self._last
        name = title(workflow.data.decode(errors="replace"), trigger)
        at = _now()
        what = (self._last, trigger.event, trigger.sha, name, trigger.server)
        run = WorkflowRun(*what, at, at, at, branch=trigger.branch)
        self._runs[run.id], self._triggers[run.id] = run, trigger
        self._begin(run.id, trigger)
        return run.id

    def _begin(self, number: int, trigger: Trigger) -> None:
        task = asyncio.create_task(self._work(number, trigger), name=f"run {number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    def rerun(self, number: int) -> bool:
        """Repeat a run that is over, under the same id. False if that is not possible.

        The trigger of a run is lost when the sandbox restarts.
        """
        trigger, old = self._triggers.get(number), self._runs[number]
        if trigger is None or old.status != "completed":
            return False
        self._runs[number] = replace(old, attempt=old.attempt + 1, taken=False, annotation="")
        self._change_run(number, status="queued")
        self._begin(number, trigger)
        return True

    def cancel(self, number: int) -> bool:
        """Stop a run. False when it was over already."""
        task = self._tasks.get(number)
        return task is not None and _cancel(task)

    async def _work(self, number: int, trigger: Trigger) -> None:
        conclusion = "cancelled"
        try:
            await asyncio.sleep(self._delay)
            self._change_run(number, shown=True)
            for what, (ended, annotation) in _UNSTARTED.items():
                if self._faults.take("actions", what):
                    self._runs[number] = replace(self._runs[number], annotation=annotation)
                    conclusion = ended
                    return
            async with self._slots:
                self._runs[number] = replace(self._runs[number], taken=True)
                self._change_run(number, status="in_progress", started_at=_now())
                conclusion = await self._conclude(number, trigger)
        finally:
            self._change_run(number, shown=True, status="completed", conclusion=conclusion)

    async def _conclude(self, number: int, trigger: Trigger) -> str:
        token = f"ghs_{secrets.token_urlsafe(24)}"
        self.tokens.add(token)
        try:
            async with asyncio.timeout(self._time_limit):
                job = await self._job(number, trigger, token)
                return "success" if await self._runner(self._act, job) else "failure"
        except TimeoutError:
            self._note(number, f"The run took longer than {self._time_limit:.0f} s.")
            return "cancelled"
        except (OSError, ValueError, GitError) as error:
            self._note(number, f"The run could not be started: {error}")
            return "failure"
        finally:
            self.tokens.discard(token)

    async def _job(self, number: int, trigger: Trigger, token: str) -> Job:
        job = Job(
            directory=self._directory(number),
            event=trigger.event,
            payload=event_file(
                trigger,
                repository=self.state.name,
                default_branch=await self._repository.default_branch(),
            ),
            context={
                "GITHUB_API_URL": trigger.server,
                "GITHUB_SERVER_URL": trigger.server,
                "GITHUB_REPOSITORY": self.state.name,
                "GITHUB_RUN_ID": str(number),
                "GITHUB_RUN_NUMBER": str(number - _FIRST_ID),
                "GITHUB_RUN_ATTEMPT": str(self._runs[number].attempt),
            },
            variables=dict(self.variables),
            environment=self._environment,
            secrets=await self._secrets(trigger) | {"GITHUB_TOKEN": token},
        )
        job.directory.mkdir(parents=True, exist_ok=True)
        await self._repository.clone(trigger.sha, job.clone, trigger.branch)
        return job

    async def _secrets(self, trigger: Trigger) -> dict[str, str]:
        """Raises ValueError where an environment does not admit the branch."""
        workflow = await self._repository.file(trigger.sha, WORKFLOW)
        text = workflow.data.decode(errors="replace") if workflow else ""
        return self.secret_store.for_run(text, trigger.branch)

    def _note(self, number: int, text: str) -> None:
        self._directory(number).mkdir(parents=True, exist_ok=True)
        with self._log(number).open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    def _directory(self, number: int) -> Path:
        return self._data / str(number)

    def _change_run(
        self,
        number: int,
        *,
        status: str | None = None,
        conclusion: str | None = None,
        started_at: str | None = None,
        shown: bool = True,
    ) -> None:
        old = self._runs[number]
        self._runs[number] = replace(
            old,
            status=status or old.status,
            conclusion=conclusion,
            started_at=started_at or old.started_at,
            updated_at=_now(),
            shown=shown,
        )
        self._save()

    def _save(self) -> None:
        path = self._data / "runs.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(run) for run in self._runs.values()]), encoding="utf-8")
        fresh.replace(path)

    def _load(self) -> None:
        """Read the runs of an earlier sandbox. Those that it did not finish count as cancelled."""
        with contextlib.suppress(FileNotFoundError):
            for fields in json.loads((self._data / "runs.json").read_text(encoding="utf-8")):
                run = WorkflowRun(**fields)
                over = run.status == "completed"
                ended = run if over else replace(run, status="completed", conclusion="cancelled")
                self._runs[run.id] = ended
        self._last = max(self._runs, default=_FIRST_ID)


def _cancel(task: asyncio.Task[None]) -> bool:
    """Cancel it once. A second time would interrupt the ending of its processes."""
    return task.cancelling() > 0 or task.cancel()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
