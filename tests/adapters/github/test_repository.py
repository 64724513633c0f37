"""The GitHub adapter against the sandbox's GitHub, over real git.

What is read, what is written, and that no error ever makes it write twice.
"""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from github import BadAttributeException, GithubException
from registry_fixture import Quiet, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.adapters.github.errors import error_of, translate_errors
from bot.adapters.github.fields import parse_result, parse_run
from bot.adapters.github.repository import CLOCK_SKEW, entry_of
from bot.adapters.github.setup_repository import SetupRepository
from bot.adapters.github.transport import GitHubBounds
from bot.core.attachments import Attachments
from bot.core.batch import CopyResult, Run, commit_message
from bot.core.errors import RefusedError, StaleError, TransientError
from bot.core.ids import BatchId, CommitSha, RunId
from bot.core.image import ImageRef
from bot.core.previous import Previous
from bot.core.seal import DecidedImage, sealed_block
from bot.engine.ports.repository import ListFile, TokenState, WorkflowState
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.server import GitHub
from bot.sandbox.serve import served

NAME = "ana/mirror"
BOUNDS = GitHubBounds()
LIST = b"# images\nnginx:1.26\n"
WORKFLOW = b"""\
name: mirror
run-name: mirror ${{ inputs.batch || github.sha }}
on:
  push: {branches: [main], paths: [image.list]}
  workflow_dispatch:
    inputs: {images: {type: string}, batch: {type: string}}
jobs:
  mirror:
    runs-on: ubuntu-24.04
    steps:
      - name: look
        run: echo done
"""
NGINX = ImageRef.parse("nginx:1.27")
DECIDED = DecidedImage(image=NGINX.at("sha256:" + "a" * 64), asked=(), approved="rule **")
BLOCK = sealed_block(BatchId("b7"), datetime.now(UTC), [DECIDED], key=bytes(32))
MESSAGE = "Mirror something\n\nBatch: b1\n"


@dataclass(frozen=True, slots=True)
class Place:
    github: GitHub
    faults: ArmedFaults
    repository: SetupRepository
    stack: AsyncExitStack
    port: int

    async def commits(self) -> int:
        return len(await self.github.repository.log(await self.github.repository.head()))


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("NO_PROXY", "*")
    faults = ArmedFaults()
    files = {"image.list": LIST, ".github/workflows/mirror.yml": WORKFLOW}
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            GitHub(
                data=tmp_path,
                name=NAME,
                files=files,
                faults=faults,
                environment={"HOME": str(tmp_path)},
                delay=0.05,
            )
        )
        app = Starlette(routes=[Mount("/github", app=github.app)])
        port = await stack.enter_async_context(served(app))
        repository = client(port, github.token)
        stack.callback(repository.close)
        yield Place(github, faults, repository, stack, port)


def client(
    port: int,
    token: str,
    *,
    name: str = NAME,
    path: str = "image.list",
    workflow: str = "mirror.yml",
    bounds: GitHubBounds = BOUNDS,
) -> SetupRepository:
    return SetupRepository(
        api=f"http://127.0.0.1:{port}/github",
        token=token,
        repository=name,
        branch="main",
        path=path,
        workflow=workflow,
        bounds=bounds,
    )


async def test_a_line_is_added_by_one_commit_that_names_its_batch(place: Place) -> None:
    before = await place.repository.read_list()
    assert before.content == LIST
    sha = await place.repository.write_list(LIST + b"x\n", blob=before.blob, message=MESSAGE)
    assert sha == await place.github.repository.head()
    assert (await place.repository.read_list()).content == LIST + b"x\n"
    assert await place.repository.find_commit(BatchId("b1")) == sha
    assert await place.repository.find_commit(BatchId("b2")) is None


async def test_a_list_past_a_megabyte_is_read_and_written(place: Place) -> None:
    small = await place.repository.read_list()
    large = LIST + b"".join(b"docker.io/some/image:%d\n" % n for n in range(60_000))
    assert len(large) > 1 << 20
    await place.repository.write_list(large, blob=small.blob, message=MESSAGE)
    found = await place.repository.read_list()
    assert found.content == large
    await place.repository.write_list(large + b"x\n", blob=found.blob, message=MESSAGE)
    assert (await place.repository.read_list()).content == large + b"x\n"


