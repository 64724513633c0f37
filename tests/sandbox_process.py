"""The whole sandbox as a process, for the end-to-end tests.

sandbox_fixture.py has only its chat server, in the test's own process.
"""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sandbox_fixture import document

COMMAND = str(Path(sys.executable).with_name("imageto-bot"))
START_SECONDS = 240
PATIENCE_SECONDS = 90
GONE_SECONDS = 90
LOOK_SECONDS = 0.2
"""Seconds between two looks. Each costs the machine, on which the bot has to do its work."""
Message = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A message of a person, by which its answers are found."""

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

    def send(self, who: str, name: str, content: bytes, *, chat: str = "private") -> Asked:
        """Send a file with /mirror as its caption."""
        sent = {"as": who, "text": "/mirror", "chat": chat, "document": document(name, content)}
        answer = self.api.post("/api/chat", json=sent)
        assert answer.status_code == 200, answer.text
        return Asked(who, chat, answer.json()["id"])

    def whisper(self, who: str, text: str) -> Asked:
        """Say it in private: all tests share the group's limit of messages a minute."""
        return self.say(who, text, chat="private")

    def press(self, who: str, message: Message, button: str) -> str:
        pressed = {"as": who, "message": message["id"], "button": button}
        pressed["chat"] = message["chat"]
        answer = self.api.post("/api/press", json=pressed)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["answer"])

    def messages(self, **chat: str) -> list[Message]:
        found: list[Message] = self.api.get("/api/chat", params=chat).json()["messages"]
        return found

    def answers(self, to: Asked) -> list[Message]:
        """Return the bot's replies to a message, the card first."""
        said = self.messages(chat=to.chat, **{"as": to.who})
        return [m for m in said if m["from"] == "bot" and m["reply_to"] == to.number]

    def repository(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get("/api/repository").json()
        return found

    def digests(self, side: str) -> dict[str, str]:
        images = self.api.get("/api/registries").json()[side]["images"]
        return {image["name"]: image["digest"] for image in images}

    def move(self, image: str) -> str:
        """Update the image's tag at the source. Return the new digest."""
        moved = self.api.post("/api/registries", json={"move": image})
        assert moved.status_code == 200, moved.text
        return str(moved.json()["digest"])

    def target(self) -> str:
        return str(self.api.get("/api/registries").json()["target"]["address"])

    def fault(self, **fault: object) -> None:
        assert self.api.post("/api/faults", json=fault).status_code == 200

    def until(self, look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, (self.messages()[-4:], self.log()[-2000:])
            time.sleep(LOOK_SECONDS)
        return found

    def result(self, to: Asked, words: str) -> Message:
        """Wait for a reply with these words. It need not be the first."""
        return self.until(lambda: [m for m in self.answers(to) if words in m["text"]])[0]  # type: ignore[no-any-return]

    def answer(self, who: str, text: str) -> str:
        """Say something in private. Return the answer's text."""
        asked = self.whisper(who, text)
        return str(self.until(lambda: self.answers(asked))[0]["text"])

    def card(self, to: Asked, words: str) -> Message:
        return self.until(lambda: [m for m in self.answers(to)[:1] if words in m["text"]])[0]  # type: ignore[no-any-return]

    def log(self) -> str:
        return (self.data / "bot.log").read_text()

    def bot(self) -> int | None:
        """Return the bot's process id: the child of the sandbox that runs `imageto-bot run`."""
        for child in children(self.process.pid):
            try:
                command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            except OSError:  # it has just ended
                continue
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


def start(data: Path, *options: str) -> Sandbox:
    with (data.parent / f"{data.name}.err").open("w") as errors:
        process = subprocess.Popen(
            [COMMAND, "sandbox", "--port", "0", "--data", str(data), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    api = httpx.Client(trust_env=False, timeout=90)
    sandbox = Sandbox(process, data, "", api)
    try:
        sandbox.address = _address(process)
    except BaseException:
        stop(sandbox)
        raise
    api.base_url = sandbox.address
    return sandbox


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address, which the sandbox prints when it is ready."""
    assert process.stdout is not None
    late = threading.Timer(START_SECONDS, process.terminate)
    late.start()
    try:
        for line in process.stdout:
            if ready := re.match(r"sandbox ready: (http://127\.0\.0\.1:[0-9]+)$", line):
                return ready[1]
    finally:
        late.cancel()
    raise AssertionError("the sandbox did not come up")


def stop(sandbox: Sandbox) -> set[int]:
    """Stop it as systemd would. Return which of its processes still run."""
    started = tree(sandbox.process.pid)
    sandbox.api.close()
    sandbox.process.send_signal(signal.SIGTERM)
    sandbox.process.wait(timeout=90)
    assert sandbox.process.stdout is not None
    sandbox.process.stdout.close()
    deadline = time.monotonic() + GONE_SECONDS
    while (left := {pid for pid in started if alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def alive(pid: int) -> bool:
    """Return whether it runs. A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
