"""The whole product where the list has another path, on a branch that is not the default one.

Halfway the secrets move into an environment of the repository, while the bot runs.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sandbox_process import COMMAND, Sandbox

from bot.sandbox.world import RunningSandbox, open_sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
BRANCH, LIST = "trunk", "lists/prod.list"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with open_sandbox(port=0, data=tmp_path, branch=BRANCH, image_list=LIST) as made:
        yield made


def runs_of(s: Sandbox, event: str) -> list[dict[str, Any]]:
    """Return the ended runs of an event."""
    return [r for r in s.repository()["runs"] if r["event"] == event and r["conclusion"]]


def moves_the_secrets_into_an_environment(place: RunningSandbox) -> None:
    token = {"TELEGRAM_TOKEN": "1:a", "GITHUB_TOKEN": place.github.token}
    login = {"HARBOR_USER": place.registries.user, "HARBOR_PWD": place.registries.password}
    done = subprocess.run(
        [COMMAND, "setup", "--environment", "prod", "--config", place.log.with_name("config.yaml")],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **token, **login},
    )
    assert done.returncode == 0, done.stderr
    assert "environment prod: restricted to branch trunk\n" in done.stdout
    assert place.github.actions.secrets == {}


def asks_twice_and_starts_the_whole_list(s: Sandbox, place: RunningSandbox) -> None:
    first = s.whisper("wei", "/mirror docker.io/library/nginx:1.27")
    s.result(first, "Done, 1 of 1")
    [push] = s.until(lambda: runs_of(s, "push"))
    assert push["conclusion"] == "success", push["log"]
    state = s.repository()
    assert state["list"].endswith("docker.io/library/nginx:1.27\n")
    assert len(state["runs"]) == 1
    assert [c["message"].startswith("Mirror ") for c in state["commits"]].count(True) == 1
    moves_the_secrets_into_an_environment(place)
    again = s.whisper("wei", "/mirror docker.io/library/redis:7")
    s.result(again, "Done, 1 of 1")
    s.until(lambda: len(runs_of(s, "push")) == 2)
    assert len(s.repository()["runs"]) == 2
    started = s.api.post(
        "/github/repos/example/mirror/actions/workflows/mirror.yml/dispatches",
        json={"ref": BRANCH},
        headers={"Authorization": f"token {place.github.token}"},
    )
    assert started.status_code == 204, started.text
    [whole] = s.until(lambda: runs_of(s, "workflow_dispatch"))
    assert whole["conclusion"] == "success", whole["log"]
    assert "2 of 2 in the target" in whole["log"]


async def test_each_request_is_one_push_without_a_dispatch_and_the_whole_list_runs(
    place: RunningSandbox, tmp_path: Path
) -> None:
    assert await place.github.repository.file("main", LIST) is None
    with httpx.Client(base_url=place.address, trust_env=False, timeout=20) as api:
        no_process = cast("subprocess.Popen[str]", None)  # the bot is a child of this one
        people = Sandbox(no_process, tmp_path, place.address, api)
        await asyncio.to_thread(asks_twice_and_starts_the_whole_list, people, place)
