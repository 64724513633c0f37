"""The sandbox's GitHub, used by the production client, over real git and real act."""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from github import Auth, Github, GithubException, InputGitTreeElement
from github.Repository import Repository
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.act import Job
from bot.sandbox.github.server import GitHub
from bot.sandbox.github.triggers import Trigger, skipped, title
from bot.sandbox.serve import served

NAME = "ana/mirror"
WORKFLOW = b"""\
name: mirror
run-name: ${{ inputs.batch && format('Batch {0}', inputs.batch) || github.event_name }}
on:
  push: {branches: [main], paths: [image.list]}
  workflow_dispatch:
    inputs: {images: {type: string}, batch: {type: string}}
jobs:
  mirror:
    runs-on: ubuntu-24.04
    env:
      PASSWORD: ${{ secrets.HARBOR_PWD }}
      HOST: ${{ vars.HARBOR_HOST }}
      IMAGES: ${{ inputs.images }}
      GITHUB_TOKEN: ${{ github.token }}
    steps:
      - name: look
        run: |
          echo "host $HOST password $PASSWORD images $IMAGES"
          echo "run $GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
          case "$IMAGES" in
            fail*) exit 3;;
            sleep*) sleep 60 & sleep 60;;
          esac
      - name: tell
        run: |
          python3 - <<'PYTHON'
          import json, os, urllib.request
          where = os.environ
          url = f"{where['GITHUB_API_URL']}/repos/{where['GITHUB_REPOSITORY']}"
          head = {"Authorization": "Bearer " + where["GITHUB_TOKEN"]}
          body = {"state": "success", "context": "mirror/x", "description": "done"}
          data = json.dumps(body).encode()
          sha = where["GITHUB_SHA"]
          urllib.request.urlopen(urllib.request.Request(f"{url}/statuses/{sha}", data, head))
          try:
              urllib.request.urlopen(urllib.request.Request(f"{url}/git/blobs", b"{}", head))
          except urllib.error.HTTPError as error:
              print("write refused", error.code)
          PYTHON
"""
FILES = {"image.list": b"# images\n", ".github/workflows/mirror.yml": WORKFLOW}
PATIENCE = 90.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    github: GitHub
    faults: ArmedFaults
    url: str
    client: Github
    repository: Repository

    async def add(self, line: str, *, message: str = "Mirror") -> str:
        """Append a line to image.list as the bot would, and return the commit's sha."""

        def write() -> str:
            old = self.repository.get_contents("image.list")
            assert not isinstance(old, list)
            text = old.decoded_content.decode() + line + "\n"
            done = self.repository.update_file("image.list", message, text, old.sha)
            return str(done["commit"].sha)

        return await asyncio.to_thread(write)

    async def run_of(self, sha: str, *, until: str = "completed") -> Any:
        """Wait until the commit's run is in this state."""

        def look() -> Any:
            found = list(self.repository.get_workflow_runs(head_sha=sha))
            return found[0] if found and found[0].status == until else None

        return await eventually(lambda: asyncio.to_thread(look))


