"""The whole workflow as the runner starts it: real registries, real skopeo, and act.

test_mirror_py.py calls the package's parts one by one.
"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from act_fixture import by_act
from registry_fixture import (
    BASH,
    CHECK,
    COPY,
    INDEX,
    PASSWORD,
    WORKFLOW,
    Quiet,
    World,
    digest_of,
    registries,
    serving,
    world,
)

from bot.workflow import shipped
from bot.workflow.mirror.settings import NAMES
from bot.workflow.mirror.traffic import IMAGES_AT_A_TIME

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

# --- copies


def test_an_image_arrives_with_all_its_platforms_and_its_digest(world: World) -> None:
    digest = world.seed("docker.io/library/all")
    ran = world.run("docker.io/library/all:1\n")
    assert ran.code == 0, ran.output
    assert world.target.head("docker.io/library/all", "1") == digest
    index = json.loads(world.get(world.target, "docker.io/library/all", digest))
    for child in index["manifests"]:
        assert world.target.head("docker.io/library/all", child["digest"]) == child["digest"]


def test_a_copy_is_reported_with_digest_and_size_and_the_address_of_the_run(world: World) -> None:
    digest = world.seed("docker.io/library/told")
    ran = world.run("docker.io/library/told:1\n")
    size = world.size(world.source, "docker.io/library/told", digest)
    status = ran.statuses["mirror/docker.io/library/told:1"]
    assert status["state"] == "success"
    assert status["description"] == f"{digest} {size} copied"
    assert status["target_url"] == "http://github.test/wei/mirror/actions/runs/318"
    assert f"copied docker.io/library/told:1 {digest[:19]}" in ran.output
    row = ("docker.io/library/told:1", "success", "repository, by li", f"{digest} {size} copied")
    assert f"| {' | '.join(f'`{cell}`' for cell in row)} |" in ran.summary


def test_what_is_there_already_is_skipped_and_costs_no_pull(world: World) -> None:
    digest = world.seed("docker.io/library/twice")
    first = world.asked_of_the_source(lambda: world.run("docker.io/library/twice:1\n"))
    assert "GET" in first
    runs = []
    again = world.asked_of_the_source(lambda: runs.append(world.run("docker.io/library/twice:1\n")))
    assert again == ["HEAD"]
    assert "copy" not in runs[0].skopeo
    said = runs[0].says("docker.io/library/twice:1")
    assert said.startswith(f"success: {digest} ")
    assert said.endswith(" skipped")


def test_a_tag_that_moved_is_copied_again(world: World) -> None:
    world.seed("docker.io/library/moved", platforms=("amd64",))
    world.run("docker.io/library/moved:1\n")
    digest = world.seed("docker.io/library/moved", platforms=("amd64", "arm64"))
    ran = world.run("docker.io/library/moved:1\n")
    assert ran.says("docker.io/library/moved:1").endswith("copied")
    assert world.target.head("docker.io/library/moved", "1") == digest


def test_one_image_that_is_missing_does_not_stop_the_others(world: World) -> None:
    world.seed("ghcr.io/ana/here")
    ran = world.run("ghcr.io/ana/gone:1\nghcr.io/ana/here:1\n")
    assert ran.code == 1
    assert ran.says("ghcr.io/ana/gone:1") == "failure: source: manifest unknown"
    assert ran.says("ghcr.io/ana/here:1").startswith("success: ")
    assert "failure ghcr.io/ana/gone:1: source: manifest unknown" in ran.output


def test_a_digest_alone_is_copied_under_the_digest(world: World) -> None:
    digest = world.seed("docker.io/library/bare")
    ran = world.run(f"docker.io/library/bare@{digest}\n")
    assert ran.code == 0, ran.output
    assert world.target.head("docker.io/library/bare", digest) == digest
    assert world.target.head("docker.io/library/bare", "latest") is None


def test_flat_naming_and_a_prefix_give_one_level_below_the_project(world: World) -> None:
    digest = world.seed("example.com_5000/li/a-b")
    ran = world.run("example.com:5000/li/a-b:1\n", NAMING="flat", HARBOR_PREFIX="mirror")
    assert ran.code == 0, ran.output
    assert world.target.head("mirror/example.com_5000-li-a--b", "1") == digest


def test_a_source_out_of_reach_is_an_error_and_not_the_fault_of_the_image(world: World) -> None:
    addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
    addresses["gcr.io"] = "http://127.0.0.1:9"
    ran = world.run("gcr.io/li/far:1\n", REGISTRY_ADDRESSES=json.dumps(addresses))
    assert ran.code == 1
    assert ran.says("gcr.io/li/far:1").startswith("error: source: ")
    assert "connection refused" in ran.says("gcr.io/li/far:1")


def test_an_image_for_which_too_few_pulls_are_left_is_pending_and_then_copied(world: World) -> None:
    digest = world.seed("docker.io/wei/counted")
    left = [4, 60]

    class Hub(Quiet):
        """The source with a pull limit. Everything but HEAD is redirected to the real registry."""

        def reply(self) -> None:
            headers = {"Docker_Content_Digest": digest, "Content_Type": INDEX}
            if self.command != "HEAD":
                self.answer(307, Location=f"http://{world.source.address}{self.path}")
                return
            headers["ratelimit_remaining"] = f"{left.pop(0)};w=21600"
            self.answer(200, ratelimit_limit="100;w=21600", **headers)

    addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
    with serving(Hub) as hub:
        addresses["docker.io"] = f"{hub}/docker.io"
        given = {"REGISTRY_ADDRESSES": json.dumps(addresses)}
        ran = world.run("docker.io/wei/counted:1\n", None, **given)
    assert ran.code == 0, ran.output
    assert [status["state"] for status in ran.posted] == ["pending", "success"]
    words = "source: too many requests: 4 of 100 pulls left at docker.io, asks again in 5 s"
    assert ran.posted[0]["description"] == words
    assert f"waiting docker.io/wei/counted:1: {words}" in ran.output
    assert "s, 5 s of them waiting for pulls" in ran.output
    assert re.fullmatch(f"{digest} [0-9]+ copied", ran.posted[1]["description"])
    assert world.target.head("docker.io/wei/counted", "1") == digest


def test_a_layer_that_images_share_goes_up_once(world: World) -> None:
    names = [f"docker.io/wei/shared{n}" for n in range(6)]
    layer = os.urandom(3_000_000)
    for name in names:
        world.seed(name, layer=layer)
    before = len(world.target.log.read_bytes())
    ran = world.run("".join(f"{name}:1\n" for name in names), PARALLEL="6")
    assert ran.code == 0, ran.output
    shared = digest_of(layer).removeprefix("sha256:")
    logged = world.target.logged
    put = logged(rf'"PUT /v2/(\S+)/blobs/uploads/\S+{shared}', 1, before)
    mounted = logged(rf'"POST \S+mount=sha256:{shared}\S* HTTP/1.1" 201', 5, before)
    assert (len(put), len(mounted)) == (1, 5)


# --- which images


def test_a_push_copies_only_the_lines_it_added(world: World) -> None:
    for name in ("old", "new"):
        world.seed(f"docker.io/wei/{name}")
    world.github.lists["b" * 40] = "docker.io/wei/old:1 # keep\n"
    ran = world.run("docker.io/wei/old:1\n\n# more\ndocker.io/wei/new:1\n", {"before": "b" * 40})
    assert set(ran.statuses) == {"mirror/docker.io/wei/new:1"}


@pytest.mark.parametrize(
    "event",
    [
        {"before": "b" * 40, "forced": True},
        {"before": "0" * 40, "created": True},
        {"before": "c" * 40},  # the list or the commit does not exist any more
    ],
)
def test_a_push_without_a_known_past_copies_what_the_target_lacks(
    world: World, event: dict[str, object]
) -> None:
    world.seed("docker.io/wei/whole")
    world.github.lists["b" * 40] = "docker.io/wei/whole:1\n"
    ran = world.run("docker.io/wei/whole:1\n", event)
    assert set(ran.statuses) == {"mirror/docker.io/wei/whole:1"}


def test_a_dispatch_copies_the_images_it_names_once_each(world: World) -> None:
    world.seed("docker.io/library/named")
    ran = world.run(
        "docker.io/library/other:1\n",
        {"inputs": {"images": "named:1  docker.io/library/named:1\nnamed:1"}},
        GITHUB_EVENT_NAME="workflow_dispatch",
    )
    assert ran.code == 0, ran.output
    assert set(ran.statuses) == {"mirror/docker.io/library/named:1"}


def test_a_dispatch_without_images_takes_the_whole_list(world: World) -> None:
    world.seed("docker.io/wei/listed")
    ran = world.run("docker.io/wei/listed:1\n", {}, GITHUB_EVENT_NAME="workflow_dispatch")
    assert set(ran.statuses) == {"mirror/docker.io/wei/listed:1"}


def test_of_a_whole_list_only_news_is_posted(world: World) -> None:
    for name in ("a", "b"):
        world.seed(f"docker.io/wei/news-{name}")
    world.run("docker.io/wei/news-a:1\n")
    text = "docker.io/wei/news-a:1\ndocker.io/wei/news-b:1\n"
    ran = world.run(text, {}, GITHUB_EVENT_NAME="schedule")
    assert set(ran.statuses) == {"mirror/docker.io/wei/news-b:1"}
    assert ran.summary.count("| `success` |") == 2
    world.github.refusals[:] = [429]
    ran = world.run("docker.io/wei/none:1\n", {}, GITHUB_EVENT_NAME="schedule")
    assert (ran.code, ran.statuses) == (1, {})


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_a_shard_does_its_part_of_a_whole_list_and_all_of_a_push(world: World, event: str) -> None:
    text = "".join(f"docker.io/wei/part{n}:1\n" for n in range(5))
    ran = world.run(text, None, GITHUB_EVENT_NAME=event, SHARDS="1, 2", SHARD="2")
    done = [int(name[-3]) for name in ran.statuses]
    assert sorted(done) == ([0, 1, 2, 3, 4] if event == "push" else [1, 3])


def test_a_push_that_takes_the_list_away_ends_well(world: World) -> None:
    ran = world.run(None, {"before": "b" * 40})
    assert (ran.code, ran.statuses) == (0, {})


def test_a_push_that_adds_nothing_ends_well(world: World) -> None:
    world.github.lists["b" * 40] = "docker.io/wei/a:1\ndocker.io/wei/b:1\n"
    ran = world.run("docker.io/wei/a:1\n", {"before": "b" * 40})
    assert (ran.code, ran.statuses) == (0, {})


# --- bad input and trouble

ATTACKS = [
    "nginx;touch owned",
    "$(touch owned)",
    "`touch owned`",
    "--registries-conf=/dev/null",
    "-a/b",
    "::add-mask::nginx",
    "nginx##[error]x",
    "nginx|touch owned",
    "<img src=x>|`a`|b",
    "a\u202eb",
    "a\x1b[2Jb",
]


def test_a_bad_line_is_reported_and_never_passed_on(world: World) -> None:
    world.seed("docker.io/wei/beside")
    ran = world.run("\n".join([*ATTACKS, "docker.io/wei/beside:1"]))
    assert ran.code == 1
    assert set(ran.statuses) == {"mirror/docker.io/wei/beside:1"}
    assert ran.output.count("invalid ") == len(ATTACKS)
    assert not list(world.directory.glob("**/owned"))
    assert "owned" not in ran.skopeo
    assert "registries-conf" not in ran.skopeo


def test_a_bad_line_can_neither_command_the_runner_nor_break_the_summary(world: World) -> None:
    ran = world.run("\n".join(ATTACKS))
    assert not [line for line in ran.output.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in ran.output
    assert "\x1b" not in ran.output + ran.summary
    assert "\u202e" not in ran.output + ran.summary
    rows = ran.summary.splitlines()[2:]
    assert {row.count("|") for row in rows} == {5}


def test_old_bad_lines_do_not_make_every_later_run_fail(world: World) -> None:
    world.seed("docker.io/wei/good")
    world.github.lists["b" * 40] = "not an image\n"
    ran = world.run("not an image\ndocker.io/wei/good:1\n", {"before": "b" * 40})
    assert ran.code == 0, ran.output


def test_a_wrong_password_is_an_error_of_every_image_with_its_cause(world: World) -> None:
    world.seed("docker.io/wei/refused")
    ran = world.run(
        "docker.io/wei/refused:1\ndocker.io/wei/b:1\n", MIRROR_PASSWORD="wrong-password"
    )
    assert ran.code == 1
    for name in ("refused", "b"):
        said = ran.says(f"docker.io/wei/{name}:1")
        assert said.startswith("error: login to the target: logging into ")
        assert said.endswith("invalid username/password")
    assert "wrong-password" not in ran.output + ran.summary
    assert world.target.head("docker.io/wei/refused", "1") is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HARBOR_HOST", "", "HARBOR_HOST is not set"),
        ("MIRROR_PASSWORD", "", "MIRROR_PASSWORD is not set"),
        ("HARBOR_HOST", "https://h", "HARBOR_HOST must be a bare host name"),
        ("HARBOR_PREFIX", "Upper Case", "HARBOR_PREFIX must be"),
        ("NAMING", "round", "NAMING nested or flat"),
        ("MIRROR_SOURCE_AUTH", "hunter2", "MIRROR_SOURCE_AUTH must be JSON"),
        ("MIRROR_SOURCE_AUTH", '{"auths": "hunter2"}', "MIRROR_SOURCE_AUTH must be JSON"),
        ("MIRROR_SOURCE_AUTH", '["hunter2"]', "MIRROR_SOURCE_AUTH must be JSON"),
        ("REGISTRY_ADDRESSES", '{"a.io": "file:///etc"}', "REGISTRY_ADDRESSES must be JSON"),
        ("CA_BUNDLE", "hunter2", "CA_BUNDLE must hold certificates in PEM"),
        ("REGISTRY_ADDRESSES", "[]", "REGISTRY_ADDRESSES must be JSON"),
    ],
)
def test_a_wrong_setting_is_said_to_every_image_without_its_value(
    world: World, name: str, value: str, words: str
) -> None:
    ran = world.run("docker.io/wei/a:1\n", None, **{name: value})
    assert ran.code == 1
    assert words in ran.says("docker.io/wei/a:1")
    assert ran.says("docker.io/wei/a:1").startswith("error: ")
    assert "hunter2" not in ran.output + ran.summary + str(ran.statuses)


def test_no_secret_is_in_an_argument_in_the_log_or_with_skopeo(world: World) -> None:
    world.seed("docker.io/wei/secret")
    login = base64.b64encode(b"wei:hub-password").decode()
    auth = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": login}}})
    ran = world.run("docker.io/wei/secret:1\n", MIRROR_SOURCE_AUTH=auth)
    assert ran.code == 0, ran.output
    seen = ran.output + ran.summary + ran.skopeo + str(ran.statuses)
    for secret in (PASSWORD, login, "hub-password", "token-of-the-run"):
        assert secret not in seen


def test_a_status_that_github_refuses_for_a_moment_is_posted_again(world: World) -> None:
    world.seed("docker.io/wei/again")
    world.github.refusals[:] = [429, 502]
    ran = world.run("docker.io/wei/again:1\n")
    assert ran.code == 0, ran.output
    assert ran.says("docker.io/wei/again:1").startswith("success: ")


def test_a_result_that_cannot_be_reported_makes_the_run_red(world: World) -> None:
    world.seed("docker.io/wei/unsaid")
    ran = world.run("docker.io/wei/unsaid:1\n", GITHUB_SHA="f" * 40)
    assert ran.code == 1
    assert "the status of docker.io/wei/unsaid:1 could not be posted" in ran.output


# --- the workflow file


def test_the_workflow_may_read_the_list_and_post_statuses_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {}
    allowed = WORKFLOW["jobs"]["mirror"]["permissions"]
    assert allowed == {"contents": "read", "statuses": "write"}


def test_no_expression_is_inside_a_script_and_every_action_is_pinned_by_commit() -> None:
    steps = WORKFLOW["jobs"]["mirror"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in script]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_the_title_of_a_run_holds_the_mark_of_its_batch() -> None:
    assert WORKFLOW["run-name"] == "mirror ${{ inputs.batch || github.sha }}"


def test_the_workflow_hands_over_every_value_that_the_package_reads() -> None:
    read = {*NAMES, "GITHUB_TOKEN", "LIST", "PARALLEL", "SHARD", "SHARDS"}
    assert set(COPY["env"]) == read | {"DECISION_KEY", "DECISION_KEY_ID", "POLICY"}


def test_the_check_gets_no_secret() -> None:
    assert set(CHECK["env"]) == {"FILES"}


# --- the files of the folder


def checked(world: World) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BASH, CHECK["run"]],
        cwd=world.directory,
        env=world.environment() | CHECK["env"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=90,
    )


def test_the_installed_files_are_accepted(world: World) -> None:
    done = checked(world)
    assert (done.returncode, done.stdout) == (0, "")


def changed(folder: Path) -> None:
    with (folder / "registry.py").open("a") as file:
        file.write("import os\n")


def missing(folder: Path) -> None:
    (folder / "pulls.py").unlink()


def extra_module(folder: Path) -> None:
    (folder / "base64.py").write_text("raise SystemExit(0)\n")


def extra_bytecode(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "main.cpython-312.pyc").write_bytes(b"x")


def empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir()


def link_to_the_same(folder: Path) -> None:
    (folder / "pulls.py").rename(folder.parent / "pulls.py")
    (folder / "pulls.py").symlink_to("../pulls.py")


def folder_is_a_link(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to("elsewhere")


def line_end_in_a_name(folder: Path) -> None:
    (folder / "x\nf y.py").write_text("")


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


SPOILS = (
    *(changed, missing, extra_module, extra_bytecode, empty_folder),
    *(link_to_the_same, folder_is_a_link, line_end_in_a_name, no_folder),
)


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_folder_that_is_not_exactly_as_shipped_fails(
    world: World, spoil: Callable[[Path], None]
) -> None:
    spoil(world.directory / shipped.FOLDER)
    done = checked(world)
    assert done.returncode != 0
    assert "::error::.github/mirror differs from what imageto-bot setup installed" in done.stdout


@pytest.mark.parametrize("name", ["msvcrt.py", "json.py", "mirror.py"])
def test_no_file_beside_the_package_is_run(world: World, name: str) -> None:
    """The standard library tries to import modules that it lacks here, such as msvcrt."""
    for folder in (world.directory, world.directory / ".github"):
        (folder / name).write_text("raise SystemExit('hijacked')\n")
    ran = world.run("", GITHUB_EVENT_NAME="schedule")
    assert (ran.code, "hijacked" in ran.output) == (0, False), ran.output


def test_the_package_leaves_no_bytecode_behind(world: World) -> None:
    world.run("", GITHUB_EVENT_NAME="schedule")
    assert checked(world).returncode == 0


def test_a_silent_registry_holds_up_no_image_of_another(world: World) -> None:
    """More images wait for it than one source has threads."""
    world.seed("docker.io/wei/quick")
    silent = [f"ghcr.io/wei/silent{n}:1" for n in range(IMAGES_AT_A_TIME + 10)]
    listed = "".join(f"{name}\n" for name in [*silent, "docker.io/wei/quick:1"])
    (world.directory / "image.list").write_text(listed)
    (world.directory / "event.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0), backlog=500) as nobody:
        addresses = json.loads(world.environment()["REGISTRY_ADDRESSES"])
        addresses["ghcr.io"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with subprocess.Popen(
            [*BASH, COPY["run"]],
            cwd=world.directory,
            env=world.environment() | {"REGISTRY_ADDRESSES": json.dumps(addresses)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"{len(silent) + 1} to mirror")
            assert process.stdout.readline().startswith("copied docker.io/wei/quick:1 ")
            process.kill()


# --- the same by act, unchanged


def test_act_runs_a_push_unchanged(world: World) -> None:
    digest = world.seed("docker.io/wei/act")
    world.github.lists["b" * 40] = "docker.io/wei/before:1\n"
    text = "docker.io/wei/before:1\ndocker.io/wei/act:1\ndocker.io/wei/act-gone:1\n"
    ran = world.left(*by_act(world, "push", {"before": "b" * 40, "ref": "refs/heads/main"}, text))
    assert ran.code == 1, ran.output
    assert ran.says("docker.io/wei/act:1").startswith(f"success: {digest} ")
    assert ran.says("docker.io/wei/act-gone:1") == "failure: source: manifest unknown"
    assert len(ran.statuses) == 2
    assert PASSWORD not in ran.output


def test_act_runs_a_dispatch_unchanged(world: World) -> None:
    digest = world.seed("ghcr.io/wei/dispatched")
    inputs = {"images": "ghcr.io/wei/dispatched:1", "batch": "b7"}
    done = by_act(world, "workflow_dispatch", {"inputs": inputs}, "docker.io/wei/other:1\n")
    ran = world.left(*done)
    assert ran.code == 0, ran.output
    assert set(ran.statuses) == {"mirror/ghcr.io/wei/dispatched:1"}
    assert world.target.head("ghcr.io/wei/dispatched", "1") == digest


def jobs_of(output: str) -> set[str]:
    """Return the jobs that copied something, as act names them."""
    return set(re.findall(r"^\[mirror/([^]]+?) *\].*Run Main Copy images", output, re.MULTILINE))


def test_act_shares_a_whole_list_among_the_jobs_of_the_matrix(world: World) -> None:
    names = [f"docker.io/wei/sharded{n}" for n in range(5)]
    for name in names:
        world.seed(name)
    text = "".join(f"{name}:1\n" for name in names)
    done = by_act(world, "workflow_dispatch", {"inputs": {}}, text, SHARDS="1, 2, 3")
    ran = world.left(*done)
    assert ran.code == 0, ran.output
    assert set(ran.statuses) == {f"mirror/{name}:1" for name in names}
    assert len(jobs_of(ran.output)) == 3
    assert sorted(re.findall(r"(\d) to mirror", ran.output)) == ["1", "2", "2"]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("push", {"before": "0" * 40, "ref": "refs/heads/main"}),
        ("workflow_dispatch", {"inputs": {"images": "docker.io/wei/one:1"}}),
    ],
)
def test_act_does_a_push_and_named_images_in_one_job(
    world: World, event: str, payload: dict[str, object]
) -> None:
    world.seed("docker.io/wei/one")
    done = by_act(world, event, payload, "docker.io/wei/one:1\n", SHARDS="1, 2, 3")
    ran = world.left(*done)
    assert ran.code == 0, ran.output
    assert len(jobs_of(ran.output)) == 1
    assert set(ran.statuses) == {"mirror/docker.io/wei/one:1"}


OF_BEFORE = """\
name: mirror
on: workflow_dispatch
jobs:
  mirror:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd
      - name: Copy images
        run: python3 .github/mirror.py
        env:
          HARBOR_USER: ${{ secrets.HARBOR_USER }}
          HARBOR_PWD: ${{ secrets.HARBOR_PWD }}
          SOURCE_AUTH: ${{ secrets.SOURCE_AUTH }}
