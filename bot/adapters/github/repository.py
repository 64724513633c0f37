"""The mirror repository through PyGithub: implements engine.ports.repository.Repository.

1. PyGithub blocks and is not thread-safe, so one worker thread makes all its calls.
2. Its own retries are off. They would send a write twice, and sleep for up to an hour. The engine
   decides when to try again, and first checks whether the write took effect.

Every method may raise TransientError or RefusedError. The REST API:
https://docs.github.com/en/rest
"""

import base64
import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from logging import INFO, WARNING
from typing import Any, Final, TypeVar

from github import Auth, Github, GithubException, UnknownObjectException
from github.CommitStatus import CommitStatus
from github.ContentFile import ContentFile
from github.PaginatedList import PaginatedList
from github.Repository import Repository as GithubRepository
from github.WorkflowRun import WorkflowRun

from bot.adapters.github.app_login import AppLogin, InstallationAuth
from bot.adapters.github.errors import (
    SERVICE,
    is_branch_rule,
    is_from_github,
    message_of,
    one_line,
    translate_errors,
)
from bot.adapters.github.etags import EtagCache
from bot.adapters.github.fields import (
    STATUS_CONTEXT,
    newest_of_run,
    parse_result,
    parse_run,
    sha_of,
    text_of,
    time_of,
    words_of,
)
from bot.adapters.github.transport import (
    GITHUB_BOUNDS,
    GitHubBounds,
    RedirectedError,
    bounded_client,
)
from bot.adapters.github.worker import WorkerThread
from bot.adapters.network import Network
from bot.core.batch import CopyResult, Run, batch_of
from bot.core.errors import RefusedError, StaleError, TransientError
from bot.core.ids import BatchId, CommitSha, RunId
from bot.core.registry import PullLimit
from bot.core.retry import TroubleKind
from bot.engine.ports.repository import WORKFLOW_ADVICE, ListFile, Names, TokenState, WorkflowState

log = logging.getLogger(__name__)
T = TypeVar("T")

LISTED_ENTRIES: Final = 100
"""How many commits or runs are searched: one page."""
CLOCK_SKEW: Final = timedelta(days=1)
"""How wrong our clock may be. A run is found by its batch. The time only shortens the list."""
Shipped = Callable[[bytes], Mapping[str, bytes]]
"""The workflow's files by path, given the content of the installed workflow file."""
_CLIENT: Final[Mapping[str, Any]] = {"retry": None, "per_page": LISTED_ENTRIES, "lazy": True}
_EXPIRY: Final = "github-authentication-token-expiration"
_ENDED_EARLY: Final = "GitHub ended the App's token early: a new one is asked for"
_MODES: Final = {"file": "100644"}  # the Contents API does not tell an executable file


