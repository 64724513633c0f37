"""A mirror repository at the sandbox's GitHub, and `imageto-bot setup` run on it.

Its runs do nothing. test_setup.py and test_setup_environment.py use it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from bot.adapters.github.setup_repository import SetupRepository
from bot.config import Secrets, Settings, read_secrets
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.act import Job
from bot.sandbox.github.server import GitHub
from bot.sandbox.serve import served
from bot.setup import install
from bot.workflow import shipped

NAME = "wei/mirror"
WORKFLOW_FILE = ".github/workflows/mirror.yml"
LOGIN = {"HARBOR_USER": "robot$mirror", "HARBOR_PWD": "hush-hush"}
OLD = {
    "image.list": b"docker.io/library/nginx:1.27\n",
    ".github/mirror.py": b"print('old')\n",
    WORKFLOW_FILE: b"name: mirror\non: workflow_dispatch\n",
}


KEY = "5e" * 32


def secrets(**more: str) -> Secrets:
    given = {"TELEGRAM_TOKEN": "1:a", "GITHUB_TOKEN": "g", "DECISION_KEY": KEY}
    return read_secrets({**given, **more})


KEY_ID = secrets().key_id


def settings(
    prefix: str = "mirror", image_list: str = "image.list", branch: str = "main"
) -> Settings:
    return Settings.model_validate(
        {
            "telegram": {"chats": (-100,), "admins": (1,)},
            "github": {"repository": NAME, "list": image_list, "branch": branch},
            "target": {"host": "harbor.example.com", "prefix": prefix},
            "policy": {"registries": ("docker.io",)},
        }
    )


async def does_nothing(_act: str, _job: Job) -> bool:
    return True


@asynccontextmanager
async def github(folder: Path, files: dict[str, bytes]) -> AsyncIterator[tuple[GitHub, int]]:
    made = GitHub(
        data=folder,
        name=NAME,
        files=files,
        faults=ArmedFaults(),
        environment={},
        runner=does_nothing,
        delay=0,
    )
    async with made, served(Starlette(routes=[Mount("/github", made.app)])) as port:
        yield made, port


def client(port: int, token: str, given: Settings | None = None) -> SetupRepository:
    part = (given or settings()).github
    return SetupRepository(
        api=f"http://127.0.0.1:{port}/github",
        token=token,
        repository=NAME,
        branch=part.branch,
        path=part.list,
        workflow="mirror.yml",
        shipped=partial(
            shipped.files_beside,
            branch=part.branch,
            image_list=part.list,
            name="mirror.yml",
            key_id=KEY_ID,
        ),
        between=(0, 0),
    )


async def set_up(
    made: GitHub,
    port: int,
    secrets: Secrets,
    given: Settings,
    *,
    environment: str | None = None,
    dry_run: bool = False,
) -> list[str]:
    said: list[str] = []
    repository = client(port, made.token, given)
    try:
        await install(
            repository, given, secrets, said.append, environment=environment, dry_run=dry_run
        )
    finally:
        repository.close()
    return said


async def content(made: GitHub, path: str, branch: str = "main") -> bytes | None:
    file = await made.repository.file(branch, path)
    return file.data if file else None


async def everything_is_installed(
    made: GitHub, image_list: str = "image.list", branch: str = "main"
) -> None:
    for path, wanted in shipped.files(branch, image_list, key_id=KEY_ID).items():
        assert await content(made, path, branch) == wanted, path


async def commits(made: GitHub) -> int:
    return len(await made.repository.log("main"))
