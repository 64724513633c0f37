"""`imageto-bot setup --environment`: the secrets go where one branch alone can use them."""

import asyncio
from pathlib import Path

import pytest
from setup_fixture import (
    KEY,
    KEY_ID,
    LOGIN,
    OLD,
    WORKFLOW_FILE,
    client,
    commits,
    content,
    github,
    secrets,
    set_up,
    settings,
)

from bot.core.errors import ConfigError, RefusedError
from bot.core.ids import BatchId
from bot.engine.ports.repository import WorkflowState
from bot.sandbox.github.actions import WorkflowRun
from bot.sandbox.github.server import GitHub
from bot.workflow import shipped

FULL = {"MIRROR_USER": "robot$mirror", "MIRROR_PASSWORD": "hush-hush", "DECISION_KEY": KEY}


async def state(made: GitHub, port: int) -> WorkflowState:
    repository = client(port, made.token)
    try:
        return await repository.workflow()
    finally:
        repository.close()


async def test_the_secrets_move_into_an_environment_of_the_branch(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        made.actions.secrets.update({"HARBOR_USER": "u", "HARBOR_PWD": "p", "OTHER": "theirs"})
        await set_up(made, port, secrets(**LOGIN), settings())
        said = await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        assert said == [
            "environment prod: restricted to branch main",
            "secret MIRROR_USER of environment prod: set",
            "secret MIRROR_PASSWORD of environment prod: set",
            "secret DECISION_KEY of environment prod: set",
            f"{WORKFLOW_FILE}: updated",
            "secret DECISION_KEY: removed",
            "secret MIRROR_PASSWORD: removed",
            "secret MIRROR_USER: removed",
        ]
        environment = made.actions.secret_store.environments["prod"]
        assert environment.secrets == FULL
        assert (environment.restricted, list(environment.branches.values())) == (True, ["main"])
        assert made.actions.secrets == {"OTHER": "theirs"}
        file = shipped.workflow("main", "image.list", "prod", key_id=KEY_ID)
        assert await content(made, WORKFLOW_FILE) == file
        assert await state(made, port) is WorkflowState.ACTIVE


async def test_without_the_option_they_stay_where_the_workflow_looks_for_them(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, {}) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        before = await commits(made)
        said = await set_up(made, port, secrets(), settings())
        there = f"files: are there, version {shipped.version()}"
        assert said == ["secret DECISION_KEY of environment prod: set", there]
        assert await commits(made) == before
        await set_up(made, port, secrets(**LOGIN | {"HARBOR_PWD": "new"}), settings())
        environments = made.actions.secret_store.environments
        assert environments["prod"].secrets["MIRROR_PASSWORD"] == "new"
        assert made.actions.secrets == {}


async def test_another_environment_or_none_gets_them_and_the_old_place_loses_them(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        environments = made.actions.secret_store.environments
        await set_up(made, port, secrets(**LOGIN), settings(), environment="live")
        assert (environments["prod"].secrets, environments["live"].secrets) == ({}, FULL)
        await set_up(made, port, secrets(**LOGIN), settings(), environment="")
        assert (environments["live"].secrets, made.actions.secrets) == ({}, FULL)
        file = shipped.workflow("main", "image.list", key_id=KEY_ID)
        assert await content(made, WORKFLOW_FILE) == file


@pytest.mark.parametrize("place", ["", "prod"])
async def test_a_secret_cannot_move_without_its_value(tmp_path: Path, place: str) -> None:
    async with github(tmp_path, OLD) as (made, port):
        given = secrets(**LOGIN, SOURCE_AUTH='{"auths": {}}')
        await set_up(made, port, given, settings(), environment="" if place else "prod")
        kept = dict(made.actions.secrets)
        with pytest.raises(ConfigError, match="SOURCE_AUTH is not in the environment of this"):
            await set_up(made, port, secrets(**LOGIN), settings(), environment=place)
        assert made.actions.secrets == kept


async def test_without_the_right_the_steps_by_hand_are_told_and_then_suffice(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        store = made.actions.secret_store
        store.administration = False
        with pytest.raises(RefusedError) as refused:
            await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        for words in ("the token needs administration=write", "New environment prod", "add main"):
            assert words in str(refused.value)
        assert (store.repository, store.environments, await commits(made)) == ({}, {}, 1)
        store.administration = True
        repository = client(port, made.token)
        try:
            await repository.restrict_environment("prod", "main")
        finally:
            repository.close()
        store.administration = False
        await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        assert store.environments["prod"].secrets == FULL


async def test_an_environment_that_admits_more_is_narrowed(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        repository = client(port, made.token)
        try:
            await repository.restrict_environment("prod", "release/*")
            assert await repository.branches_of("prod") == {"release/*"}
            assert await repository.branches_of("other") is None
        finally:
            repository.close()
        await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        found = made.actions.secret_store.environments["prod"]
        assert list(found.branches.values()) == ["main"]


async def test_a_dry_run_leaves_environments_alone(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        said = await set_up(
            made, port, secrets(**LOGIN), settings(), environment="prod", dry_run=True
        )
        assert "environment prod: would be restricted to branch main" in said
        assert '+    environment: "prod" # holds the secrets, for this branch alone' in said
        assert made.actions.secret_store.environments == {}


@pytest.mark.parametrize("name", ["../x", "two words", 'q"', "-x"])
async def test_a_name_that_could_break_the_workflow_is_refused(tmp_path: Path, name: str) -> None:
    async with github(tmp_path, OLD) as (made, port):
        with pytest.raises(ConfigError, match="--environment"):
            await set_up(made, port, secrets(**LOGIN), settings(), environment=name)


async def test_a_workflow_edited_on_another_branch_gets_no_secret(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings(), environment="prod")
        repository = client(port, made.token)
        try:
            now = await repository.snapshot()
            assert now is not None
            assert await made.repository.move(now.tip, None, "mine")
            edited = (await repository.read_file(WORKFLOW_FILE)).content
            there = await repository.snapshot("mine")
            assert there is not None
            unguarded = edited.replace(b"    if: github.ref", b"    if: true || github.ref")
            await repository.commit_files({WORKFLOW_FILE: unguarded}, on=there, message="Edit\n")
        finally:
            repository.close()
        store = made.actions.secret_store
        with pytest.raises(ValueError, match='Branch "mine" is not allowed to deploy to prod'):
            store.for_run(unguarded.decode(), "mine")
        assert store.for_run(edited.decode(), "main") == FULL
        run = await _dispatched(port, made, "mine")
        assert run.conclusion == "failure"
        assert "not allowed to deploy to prod" in made.actions.log(run.id)


async def _dispatched(port: int, made: GitHub, branch: str) -> WorkflowRun:
    """Dispatch the workflow on a branch and return the run when it is over."""
    repository = client(port, made.token, settings(branch=branch))
    try:
        await repository.dispatch((), batch=BatchId("b1"))
    finally:
        repository.close()
    async with asyncio.timeout(90):
        while not (found := [run for run in made.actions.runs() if run.conclusion]):
            await asyncio.sleep(0.05)
    return found[0]
