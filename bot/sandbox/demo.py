"""The `demo` command: one scripted conversation in the sandbox, printed as it happens.

It uses only the sandbox's HTTP API. The exit code is 0 only if the target holds exactly
the images that it should, with the digests of their sources.
"""

import asyncio
import base64
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import httpx

from bot.sandbox.registry.registries import Registries
from bot.sandbox.world import RunningSandbox, open_sandbox, sandbox_folder

Say = Callable[[str], None]

APPROVED: Final = "docker.io/library/nginx:1.27"
ASKED: Final = "gcr.io/distroless/static:nonroot"
MISSING: Final = "docker.io/library/nginx:9.99"
LOOK_EVERY: Final = 0.2
LIMIT_SECONDS: Final = 90.0
WIDTH: Final = 8
_STEP: Final = re.compile(r"\] +((?:⭐ Run Main|\||🏁|❌).*)")
"""The lines of act's log that are printed: steps, output of the script, and the result."""
_PREFACE: Final = (
    "A whole world on this machine: git, act, skopeo and both registries are real;",
    "Telegram and GitHub are servers of our own; the images are small stand-ins.",
)


async def play(*, data: Path | None, say: Say) -> int:
    """Play the conversation and return the exit code."""
    for line in _PREFACE:
        say(click.style(line, dim=True))
    with sandbox_folder(data) as kept:
        async with open_sandbox(port=0, data=kept) as made:
            say(click.style(f"sandbox ready: {made.address}\n", dim=True))
            async with httpx.AsyncClient(base_url=made.address, trust_env=False) as client:
                return await _Show(client, made, say).run()


@dataclass
class _Show:
    """Remembers what was printed, so that each line is printed once."""

    client: httpx.AsyncClient
    sandbox: RunningSandbox
    say: Say
    seen: dict[int, str] = field(default_factory=dict)
    commits: set[str] = field(default_factory=set)
    log: dict[int, int] = field(default_factory=dict)

    async def run(self) -> int:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._print_news()
                await self._ask("wei", f"/mirror {APPROVED.rsplit('/', 1)[-1]} {ASKED} {MISSING}")
                card = await self._until(lambda m: "Approve" in _labels(m))
                await self._press("ana", card["id"], "Approve")
                await self._until(lambda m: "Partly done, 2 of 3" in m["text"])
                await self._until(lambda m: m["id"] == card["id"] and "3 of 3" in m["text"])
                return await self._compare()
        except TimeoutError:
            self.say(f"\nIt took longer than {LIMIT_SECONDS:.0f} s; the bot's log says:")
            self.say(self.sandbox.log.read_text(errors="replace"))
            return 1

    async def _ask(self, who: str, text: str) -> None:
        await self._post("/api/chat", {"as": who, "text": text})
        await self._print_news()

    async def _press(self, who: str, message: int, button: str) -> None:
        answer = await self._post("/api/press", {"as": who, "message": message, "button": button})
        self._line(who.capitalize(), f"[taps {button}]", "cyan")
        self._line("bot", f"({answer['answer']})", "green")

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.client.post(path, json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    async def _until(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        while True:
            for message in await self._print_news():
                if message["from"] == "bot" and wanted(message):
                    return message
            await asyncio.sleep(LOOK_EVERY)

    async def _print_news(self) -> list[dict[str, Any]]:
        """Print what is new in the chat, the repository and the runs."""
        messages: list[dict[str, Any]] = (await self.client.get("/api/chat")).json()["messages"]
        for message in messages:
            if self.seen.get(message["id"]) != _shown(message):
                again = message["id"] in self.seen
                self.seen[message["id"]] = _shown(message)
                self._message(message, again=again)
        await self._repository()
        return messages

    def _message(self, message: dict[str, Any], *, again: bool) -> None:
        bot = message["from"] == "bot"
        name = "bot" if bot else message["from"].capitalize()
        mark = "✎ " if again else ""
        for number, line in enumerate(_shown(message).splitlines()):
            self._line(name if number == 0 else "", mark + line, "green" if bot else "cyan")
            mark = "  " if again else ""

    async def _repository(self) -> None:
        state = (await self.client.get("/api/repository")).json()
        first = not self.commits
        for commit in reversed(state["commits"]):
            if commit["sha"] not in self.commits:
                self.commits.add(commit["sha"])
                if not first:
                    subject, *trailers = commit["message"].strip().splitlines()
                    self._line("git", f"{commit['sha'][:10]} {subject}", "yellow")
                    for trailer in filter(None, trailers):
                        self._line("", trailer, "yellow")
        for run in state["runs"]:
            lines = [line[1] for line in map(_STEP.search, run["log"].splitlines()) if line]
            for line in lines[self.log.get(run["id"], 0) :]:
                self._line(f"run {run['id']}", line, "magenta")
            self.log[run["id"]] = len(lines)

    def _line(self, name: str, text: str, colour: str) -> None:
        self.say(f"{click.style(f'{name:<{WIDTH}}', fg=colour, bold=True)} {text}")

    async def _compare(self) -> int:
        """Compare source and target digests by skopeo, and return the exit code."""
        registries = self.sandbox.registries
        self.say("\n" + click.style("What arrived, as skopeo sees it:", bold=True))
        well = True
        for image in (APPROVED, ASKED):
            source = await _digest(image, registries)
            target = await _digest(f"{registries.target_address}/{image}", registries)
            well = well and source == target and source != ""
            self.say(f"{image}\n  source {source}\n  target {target}")
        there = {entry["name"] for entry in await registries.images("target")}
        absent = f"{registries.target_address}/{MISSING}" not in there
        self.say(f"{MISSING}\n  {'at neither, and it was said so' if absent else 'is there?!'}")
        self.say("\n" + ("All as it should be." if well and absent else "NOT as it should be."))
        return 0 if well and absent else 1


def _labels(message: dict[str, Any]) -> str:
    return " ".join(button["text"] for row in message["buttons"] for button in row)


def _shown(message: dict[str, Any]) -> str:
    rows = ["  ".join(f"[{button['text']}]" for button in row) for row in message["buttons"]]
    return "\n".join([message["text"], *rows])


def _login(registries: Registries) -> str:
    """Write the login of the target to a file, since other users can read arguments."""
    path = registries.home / "demo-auth.json"
    pair = base64.b64encode(f"{registries.user}:{registries.password}".encode()).decode()
    path.touch(mode=0o600)
    path.write_text(json.dumps({"auths": {registries.target_address: {"auth": pair}}}))
    return str(path)


async def _digest(image: str, registries: Registries) -> str:
    """Return the digest of the manifest or index by `skopeo inspect`, or "" if there is none."""
    process = await asyncio.create_subprocess_exec(
        "skopeo",
        "inspect",
        "--no-tags",  # skopeo would list tags at the unmapped name
        f"docker://{image}",
        env={**os.environ, **registries.environment, "REGISTRY_AUTH_FILE": _login(registries)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return str(json.loads(output)["Digest"]) if process.returncode == 0 else ""