async def test_a_list_that_is_not_there_is_empty_and_can_be_made(place: Place) -> None:
    other = client(place.port, place.github.token, path="lists/other.list")
    try:
        empty = await other.read_list()
        assert (empty.content, empty.blob) == (b"", "")
        await other.write_list(b"x\n", blob="", message=MESSAGE)
        assert (await other.read_list()).content == b"x\n"
        with pytest.raises(StaleError):
            await other.write_list(b"y\n", blob="", message=MESSAGE)
    finally:
        other.close()


async def test_the_list_of_a_branch_that_was_renamed_is_not_taken_for_an_empty_one(
    place: Place,
) -> None:
    assert await place.github.repository.rename("main", "trunk")
    with pytest.raises(RefusedError, match="No commit found for the ref main"):
        await place.repository.read_list()
    assert await place.github.repository.rename("trunk", "main")
    assert (await place.repository.read_list()).content == LIST


async def test_a_write_over_somebody_elses_is_stale(place: Place) -> None:
    before = await place.repository.read_list()
    await place.repository.write_list(LIST + b"a\n", blob=before.blob, message=MESSAGE)
    with pytest.raises(StaleError):
        await place.repository.write_list(LIST + b"b\n", blob=before.blob, message=MESSAGE)
    assert (await place.repository.read_list()).content == LIST + b"a\n"


RULES_PAGE = "https://docs.github.com/articles/about-protected-branches"
CHECKS = "Could not update file: 2 of 2 required status checks are expected."


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (409, {"message": "image.list does not match 0a1b"}, StaleError),
        (409, {"message": "is at 0a1b but expected 2c3d"}, StaleError),
        (422, {"message": 'Invalid request.\n\n"sha" wasn\'t supplied.'}, StaleError),
        (409, {"message": f"{CHECKS} Changes must be made through a pull request."}, RefusedError),
        (409, {"message": CHECKS}, RefusedError),
        (409, {"message": "Repository rule violations found\n\nA review is needed."}, RefusedError),
        (
            409,
            {"message": "Could not update file: no.", "documentation_url": RULES_PAGE},
            RefusedError,
        ),
        (422, {"message": "Validation Failed: declined by ruleset sha-policy"}, RefusedError),
        (422, {"message": "Validation Failed"}, RefusedError),
    ],
)
async def test_what_the_rules_of_a_branch_forbid_is_told_from_a_conflict(
    status: int, answer: dict[str, str], kind: type[Exception]
) -> None:
    async def refuse(_: Request) -> Response:
        return Response(json.dumps(answer), status, media_type="application/json")

    app = Starlette(routes=[Route("/{rest:path}", refuse, methods=["PUT"])])
    async with served(app) as port:
        alone = client(port, "token")
        try:
            words = " ".join(answer["message"].split())
            with pytest.raises(kind, match=re.escape(words)):
                await alone.write_list(b"x\n", blob="0a1b", message=MESSAGE)
        finally:
            alone.close()


@pytest.mark.parametrize("what", ["lost", "delay 1"])
async def test_a_write_whose_answer_is_lost_is_unclear_and_was_sent_once(
    place: Place, what: str
) -> None:
    before = await place.repository.read_list()
    commits = await place.commits()
    place.faults.arm(where="github", what=what, path="PUT /github/repos")
    hasty = client(place.port, place.github.token, bounds=GitHubBounds(read=0.3))
    with closing(hasty), pytest.raises(TransientError) as caught:
        await hasty.write_list(LIST + b"a\n", blob=before.blob, message=MESSAGE)
    assert caught.value.unclear
    async with asyncio.timeout(90):
        while await place.commits() == commits:
            await asyncio.sleep(0.05)
    assert await place.commits() == commits + 1


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_write_that_github_stumbles_over_is_sent_once(place: Place, status: int) -> None:
    before = await place.repository.read_list()
    commits = await place.commits()
    place.faults.arm(where="github", what=f"status {status}", path="PUT ")
    with pytest.raises(TransientError):
        await place.repository.write_list(LIST + b"a\n", blob=before.blob, message=MESSAGE)
    assert await place.commits() == commits


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("status 401", TransientError, "does not accept the bot's token"),
        ("status 403", RefusedError, "403"),
        ("status 404", RefusedError, "404"),
        ("status 422", RefusedError, "422"),
        ("status 502", TransientError, "answers 502"),
        ("retry-after 7", TransientError, "asks to wait"),
        ("garbage", TransientError, "cannot be read"),
        ("malformed", TransientError, "cannot be read"),
        ("page 403", TransientError, "cannot be read"),
        ("page 404", TransientError, "cannot be read"),
        ("cut", TransientError, "cannot be reached"),
        ("says permission", RefusedError, "403, the token needs contents=write"),
        ("says secondary-limit-429-silent", TransientError, "asks to wait"),
        ("refused", TransientError, "cannot be reached"),
    ],
)
async def test_each_trouble_of_github_has_its_meaning(
    place: Place, what: str, kind: type[Exception], words: str
) -> None:
    place.faults.arm(where="github", what=what, times=5)
    with pytest.raises(kind, match=words) as caught:
        await place.repository.run(300)  # type: ignore[arg-type]
    assert place.github.token not in str(caught.value)
    assert place.repository.token().accepted is (False if what == "status 401" else None)
    if what.startswith("retry-after"):
        assert caught.value.retry_after == 7  # type: ignore[attr-defined]


