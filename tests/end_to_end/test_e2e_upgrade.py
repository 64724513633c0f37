"""A bot and a workflow of different versions, in both directions, and the upgrade between them.

The old version is the last one whose workflow was the single file .github/mirror.py. It is taken
from the history of this repository, so a clone without history skips this.
tests/workflow/test_other_versions.py holds what the two versions say to each other.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_process import COMMAND, Asked, Sandbox
from sandbox_without_bot import sandbox_without_bot

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.world import RunningSandbox
from bot.workflow import shipped

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
ROOT = Path(__file__).parents[2]
BEFORE = "d353e24e47fdfef6c897b773a6f257a26290a0ce"
OLD_FILES = {
    ".github/mirror.py": "bot/workflow/mirror.py",
    ".github/workflows/mirror.yml": "bot/workflow/mirror.yml",
}
OLD_GITHUB = ("repository", "branch", "list", "workflow", "api", "patience")
SECONDS = 90


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False)


def has_history() -> bool:
    return git("cat-file", "-e", BEFORE).returncode == 0


def old(path: str) -> bytes:
    return git("show", f"{BEFORE}:{path}").stdout


@dataclass
class House:
    """The sandbox without a bot. A test starts bots of its choice, one at a time."""

    place: RunningSandbox
    people: Sandbox
    folder: Path
    environment: dict[str, str]

    @asynccontextmanager
    async def bot(self, code: Path) -> AsyncIterator[None]:
        """Run the bot whose package is in the folder `code`, on a database of this version."""
        config = self.folder / "config.yaml" if code == ROOT else self._old_config()
        environment = self.environment | {"PYTHONPATH": str(code)}
        async with BotProcess().kept_alive(
            config=config, environment=environment, output=self.place.log
        ):
            yield

    def _old_config(self) -> Path:
        given = json.loads((self.folder / "config.yaml").read_text())
        telegram, policy = given["telegram"], given["policy"]
        numbers = ("chats", "admins", "members")
        rules = [
            {key: rule[key] for key in ("images", "then", "reason")} for rule in policy["rules"]
        ]
        data = {
            "telegram": {"api": telegram["api"]}
            | {name: [int(each.partition(":")[2]) for each in telegram[name]] for name in numbers},
            "github": {key: given["github"][key] for key in OLD_GITHUB},
            "target": {key: given["target"][key] for key in ("host", "prefix", "naming")},
            "policy": {"registries": policy["registries"], "rules": rules},
            "addresses": given["addresses"],
            "database": given["database"],
        }
        path = self.folder / "old.yaml"
        path.write_text(json.dumps(data))
        return path

    async def install_old(self) -> None:
        """Put the old workflow into the repository, as the old `setup` left it."""
        repository = self.place.github.repository
        head = await repository.head()
        entries: list[tuple[str, str | None]] = [(path, None) for path in shipped.package()]
        for path, source in OLD_FILES.items():
            entries.append((path, await repository.store_blob(old(source))))
        tree = await repository.store_tree((await repository.commit(head)).tree, entries)  # type: ignore[union-attr]
        made = await repository.store_commit(tree=tree, parents=[head], message="Old")
        assert await repository.move(made, head)
        actions, registries = self.place.github.actions, self.place.registries
        actions.secrets.clear()
        actions.secrets |= {"HARBOR_USER": registries.user, "HARBOR_PWD": registries.password}

    def setup(self) -> str:
        login = {
            "HARBOR_USER": self.place.registries.user,
            "HARBOR_PWD": self.place.registries.password,
        }
        done = subprocess.run(
            [COMMAND, "setup", "--config", self.folder / "config.yaml"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **self.environment, **login},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # -- what people see, in a thread of its own ------------------------------------------------

    def done(self, image: str) -> None:
        self.people.until(
            lambda: self.people.result(self.people.whisper("wei", f"/mirror {image}"), "Done"),
            SECONDS,
        )

    def runs(self, event: str) -> list[dict[str, Any]]:
        return [run for run in self.people.repository()["runs"] if run["event"] == event]

    def post(self, path: str, **data: str) -> httpx.Response:
        address = f"/github/repos/example/mirror/{path}"
        token = {"Authorization": f"token {self.place.github.token}"}
        return self.people.api.post(address, json=data, headers=token)

    def dispatched(self, branch: str) -> dict[str, Any]:
        """Start the workflow by hand for the whole list. Return the run when it is over."""
        before = len(self.runs("workflow_dispatch"))
        answer = self.post("actions/workflows/mirror.yml/dispatches", ref=branch)
        assert answer.status_code == 204, answer.text

        def ended() -> list[dict[str, Any]]:
            runs = self.runs("workflow_dispatch")
            return [run for run in runs[: len(runs) - before] if run["conclusion"]]

        [run] = self.people.until(ended, SECONDS)
        return dict(run)

    def whole_list(self, listed: int) -> None:
        run = self.dispatched("main")
        assert run["conclusion"] == "success", run["log"]
        assert f"{listed} of {listed} in the target" in run["log"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with sandbox_without_bot(tmp_path) as made:
        yield House(made.place, made.people, tmp_path, made.environment)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the old version, in a folder of its own."""
    if not has_history():
        pytest.skip("this clone has no history")
    folder = tmp_path_factory.mktemp("before")
    packed = git("archive", BEFORE, "bot").stdout
    subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)
    return folder


