"""Replaces act, the workflow's package and skopeo under load: it copies images and posts results.

For each image that a push added or a dispatch names, it puts manifest and blobs into the real
target registry by HTTP. It posts the commit status that the workflow would, through the sandbox's
API with the run's own token. The bot reads both like real ones. Each run is a
process of its own, so that the sandbox's servers do not wait for its work.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from images import LoadImage, named, put

from bot.sandbox.github.act import Job
from bot.sandbox.lifetime import stop, tied

AT_ONCE = 4
SECONDS_EACH = 0.2
"""The least time that a copy takes."""
GRACE_SECONDS = 2.0


class StandInRunner:
    """A Runner of the sandbox. `target` is the registry's socket, set once it exists."""

    def __init__(self) -> None:
        self.target: Path | None = None
        self._filled: set[str] = set()

    async def __call__(self, _act: str, job: Job) -> bool:
        assert self.target is not None
        wanted = await asyncio.to_thread(_wanted, job)
        sha = await asyncio.to_thread(_git, job.clone, "rev-parse", "HEAD")
        told = {
            "wanted": wanted,
            "sha": sha.strip(),
            "target": str(self.target),
            "filled": sorted(self._filled),
            "context": dict(job.context),
            "secrets": dict(job.secrets),
        }
        process = await asyncio.create_subprocess_exec(
            *tied([sys.executable, __file__]), stdin=asyncio.subprocess.PIPE
        )
        try:
            await process.communicate(json.dumps(told).encode())
        finally:
            await stop(process, grace=GRACE_SECONDS)
        if process.returncode == 0:
            self._filled |= {named(name).repository for name in wanted}
        return process.returncode == 0


def _wanted(job: Job) -> list[str]:
    match job.payload:
        case {"inputs": {"decision": str(block)}}:
            return re.findall(r"^Image: ([^@;]+)@", block, re.MULTILINE)
    old = set(_git(job.clone, "show", f"{job.payload['before']}:image.list").split())
    new = (job.clone / "image.list").read_text().split()
    return [name for name in new if name not in old]


def _git(clone: Path, *arguments: str) -> str:
    """Return what git prints, or "" where it fails, as for a list that did not exist yet."""
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


# -- the run: in its own process


async def _run(told: Mapping[str, Any]) -> bool:
    secrets, filled = told["secrets"], set(told["filled"])
    places = asyncio.Semaphore(AT_ONCE)
    repositories = {named(name).repository: asyncio.Lock() for name in told["wanted"]}
    login = (secrets["MIRROR_USER"], secrets["MIRROR_PASSWORD"])
    way = httpx.AsyncHTTPTransport(uds=told["target"])
    async with (
        httpx.AsyncClient(base_url="http://target", auth=login, transport=way) as target,
        httpx.AsyncClient(trust_env=False, timeout=30) as api,
    ):

        async def mirror(name: str) -> bool:
            image = named(name)
            async with places:
                await asyncio.sleep(SECONDS_EACH)
                async with repositories[image.repository]:  # all of its tags share their blobs
                    await put(target, [image], filled)
                return await _post(api, told, image)

        return all(await asyncio.gather(*map(mirror, told["wanted"])))


async def _post(api: httpx.AsyncClient, told: Mapping[str, Any], image: LoadImage) -> bool:
    """Post a status, and repeat it after an error as the workflow does."""
    env = told["context"]
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": "success",
        "context": f"mirror/{image.name}",
        "description": f"{image.digest} {len(image.manifest)} copied",
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",
    }
    url = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/statuses/{told['sha']}"
    token = {"Authorization": f"Bearer {told['secrets']['GITHUB_TOKEN']}"}
    for pause in (0.5, 2, 5, 0):
        try:
            answer = await api.post(url, json=body, headers=token)
            if answer.status_code == httpx.codes.CREATED:
                return True
        except httpx.TransportError:
            pass
        await asyncio.sleep(pause)
    return False


if __name__ == "__main__":
    sys.exit(not asyncio.run(_run(json.load(sys.stdin))))
