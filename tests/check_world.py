"""All services that `check` asks, in one process. Single answers can be replaced.

Telegram and GitHub are the sandbox's. The registries are a small stand-in for Harbor and for two
sources, after section I of Harbor's own description of its API.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import setup_fixture
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.check import everything
from bot.config import Secrets, Settings, read_secrets, settings_from
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.act import Job
from bot.sandbox.github.app_api import GitHubApp
from bot.sandbox.github.server import GitHub
from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import MemberStatus
from bot.setup import install

TOKEN = "7000000001:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
LOGIN = {"HARBOR_USER": "robot$mirror+bot", "HARBOR_PWD": "hush-hush"}


@dataclass(frozen=True)
class Told:
    """An answer instead of the service's own. `to`: "METHOD /path", as a regular expression."""

    to: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, host: str) -> Response:
        """`host`: of the server, which a header may name as HOST."""
        headers = {key: value.replace("HOST", host) for key, value in self.headers.items()}
        if isinstance(self.body, str):
            return Response(self.body, self.status, headers, media_type="text/html")
        return JSONResponse(self.body, self.status, headers)


class Overridden:
    """Answers as told, else lets the services answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.told: tuple[Told, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = f"{scope.get('method')} {scope['path']}"
        for each in self.told:
            if re.search(each.to, line):
                host = Headers(scope=scope)["host"]
                await each.response(host)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def registry() -> Starlette:
    """The registry API and Harbor's, of a Harbor that has the project `mirror`."""

    async def root(_: Request) -> Response:
        return JSONResponse({})

    async def manifest(_: Request) -> Response:
        error = {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}
        return JSONResponse({"errors": [error]}, 404)

    async def upload(request: Request) -> Response:
        return Response(status_code=202, headers={"Location": f"{request.url.path}17"})

    async def cancel(_: Request) -> Response:
        return Response(status_code=204)

    async def harbor(request: Request) -> Response:
        path = request.path_params["path"]
        found = {
            "systeminfo": {"auth_mode": "db_auth"},
            "projects/mirror": {"project_id": 3, "name": "mirror"},
            "projects/mirror/summary": {
                "quota": {"hard": {"storage": 10 * 2**30}, "used": {"storage": 2**30}}
            },
            "robots": [{"name": LOGIN["HARBOR_USER"], "expires_at": -1}],
        }.get(path)
        return JSONResponse(found, 200 if found is not None else 404)

    return Starlette(
        routes=[
            Route("/v2/", root),
            Route("/v2/{name:path}/manifests/{reference}", manifest),
            Route("/v2/{name:path}/blobs/uploads/", upload, methods=["POST"]),
            Route("/v2/{name:path}/blobs/uploads/{session}", cancel, methods=["DELETE"]),
            Route("/api/v2.0/{path:path}", harbor),
        ]
    )


@dataclass
class World:
    settings: Settings
    secrets: Secrets
    services: Overridden
    telegram: TelegramState
    app: GitHubApp

    async def check(self, settings: Settings, *told: Told) -> list[str]:
        """The lines of `check` while these answers are told."""
        said: list[str] = []
        self.services.told = told
        try:
            await everything(settings, self.secrets, said.append)
        finally:
            self.services.told = ()
        return said


def changed(settings: Settings, path: str, value: object) -> Settings:
    """The settings with another value. `path`: such as telegram.admins or database."""
    section, dot, key = path.partition(".")
    if not dot:
        return settings.model_copy(update={path: value})
    old = getattr(settings, section)
    new = old | {key: value} if isinstance(old, dict) else old.model_copy(update={key: value})
    return settings.model_copy(update={section: new})


async def _does_nothing(_act: str, _job: Job) -> bool:
    return True


@asynccontextmanager
async def open_world(folder: Path, *, installed: bool = True) -> AsyncIterator[World]:
    """Everything is well in it: the workflow is installed, and the bot is an admin of the group.

    `installed` False: `setup` was not run yet.
    """
    state = TelegramState()
    group = next(chat for chat in state.chats.values() if chat.person is None)
    state.bot_roles[group.id] = MemberStatus.ADMIN
    made = GitHub(
        data=folder / "github",
        name=setup_fixture.NAME,
        files=setup_fixture.OLD,
        faults=ArmedFaults(),
        environment={},
        runner=_does_nothing,
        delay=0,
    )
    registries = registry()
    services = Overridden(
        Starlette(
            routes=[
                Mount("/telegram", telegram_app(state, token=TOKEN)),
                Mount("/github", made.app),
                Mount("/", registries),
            ]
        )
    )
    async with made, served(services) as port:
        settings = _settings(port, state, group.id, folder)
        given = {"TELEGRAM_TOKEN": TOKEN, "GITHUB_TOKEN": made.token, **LOGIN}
        secrets = read_secrets({**given, "DECISION_KEY": setup_fixture.KEY})
        if installed:
            await _install(port, made, settings, secrets)
        yield World(settings, secrets, services, state, made.login)


async def _install(port: int, made: GitHub, settings: Settings, secrets: Secrets) -> None:
    repository = setup_fixture.client(port, made.token, settings)
    try:
        await install(repository, settings, secrets, lambda _: None)
    finally:
        await asyncio.to_thread(repository.close)


def _settings(port: int, state: TelegramState, group: int, folder: Path) -> Settings:
    host = f"127.0.0.1:{port}"
    admin = next(each for each in state.people.values() if each.role is MemberStatus.ADMIN)
    return settings_from(
        {
            "telegram": {
                "chats": [group],
                "admins": [admin.id],
                "api": f"http://{host}/telegram",
            },
            "github": {"repository": setup_fixture.NAME, "api": f"http://{host}/github"},
            "target": {"host": host, "prefix": "mirror"},
            "policy": {
                "registries": ["docker.io", "ghcr.io"],
                "rules": [{"images": "docker.io/library/**", "then": "approve"}],
            },
            "addresses": {
                "docker.io": f"http://{host}",
                "ghcr.io": f"http://{host}",
                host: f"http://{host}",
            },
            "database": str(folder / "bot.sqlite3"),
        },
        "config.yaml",
    )