async def test_a_gateways_page_is_not_taken_for_a_workflow_that_is_off(place: Place) -> None:
    place.faults.arm(where="github", what="garbage")
    with pytest.raises(TransientError, match="cannot be read"):
        await place.repository.workflow()


async def read_in_the_end(repository: SetupRepository) -> ListFile:
    """On a busy machine, a second try may be needed within a second."""
    while True:
        with suppress(TransientError):
            return await repository.read_list()


@pytest.mark.parametrize(
    ("what", "words", "whole"),
    [
        ("silent", "did not answer in time", 1.0),
        ("endless", "did not answer in time", 1.0),
        ("huge 3", "cannot be read .UnusableResponseError", 60.0),
        ("packed 3", "cannot be read .UnusableResponseError", 60.0),
    ],
)
async def test_an_answer_has_an_end_in_time_and_size_and_the_worker_is_free_again(
    place: Place, what: str, words: str, whole: float
) -> None:
    bounds = GitHubBounds(read=whole / 2, whole=whole, size=2 << 20)
    quick = client(place.port, place.github.token, bounds=bounds)
    try:
        place.faults.arm(where="github", what=what)
        async with asyncio.timeout(90):
            with pytest.raises(TransientError, match=words) as caught:
                await quick.read_list()
            assert caught.value.unclear
            assert (await read_in_the_end(quick)).content == LIST
    finally:
        quick.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_may_come_packed_and_say_its_packed_length(*, packed: bool) -> None:
    body = json.dumps({"id": 1, "state": "active", "name": "m" * 5000}).encode()

    async def workflow(_: Request) -> Response:
        more = {"Content-Encoding": "gzip"} if packed else {}
        return Response(gzip.compress(body) if packed else body, 200, more, "application/json")

    async with served(Starlette(routes=[Route("/{rest:path}", workflow)])) as port:
        alone = client(port, "token")
        try:
            assert await alone.workflow() is WorkflowState.ACTIVE
        finally:
            alone.close()


TRICKLES = {
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "a chunk that is announced as a gigabyte": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n",
        b" ",
    ),
    "what ends with its connection": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", b" "),
}


@pytest.mark.parametrize("what", TRICKLES)
async def test_whatever_part_of_an_answer_trickles_ends_with_its_time(what: str) -> None:
    begin, piece = TRICKLES[what]
    ended = asyncio.Event()

    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        try:
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            writer.close()
            ended.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        alone = client(port, "token", bounds=GitHubBounds(read=0.5, whole=1.0))
        try:
            async with asyncio.timeout(90):
                with pytest.raises(TransientError, match="in time") as caught:
                    await alone.workflow()
            assert caught.value.unclear
        finally:
            alone.close()
        await ended.wait()


async def test_closing_cuts_a_call_that_is_under_way(place: Place) -> None:
    alone = client(place.port, place.github.token)
    place.faults.arm(where="github", what="endless")
    call = asyncio.create_task(alone.workflow())
    await asyncio.sleep(0.3)
    alone.close()
    async with asyncio.timeout(90):
        with pytest.raises(TransientError):
            await call


async def test_a_repository_that_the_token_may_not_see_is_told_from_a_missing_file(
    place: Place,
) -> None:
    other = client(place.port, place.github.token, name="ana/other")
    try:
        for look in (other.workflow, other.read_list):
            with pytest.raises(RefusedError, match="no repository ana/other"):
                await look()
    finally:
        other.close()


