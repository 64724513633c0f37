"""This product among the contenders: mirror.yml and its package as shipped, through act.

A push adds its lines, or a dispatch without images checks the whole list. The variables are those
that `imageto-bot setup` writes, without any tuning. GitHub is the fake of the workflow's own tests.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from measuring import NotDoneError, Spending
from own_images import Image
from registry_fixture import PASSWORD, POLICY, RUN, USER, GitHub, github_server
from sites import Site

from bot.sandbox.github.act import Job
from bot.sandbox.github.git_repository import GitRepository
from bot.sandbox.github.triggers import Trigger, event_file
from bot.setup import FIRST_LIST
from bot.workflow import shipped

ACT = Path(__file__).with_name("act_run.py")
REPOSITORY = "wei/mirror"
TOKEN = "token-of-the-run"


class ThisWorkflow:
    name = "this workflow"

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def missing(self) -> str:
        return ""

    @contextlib.contextmanager
    def opened(self, site: Site) -> Iterator[Sequence[int]]:
        with github_server() as github:
            trigger = asyncio.run(_committed(site, github))
            self._told = _job(site, github, trigger)
            yield ()

    def go(self, site: Site, spending: Spending) -> None:
        told = json.loads(
            spending.run(sys.executable, str(ACT), given=json.dumps(self._told).encode())
        )
        if not told["good"]:
            raise NotDoneError("; ".join(told["said"]))
        spending.charge(told["wall"], told["processor"])


async def _committed(site: Site, github: GitHub) -> Trigger:
    """Make the mirror repository as `setup` leaves it, and then the push."""
    work, new = site.work, {image.name for image in site.work.added}
    old = _list(image for image in work.images if image.name not in new)
    files = {"image.list": old, **shipped.files("main", "image.list")}
    repository = GitRepository(site.folder / "repository.git")
    first = await repository.create(files)
    github.lists[first] = old.decode()
    if not new:
        github.sha = first
        return Trigger("workflow_dispatch", first, github.address, "")
    blob = await repository.store_blob(_list(work.images))
    tree = await repository.store_tree(first, [("image.list", blob)])
    second = await repository.store_commit(tree=tree, parents=[first], message="Mirror images")
    await repository.move(second, first)
    github.sha = second
    github.lists[second] = _list(work.images).decode()
    return Trigger("push", second, github.address, "Mirror images", before=first)


def _list(images: Iterable[Image]) -> bytes:
    return FIRST_LIST + "".join(f"{image.name}\n" for image in images).encode()


def _job(site: Site, github: GitHub, trigger: Trigger) -> dict[str, Any]:
    addresses = {
        "docker.io": f"http://{site.source}/docker.io",
        site.target: f"http://{site.target}",
    }
    home = {k: v for k, v in site.env.items() if k == "HOME" or k.lower().endswith("_proxy")}
    job = Job(
        directory=Path(),
        event=trigger.event,
        payload=event_file(replace(trigger, inputs={}), repository=REPOSITORY),
        context={
            "GITHUB_API_URL": github.address,
            "GITHUB_SERVER_URL": github.address,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": RUN,
            "GITHUB_RUN_NUMBER": "1",
            "GITHUB_RUN_ATTEMPT": "1",
        },
        variables={
            "HARBOR_HOST": site.target,
            "REGISTRY_ADDRESSES": json.dumps(addresses),
            "POLICY": json.dumps(POLICY),
        },
        environment=home,
        secrets={"MIRROR_USER": USER, "MIRROR_PASSWORD": PASSWORD, "GITHUB_TOKEN": TOKEN},
    )
    told = asdict(job)
    del told["directory"]
    return {
        "directory": str(site.folder / "run"),
        "repository": str(site.folder / "repository.git"),
        "sha": trigger.sha,
        "job": told,
    }
