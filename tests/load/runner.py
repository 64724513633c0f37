"""What stands in for act and skopeo under load: it copies, and posts results, and nothing else.

It is no run of the workflow: no act, no mirror.py, no skopeo. For each line that a push added
(or that a dispatch names) it puts the image's manifest and blobs into the real target registry
by HTTP, and posts the commit status that mirror.py would, through the sandbox's own API with the
run's own token. The bot reads both as it reads real ones.
"""

import asyncio
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import httpx
from images import LoadImage, named, put

from bot.sandbox.act import Job

AT_ONCE = 4
SECONDS_EACH = 0.2
"""How long a copy takes at least."""


class StandInRunner:
    """Call it as bot.sandbox.actions.Runner. `target` is set once the world is there."""

    def __init__(self) -> None:
        self.target: httpx.AsyncClient | None = None
        self.copied: list[str] = []
        self._filled: set[str] = set()
        self._repositories: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(self, _act: str, job: Job) -> bool:
        assert self.target is not None
        wanted = await asyncio.to_thread(_wanted, job)
        sha = await asyncio.to_thread(_git, job.clone, "rev-parse", "HEAD")
        places = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as api:

            async def mirror(name: str) -> bool:
                async with places:
                    await asyncio.sleep(SECONDS_EACH)
                    return await _post(api, job, sha.strip(), await self._copied(name))

            return all(await asyncio.gather(*map(mirror, wanted)))

    async def _copied(self, name: str) -> LoadImage:
        assert self.target is not None
        image = named(name)
        async with self._repositories[image.repository]:  # all of its tags share their blobs
            await put(self.target, [image], self._filled)
        self.copied.append(name)
        return image


async def _post(api: httpx.AsyncClient, job: Job, sha: str, image: LoadImage) -> bool:
    """As mirror.py does, trouble included: a status is tried again."""
    env: Mapping[str, str] = job.context
    page = f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs"
    body = {
        "state": "success",
        "context": f"mirror/{image.name}",
        "description": f"{image.digest} {len(image.manifest)} copied",
        "target_url": f"{page}/{env['GITHUB_RUN_ID']}",
    }
    address = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/statuses/{sha}"
    token = {"Authorization": f"Bearer {job.secrets['GITHUB_TOKEN']}"}
    for pause in (0.5, 2, 5, 0):
        try:
            answer = await api.post(address, json=body, headers=token)
            if answer.status_code == httpx.codes.CREATED:
                return True
        except httpx.TransportError:
            pass
        await asyncio.sleep(pause)
    return False


def _wanted(job: Job) -> list[str]:
    match job.payload:
        case {"inputs": {"images": str(listed)}}:
            return listed.split()
    old = set(_git(job.clone, "show", f"{job.payload['before']}:image.list").split())
    new = (job.clone / "image.list").read_text().split()
    return [name for name in new if name not in old]


def _git(clone: Path, *arguments: str) -> str:
    """What git prints; nothing where it refuses, as it does for a list that was not there yet."""
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
