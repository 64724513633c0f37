"""Builds the clients of the services: for a bot that runs, for `setup`, and for `check`.

Nothing is decided here. What a running bot makes of them is in build.py.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bot.adapters.github.app_login import AppLogin
from bot.adapters.github.inspection import InspectedRepository
from bot.adapters.github.issues.api import IssueRepository
from bot.adapters.github.repository import MirrorRepository
from bot.adapters.github.setup_repository import SetupRepository
from bot.adapters.network import Network
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.harbor import Harbor
from bot.adapters.registry.inspection import InspectedRegistries
from bot.adapters.telegram.chat import PollingBot
from bot.config import Secrets, Settings, source_logins
from bot.config_file import read_certificates
from bot.workflow import shipped

CLOSE_SECONDS: Final = 2.0
"""How long the closing of one connection may take."""


Clients = tuple[PollingBot | None, IssueRepository, RegistryClient, Harbor]


@asynccontextmanager
async def open_clients(settings: Settings, secrets: Secrets) -> AsyncIterator[Clients]:
    """The clients of a bot that runs, closed at the end."""
    network = make_network(settings)
    registries = RegistryClient(**_registry_arguments(settings, secrets), network=network)
    repository = IssueRepository(**_repository_arguments(settings, secrets), network=network)
    bot = _bot(settings, secrets, network)
    harbor = _harbor(settings, secrets, network)
    async with _closed(bot, repository, registries, harbor):
        yield bot, repository, registries, harbor


@asynccontextmanager
async def _closed(
    bot: PollingBot | None, repository: MirrorRepository, registries: RegistryClient, harbor: Harbor
) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if bot is not None:
            await close(bot.shutdown())
        repository.close()
        await close(registries.aclose())
        await close(harbor.aclose())


@dataclass(frozen=True, slots=True)
class Inspected:
    """The clients of `check`, which ask more than a running bot does."""

    network: Network
    bot: PollingBot | None
    repository: InspectedRepository
    registries: InspectedRegistries
    harbor: Harbor


@asynccontextmanager
async def open_inspection(settings: Settings, secrets: Secrets) -> AsyncIterator[Inspected]:
    """The clients of `check`, closed at the end. A bot may run at the same time."""
    network = make_network(settings)
    registries = InspectedRegistries(**_registry_arguments(settings, secrets), network=network)
    # A dozen calls, once: GitHub asks for waits between those of a program that goes on.
    repository = InspectedRepository(
        **_repository_arguments(settings, secrets), network=network, between=(0.0, 0.0)
    )
    bot = _bot(settings, secrets, network)
    harbor = _harbor(settings, secrets, network)
    async with _closed(bot, repository, registries, harbor):
        yield Inspected(network, bot, repository, registries, harbor)


def make_network(settings: Settings) -> Network:
    """The proxies and certificates of all clients. Raises ConfigError for unusable ones."""
    return Network(certificates=read_certificates(settings.ca_bundle))


def _bot(settings: Settings, secrets: Secrets, network: Network) -> PollingBot | None:
    if settings.telegram is None:
        return None
    token = secrets.telegram_token.get_secret_value()
    return PollingBot(token, settings.telegram.api, network=network)


def _harbor(settings: Settings, secrets: Secrets, network: Network) -> Harbor:
    """The API of the target, should it be a Harbor."""
    host = settings.target.host
    address = settings.addresses.get(host, f"https://{host}")
    return Harbor(address, secrets.target_login(), network)


def make_registries(settings: Settings, secrets: Secrets) -> RegistryClient:
    """The client of sources and target. Raises ConfigError for an address that is none."""
    network = make_network(settings)
    return RegistryClient(**_registry_arguments(settings, secrets), network=network)


def _registry_arguments(settings: Settings, secrets: Secrets) -> dict[str, Any]:
    return {
        "addresses": settings.addresses,
        "target": settings.target_registry(),
        "allowed": frozenset(settings.policy.registries),
        "target_login": secrets.target_login(),
        "source_logins": source_logins(secrets),
        "own_token_servers": settings.token_servers,
    }


async def close(closing: Coroutine[Any, Any, None]) -> None:
    """Close, but let neither an error nor a slow connection hold up the end of the program."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


def make_repository(settings: Settings, secrets: Secrets) -> MirrorRepository:
    """The mirror repository as the bot uses it."""
    network = make_network(settings)
    return MirrorRepository(**_repository_arguments(settings, secrets), network=network)


@asynccontextmanager
async def open_setup(
    settings: Settings, secrets: Secrets
) -> AsyncIterator[tuple[SetupRepository, Harbor]]:
    """The mirror repository as `setup` uses it: it writes variables and secrets too. And Harbor."""
    network = make_network(settings)
    repository = SetupRepository(**_repository_arguments(settings, secrets), network=network)
    harbor = _harbor(settings, secrets, network)
    try:
        yield repository, harbor
    finally:
        repository.close()
        await close(harbor.aclose())


def _github_login(secrets: Secrets) -> str | AppLogin:
    if secrets.github_app_id:
        return AppLogin(secrets.github_app_id, secrets.github_app_key.get_secret_value())
    return secrets.github_token.get_secret_value()


def _repository_arguments(settings: Settings, secrets: Secrets) -> dict[str, Any]:
    github = settings.github
    return {
        "api": github.api,
        "token": _github_login(secrets),
        "repository": github.repository,
        "branch": github.branch,
        "path": github.list,
        "workflow": github.workflow,
        "shipped": partial(
            shipped.files_beside,
            branch=github.branch,
            image_list=github.list,
            name=github.workflow,
            key_id=secrets.key_id,
        ),
    }
