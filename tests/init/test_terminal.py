"""`imageto-bot init` at a real terminal: what a person reads, types and cannot see."""

import asyncio
import json
import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import setup_fixture
from check_world import LOGIN, TOKEN, World, open_world

from bot.config import read_secrets, read_settings
from bot.env_file import beside, read_environment

SECONDS = 90
PROGRAM = """
import json, os
import bot.init
apis = bot.init.Apis(*json.loads(os.environ.pop("APIS")))
bot.init.apis_of = lambda *_: apis
from bot.cli import main
main()
"""


class Typed:
    """A process at a terminal of its own. `said`: all that the terminal has shown."""

    def __init__(self, process: int, terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._read = 0
        self.said = ""

    def _wait_for(self, words: str) -> None:
        end = time.monotonic() + SECONDS
        while words not in self.said[self._read :]:
            left = max(end - time.monotonic(), 0)
            assert select.select([self._terminal], [], [], left)[0], (words, self.said)
            self.said += os.read(self._terminal, 4096).decode()
        self._read = self.said.index(words, self._read) + len(words)

    async def read(self, words: str) -> None:
        """Read on until these words are there."""
        await asyncio.to_thread(self._wait_for, words)

    async def answer(self, question: str, *typed: str) -> None:
        """Type these lines, each after the question was asked anew."""
        for line in typed:
            await self.read(question)
            os.write(self._terminal, f"{line}\n".encode())

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    async def end(self) -> int:
        """Return the exit code. What is still shown is read meanwhile: a terminal holds little."""

        def wait() -> int:
            end = time.monotonic() + SECONDS
            while not (ended := os.waitpid(self._process, os.WNOHANG))[0]:
                assert time.monotonic() < end, self.said
                if select.select([self._terminal], [], [], 0.05)[0]:
                    try:
                        self.said += os.read(self._terminal, 4096).decode()
                    except OSError:  # Linux says so where nobody has it open any more
                        time.sleep(0.05)
            self._process = 0
            return os.waitstatus_to_exitcode(ended[1])

        return await asyncio.to_thread(wait)

    def close(self) -> None:
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        os.close(self._terminal)


@contextmanager
def at_a_terminal(folder: Path, world: World) -> Iterator[Typed]:
    settings = world.settings
    every = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")
    registries = dict.fromkeys((*every, settings.target.host), f"http://{settings.target.host}")
    given = {
        "APIS": json.dumps([settings.telegram.api, settings.github.api, registries]),
        "NO_PROXY": "*",
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
    }
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM, "init"], given)  # noqa: S606 - no shell
    typed = Typed(process, terminal)
    try:
        yield typed
    finally:
        typed.close()


async def meet(typed: Typed, world: World) -> None:
    """Send the code that the terminal shows in the group."""
    await typed.read("within 10 minutes:")
    await send_code(typed, world)


async def send_code(typed: Typed, world: World) -> None:
    await typed.read("/start@imageto_bot ")
    await typed.read("\n")
    code = re.findall(r"/start@imageto_bot \w+", typed.said)[-1]
    ana = next(each for each in world.telegram.people.values() if each.name == "ana")
    world.telegram.say(ana, world.telegram.group, code)


async def test_a_person_who_types_wrong_things_first_gets_there(tmp_path: Path) -> None:
    github_token = "wrong"
    async with open_world(tmp_path, installed=False) as world:
        github_token = world.secrets.github_token.get_secret_value()
        with at_a_terminal(tmp_path, world) as typed:
            await typed.answer("Token of the bot", "", "1:wrong", "two words", TOKEN)
            await typed.read("It is @imageto_bot.")
            await meet(typed, world)
            await typed.answer("Is it you? [Y/n]:", "maybe", "n")
            await meet(typed, world)
            await typed.answer("Is it you? [Y/n]:", "y")
            repositories = ("", "\x1b[A", "https://github.com/wei/mirror", setup_fixture.NAME)
            await typed.answer("such as example/mirror:", *repositories)
            await typed.answer("Token for wei/mirror", "wrong", github_token)
            await typed.answer("harbor.example.com:", "http://x/y", world.settings.target.host)
            await typed.answer("one each source:", "-", "mirror")
            await typed.answer("Its user", LOGIN["HARBOR_USER"])
            await typed.answer("Its password", LOGIN["HARBOR_PWD"])
            await typed.answer("en or zh-CN [en]:", "fr", "ZH-cn")
            await typed.answer("what people read [UTC]:", "Asia/Beijing", "Asia/Shanghai")
            await typed.answer("Install the workflow now", "n")
            assert await typed.end() == 0
    settings = read_settings(tmp_path / "config.yaml")
    assert settings.database == str(tmp_path / "imageto-bot.sqlite3"), "from wherever it is run"
    assert settings.telegram.language == "zh-CN"
    assert settings.telegram.admins == ("telegram:1003",)
    read_secrets(
        {**read_environment(tmp_path / "config.yaml", {}), "DECISION_KEY": setup_fixture.KEY}
    )
    for secret in (TOKEN, github_token, LOGIN["HARBOR_PWD"]):
        assert secret not in typed.said
        assert secret in beside(tmp_path / "config.yaml").read_text()
    assert "\x1b[A" not in typed.said.replace("^[[A", "")
    assert "Go on with `imageto-bot setup`" in typed.said


async def test_ctrl_c_ends_it_at_a_question_and_while_it_waits(tmp_path: Path) -> None:
    async with open_world(tmp_path, installed=False) as world:
        for answered in (False, True):
            with at_a_terminal(tmp_path, world) as typed:
                await typed.read("Token of the bot")
                if answered:
                    typed.press(f"{TOKEN}\n".encode())
                    await typed.read("/start@imageto_bot ")
                typed.press(b"\x03")
                assert await typed.end() == 1
            assert "Traceback" not in typed.said
    assert not (tmp_path / "config.yaml").exists()
    assert not beside(tmp_path / "config.yaml").exists()
