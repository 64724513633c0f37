"""The login of a GitHub App, against the sandbox's GitHub: which token is used, and until when."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.adapters.github.app_login import AppLogin
from bot.adapters.github.inspection import InspectedRepository
from bot.core.errors import RefusedError, TransientError
from bot.core.retry import TroubleKind
from bot.github_app_key import read_app_key
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.app_api import APP, GitHubApp
from bot.sandbox.github.server import GitHub
from bot.sandbox.serve import served

NAME = "ana/mirror"


@dataclass
class Place:
    github: GitHub
    port: int
    stack: AsyncExitStack

    @property
    def app(self) -> GitHubApp:
        return self.github.login

    def client(self, login: AppLogin) -> InspectedRepository:
        repository = InspectedRepository(
            api=f"http://127.0.0.1:{self.port}/github",
            token=login,
            repository=NAME,
            branch="main",
            path="image.list",
            workflow="mirror.yml",
            between=(0.0, 0.0),
        )
        self.stack.callback(repository.close)
        return repository


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with AsyncExitStack() as stack:
        made = GitHub(
            data=tmp_path,
            name=NAME,
            files={"image.list": b"nginx:1.26\n"},
            faults=ArmedFaults(),
            environment={},
        )
        github = await stack.enter_async_context(made)
        app = Starlette(routes=[Mount("/github", app=github.app)])
        port = await stack.enter_async_context(served(app))
        yield Place(github, port, stack)


async def test_one_token_serves_many_calls_and_says_what_it_may(place: Place) -> None:
    repository = place.client(AppLogin(APP, place.app.pem()))
    assert (await repository.read_list()).content == b"nginx:1.26\n"
    assert (await repository.facts()).permissions == place.app.permissions
    await repository.try_contents()
    assert place.app.given == 1


async def test_a_token_is_renewed_before_it_ends_and_after_github_ended_it(place: Place) -> None:
    place.app.life = timedelta(minutes=4)  # shorter than what is left to each token
    repository = place.client(AppLogin(APP, place.app.pem()))
    await repository.read_list()
    await repository.try_contents()
    assert place.app.given == 2
    place.app.life = timedelta(hours=1)
    await repository.try_contents()
    place.app.end_tokens()
    with pytest.raises(TransientError, match="ended the App's token early"):
        await repository.try_contents()
    assert repository.token().accepted
    await repository.try_contents()
    assert place.app.given == 4


@pytest.mark.parametrize("other", ["app", "key"])
async def test_a_wrong_login_locks_out_and_says_whose_turn_it_is(place: Place, other: str) -> None:
    key = GitHubApp(NAME).pem() if other == "key" else place.app.pem()
    repository = place.client(AppLogin("99" if other == "app" else APP, key))
    with pytest.raises(TransientError, match="renew GITHUB_APP_KEY") as caught:
        await repository.read_list()
    assert caught.value.trouble.kind is TroubleKind.LOCKED_OUT
    assert repository.token().accepted is False


async def test_an_app_that_is_not_installed_is_told(place: Place) -> None:
    place.app.installed = False
    repository = place.client(AppLogin(APP, place.app.pem()))
    with pytest.raises(RefusedError, match="12345 is not installed for ana/mirror"):
        await repository.read_list()


def test_a_key_is_read_from_a_line_and_from_a_file(tmp_path: Path) -> None:
    pem = GitHubApp(NAME).pem()
    path = tmp_path / "app.pem"
    path.touch(0o600)
    path.write_text(pem)
    assert read_app_key(pem.replace("\n", "\\n")) == read_app_key(str(path)) == pem