async def test_nobody_listening_is_temporary(place: Place) -> None:
    alone = client(1, place.github.token)
    try:
        with pytest.raises(TransientError, match="cannot be reached"):
            await alone.workflow()
    finally:
        alone.close()


async def test_the_workflow_is_active_off_or_missing(place: Place) -> None:
    assert await place.repository.workflow() is WorkflowState.ACTIVE
    place.github.actions.workflow_enabled = False
    assert await place.repository.workflow() is WorkflowState.OFF
    other = client(place.port, place.github.token, workflow="other.yml")
    try:
        assert await other.workflow() is WorkflowState.MISSING
    finally:
        other.close()


async def until_over(place: Place, run: Run) -> tuple[Run, CommitSha]:
    async with asyncio.timeout(90):
        while True:
            found, sha = await place.repository.run(run.id)
            if found.is_finished:
                return found, sha
            await asyncio.sleep(0.1)


async def test_the_run_of_a_commit_is_found_by_its_sha(place: Place) -> None:
    before = await place.repository.read_list()
    sha = await place.repository.write_list(LIST + b"a\n", blob=before.blob, message=MESSAGE)
    async with asyncio.timeout(90):
        while (run := await place.repository.run_of_commit(sha)) is None:
            await asyncio.sleep(0.05)
    over, of = await until_over(place, run)
    assert (over.conclusion, of) == ("success", sha)
    assert await place.repository.run_of_commit(CommitSha("0" * 40)) is None


async def test_a_dispatch_says_which_run_it_started_and_is_found_by_its_batch(
    place: Place,
) -> None:
    began = datetime.now(UTC)
    run = await place.repository.dispatch(BLOCK, batch=BatchId("b7"))
    assert run is not None
    await until_over(place, run)
    found = await place.repository.run_of_dispatch(BatchId("b7"), since=began)
    assert found is not None
    assert (found.id, found.url) == (run.id, run.url)
    assert await place.repository.run_of_dispatch(BatchId("b8"), since=began) is None


async def test_a_dispatch_whose_answer_is_lost_was_sent_once(place: Place) -> None:
    place.faults.arm(where="github", what="lost", path="/dispatches")
    with pytest.raises(TransientError):
        await place.repository.dispatch(BLOCK, batch=BatchId("b7"))
    await asyncio.sleep(0.5)
    assert len(place.github.actions.runs()) == 1


async def test_a_switched_off_workflow_refuses_a_dispatch_in_words(place: Place) -> None:
    place.github.actions.workflow_enabled = False
    with pytest.raises(RefusedError, match="disabled workflow"):
        await place.repository.dispatch(BLOCK, batch=BatchId("b7"))


async def test_looking_again_costs_nothing_of_the_limit_until_there_is_something_new(
    place: Place,
) -> None:
    run = await place.repository.dispatch(BLOCK, batch=BatchId("b7"))
    assert run is not None
    await until_over(place, run)

    async def look() -> tuple[object, ...]:
        seen, sha = await place.repository.run(run.id)
        return seen, await place.repository.results(seen, sha, awaited=[["a.io/b:1"]])

    def left() -> int:
        budget = place.repository.budget()
        assert budget is not None
        return budget.remaining

    first, before = await look(), left()
    assert [await look(), await look()] == [first, first]
    assert left() == before
    seen, sha = await place.repository.run(run.id)
    commit = place.repository._repository.get_commit(sha)
    status = ("failure", seen.url, "no", "mirror/a.io/b:1")
    await asyncio.to_thread(commit.create_status, *status)
    assert await look() == (first[0], (CopyResult("a.io/b:1", None, line="no"),))
    assert left() == before - 2  # the request that made the status, and the one that reads it


