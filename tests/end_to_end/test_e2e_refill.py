"""`imageto-bot refill` end to end: a target that lost everything gets its images again."""

import asyncio
import base64
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from sandbox_process import COMMAND, Sandbox

from bot.sandbox.world import RunningSandbox, open_sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.sweep]
LIST = "/github/repos/example/mirror/contents/image.list"
NGINX = "docker.io/library/nginx:1.27"
REDIS = "docker.io/library/redis"
PODINFO = "ghcr.io/stefanprodan/podinfo:6.7.0"
BY_HAND = "docker.io/library/busybox:latest"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with open_sandbox(port=0, data=tmp_path) as made:
        yield made


def fill(s: Sandbox) -> dict[str, str]:
    """Mirror by a rule, by a digest alone and by an admin. Return the target's digests by tag."""
    redis = f"{REDIS}@{s.digests('source')[f'{REDIS}:7']}"
    asked = s.whisper("wei", f"/mirror {NGINX} {redis} {PODINFO}")
    card = s.card(asked, "waits for an admin")
    s.whisper("ana", f"/approve {card['text'].split()[0]}")
    s.result(asked, "Done, 3 of 3")
    return s.digests("target")


def add_by_hand(s: Sandbox, token: str) -> None:
    login = {"Authorization": f"token {token}"}
    there = s.api.get(LIST, headers=login).json()
    content = base64.b64decode(there["content"]) + f"{BY_HAND}\n".encode()
    changed = {
        "content": base64.b64encode(content).decode(),
        "message": "Add busybox\n",
        "sha": there["sha"],
    }
    assert s.api.put(LIST, json=changed, headers=login).status_code == 200
    s.until(lambda: f"{s.target()}/{BY_HAND}" in s.digests("target"))


def refill(s: Sandbox, place: RunningSandbox) -> str:
    """Run the command beside the bot. Return what it prints."""
    told = {"GITHUB_TOKEN": place.github.token, "TELEGRAM_TOKEN": "1:unused"}
    command = [COMMAND, "refill", "--config", str(s.data / "config.yaml")]
    done = subprocess.run(
        command, env=os.environ | told, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def has(place: RunningSandbox, name: str, digest: str) -> bool:
    """Ask the target itself for a digest that no tag names."""
    way = httpx.HTTPTransport(uds=str(place.registries.socket("target")))
    login = (place.registries.user, place.registries.password)
    with httpx.Client(base_url="http://target", transport=way, auth=login) as target:
        accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
        return target.head(f"/v2/{name}/manifests/{digest}", headers=accept).is_success


def loses_everything_and_gets_it_again(s: Sandbox, place: RunningSandbox) -> None:
    held = fill(s)
    add_by_hand(s, place.github.token)
    redis = s.digests("source")[f"{REDIS}:7"]
    assert has(place, REDIS, redis)
    moved = s.move(NGINX)
    before = {run["id"] for run in s.repository()["runs"]}
    shutil.rmtree(s.data / "target" / "storage")
    assert s.digests("target") == {}
    said = refill(s, place)
    assert (
        f"{BY_HAND}: there is no record of a decision on its digest. Ask for it by /mirror" in said
    )
    assert "3 of 4 images have a decision" in said
    s.until(lambda: s.digests("target") == held)
    assert held[f"{s.target()}/{NGINX}"] != moved, "the digest that was decided, not the tag's own"
    s.until(lambda: all(run["conclusion"] for run in s.repository()["runs"]))
    (run,) = [run for run in s.repository()["runs"] if run["id"] not in before]
    assert run["event"] == "workflow_dispatch"
    decided = {NGINX: "rule docker.io/library/**", f"{REDIS}@{redis}": "rule docker.io/library/**"}
    for image, ground in (decided | {PODINFO: "p:"}).items():
        assert re.search(rf"copied {re.escape(image)}.* s, {re.escape(ground)}", run["log"])
    assert has(place, REDIS, redis)


async def test_an_empty_target_gets_every_listed_image_at_its_last_decided_digest(
    place: RunningSandbox, tmp_path: Path
) -> None:
    with httpx.Client(base_url=place.address, trust_env=False, timeout=20) as api:
        no_process = cast("subprocess.Popen[str]", None)  # the bot is a child of this one
        people = Sandbox(no_process, tmp_path, place.address, api)
        await asyncio.to_thread(loses_everything_and_gets_it_again, people, place)
