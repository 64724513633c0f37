"""Everything that the whole sandbox writes and shows, searched for every secret that it holds.

Real processes with faults: files, logs, the chat, the repository's history and statuses, and the
command lines of all processes while they run.
"""

import asyncio
import base64
import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sandbox_process import Sandbox, start, stop, tree

from bot.adapters.github.setup_repository import SetupRepository
from bot.config import read_secrets

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

LOGIN = base64.b64encode(b"wei:hush-of-the-source").decode()
TOKEN_OF_A_RUN = re.compile(rb"ghs_[\w-]{32}")
SOURCE_AUTH = json.dumps({"auths": {"docker.io": {"auth": LOGIN}}})


def environment(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


@contextmanager
def watched(root: int) -> Iterator[set[str]]:
    """Return the command lines of all child processes, as anybody on the machine may read them."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for pid in {root, *tree(root)}:
                try:
                    seen.add(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def give_a_source_login(sandbox: Sandbox, token: str) -> None:
    """Do what `imageto-bot setup` does with SOURCE_AUTH."""
    repository = SetupRepository(
        api=f"{sandbox.address}/github",
        token=token,
        repository="example/mirror",
        branch="main",
        path="image.list",
        workflow="mirror.yml",
    )
    try:
        asyncio.run(repository.set_secret("SOURCE_AUTH", SOURCE_AUTH))
    finally:
        repository.close()


def converse(sandbox: Sandbox) -> None:
    """Requests that succeed, that fail, and that meet trouble on the way."""
    # The login is slow, so that its command line is there long enough to be seen.
    sandbox.fault(where="target", what="delay 1", times=8, path="/v2/")
    done = sandbox.whisper("wei", "/mirror nginx:1.27")
    sandbox.result(done, "docker pull")
    missing = sandbox.whisper("li", "/mirror docker.io/library/no-such-image:1")
    sandbox.until(lambda: sandbox.answers(missing))
    sandbox.fault(where="target", what="says no-permission", times=60, path="/manifests/")
    refused = sandbox.whisper("wei", "/mirror redis:7")
    sandbox.until(lambda: "redis" in json.dumps(sandbox.repository()["commits"]))
    for what in ("status 401", "status 403", "status 500", "garbage", "reset", "lost"):
        for where in ("github", "telegram"):
            sandbox.api.post("/api/faults", json={"where": where, "what": what, "times": 1})
    sandbox.say("ana", "/status")
    sandbox.say("mallory", "/whoami")
    sandbox.until(lambda: [r for r in sandbox.repository()["runs"] if r["status"] != "completed"])
    sandbox.until(
        lambda: all(r["status"] == "completed" for r in sandbox.repository()["runs"]), seconds=120
    )
    time.sleep(3)
    assert sandbox.answers(refused)


def left(sandbox: Sandbox, token: str) -> dict[str, bytes]:
    """Return every readable text by the place where it was found."""
    found: dict[str, bytes] = {}
    sandbox.api.delete("/api/faults")  # so that the test's own calls meet no leftover fault
    for path in sandbox.data.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(sandbox.data))] = path.read_bytes()
    found["the sandbox's own log"] = (sandbox.data.parent / f"{sandbox.data.name}.err").read_bytes()
    for who, chat in (("wei", "private"), ("li", "private"), ("ana", "group")):
        found[f"chat {who} {chat}"] = sandbox.api.get(
            "/api/chat", params={"as": who, "chat": chat}
        ).content
    repository: dict[str, Any] = sandbox.repository()
    found["repository"] = json.dumps(repository).encode()
    headers = {"Authorization": f"token {token}"}
    for commit in repository["commits"]:
        url = f"/github/repos/example/mirror/commits/{commit['sha']}/statuses"
        found[f"statuses of {commit['sha']}"] = sandbox.api.get(url, headers=headers).content
    for head in sandbox.data.rglob("HEAD"):
        if (head.parent / "objects").is_dir():
            history = ["git", "--git-dir", str(head.parent), "log", "--patch", "--all"]
            found[f"history of {head.parent.name}"] = subprocess.run(
                history, capture_output=True, check=True
            ).stdout
    return found


def test_no_secret_is_anywhere_but_where_it_belongs(tmp_path: Path, tally: Counter[str]) -> None:
    sandbox = start(tmp_path / "data")
    try:
        bot = sandbox.bot()
        assert bot is not None
        given = environment(bot) | {"SOURCE_AUTH": SOURCE_AUTH}
        secrets = [text.encode() for text in read_secrets(given).texts()]
        assert len(secrets) > 6
        give_a_source_login(sandbox, given["GITHUB_TOKEN"])
        with watched(sandbox.process.pid) as commands:
            converse(sandbox)
        found = left(sandbox, given["GITHUB_TOKEN"])
    finally:
        assert stop(sandbox) == set()
    found |= {f"after the end: {path}": path.read_bytes() for path in files(sandbox.data)}
    # Each place was really searched.
    assert any("/act" in command for command in commands)
    assert b"next try" in found["bot.log"] or b"WARNING" in found["bot.log"]
    assert any(b"Seal: " in text for where, text in found.items() if "history" in where)
    assert any(b"mirror/docker.io" in text for where, text in found.items() if "status" in where)
    found |= {f"command {command!r}": command.encode() for command in commands}
    tally["inputs"] += len(found)
    leaks = [(w, s) for w, text in found.items() for s in secrets if s in text]
    leaks += [(w, token) for w, text in found.items() for token in TOKEN_OF_A_RUN.findall(text)]
    tally["violations"] += len(leaks)
    assert leaks == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_search_finds_what_is_there() -> None:
    """Shows that the search finds a secret. Otherwise an empty result would prove nothing."""
    with subprocess.Popen(["sleep", "0.5"]) as process, watched(process.pid) as commands:
        process.wait()
    assert "sleep\x000.5\x00" in commands