"""
READS = "import os\nprint([os.environ[n] for n in ('HARBOR_USER', 'HARBOR_PWD', 'SOURCE_AUTH')])\n"


def test_a_workflow_of_before_on_another_branch_gets_no_secret(world: World) -> None:
    """A dispatch runs the file of the ref that it names. Writers may keep old files there."""

    def spoil(folder: Path) -> None:
        (folder / ".github" / "workflows" / "mirror.yml").write_text(OF_BEFORE)
        (folder / ".github" / "mirror.py").write_text(READS)

    _, output = by_act(world, "workflow_dispatch", {"inputs": {}}, "", spoil=spoil)
    assert "['', '', '']" in output, output


def test_a_dispatch_on_another_branch_runs_nothing(world: World) -> None:
    payload = {"inputs": {"images": "docker.io/wei/one:1"}, "ref": "refs/heads/other"}
    code, output = by_act(world, "workflow_dispatch", payload, "", branch="other")
    assert code == 0, output
    assert "Copy images" not in output
    assert "Check the installed" not in output


def test_a_changed_file_stops_the_run_before_python_starts(world: World) -> None:
    def spoil(folder: Path) -> None:
        with (folder / shipped.FOLDER / "main.py").open("a") as file:
            file.write("print('changed')\n")

    inputs = {"images": "docker.io/wei/one:1"}
    code, output = by_act(world, "workflow_dispatch", {"inputs": inputs}, "", spoil=spoil)
    assert code == 1
    # act may lose the last words of a step that ends at once. Other tests read them, without act.
    assert "Failure - Main Check the installed files" in output
    assert "Run Main Copy images" not in output
    assert not world.github.statuses
