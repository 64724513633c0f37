"""`imageto-bot setup` in each kind of repository: empty, of an earlier version, already set up."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
import yaml
from setup_fixture import (
    KEY,
    KEY_ID,
    LOGIN,
    OLD,
    WORKFLOW_FILE,
    client,
    commits,
    content,
    everything_is_installed,
    github,
    secrets,
    set_up,
    settings,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tls_world import Certificates

from bot import check
from bot.adapters.github.issues.form import Label, headings
from bot.adapters.github.setup_repository import SetupRepository, Snapshot
from bot.adapters.words import LocaleWords
from bot.config import IssuesSection, Settings, settings_from
from bot.config_file import read_certificates
from bot.core.batch import Run
from bot.core.errors import ConfigError, RefusedError
from bot.core.ids import BatchId, CommitSha, RunId
from bot.dialog.language import Language
from bot.engine.ports.repository import WorkflowState
from bot.sandbox.github.server import GitHub
from bot.sandbox.serve import served
from bot.setup import FIRST_LIST, install
from bot.workflow import shipped


async def test_an_empty_repository_gets_the_list_and_then_all_files_in_one_commit(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, {}) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings())
        await everything_is_installed(made)
        assert await content(made, "image.list") == FIRST_LIST
        assert await commits(made) == 2
        assert made.actions.runs() == []


async def test_a_repository_of_before_is_changed_by_one_commit(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        made.actions.secrets |= {"HARBOR_USER": "u", "HARBOR_PWD": "p", "SOURCE_AUTH": "{}"}
        said = await set_up(made, port, secrets(**LOGIN, SOURCE_AUTH='{"auths": {}}'), settings())
        await everything_is_installed(made)
        assert await content(made, ".github/mirror.py") is None
        assert await content(made, "image.list") == OLD["image.list"]
        assert await commits(made) == 2
        assert made.actions.secrets == {
            "MIRROR_USER": "robot$mirror",
            "MIRROR_PASSWORD": "hush-hush",
            "MIRROR_SOURCE_AUTH": '{"auths": {}}',
            "DECISION_KEY": KEY,
        }
        assert KEY not in str(said)
        assert "secret HARBOR_PWD: removed" in said
        assert "hush-hush" not in str(said)


async def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings())
        before = await commits(made)
        said = await set_up(made, port, secrets(), settings())
        assert await commits(made) == before
        assert said == [
            "secret DECISION_KEY: set",
            f"files: are there, version {shipped.version()}",
        ]


async def test_the_form_and_the_labels_of_issues_are_installed_where_github_looks_for_them(
    tmp_path: Path,
) -> None:
    plain = settings()
    part = plain.github.model_copy(update={"issues": IssuesSection(language=Language.ZH_CN)})
    with_issues = plain.model_copy(update={"github": part})
    async with github(tmp_path, OLD) as (made, port):
        for _ in range(2):
            said = await set_up(made, port, secrets(**LOGIN), with_issues)
        assert "label mirror: done: added" not in said
        assert set(Label) <= made.issues.labels.keys()
        form = await content(made, ".github/ISSUE_TEMPLATE/mirror.yml")
    assert form is not None
    read = yaml.safe_load(form)
    assert [each["attributes"]["label"] for each in read["body"]] == ["镜像", "文件"]
    fields = [
        (each["attributes"]["label"], each["attributes"].get("render")) for each in read["body"]
    ]
    known = headings(LocaleWords())
    assert [known[label] for label, _ in fields] == [render == "text" for _, render in fields]


async def test_changed_and_foreign_files_of_the_folder_are_put_right(tmp_path: Path) -> None:
    spoilt = {
        **OLD,
        f"{shipped.FOLDER}/registry.py": b"changed\n",
        f"{shipped.FOLDER}/base64.py": b"foreign\n",
        f"{shipped.FOLDER}/__pycache__/main.cpython-312.pyc": b"\x00foreign",
    }
    async with github(tmp_path, spoilt) as (made, port):
        await set_up(made, port, secrets(**LOGIN), settings())
        await everything_is_installed(made)
        for path in spoilt.keys() - shipped.files("main", "image.list").keys() - {"image.list"}:
            assert await content(made, path) is None, path


async def test_a_variable_that_the_config_no_longer_has_is_removed(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        made.actions.variables["SHARDS"] = "1, 2"
        await set_up(made, port, secrets(**LOGIN), settings())
        assert made.actions.variables["HARBOR_PREFIX"] == "mirror"
        await set_up(made, port, secrets(), settings(prefix=""))
        left = {"HARBOR_HOST": "harbor.example.com", "NAMING": "nested", "SHARDS": "1, 2"}
        assert made.actions.variables.pop("POLICY")
        assert made.actions.variables == left


@pytest.mark.parametrize(
    ("there", "given", "missing"),
    [
        ({}, {}, "HARBOR_USER"),
        ({"HARBOR_USER": "u", "HARBOR_PWD": "p"}, {}, "HARBOR_USER"),
        ({"SOURCE_AUTH": "{}"}, LOGIN, "SOURCE_AUTH"),
    ],
)
async def test_without_a_secret_that_the_new_workflow_needs_nothing_is_changed(
    tmp_path: Path, there: dict[str, str], given: dict[str, str], missing: str
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        made.actions.secrets |= there
        with pytest.raises(
            ConfigError, match=f"{missing} is not in the environment of this command"
        ):
            await set_up(made, port, secrets(**given), settings())
        assert made.actions.secrets == there
        assert made.actions.variables == {}
        assert await commits(made) == 1


RULES = (
    {"images": "docker.io/library/**", "then": "approve", "reason": "hush-hush"},
    {"images": "docker.io/wei/*", "then": "deny", "reason": "hush-hush"},
)


def with_rules(*rules: dict[str, str]) -> Settings:
    dumped = settings().model_dump(mode="json")
    dumped["policy"]["rules"] = rules
    return settings_from(dumped, "test")


async def test_the_rules_are_stored_for_the_workflow_without_reasons_and_ids(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        said = await set_up(made, port, secrets(**LOGIN), with_rules(*RULES))
        assert "variable POLICY: set to 2 rules" in said
        stored = json.loads(made.actions.variables["POLICY"])
        assert stored == {
            "registries": ["docker.io"],
            "rules": [["docker.io/library/**", "approve"], ["docker.io/wei/*", "deny"]],
            "floating": [],
        }
        said = await set_up(made, port, secrets(), with_rules(RULES[0]))
        assert "variable POLICY: set to 1 rules" in said
        keeping = with_rules(RULES[0]).model_dump(mode="json") | {"fresh": {"keep": True}}
        said = await set_up(made, port, secrets(), settings_from(keeping, "test"))
        assert "variable POLICY: set to 1 rules" in said
        assert json.loads(made.actions.variables["POLICY"])["keep"] is True


async def rules_line(port: int, made: GitHub, given: Settings) -> str:
    """Return what `check` says of the rules. Nothing but GitHub can be reached."""
    nowhere = {"telegram": {"api": "http://127.0.0.1:9"}, "target": {"host": "127.0.0.1:9"}}
    dumped = given.model_dump(mode="json")
    for part, changes in {**nowhere, "github": {"api": f"http://127.0.0.1:{port}/github"}}.items():
        dumped[part] |= changes
    said: list[str] = []
    tokens = secrets(GITHUB_TOKEN=made.token)
    assert not await check.everything(settings_from(dumped, "test"), tokens, said.append)
    [line] = [each for each in said if each.startswith("variables of the workflow: ")]
    return line


async def test_check_tells_when_the_workflow_has_other_rules_than_the_config(
    tmp_path: Path,
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        await set_up(made, port, secrets(**LOGIN), with_rules(*RULES))
        made.actions.variables["HARBOR_HOST"] = "127.0.0.1:9"
        line = await rules_line(port, made, with_rules(*RULES))
        assert line == "variables of the workflow: ok: they are what the config says"
        line = await rules_line(port, made, with_rules(RULES[1]))
        assert line.startswith(
            "variables of the workflow: FAILED: not what the config says: POLICY;"
        )
        assert line.endswith("run `imageto-bot setup`")


async def test_a_runner_and_an_authority_of_ones_own_are_told_to_the_workflow(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    own = Certificates.made(folder)
    file, authority = folder / "bundle.pem", own.authority.read_text().strip()

    def given(content: str) -> Settings:
        file.write_text(content)
        dumped = settings().model_dump(mode="json") | {"ca_bundle": str(file)}
        dumped["github"]["runner"], dumped["target"]["referrers"] = "in-1", False
        return settings_from(dumped, "test")

    async with github(tmp_path / "hub", OLD) as (made, port):
        for content, words in (
            ("hunter2", "bundle.pem holds no certificates in PEM"),
            (own.key.read_text(), "bundle.pem holds no certificates in PEM"),
            (f"{authority}\n" * 50, r"takes \d+ bytes.*which holds 49152: leave only your own"),
        ):
            with pytest.raises(ConfigError, match=f"ca_bundle: .*{words}"):
                await set_up(made, port, secrets(**LOGIN), given(content))
        file.unlink()
        with pytest.raises(ConfigError, match=r"ca_bundle: .*cannot be read: No such file"):
            read_certificates(str(file))
        assert (made.actions.secrets, made.actions.variables) == ({}, {})
        bundle = given(f"# ours\n{authority}\n{own.key.read_text()}\n{authority}\n")
        said = await set_up(made, port, secrets(**LOGIN), bundle)
        assert "variable CA_BUNDLE: set to 2 certificates" in said
        assert made.actions.variables["CA_BUNDLE"] == f"{authority}\n{authority}"
        assert made.actions.variables["RUNNER"] == "in-1"
        assert made.actions.variables["REFERRERS"] == "off"
        said = await set_up(made, port, secrets(), settings())
        removed = {f"variable {name}: removed" for name in ("CA_BUNDLE", "RUNNER", "REFERRERS")}
        assert removed <= {*said}


async def test_rules_that_no_variable_can_hold_are_refused_before_anything_changes(
    tmp_path: Path,
) -> None:
    rules = ({"images": f"docker.io/wei/{n:0>200}", "then": "ask"} for n in range(250))
    async with github(tmp_path, OLD) as (made, port):
        with pytest.raises(ConfigError, match=r"policy: takes \d+ bytes.*write fewer rules"):
            await set_up(made, port, secrets(**LOGIN), with_rules(*rules))
        assert (made.actions.secrets, made.actions.variables) == ({}, {})
        assert await commits(made) == 1


@pytest.mark.parametrize("files", [{}, OLD])
async def test_a_dry_run_shows_a_diff_and_changes_nothing(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    async with github(tmp_path, files) as (made, port):
        said = await set_up(made, port, secrets(**LOGIN), settings(), dry_run=True)
        assert made.actions.secrets == {}
        assert made.actions.variables == {}
        assert await made.repository.is_empty() or await commits(made) == 1
        assert "+++ b/.github/workflows/mirror.yml" in said
        assert ("-print('old')" in said) == bool(files)
        assert "secret MIRROR_USER: would be set" in said
        assert "variable HARBOR_PREFIX: would be set to mirror" in said


async def test_another_list_stands_in_each_place_of_the_workflow(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        given = settings(image_list="lists/prod.list")
        await set_up(made, port, secrets(**LOGIN), given)
        await everything_is_installed(made, "lists/prod.list")
        assert await content(made, "lists/prod.list") == FIRST_LIST
        file = shipped.workflow("main", "lists/prod.list").decode()
        for place in ('paths: ["lists/prod.list"]', "/lists/prod.list\n", "LIST: lists/prod.list"):
            assert place in file
        assert "image.list" not in file


# --- a branch that is not the default one

TRUNK = settings(branch="trunk", image_list="lists/prod.list")


async def branched(made: GitHub) -> None:
    assert await made.repository.move(await made.repository.head(), None, "trunk")


async def test_on_another_branch_the_workflow_goes_to_the_default_one_too(tmp_path: Path) -> None:
    async with github(tmp_path, {"README.md": b"ours\n"}) as (made, port):
        await branched(made)
        dry = await set_up(made, port, secrets(**LOGIN), TRUNK, dry_run=True)
        assert f"{WORKFLOW_FILE} on main: would be added" in dry
        assert (await commits(made), await content(made, WORKFLOW_FILE)) == (1, None)
        said = await set_up(made, port, secrets(**LOGIN), TRUNK)
        assert f"{WORKFLOW_FILE} on main: added" in said
        await everything_is_installed(made, "lists/prod.list", "trunk")
        assert await content(made, WORKFLOW_FILE) == await content(made, WORKFLOW_FILE, "trunk")
        assert await content(made, ".github/mirror/main.py") is None
        assert made.actions.runs() == []
        repository = client(port, made.token, TRUNK)
        try:
            assert await repository.workflow() is WorkflowState.ACTIVE
            run = await repository.dispatch((), batch=BatchId("b1"))
        finally:
            repository.close()
        assert run is not None
        assert len(await set_up(made, port, secrets(), TRUNK)) == 2


async def test_a_workflow_that_is_not_on_the_default_branch_is_missing_for_github(
    tmp_path: Path,
) -> None:
    files = shipped.files("trunk", "lists/prod.list", key_id=KEY_ID)
    async with github(tmp_path, files) as (made, port):
        assert await made.repository.rename("main", "trunk")
        empty = await made.repository.store_tree(None, [])
        first = await made.repository.store_commit(tree=empty, parents=(), message="Ours")
        assert await made.repository.move(first, None, "main")
        assert await made.repository.set_default_branch("main")
        repository = client(port, made.token, TRUNK)
        try:
            assert await repository.workflow() is WorkflowState.MISSING
            with pytest.raises(RefusedError, match="Not Found"):
                await repository.dispatch((), batch=BatchId("b1"))
        finally:
            repository.close()


async def test_a_default_branch_that_takes_no_commit_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with github(tmp_path, OLD) as (made, port):
        await branched(made)
        made.actions.secrets["HARBOR_PWD"] = "old"
        commit_files = SetupRepository.commit_files

        async def guarded(self: SetupRepository, *given: Any, on: Snapshot, message: str) -> Any:
            if on.branch == "main":
                raise RefusedError("GitHub: Changes must be made through a pull request (409)")
            return await commit_files(self, *given, on=on, message=message)

        monkeypatch.setattr(SetupRepository, "commit_files", guarded)
        with pytest.raises(RefusedError, match=r"default branch main too.*by hand.*pull request"):
            await set_up(made, port, secrets(**LOGIN), TRUNK)
        await everything_is_installed(made, "lists/prod.list", "trunk")
        assert "HARBOR_PWD" not in made.actions.secrets


async def test_a_missing_branch_is_named(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        with pytest.raises(RefusedError, match="no branch trunk: create it, or change github"):
            await set_up(made, port, secrets(**LOGIN), TRUNK)
    async with github(tmp_path / "empty", {}) as (made, port):
        with pytest.raises(RefusedError, match=r"is empty.*push a first commit to trunk"):
            await set_up(made, port, secrets(**LOGIN), TRUNK)


# --- a repository that has moved


VERBS = ["GET", "PUT", "POST", "PATCH", "DELETE"]


def moved(new: str) -> Callable[[Request], Response]:
    """Answer like GitHub for a renamed repository."""

    def reply(request: Request) -> Response:
        if request.url.path == "/github/repositories/7":
            return JSONResponse({"full_name": new, "id": 7})
        status = 301 if request.method == "GET" else 307
        place = f"{request.base_url}github/repositories/7"
        words = {"message": "Moved Permanently", "url": place}
        return JSONResponse(words, status, headers={"Location": place})

    return reply


TIP = Snapshot("main", CommitSha("a" * 40), {})
RUN = Run(RunId(7), "https://github.example.com/runs/7", "")
CALLS: dict[str, Callable[[SetupRepository], Awaitable[object]]] = {
    "branches_of": lambda one: one.branches_of("prod"),
    "commit_files": lambda one: one.commit_files({"a": b"a"}, on=TIP, message="m"),
    "default_branch": lambda one: one.default_branch(),
    "delete_secret": lambda one: one.delete_secret("A"),
    "delete_variable": lambda one: one.delete_variable("A"),
    "dispatch": lambda one: one.dispatch((), batch=BatchId("b1")),
    "find_commit": lambda one: one.find_commit(BatchId("b1")),
    "label_names": lambda one: one.label_names(),
    "make_label": lambda one: one.make_label("mirror: done", "0e8a16"),
    "put_file": lambda one: one.put_file("a", b"a", blob="", message="m"),
    "read_file": lambda one: one.read_file("a"),
    "read_list": lambda one: one.read_list(),
    "restrict_environment": lambda one: one.restrict_environment("prod", "main"),
    "results": lambda one: one.results(RUN, TIP.tip, awaited=[["a"]]),
    "run": lambda one: one.run(RunId(7)),
    "run_of_commit": lambda one: one.run_of_commit(TIP.tip),
    "run_of_dispatch": lambda one: one.run_of_dispatch(BatchId("b1"), since=datetime.now(UTC)),
    "secret_names": lambda one: one.secret_names("prod"),
    "set_secret": lambda one: one.set_secret("A", "a", "prod"),
    "set_variable": lambda one: one.set_variable("A", "a"),
    "snapshot": lambda one: one.snapshot(),
    "statuses": lambda one: one.statuses(RUN, TIP.tip, contexts=["a"]),
    "unstarted": lambda one: one.unstarted(RunId(7)),
    "variables": lambda one: one.variables(),
    "workflow": lambda one: one.workflow(),
    "write_list": lambda one: one.write_list(b"x\n", blob="", message="m"),
}


def test_every_call_is_tried_at_a_renamed_repository() -> None:
    public = {name for name in dir(SetupRepository) if not name.startswith("_")}
    calls = {name for name in public if iscoroutinefunction(getattr(SetupRepository, name))}
    assert calls == CALLS.keys()


async def test_setup_at_a_renamed_repository_writes_nothing_and_names_the_new_one() -> None:
    asked: list[str] = []

    def reply(request: Request) -> Response:
        asked.append(request.method)
        return moved("li/images")(request)

    async with served(Starlette(routes=[Route("/{rest:path}", reply, methods=VERBS)])) as port:
        repository = client(port, "token")
        try:
            with pytest.raises(RefusedError, match="li/images now: change github"):
                await install(repository, settings(), secrets(**LOGIN), print)
        finally:
            repository.close()
    assert set(asked) == {"GET"}


@pytest.mark.parametrize("call", CALLS)
async def test_a_renamed_repository_is_refused_with_its_new_name(call: str) -> None:
    route = Route("/{rest:path}", moved("li/images"), methods=VERBS)
    async with served(Starlette(routes=[route])) as port:
        repository = client(port, "token")
        try:
            with pytest.raises(RefusedError, match="li/images now: change github"):
                await CALLS[call](repository)
        finally:
            repository.close()


# --- what is installed and what ships


SPOILS: dict[str, dict[str, bytes | None]] = {
    "changed": {f"{shipped.FOLDER}/registry.py": b"changed\n"},
    "missing": {f"{shipped.FOLDER}/registry.py": None},
    "extra": {f"{shipped.FOLDER}/base64.py": b"extra\n"},
    "bytecode": {f"{shipped.FOLDER}/__pycache__/main.cpython-312.pyc": b"extra\n"},
    "another mirror.yml": {".github/workflows/mirror.yml": OLD[".github/workflows/mirror.yml"]},
    "no folder": dict.fromkeys(shipped.package()),
}


@pytest.mark.parametrize("spoil", SPOILS)
async def test_a_workflow_that_is_not_as_shipped_is_noticed_until_setup_runs(
    tmp_path: Path, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.adapters.github.repository")
    files = shipped.files("main", "image.list", key_id=KEY_ID)
    async with github(tmp_path, {**OLD, **files}) as (made, port):
        repository = client(port, made.token)
        try:
            assert await repository.workflow() is WorkflowState.ACTIVE
            now = await repository.snapshot()
            assert now is not None
            await repository.commit_files(SPOILS[spoil], on=now, message="Spoil\n")
            assert await repository.workflow() is WorkflowState.DIFFERS
            assert await repository.workflow() is WorkflowState.DIFFERS
            await install(repository, settings(), secrets(**LOGIN), lambda _: None)
            assert await repository.workflow() is WorkflowState.ACTIVE
            assert repository.last_workflow() is WorkflowState.ACTIVE
            assert [record.getMessage() for record in caplog.records] == [
                "the workflow is the one that ships",
                "the workflow is not the one that this bot ships: run `imageto-bot setup`",
                "the workflow is the one that ships",
            ]
        finally:
            repository.close()


async def test_a_repository_of_before_differs_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async with github(tmp_path, OLD) as (made, port):
        repository = client(port, made.token)
        try:
            assert await repository.workflow() is WorkflowState.DIFFERS
        finally:
            repository.close()