async def test_results_are_those_of_exactly_this_run_the_newest_first(place: Place) -> None:
    sha = CommitSha(await place.github.repository.head())
    digest = "sha256:" + "a" * 64
    ours, theirs = (Run(n, f"https://x/runs/{n}") for n in (1, 2))  # type: ignore[arg-type]

    def post(run: Run, state: str, context: str, text: str) -> None:
        commit = place.repository._repository.get_commit(sha)
        commit.create_status(state, run.url, text, context)

    for row in (
        (ours, "pending", "mirror/a.io/b:1", "source: too many requests: 0 of 100 pulls left"),
        (ours, "failure", "mirror/a.io/b:1", "first try"),
        (ours, "success", "mirror/a.io/b:1", f"{digest} 1234 copied"),
        (theirs, "success", "mirror/a.io/c:1", f"{digest} copied"),
        (ours, "error", "mirror/a.io/d:1", "timed\nout"),
        (ours, "pending", "mirror/a.io/e:1", "soon"),
        (ours, "success", "another/check", "fine"),
    ):
        await asyncio.to_thread(post, *row)
    awaited = [["a.io/d:1", "a.io/d"], ["a.io/b", "a.io/b:1"], ["a.io/e:1"]]
    assert set(await place.repository.results(ours, sha, awaited=awaited)) == {
        CopyResult("a.io/b:1", digest, 1234),
        CopyResult("a.io/d:1", None, line="timed out"),
    }


@pytest.mark.parametrize(
    ("what", "conclusion", "words"),
    [
        ("billing", "failure", "The job was not started because recent account payments have"),
        ("startup-failure", "startup_failure", ""),
    ],
)
async def test_a_run_that_no_runner_took_says_why(
    place: Place, what: str, conclusion: str, words: str
) -> None:
    place.faults.arm(where="actions", what=what)
    run = await place.repository.dispatch(BLOCK, batch=BatchId("b7"))
    assert run is not None
    assert run.is_queued
    await until_over(place, run)
    ended, _ = await place.repository.run(run.id)
    assert ended.conclusion == conclusion
    told = await place.repository.unstarted(run.id)
    assert told is not None
    assert told.startswith(words)
    place.faults.arm(where="github", what="status 403", path="/annotations")
    assert await place.repository.unstarted(run.id) == ""


async def test_a_run_that_a_runner_took_is_not_called_unstarted(place: Place) -> None:
    run = await place.repository.dispatch(BLOCK, batch=BatchId("b7"))
    assert run is not None
    await until_over(place, run)
    assert await place.repository.unstarted(run.id) is None


@pytest.mark.parametrize(
    ("awaited", "created", "pages"), [("b:1", None, 1), ("gone", ..., 1), ("gone", None, 4)]
)
async def test_results_are_read_no_further_than_needed(
    place: Place, awaited: str, created: Any, pages: int
) -> None:
    """A tip where whole lists were mirrored has many statuses, and the latest come first."""
    sha = CommitSha(await place.github.repository.head())
    at = "2026-01-01T00:00:00Z"
    old = {"sha": sha, "state": "failure", "description": "x", "target_url": ""}
    place.github.statuses._all += [
        {**old, "created_at": at, "updated_at": at, "id": n, "context": f"mirror/{n}"}
        for n in range(310)
    ]
    run = Run(RunId(1), "https://x/runs/1", created_at=created and datetime.now(UTC) - CLOCK_SKEW)
    commit = place.repository._repository.get_commit(sha)
    await asyncio.to_thread(commit.create_status, "failure", run.url, "no", "mirror/b:1")
    before = place.repository.budget()
    found = await place.repository.results(run, sha, awaited=[[awaited]])
    after = place.repository.budget()
    assert found == (CopyResult("b:1", None, line="no"),)
    assert before is not None
    assert after is not None
    assert before.remaining - after.remaining == pages


async def test_statuses_are_read_of_one_run_and_by_their_whole_context(place: Place) -> None:
    sha = CommitSha(await place.github.repository.head())
    run = Run(RunId(1), "https://x/runs/1")
    commit = place.repository._repository.get_commit(sha)
    for url, text, context in (
        (run.url, "old", "look/a:1"),
        (run.url, "new", "look/a:1"),
        (f"{run.url}0", "of another run", "look/a:1"),
        (run.url, "a copy", "mirror/a:1"),
    ):
        await asyncio.to_thread(commit.create_status, "success", url, text, context)
    found = await place.repository.statuses(run, sha, contexts=["look/a:1", "more/a:1"])
    assert found["look/a:1"] == ("success", "new")
    assert "more/a:1" not in found