def entry_of(content: bytes) -> str:
    """What a snapshot says of an ordinary file with this content: git's mode and blob sha."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return f"100644 {blob.hexdigest()}"


class MirrorRepository:
    """One branch of the mirror repository: its list, its workflow, and the runs of that."""

    def __init__(
        self,
        *,
        api: str,
        token: str | AppLogin,
        repository: str,
        branch: str,
        path: str,
        workflow: str,
        shipped: Shipped | None = None,
        between: tuple[float, float] = (0.25, 1.0),
        bounds: GitHubBounds = GITHUB_BOUNDS,
        network: Network | None = None,
    ) -> None:
        """`between`: seconds between two calls and between two writes. GitHub asks for a second.

        `token`: of a person, or the login of an App, whose tokens are renewed.
        `path` is that of the image list, `workflow` a file name under .github/workflows.
        `shipped`: `workflow` compares the branch with it. None compares nothing.
        `network`: None reads the environment.
        """
        self._branch = branch
        self._path = path
        self._workflow = workflow
        self._shipped = shipped
        self._name = repository
        self._last_workflow: WorkflowState | None = None
        self._cache = EtagCache()
        self._token_ends = ""
        self._accepted: bool | None = None

        def connect(auth: Auth.Auth) -> Github:
            build = partial(
                Github,
                base_url=api,
                auth=auth,
                seconds_between_requests=between[0],
                seconds_between_writes=between[1],
                **_CLIENT,
            )
            return bounded_client(
                build, bounds, self._cache, network or Network(), self._note_headers
            )

        self._app: InstallationAuth | None = None
        if isinstance(token, AppLogin):
            self._app = InstallationAuth(token, repository, connect)
        self._github = connect(self._app or Auth.Token(str(token)))
        self._repository: GithubRepository = self._github.get_repo(repository)
        self._worker = WorkerThread("github")

    def close(self) -> None:
        """End the worker thread. A call in progress is cut off."""
        self._worker.close()
        self._github.close()
        if self._app is not None:
            self._app.close()

    def _note_headers(self, headers: Mapping[str, str]) -> None:
        self._token_ends = headers.get(_EXPIRY, self._token_ends)

    def token_expires(self) -> datetime | None:
        """When the token ends, by an earlier answer. None where GitHub did not tell. No call."""
        return time_of(self._token_ends)

    def token(self) -> TokenState:
        return TokenState(self._accepted, self.token_expires())

    def budget(self) -> PullLimit | None:
        """The rate limit in the last answer. None before the first. Makes no call."""
        remaining, limit = self._github.requester.rate_limiting
        return PullLimit(remaining, limit) if limit > 0 else None

    async def workflow(self) -> WorkflowState:
        def look() -> WorkflowState:
            try:
                state = text_of(self._repository.get_workflow(self._workflow).state)
            except UnknownObjectException as error:
                self._expect_repository(error)
                return WorkflowState.MISSING
            if state != "active":
                return WorkflowState.OFF
            return WorkflowState.ACTIVE if self._is_as_shipped() else WorkflowState.DIFFERS

        found = await self._call(look)
        if found is not self._last_workflow:
            bad = WORKFLOW_ADVICE.get(found)
            log.log(WARNING if bad else INFO, "the workflow is %s", bad or "the one that ships")
        self._last_workflow = found
        return found

    def last_workflow(self) -> WorkflowState | None:
        return self._last_workflow

    def _is_as_shipped(self) -> bool:
        """Compare the workflow file and its folder. An unchanged answer costs nothing: by ETag.

        The folder has to hold exactly the shipped files, as the workflow itself checks.
        """
        if self._shipped is None:
            return True
        own = f".github/workflows/{self._workflow}"
        installed = self._read(own).content
        wanted = self._shipped(installed)
        if installed != wanted[own]:
            return False
        package = {path: entry_of(data) for path, data in wanted.items() if path != own}
        folders = {path.rpartition("/")[0] for path in package}
        return package == {k: v for folder in folders for k, v in self._entries(folder).items()}

    def _entries(self, folder: str) -> dict[str, str]:
        """What is in a folder of the branch, as a snapshot has it. Empty where there is none."""
        try:
            found = self._repository.get_contents(folder, ref=self._branch)
        except UnknownObjectException as error:
            self._expect_repository(error)
            return {}
        if not isinstance(found, list):
            return {}
        return {each.path: f"{_MODES.get(each.type, each.type)} {each.sha}" for each in found}

    async def variables(self) -> Mapping[str, str]:
        """All repository variables."""
        return await self._call(
            lambda: {each.name: each.value for each in self._repository.get_variables()}
        )

    async def read_list(self) -> ListFile:
        return await self._call(lambda: self._read(self._path))

    def _read(self, path: str) -> ListFile:
        try:
            found = self._repository.get_contents(path, ref=self._branch)
        except UnknownObjectException as error:
            # "Not Found" is about the file. For a missing branch the message is another one.
            self._expect_repository(error)
            return ListFile(b"", "")
        if not isinstance(found, ContentFile):
            raise RefusedError(f"{path} is a folder in the mirror repository")
        sha = sha_of(found.sha)
        if found.encoding == "base64":
            return ListFile(found.decoded_content, sha)
        blob = self._repository.get_git_blob(sha)  # above 1 MB the content is left out
        return ListFile(base64.b64decode(blob.content), sha)

    def _expect_repository(self, missing: UnknownObjectException) -> None:
        """After a 404: raise RefusedError if the token cannot see the repository at all."""
        if not is_from_github(missing):
            raise missing
        try:
            self._github.requester.requestJsonAndCheck("GET", f"/repos/{self._name}")
        except UnknownObjectException as error:
            text = f"GitHub shows the bot's token no repository {self._name} (404)"
            raise RefusedError(text) from error

    async def write_list(self, content: bytes, *, blob: str, message: str) -> CommitSha:
        return await self.put_file(self._path, content, blob=blob, message=message)

    async def put_file(self, path: str, content: bytes, *, blob: str, message: str) -> CommitSha:
        """Commit the file if it is still `blob`. With an empty `blob`: if it does not exist.

        Raises StaleError if it has changed.
        """

        def put() -> CommitSha:
            try:
                answer = (
                    self._repository.update_file(path, message, content, blob, self._branch)
                    if blob
                    else self._repository.create_file(path, message, content, self._branch)
                )
            except GithubException as error:
                if error.status in {409, 422} and _is_stale(error):
                    raise StaleError(message_of(error)) from error
                raise
            return CommitSha(sha_of(answer["commit"].sha))

        return await self._call(put)

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        def look() -> CommitSha | None:
            commits = self._repository.get_commits(sha=self._branch, path=self._path)
            for commit in islice(commits, LISTED_ENTRIES):
                if batch_of(commit.commit.message) == batch:
                    return CommitSha(sha_of(commit.sha))
            return None

        return await self._call(look)

    async def dispatch(self, decision: str, *, batch: BatchId) -> Run | None:
        inputs = {"images": "", "batch": batch, "decision": decision}

        def send() -> Run | None:
            workflow = self._repository.get_workflow(self._workflow)
            try:
                run = workflow.create_dispatch(
                    self._branch, inputs, throw=True, return_run_details=True
                )
            except GithubException as error:
                if error.status != 400:  # noqa: PLR2004 - GitHub Enterprise before 3.21
                    raise
                workflow.create_dispatch(self._branch, inputs, throw=True)
                return None
            return parse_run(run) if isinstance(run, WorkflowRun) else None

        return await self._call(send)

    async def run_of_commit(self, sha: CommitSha) -> Run | None:
        def look() -> Run | None:
            runs = self._repository.get_workflow_runs(head_sha=sha, event="push")
            return self._first(runs, lambda run: run.head_sha == sha)

        return await self._call(look)

    async def run_of_dispatch(self, batch: BatchId, *, since: datetime) -> Run | None:
        created = f">={(since - CLOCK_SKEW).strftime('%Y-%m-%dT%H:%M:%SZ')}"

        def look() -> Run | None:
            runs = self._repository.get_workflow_runs(event="workflow_dispatch", created=created)
            return self._first(runs, lambda run: batch in run.display_title)

        return await self._call(look)

    def _first(
        self, runs: Iterable[WorkflowRun], ours: Callable[[WorkflowRun], bool]
    ) -> Run | None:
        """The first run of our workflow that `ours` accepts: never simply the latest one."""
        path = f".github/workflows/{self._workflow}"
        for run in islice(runs, LISTED_ENTRIES):
            if run.path.partition("@")[0] == path and ours(run):
                return parse_run(run, completed=True)
        return None

    async def run(self, run: RunId) -> tuple[Run, CommitSha]:
        def look() -> tuple[Run, CommitSha]:
            found = self._repository.get_workflow_run(run)
            return parse_run(found, completed=True), CommitSha(sha_of(found.head_sha))

        return await self._call(look)

    async def results(
        self, run: Run, sha: CommitSha, *, awaited: Collection[Names]
    ) -> tuple[CopyResult, ...]:
        left = [frozenset(f"{STATUS_CONTEXT}{name}" for name in names) for names in awaited]
        posted = partial(self._newest, run, sha, left, STATUS_CONTEXT)
        return await self._call(lambda: tuple(filter(None, map(parse_result, posted()))))

    async def statuses(
        self, run: Run, sha: CommitSha, *, contexts: Collection[str]
    ) -> Mapping[str, tuple[str, str]]:
        posted = partial(self._newest, run, sha, [frozenset({each}) for each in contexts], "")
        return await self._call(lambda: {each.context: words_of(each) for each in posted()})

    async def unstarted(self, run: RunId) -> str | None:
        def look() -> str | None:
            _, data = self._github.requester.requestJsonAndCheck(
                "GET", f"/repos/{self._name}/actions/runs/{run}/jobs"
            )
            jobs = data["jobs"]
            if any(job.get("runner_id") or job.get("steps") for job in jobs):
                return None
            return next(filter(None, (self._annotation(job["id"]) for job in jobs)), "")

        return await self._call(look)

    def _annotation(self, job: int) -> str:
        """GitHub's words on a job that it did not start, if the token may read them."""
        try:
            _, found = self._github.requester.requestJsonAndCheck(
                "GET", f"/repos/{self._name}/check-runs/{int(job)}/annotations"
            )
        except GithubException as error:
            if error.status in {403, 404}:
                return ""
            raise
        return next((one_line(str(each.get("message") or "")) for each in found), "")

    def _newest(
        self, run: Run, sha: CommitSha, left: Collection[frozenset[str]], prefix: str
    ) -> Collection[CommitStatus]:
        """The latest first. PyGithub asks for them at an address that is not documented."""
        address = f"{self._repository.url}/commits/{sha}/statuses"
        found = PaginatedList(CommitStatus, self._github.requester, address, None)
        return newest_of_run(run, found, left, prefix=prefix)

    async def _call(self, work: Callable[[], T]) -> T:
        return await self._worker.run(partial(self._translated, work))

    def _name_at(self, location: str) -> str:
        """The name of the repository that a redirect names by its number, or nothing."""
        with suppress(Exception):  # the redirect says enough for a refusal
            _, data = self._github.requester.requestJsonAndCheck("GET", location)
            return one_line(text_of(data.get("full_name")))
        return ""

    def _translated(self, work: Callable[[], T]) -> T:
        try:
            found = translate_errors(work)
        except RedirectedError as error:
            raise RefusedError(moved_to(self._name_at(error.location))) from error
        except TransientError as error:
            self._cache.clear()  # it may hold the answer that could not be read
            if error.trouble.kind is TroubleKind.LOCKED_OUT:
                if self._app is not None and self._app.forget():
                    raise TransientError(_ENDED_EARLY, who=SERVICE) from error
                self._accepted = False
            raise
        self._accepted = True
        return found


def moved_to(name: str) -> str:
    new = (
        f"GitHub calls the mirror repository {name} now" if name else "the mirror repository moved"
    )
    return f"{new}: change github.repository in the config"


def _is_stale(error: GithubException) -> bool:
    """409: the file has changed. 422: it was created or deleted.

    Branch rules answer with both codes too. Reading the file again does not help then.
    """
    if is_branch_rule(error):
        return False
    return error.status == 409 or "sha" in message_of(error).lower()  # noqa: PLR2004 - Conflict
