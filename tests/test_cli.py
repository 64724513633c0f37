"""The command line: an error is one line, and the exit code tells whose error it is."""

import json
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import check
from bot.adapters.store import SqliteStore
from bot.adapters.store.lock import alone
from bot.adapters.telegram import TELEGRAM
from bot.config import settings_from

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config.example.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMMAND = str(Path(sys.executable).with_name("imageto-bot"))
TOKENS = {"TELEGRAM_TOKEN": "1:a-token-of-tests", "GITHUB_TOKEN": "another-token-of-tests"}


def imageto_bot(
    *arguments: str, environment: dict[str, str] | None = None, seconds: float = 90
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={"PATH": "/usr/bin:/bin", **(environment or {})},
    )


def test_help_names_every_command_and_exit_code() -> None:
    done = imageto_bot("--help")
    assert done.returncode == 0
    for command in (
        "run",
        "check",
        "setup",
        "policy",
        "who",
        "forget",
        "keys",
        "verify",
        "refill",
        "history",
        "demo",
        "sandbox",
    ):
        assert f"\n  {command} " in done.stdout
    commands = done.stdout.partition("Commands:")[2]
    assert "..." not in commands, "the first sentence of a command has to fit"
    for code in ("0  ", "1  ", "2  ", "3  ", "4  ", "130, 143  "):
        assert f"\n    {code}" in done.stdout


def of_image(instruction: str) -> list[str]:
    """Run a command of the Dockerfile with this test's interpreter."""
    found = re.search(rf"^ *{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    python, *arguments = json.loads(found[1])
    assert python == "python"
    return [sys.executable, *arguments]


@pytest.mark.parametrize(
    "command",
    [[COMMAND], of_image("ENTRYPOINT"), of_image("CMD")],
    ids=["console script", "image", "health check of the image"],
)
def test_a_folder_with_a_bot_of_its_own_does_not_run_that(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "bot").mkdir()
    for name in ("__init__.py", "__main__.py"):
        (tmp_path / "bot" / name).write_text("raise SystemExit('the wrong code runs')")
    environment = dict(re.findall(r"(PYTHON\w+)=(\S+)", DOCKERFILE)) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["run", "check", "setup"])
def test_a_missing_config_is_one_line_and_code_2(command: str, tmp_path: Path) -> None:
    done = imageto_bot(command, "--config", str(tmp_path / "none.yaml"), environment=TOKENS)
    assert done.returncode == 2
    assert done.stderr.startswith("imageto-bot: ")
    assert "none.yaml" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_key_of_statements_is_made_once_and_its_public_half_printed(tmp_path: Path) -> None:
    path = config(tmp_path, database=str(tmp_path / "bot.sqlite3"))
    first, second = (imageto_bot("keys", "--config", str(path)) for _ in range(2))
    assert first.returncode == 0
    assert first.stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert second.stdout == first.stdout
    assert "bot.sqlite3.statements.pem" in first.stderr
    private = (tmp_path / "bot.sqlite3.statements.pem").read_text().splitlines()[1]
    assert private not in first.stdout + first.stderr
    given = {"STATEMENT_KEY": "no key"}
    refused = imageto_bot("keys", "--config", str(path), environment=given)
    assert (refused.returncode, "STATEMENT_KEY: should be" in refused.stderr) == (2, True)


def test_the_config_and_the_environment_are_told_of_together(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("telegram: 5\n")
    done = imageto_bot("run", "--config", str(path), environment={"GITHUB_TOKEN": "ghp_secret"})
    lines = done.stderr.splitlines()
    assert lines[-1] == "imageto-bot: TELEGRAM_TOKEN: is missing in the environment"
    assert f"imageto-bot: {path}:1: telegram: should be a section with keys of its own" in lines


def test_a_wrong_key_is_named_with_its_file(tmp_path: Path) -> None:
    data: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    data["telegram"]["admin"] = 3
    path = tmp_path / "config.yaml"
    path.write_text(text := yaml.safe_dump(data))
    line = text.splitlines().index("  admin: 3") + 1
    done = imageto_bot("run", "--config", str(path), environment=TOKENS)
    assert (done.returncode, done.stderr) == (
        2,
        f"imageto-bot: {path}:{line}: telegram.admin: is no key. Did you mean admins?\n",
    )


def test_a_missing_token_is_named(tmp_path: Path) -> None:
    done = imageto_bot("run", "--config", str(EXAMPLE), environment={"TELEGRAM_TOKEN": "1:x"})
    assert (done.returncode, done.stderr) == (
        2,
        "imageto-bot: GITHUB_TOKEN: is missing in the environment\n",
    )


def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = config(tmp_path, database=str(folder))
    done = imageto_bot("run", "--config", str(path), environment=TOKENS)
    assert done.returncode == 1
    assert "the database" in done.stderr
    assert "Traceback" not in done.stderr


def config(folder: Path, **changes: object) -> Path:
    data: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    data["telegram"]["api"] = data["github"]["api"] = "http://127.0.0.1:9"
    data["target"]["host"] = "127.0.0.1:9"
    data["addresses"] = {"127.0.0.1:9": "http://127.0.0.1:9"}
    data["database"] = str(folder / "bot.sqlite3")
    data.update(changes)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_without_a_network_the_bot_keeps_trying_and_says_so(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "run", "--config", str(config(tmp_path))],
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **TOKENS},
    )
    assert process.stderr is not None
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    lines = []
    for line in process.stderr:
        lines.append(line)
        if len([each for each in lines if "next try in" in each]) == 2:
            break
    process.terminate()
    assert process.wait(timeout=90) == 0
    watchdog.cancel()
    process.stderr.close()
    assert "Telegram is out of reach; next try in" in "".join(lines)
    assert "Traceback" not in "".join(lines)


def test_check_says_of_each_service_whether_it_failed(tmp_path: Path) -> None:
    done = imageto_bot(
        "check", "--config", str(config(tmp_path)), environment={**TOKENS, "NO_PROXY": "*"}
    )
    assert done.returncode == 1
    for part in ("telegram", "repository", "target docker.io"):
        assert f"{part}: FAILED: " in done.stdout
    assert "registry docker.io: warning: " in done.stdout  # a run on GitHub can look there
    assert "config: ok" in done.stdout
    assert "chats: not tried: " in done.stdout
    assert "Traceback" not in done.stderr


async def test_a_bot_that_runs_and_heard_from_telegram_lately_is_well(tmp_path: Path) -> None:
    data: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    path = tmp_path / "bot.sqlite3"
    data["database"] = str(path)
    del data["github"]["issues"]  # a service of its own, whose answers would be wanted too
    settings = settings_from(data, "config.yaml")
    said: list[str] = []

    async def well() -> bool:
        return await check.alive(settings, timedelta(minutes=3), said.append)

    assert not await well()
    store = await SqliteStore.open(path)
    async with alone(path):
        assert not await well()
        for minutes, is_well in ((-4, False), (4, False), (1, True), (0, True)):
            await store.beat(TELEGRAM, datetime.now(UTC) + timedelta(minutes=minutes))
            assert await well() is is_well
    assert not await well()
    await store.close()
    stopped = f"FAILED: no bot uses {path}; start it with `imageto-bot run`"
    assert said[0] == said[-1] == stopped
    assert said[1] == "FAILED: last answer from Telegram: never; read the log of the bot"