@pytest.mark.parametrize(
    ("description", "result"),
    [
        (f"sha256:{'a' * 64} 12 skipped", CopyResult("x", f"sha256:{'a' * 64}", 12)),
        (f"sha256:{'a' * 64} copied", CopyResult("x", f"sha256:{'a' * 64}", None)),
        (f"sha256:{'a' * 64} 12 copied, rule **", CopyResult("x", f"sha256:{'a' * 64}", 12)),
        (f"sha512:{'a' * 128}", CopyResult("x", f"sha512:{'a' * 128}", None)),
        *(
            (
                f"sha256:{'a' * 64} 12 copied, {said}",
                CopyResult("x", f"sha256:{'a' * 64}", 12, "", p),
            )
            for said, p in (
                ("previous is before-2026-11-30, rule **", Previous("before-2026-11-30")),
                ("previous is before-2026-11-30.9", Previous("before-2026-11-30.9")),
                ("previous is before-2026-11-30.10", None),
                ("previous is before-yesterday, rule **", None),
                ("previous not kept: answers 412, rule **", Previous(refusal="answers 412")),
                ("previous not kept: no room…", Previous(refusal="no room…")),
                ("previous not kept: ", None),
            )
        ),
        *(
            (
                f"sha256:{'a' * 64} skipped{said}",
                CopyResult("x", f"sha256:{'a' * 64}", None, "", p, Attachments(*attached)),
            )
            for said, p, *attached in (
                (", 3 attached, rule **", None, 3),
                (", 3 attached, not attached: 2: denied: no, rule **", None, 3, "2: denied: no"),
                (", not attached: 1: quo…", None, 0, "1: quo…"),
                (", previous is before-2026-11-30, 1 attached", Previous("before-2026-11-30"), 1),
                (", 3 atta…", None),
                (", 12345 attached", None),
                (", rule x, 3 attached", None),
            )
        ),
        ("fine", CopyResult("x", None, line="a status in an unknown form: fine")),
        (None, CopyResult("x", None, line="a status in an unknown form: ")),
        (f"sha256:{'a' * 64} {2**63} copied", CopyResult("x", f"sha256:{'a' * 64}", None)),
        ("a\0b\ud800", CopyResult("x", None, line="a status in an unknown form: a b")),
    ],
)
def test_a_status_is_read_by_its_words_or_not_believed(
    description: str | None, result: CopyResult
) -> None:
    class Status:
        context = "mirror/x"
        state = "success"

    status = Status()
    status.description = description  # type: ignore[attr-defined]
    assert parse_result(status) == result  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "message", "headers", "wait"),
    [
        (403, "API rate limit exceeded", {"X-RateLimit-Remaining": "0"}, 60),
        (403, "You have exceeded a secondary rate limit", {"Retry-After": "30"}, 30),
        (429, "slow down", {}, 60),
        (403, "secondary rate limit", {"Retry-After": "soon"}, 60),
        (429, "slow down", {"Retry-After": "nan"}, 60),
        (429, "slow down", {"Retry-After": "inf"}, 60),
        (429, "slow down", {"Retry-After": "-5"}, 1),
        (429, "slow down", {"Retry-After": "1e300"}, 3600),
        (429, "slow down", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1e17"}, 3600),
        (403, "You have triggered an abuse detection mechanism", {}, 60),
    ],
)
def test_a_limit_is_waited_for_as_github_says(
    status: int, message: str, headers: dict[str, str], wait: float
) -> None:
    found = error_of(GithubException(status, {"message": message}, headers))
    assert isinstance(found, TransientError)
    assert found.retry_after == wait


def test_a_primary_limit_is_waited_for_until_its_reset() -> None:
    reset = datetime.now(UTC).timestamp() + 600
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
    found = error_of(GithubException(403, {"message": "API rate limit exceeded"}, headers))
    assert isinstance(found, TransientError)
    assert found.retry_after == pytest.approx(600, abs=5)


