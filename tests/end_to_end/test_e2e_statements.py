"""Statements end to end: `verify` proves what the bot signed, and nothing else."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from sandbox_process import COMMAND, Sandbox

from bot.sandbox.world import RunningSandbox, open_sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
NGINX = "docker.io/library/nginx:1.27"
PODINFO = "ghcr.io/stefanprodan/podinfo:6.7.0"
BY_HAND = "docker.io/library/redis:7"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with open_sandbox(port=0, data=tmp_path, everything=True) as made:
        yield made


def verify(s: Sandbox, place: RunningSandbox, *arguments: str) -> tuple[int, str]:
    login = {"HARBOR_USER": place.registries.user, "HARBOR_PWD": place.registries.password}
    command = [COMMAND, "verify", "--config", str(s.data / "config.yaml"), *arguments]
    done = subprocess.run(
        command, env=os.environ | login, capture_output=True, text=True, check=False, timeout=90
    )
    return done.returncode, done.stdout + done.stderr


def is_proved_a_while_later(s: Sandbox, place: RunningSandbox) -> None:
    asked = s.whisper("wei", f"/mirror {NGINX} {PODINFO}")
    card = s.card(asked, "waits for an admin")
    s.whisper("ana", f"/approve {card['text'].split()[0]}")
    s.result(asked, "Done, 2 of 2")
    s.until(lambda: verify(s, place, NGINX, PODINFO)[0] == 0)
    _, told = verify(s, place, NGINX, PODINFO)
    assert "rule docker.io/library/**" in told
    assert "(Ana)" in told
    code, told = verify(s, place, BY_HAND)
    assert (code, "NOT PROVED: the target has no such image" in told) == (1, True)


async def test_a_decision_is_proved_beside_the_image(place: RunningSandbox, tmp_path: Path) -> None:
    with httpx.Client(base_url=place.address, trust_env=False, timeout=20) as api:
        no_process = cast("subprocess.Popen[str]", None)  # the bot is a child of this one
        people = Sandbox(no_process, tmp_path, place.address, api)
        await asyncio.to_thread(is_proved_a_while_later, people, place)