NGINX, REDIS = "docker.io/library/nginx:1.27", "docker.io/library/redis:7"
LATEST = "docker.io/library/busybox:latest"


async def test_old_and_new_serve_each_other_and_an_upgrade_loses_nothing(
    house: House, before: Path
) -> None:
    async with house.bot(before):
        await asyncio.to_thread(is_served_by_the_new_workflow, house)
        await house.install_old()
        await asyncio.to_thread(house.done, NGINX)
    commit_before = await house.place.github.repository.head()
    async with house.bot(ROOT):
        asked = await asyncio.to_thread(is_told_to_run_setup, house)
        said = await asyncio.to_thread(house.setup)
        assert ".github/mirror.py: removed" in said
        assert "secret HARBOR_PWD: removed" in said
        await asyncio.to_thread(goes_on, house, asked)
    await asyncio.to_thread(the_old_files_get_no_secret, house, commit_before)


def is_served_by_the_new_workflow(house: House) -> None:
    """The old bot is. Its list is copied by a push, a dispatch of its own, and one by hand."""
    people = house.people
    house.done(LATEST)
    assert [run["event"] for run in people.repository()["runs"]] == ["push"]
    new = people.move(LATEST)
    house.done(LATEST)
    assert people.digests("target")[f"{people.target()}/{LATEST}"] == new
    assert len(house.runs("workflow_dispatch")) == 1
    house.whole_list(1)


def is_told_to_run_setup(house: House) -> Asked:
    """The new bot commits nothing for the old workflow. Return what waits for `setup`."""
    people = house.people
    commits = len(people.repository()["commits"])
    asked = people.whisper("wei", f"/mirror {REDIS}")
    told = "is not the one that I ship, so the maintainer has to run imageto-bot setup"
    people.until(lambda: people.card(asked, told), SECONDS)
    assert len(people.repository()["commits"]) == commits
    state = people.whisper("ana", "/status")
    people.until(lambda: people.result(state, "run imageto-bot setup"))
    house.whole_list(2)
    assert "the workflow is not the one that this bot ships" in people.log()
    return asked


def goes_on(house: House, asked: Asked) -> None:
    people = house.people
    people.until(lambda: people.answers(asked)[1:], 3 * SECONDS)
    assert "Done, 1 of 1" in people.answers(asked)[1]["text"]
    house.whole_list(3)


def the_old_files_get_no_secret(house: House, commit: str) -> None:
    made = house.post("git/refs", ref="refs/heads/old", sha=commit)
    assert made.status_code == 201, made.text
    run = house.dispatched("old")
    assert run["conclusion"] == "failure"
    assert "HARBOR_USER is not set in the repository" in run["log"]