@pytest.mark.parametrize(
    "raised",
    [
        BadAttributeException(5, str, None),
        RuntimeError("Github server redirected from host a to b"),
        RecursionError("maximum recursion depth exceeded while decoding a JSON array"),
        OverflowError("cannot convert float infinity to integer"),
        IndexError(),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_what_the_library_cannot_read_is_a_temporary_trouble(raised: Exception) -> None:
    def work() -> None:
        raise raised

    with pytest.raises(TransientError, match="cannot be read") as caught:
        translate_errors(work)
    assert caught.value.unclear


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", 2**63), ("id", 0), ("id", None), ("html_url", None), ("html_url", "https://x/\n")],
)
def test_a_run_that_cannot_be_stored_is_none(field: str, value: object) -> None:
    class Answered:
        id = 7
        created_at = None
        html_url = "https://x/runs/7"
        status = "completed"
        conclusion = "success"

    answered: Any = Answered()
    assert parse_run(answered, completed=True) == Run(RunId(7), "https://x/runs/7", "success")
    setattr(answered, field, value)
    with pytest.raises((TypeError, ValueError)):
        parse_run(answered, completed=True)


@pytest.mark.parametrize("status", ["queued", "waiting", "in_progress", "completed"])
async def test_a_run_that_nobody_has_taken_is_queued(status: str) -> None:
    fields = {"id": 7, "html_url": "https://x/7", "status": status, "conclusion": None}
    run = parse_run(SimpleNamespace(**fields, created_at=None), completed=True)  # type: ignore[arg-type]
    assert run.is_queued == (status in {"queued", "waiting"})
    assert run.is_finished == (status == "completed")


async def test_what_github_says_of_the_token_is_heard_in_passing(place: Place) -> None:
    assert place.repository.token() == TokenState()
    await place.repository.read_list()
    heard = place.repository.token()
    assert heard.accepted
    assert heard.ends is not None
    assert heard.ends > datetime.now(UTC)


async def test_settings_of_the_repository_are_made_so(place: Place) -> None:
    for value in ("one", "two"):
        await place.repository.set_variable("HARBOR_HOST", value)
        await place.repository.set_secret("HARBOR_PWD", f"$ {value}")
    assert place.github.actions.variables == {"HARBOR_HOST": "two"}
    assert place.github.actions.secrets == {"HARBOR_PWD": "$ two"}


async def test_several_files_go_into_one_commit(place: Place) -> None:
    before = await place.repository.snapshot()
    assert before.files["image.list"] == entry_of(LIST)
    files = {"a/b.py": b"b\n", "image.list": b"new\n", ".github/workflows/mirror.yml": None}
    sha = await place.repository.commit_files(files, on=before, message="Several\n")
    assert sha == await place.github.repository.head()
    after = await place.repository.snapshot()
    ordinary = {path: entry for path, entry in after.files.items() if entry.startswith("100")}
    assert ordinary == {"a/b.py": entry_of(b"b\n"), "image.list": entry_of(b"new\n")}
    tip = await place.github.repository.commit(sha)
    assert tip is not None
    assert tip.parents == (before.tip,)


async def test_several_files_over_somebody_elses_commit_are_stale(place: Place) -> None:
    before = await place.repository.snapshot()
    listed = await place.repository.read_list()
    mine = await place.repository.write_list(LIST + b"a\n", blob=listed.blob, message=MESSAGE)
    with pytest.raises(StaleError):
        await place.repository.commit_files({"b": b""}, on=before, message="Late\n")
    assert await place.github.repository.head() == mine


def test_a_name_that_holds_a_skip_mark_cannot_reach_a_commit() -> None:
    message = commit_message(BatchId("b1"), ())
    assert "[skip" not in message
    assert base64.b64encode(message.encode())


async def test_a_proxy_of_the_environment_takes_every_call(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """github.test does not resolve, so what arrives came through the proxy."""
    asked: list[str] = []

    class Proxy(Quiet):
        def reply(self) -> None:
            asked.append(self.path)
            url = self.path.replace("http://github.test:80", f"http://127.0.0.1:{place.port}", 1)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            given = {name: self.headers[name] or "" for name in ("Authorization", "Content-Type")}
            with httpx.Client(trust_env=False) as direct:
                answer = direct.request(self.command, url, content=body, headers=given)
            self.answer(answer.status_code, answer.content, Content_Type="application/json")

        do_GET = do_PUT = reply  # noqa: N815 - the standard library's names

    with serving(Proxy) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        far = SetupRepository(
            api="http://github.test/github",
            token=place.github.token,
            repository=NAME,
            branch="main",
            path="image.list",
            workflow="mirror.yml",
            bounds=BOUNDS,
        )
        place.stack.callback(far.close)
        now = await far.read_list()
        assert now.content == LIST
        sha = await far.write_list(LIST + b"redis:7\n", blob=now.blob, message=MESSAGE)
    assert sha == await place.github.repository.head()
    assert [path.partition("?")[0] for path in asked] == [
        "http://github.test:80/github/repos/ana/mirror/contents/image.list"
    ] * 2