async def eventually(look: Callable[[], Any]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def world_of(data: Path, files: dict[str, bytes] | None = None) -> AsyncIterator[World]:
    faults = ArmedFaults()
    github = GitHub(
        data=data,
        name=NAME,
        files=FILES if files is None else files,
        faults=faults,
        environment={"HOME": str(data)},
        delay=0.05,
    )
    app = Starlette(routes=[Mount("/github", app=github.app)])
    async with github, served(app) as port:
        url = f"http://127.0.0.1:{port}/github"
        client = Github(
            base_url=url,
            auth=Auth.Token(github.token),
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        try:
            repository = await asyncio.to_thread(client.get_repo, NAME)
            yield World(github, faults, url, client, repository)
        finally:
            client.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(tmp_path) as made:
        yield made


async def refused(call: Callable[[], object]) -> GithubException:
    with pytest.raises(GithubException) as caught:
        await asyncio.to_thread(call)
    return caught.value


async def test_a_wrong_token_is_refused_in_github_words(world: World) -> None:
    with Github(base_url=world.url, auth=Auth.Token("wrong"), retry=None) as client:
        error = await refused(lambda: client.get_repo(NAME))
    assert (error.status, error.data["message"]) == (401, "Bad credentials")


async def test_a_repository_of_another_name_is_not_found(world: World) -> None:
    error = await refused(lambda: world.client.get_repo("ana/other"))
    assert (error.status, error.data["message"]) == (404, "Not Found")


async def test_a_file_is_written_and_read_back(world: World) -> None:
    sha = await world.add("docker.io/library/nginx:1.27", message="Mirror nginx\n\nBatch: b1")
    commit = await asyncio.to_thread(world.repository.get_commit, sha)
    file = await asyncio.to_thread(world.repository.get_contents, "image.list")
    assert not isinstance(file, list)
    assert file.decoded_content == b"# images\ndocker.io/library/nginx:1.27\n"
    assert commit.commit.message == "Mirror nginx\n\nBatch: b1"
    assert [changed.filename for changed in commit.files] == ["image.list"]


async def test_a_write_over_a_file_that_changed_is_a_conflict(world: World) -> None:
    old = await asyncio.to_thread(world.repository.get_contents, "image.list")
    assert not isinstance(old, list)
    await world.add("docker.io/library/nginx:1.27")
    error = await refused(
        lambda: world.repository.update_file("image.list", "late", "mine\n", old.sha)
    )
    assert (error.status, error.data["message"]) == (409, f"image.list does not match {old.sha}")


async def test_of_many_writes_at_once_each_one_lands_or_is_refused(world: World) -> None:
    file = await world.github.repository.file("main", "image.list")
    assert file is not None
    address = f"{world.url}/repos/{NAME}/contents/image.list"

    async def put(client: httpx.AsyncClient, number: int) -> int:
        content = base64.b64encode(f"{number}\n".encode()).decode()
        body = {"message": f"{number}", "content": content, "sha": file.sha}
        return (await client.put(address, json=body)).status_code

    head = {"Authorization": f"token {world.github.token}"}
    async with httpx.AsyncClient(headers=head, trust_env=False) as client:
        statuses = await asyncio.gather(*(put(client, number) for number in range(6)))
    assert sorted(statuses) == [200, 409, 409, 409, 409, 409]
    assert len(await world.github.repository.log("main")) == 2


async def test_overwriting_a_file_without_its_sha_is_invalid(world: World) -> None:
    error = await refused(lambda: world.repository.create_file("image.list", "new", "mine\n"))
    assert error.status == 422
    assert '"sha" wasn\'t supplied' in error.data["message"]


async def test_a_file_over_one_megabyte_comes_without_content_but_raw_and_as_blob(
    tmp_path: Path,
) -> None:
    big = b"# a comment\n" * 100_000
    async with world_of(tmp_path, FILES | {"image.list": big}) as world:
        file = await asyncio.to_thread(world.repository.get_contents, "image.list")
        assert not isinstance(file, list)
        blob = await asyncio.to_thread(world.repository.get_git_blob, file.sha)
        headers = {
            "Authorization": f"token {world.github.token}",
            "Accept": "application/vnd.github.raw+json",
        }
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            raw = await client.get(f"{world.url}/repos/{NAME}/contents/image.list")
    assert (file.encoding, file.raw_data["content"], file.size) == ("none", "", len(big))
    assert base64.b64decode(blob.content) == big
    assert raw.content == big


async def test_git_data_commits_and_moves_main_only_forward(world: World) -> None:
    def commit(parent_sha: str, text: str) -> str:
        repository = world.repository
        parent = repository.get_git_commit(parent_sha)
        blob = repository.create_git_blob(text, "utf-8")
        entry = InputGitTreeElement("image.list", "100644", "blob", sha=blob.sha)
        tree = repository.create_git_tree([entry], parent.tree)
        return repository.create_git_commit(text, tree, [parent]).sha

    ref = await asyncio.to_thread(world.repository.get_git_ref, "heads/main")
    first = ref.object.sha
    ours = await asyncio.to_thread(commit, first, "ours")
    theirs = await asyncio.to_thread(commit, first, "theirs")
    await asyncio.to_thread(ref.edit, ours)
    error = await refused(lambda: ref.edit(theirs))
    assert (error.status, error.data["message"]) == (422, "Update is not a fast forward")
    assert await world.github.repository.head() == ours
    kept = await world.github.repository.file("main", ".github/workflows/mirror.yml")
    assert kept is not None


async def test_commits_are_listed_newest_first_by_path_and_page(world: World) -> None:
    for number in range(3):
        await world.add(f"docker.io/library/nginx:{number}", message=f"Mirror {number}")
    await asyncio.to_thread(world.repository.create_file, "README.md", "Read me", "hi\n")
    world.client.per_page = 2
    found = await asyncio.to_thread(
        lambda: [each.commit.message for each in world.repository.get_commits(path="image.list")]
    )
    assert found == ["Mirror 2", "Mirror 1", "Mirror 0", "First commit"]


async def test_statuses_come_newest_first_over_all_pages(world: World) -> None:
    sha = await world.github.repository.head()
    world.client.per_page = 2

    def post() -> list[str]:
        commit = world.repository.get_commit(sha)
        for number in range(5):
            commit.create_status(
                "success", "http://127.0.0.1/run", f"d{number}", f"mirror/{number}"
            )
        return [status.description for status in commit.get_statuses()]

    assert await asyncio.to_thread(post) == ["d4", "d3", "d2", "d1", "d0"]


async def test_the_combined_status_takes_the_latest_of_each_context(world: World) -> None:
    sha = await world.github.repository.head()

    def post() -> tuple[str, int]:
        commit = world.repository.get_commit(sha)
        commit.create_status("failure", context="mirror/a")
        commit.create_status("success", context="mirror/A")
        combined = commit.get_combined_status()
        return combined.state, combined.total_count

    assert await asyncio.to_thread(post) == ("success", 1)


async def test_a_status_description_of_141_characters_is_invalid(world: World) -> None:
    sha = await world.github.repository.head()
    commit = await asyncio.to_thread(world.repository.get_commit, sha)
    error = await refused(lambda: commit.create_status("success", description="x" * 141))
    assert error.status == 422


async def test_an_unchanged_answer_is_304_for_who_has_its_etag(world: World) -> None:
    assert await asyncio.to_thread(world.repository.update) is False


async def test_a_push_runs_the_workflow_of_its_own_commit(world: World) -> None:
    world.github.actions.secrets["HARBOR_PWD"] = 'se"cr$t word'
    world.github.actions.variables["HARBOR_HOST"] = "127.0.0.1:5000"
    sha = await world.add("docker.io/library/nginx:1.27")
    run = await world.run_of(sha)
    log = world.github.actions.log(run.id)
    statuses = await asyncio.to_thread(
        lambda: list(world.repository.get_commit(sha).get_statuses())
    )
    assert (run.conclusion, run.event, run.head_sha) == ("success", "push", sha)
    assert (run.path, run.head_branch, run.display_title) == (
        ".github/workflows/mirror.yml",
        "main",
        "push",
    )
    assert "host 127.0.0.1:5000 password ***" in log
    assert 'se"cr$t' not in log
    assert f"run {run.html_url}" in log
    assert "write refused 403" in log
    assert [(each.context, each.state) for each in statuses] == [("mirror/x", "success")]


async def test_a_run_leaves_only_its_log_behind(world: World, tmp_path: Path) -> None:
    run = await world.run_of(await world.add("docker.io/library/nginx:1.27"))
    assert [path.name for path in (tmp_path / "runs" / str(run.id)).iterdir()] == ["log.txt"]


async def test_people_can_read_the_log_behind_the_html_url(world: World) -> None:
    run = await world.run_of(await world.add("docker.io/library/nginx:1.27"))
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(run.html_url)
    assert page.status_code == 200
    assert "Job succeeded" in page.text


async def test_jobs_and_steps_of_a_failed_run_are_told(world: World) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    await asyncio.to_thread(workflow.create_dispatch, "main", {"images": "fail"}, throw=True)
    run = await world.run_of(await world.github.repository.head())
    jobs = await asyncio.to_thread(lambda: list(run.jobs()))
    assert (run.conclusion, run.event) == ("failure", "workflow_dispatch")
    assert [(job.name, job.conclusion) for job in jobs] == [("mirror", "failure")]
    assert [(step.name, step.conclusion) for step in jobs[0].steps] == [("look", "failure")]


async def test_a_dispatch_gives_the_run_it_started_and_its_batch_is_in_the_title(
    world: World,
) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    inputs = {"images": "a b", "batch": "b7"}
    started: Any = await asyncio.to_thread(
        lambda: workflow.create_dispatch("main", inputs, throw=True, return_run_details=True)
    )
    run = await world.run_of(await world.github.repository.head())
    assert (run.id, run.display_title, run.html_url) == (started.id, "Batch b7", started.html_url)
    assert "images a b" in world.github.actions.log(run.id)


async def test_a_dispatch_with_an_unknown_input_is_invalid(world: World) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    error = await refused(lambda: workflow.create_dispatch("main", {"imges": "a"}, throw=True))
    assert (error.status, error.data["message"]) == (422, 'Unexpected inputs provided: ["imges"]')


async def test_the_inputs_of_a_dispatch_have_a_limit_together(world: World) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    inputs = {"images": "a" * 65_533, "batch": "b"}
    await asyncio.to_thread(workflow.create_dispatch, "main", inputs, throw=True)
    inputs["batch"] = "bcd"
    error = await refused(lambda: workflow.create_dispatch("main", inputs, throw=True))
    assert (error.status, words(error)) == (422, "inputs are too large.")


async def test_a_variable_has_a_limit(world: World) -> None:
    await asyncio.to_thread(world.repository.create_variable, "POLICY", "x" * 49_152)
    error = await refused(lambda: world.repository.create_variable("OTHER", "x" * 49_153))
    assert error.status == 422


async def test_a_push_tells_the_whole_messages_of_all_its_commits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []

    async def keeps(_act: str, job: Job) -> bool:
        events.append(job.payload)
        shutil.rmtree(job.clone)
        return True

    monkeypatch.setattr(world.github.actions, "_runner", keeps)
    before = sha = await world.github.repository.head()
    messages = [f"Mirror {n} images\n\nBatch: {n}\nImage: a\nImage: b" for n in range(3)]
    for message in messages:
        blob = await world.github.repository.store_blob(message.encode())
        tree = await world.github.repository.store_tree(sha, [("image.list", blob)])
        sha = await world.github.repository.store_commit(tree=tree, parents=[sha], message=message)
    made = {"sha": sha}

    def push() -> None:
        address = f"{world.repository.url}/git/refs/heads/main"
        world.repository.requester.requestJsonAndCheck("PATCH", address, input=made)

    await asyncio.to_thread(push)
    run = await world.run_of(sha)
    [event] = events
    assert event["before"] == before
    assert [commit["message"] for commit in event["commits"]] == messages
    assert event["head_commit"]["id"] == event["after"] == sha
    await world.add("docker.io/library/nginx:1.27")
    await asyncio.to_thread(post, run, "rerun")
    await eventually(lambda: asyncio.sleep(0.05, len(events) == 3))
    assert event in events[1:], "a run that is done again has its own event"


async def test_a_disabled_workflow_says_so_and_runs_nothing(world: World) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    await asyncio.to_thread(workflow.disable)
    disabled = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    error = await refused(lambda: workflow.create_dispatch("main", throw=True))
    await world.add("docker.io/library/nginx:1.27")
    assert disabled.state == "disabled_manually"
    assert error.status == 422
    assert error.data["message"] == "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
    assert await no_run(world)
    await asyncio.to_thread(workflow.enable)
    assert (await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")).state == "active"


async def test_a_branch_without_the_workflow_file_has_no_workflow(tmp_path: Path) -> None:
    async with world_of(tmp_path, {"image.list": b""}) as world:
        error = await refused(lambda: world.repository.get_workflow("mirror.yml"))
        await world.add("docker.io/library/nginx:1.27")
        assert error.status == 404
        assert await no_run(world)


async def no_run(world: World) -> bool:
    """Wait longer than a run needs to appear, then return whether none did."""
    await asyncio.sleep(0.2)
    return await asyncio.to_thread(lambda: list(world.repository.get_workflow_runs())) == []


async def test_a_push_that_says_skip_ci_starts_no_run(world: World) -> None:
    await world.add("docker.io/library/nginx:1.27", message="Mirror nginx [skip ci]")
    assert await no_run(world)


async def test_a_push_that_leaves_the_list_alone_starts_no_run(world: World) -> None:
    await asyncio.to_thread(world.repository.create_file, "README.md", "Read me", "hi\n")
    assert await no_run(world)


async def test_the_no_run_fault_swallows_one_run_and_not_the_next(world: World) -> None:
    world.faults.arm(where="actions", what="no-run")
    await world.add("docker.io/library/nginx:1.26")
    assert await no_run(world)
    sha = await world.add("docker.io/library/nginx:1.27")
    assert (await world.run_of(sha)).conclusion == "success"


async def test_a_lost_answer_leaves_the_commit_behind(world: World) -> None:
    world.faults.arm(where="github", what="lost", path="PUT ")
    with pytest.raises(OSError, match="aborted"):
        await world.add("docker.io/library/nginx:1.27")
    assert len(await world.github.repository.log("main")) == 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Mirror nginx", False),
        ("Mirror nginx [no ci]", True),
        ("Mirror nginx\n\nBatch: b1\nskip-checks: true", True),
        ("Mirror nginx\n\nskip-checks: true\n\nBatch: b1", False),
    ],
)
def test_skip_strings_are_found_as_github_finds_them(message: str, *, expected: bool) -> None:
    assert skipped(message) is expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", "Mirror nginx"),
        ("run-name: Mirror ${{ inputs.batch || github.sha }}\n", "Mirror abc"),
        ("run-name: ${{ github.event.head_commit.message }}\n", "Mirror nginx"),
        ("run-name: \"${{ github.event_name == 'push' && 'list' || 'asked' }}\"\n", "list"),
    ],
)
def test_the_title_follows_the_run_name(template: str, expected: str) -> None:
    trigger = Trigger("push", "abc", "http://127.0.0.1", "Mirror nginx\n\nBatch: b1")
    assert title(template, trigger) == expected


async def sleeping_run(world: World) -> Any:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    await asyncio.to_thread(workflow.create_dispatch, "main", {"images": "sleep"}, throw=True)
    run = await world.run_of(await world.github.repository.head(), until="in_progress")
    await eventually(lambda: asyncio.to_thread(lambda: len(sleepers(world)) == 2))
    return run


def sleepers(world: World) -> list[int]:
    """Find the processes named sleep that have this world's folder in their environment."""
    mark = str(world.github.repository.directory.parent).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                sleeps = (entry / "comm").read_text() == "sleep\n"
                if sleeps and mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


async def test_a_cancelled_run_ends_with_all_its_processes(world: World) -> None:
    run = await sleeping_run(world)
    assert await asyncio.to_thread(run.cancel)
    over = await world.run_of(run.head_sha)
    assert over.conclusion == "cancelled"
    assert sleepers(world) == []
    assert await asyncio.to_thread(run.cancel) is False


async def test_a_run_that_is_cancelled_twice_ends_with_all_its_processes(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        run = await sleeping_run(world)
        assert await asyncio.to_thread(run.cancel)
        await asyncio.to_thread(run.cancel)
        files = world.github.repository.directory.parent
    assert sleepers(world) == []
    assert not list(files.rglob("secrets.yml")), "what ends a run was broken off"


async def test_a_run_that_is_over_can_be_done_again_under_its_own_number(world: World) -> None:
    run = await sleeping_run(world)
    with pytest.raises(GithubException) as running:
        await asyncio.to_thread(post, run, "rerun")
    assert (running.value.status, words(running.value)) == (
        403,
        "This workflow is already running",
    )
    await asyncio.to_thread(run.cancel)
    assert (await world.run_of(run.head_sha)).run_attempt == 1
    await asyncio.to_thread(post, run, "rerun")
    again = await world.run_of(run.head_sha, until="in_progress")
    assert (again.id, again.run_attempt, again.conclusion) == (run.id, 2, None)
    await asyncio.to_thread(again.cancel)


def post(run: Any, what: str) -> None:
    run.requester.requestJsonAndCheck("POST", f"{run.url}/{what}")


def words(error: GithubException) -> str:
    return str(error.data["message"])


async def test_a_branch_that_is_called_otherwise_takes_nothing_under_its_old_name(
    world: World,
) -> None:
    def rename(old: str, new: str) -> None:
        address = f"{world.repository.url}/branches/{old}/rename"
        world.repository.requester.requestJsonAndCheck("POST", address, input={"new_name": new})

    await asyncio.to_thread(rename, "main", "trunk")
    with pytest.raises(GithubException) as read:
        await asyncio.to_thread(world.repository.get_contents, "image.list", ref="main")
    assert (read.value.status, words(read.value)) == (404, "No commit found for the ref main")
    with pytest.raises(GithubException) as written:
        await asyncio.to_thread(
            world.repository.create_file, "image.list", "x", "x\n", branch="main"
        )
    assert (written.value.status, words(written.value)) == (404, "Branch main not found")
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    assert workflow.state == "active"
    with pytest.raises(GithubException, match="No ref found"):
        await asyncio.to_thread(workflow.create_dispatch, "main", {}, throw=True)
    with pytest.raises(GithubException, match="404"):
        await asyncio.to_thread(rename, "main", "other")
    await asyncio.to_thread(rename, "trunk", "main")
    assert await world.add("docker.io/library/nginx:1.27")


async def test_a_push_starts_runs_of_the_branches_that_the_workflow_names(world: World) -> None:
    branch = {"ref": "refs/heads/trunk", "sha": await world.github.repository.head()}

    def call(verb: str, path: str, data: dict[str, str]) -> Any:
        address = f"{world.repository.url}{path}"
        return world.repository.requester.requestJsonAndCheck(verb, address, input=data)[1]

    made = await asyncio.to_thread(call, "POST", "/git/refs", branch)
    assert made["ref"] == "refs/heads/trunk"
    error = await refused(lambda: call("POST", "/git/refs", branch))
    assert (error.status, words(error)) == (422, "Reference already exists")
    create = partial(world.repository.create_file, "image.list", "m", "x\n", branch="trunk")
    error = await refused(create)  # the file is there
    assert error.status == 422
    listed = await asyncio.to_thread(world.repository.get_contents, "image.list", "trunk")
    assert not isinstance(listed, list)
    update = partial(world.repository.update_file, "image.list", "m", "x\n", listed.sha, "trunk")
    await asyncio.to_thread(update)
    assert (await world.github.repository.file("main", "image.list")).data == b"# images\n"  # type: ignore[union-attr]
    assert world.github.actions.runs() == []
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    await asyncio.to_thread(workflow.create_dispatch, "trunk", {"images": "a"}, throw=True)
    sha = str(await world.github.repository.tip("trunk"))
    run = await world.run_of(sha)
    assert (run.head_branch, run.conclusion) == ("trunk", "success")
    found = await asyncio.to_thread(lambda: list(world.repository.get_workflow_runs(branch="main")))
    assert found == []


async def test_a_dispatch_needs_the_workflow_on_the_default_branch(world: World) -> None:
    first = await world.github.repository.head()
    empty = await world.github.repository.store_tree(None, [])
    bare = await world.github.repository.store_commit(tree=empty, parents=(), message="Bare")
    assert await world.github.repository.move(bare, None, "bare")
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    edited = partial(world.repository.edit, default_branch="bare")
    await asyncio.to_thread(edited)
    again = await asyncio.to_thread(world.client.get_repo, NAME)
    assert again.default_branch == "bare"
    error = await refused(lambda: workflow.create_dispatch("main", {}, throw=True))
    assert (error.status, await world.github.repository.tip("main")) == (404, first)
    error = await refused(lambda: world.repository.edit(default_branch="none"))
    assert error.status == 422


async def test_leaving_the_world_ends_runs_and_the_next_one_remembers_them(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        run = await sleeping_run(world)
    assert sleepers(world) == []
    async with world_of(tmp_path) as again:
        known = await asyncio.to_thread(again.repository.get_workflow_run, run.id)
        assert (known.status, known.conclusion) == ("completed", "cancelled")


async def test_a_third_run_waits_for_a_place(world: World) -> None:
    workflow = await asyncio.to_thread(world.repository.get_workflow, "mirror.yml")
    for _ in range(3):
        await asyncio.to_thread(workflow.create_dispatch, "main", {"images": "sleep"}, throw=True)

    def states() -> list[str]:
        return [run.status for run in world.repository.get_workflow_runs()]

    expected = ["queued", "in_progress", "in_progress"]
    assert await eventually(lambda: asyncio.to_thread(lambda: states() == expected))


async def test_secrets_arrive_sealed_and_never_come_back(world: World) -> None:
    await asyncio.to_thread(world.repository.create_secret, "harbor_pwd", "s3cret")
    secret = await asyncio.to_thread(world.repository.get_secret, "HARBOR_PWD")
    assert world.github.actions.secrets == {"HARBOR_PWD": "s3cret"}
    assert "s3cret" not in json.dumps(secret.raw_data)


async def test_a_variable_is_created_once_and_then_changed(world: World) -> None:
    create = world.repository.create_variable
    await asyncio.to_thread(create, "HARBOR_HOST", "one")
    error = await refused(lambda: create("HARBOR_HOST", "two"))
    variable = await asyncio.to_thread(world.repository.get_variable, "HARBOR_HOST")
    await asyncio.to_thread(variable.edit, "two")
    assert error.status == 409
    assert world.github.actions.variables == {"HARBOR_HOST": "two"}


async def test_git_reads_no_configuration_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[commit]\n\tgpgsign = true\n[user]\n\tname = wei\n")
    monkeypatch.setitem(os.environ, "HOME", str(tmp_path))
    async with world_of(tmp_path / "data") as world:
        [first] = await world.github.repository.log("main")
    assert first.author == "sandbox"
