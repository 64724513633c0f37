"""The `init` command: asks for what the config needs, proves each answer, and writes the files.

It writes config.yaml and the file of secrets beside it, and nothing that is there already. Then it
offers `setup` and `check`.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from bot.adapters.github.inspection import InspectedRepository, RepositoryFacts
from bot.adapters.telegram.chat import PollingBot
from bot.adapters.telegram.inspection import BotFacts, Inspection
from bot.adapters.telegram.meeting import FacelessError, Meeting, Met, new_code
from bot.adapters.telegram.rendering import TelegramWords
from bot.check import everything
from bot.clients import open_setup
from bot.config import Secrets, Settings, settings_from
from bot.config_file import as_yaml
from bot.config_types import (
    address,
    host,
    repository_name,
    service_address,
    target_prefix,
    time_zone,
)
from bot.core.errors import ConfigError
from bot.dialog.language import Language, spoken
from bot.dialog.message import Message, say
from bot.env_file import beside, write_private
from bot.init.answers import Answers, Question, asked
from bot.setup import install
from bot.target_projects import create_projects

T = TypeVar("T")
Say = Callable[[str], None]
REGISTRIES: Final = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")
SECRET_NAMES: Final = ("TELEGRAM_TOKEN", "GITHUB_TOKEN", "HARBOR_USER", "HARBOR_PWD")
HEAD: Final = """\
# Written by `imageto-bot init`. config.example.yaml has the other settings with their meaning.
# Without rules an admin is asked about each image.
"""
_LATER: Final = "Go on with `imageto-bot setup`, `imageto-bot check` and `imageto-bot run`."


@dataclass(frozen=True, slots=True)
class Apis:
    """The addresses of the services, unless they are the public ones."""

    telegram: str = "https://api.telegram.org"
    github: str = "https://api.github.com"
    registries: Mapping[str, str] = field(default_factory=dict)


def apis_of(found: object, name: str = "") -> Apis:
    """The addresses in a file of answers: telegram_api, github_api and addresses.

    Raises ConfigError where one is none, before a token is sent to it. `name`: that of the file.
    """
    given = found if isinstance(found, Mapping) else {}
    apis, public = given.get("addresses", {}), Apis()
    if not isinstance(apis, Mapping):
        raise ConfigError(f"{name}: addresses: should be registries with an address each")

    def checked(key: str, value: object, check: Callable[[str], str]) -> str:
        try:
            return check(str(value))
        except ValueError as error:
            raise ConfigError(f"{name}: {key}: {error}") from error

    return Apis(
        checked("telegram_api", given.get("telegram_api", public.telegram), service_address),
        checked("github_api", given.get("github_api", public.github), service_address),
        {str(k): checked(f"addresses.{k}", v, address) for k, v in apis.items()},
    )


class Collecting:
    """Asks one thing after the other. Each answer is proved before the next question."""

    def __init__(
        self, answers: Answers, apis: Apis, say: Say, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._answers = answers
        self._apis = apis
        self._say = say
        self._environment = environment

    async def write(self, path: Path) -> None:
        """Ask, and write both files.

        Raises ConfigError where they cannot be written or an answer of a file is wrong, and
        RefusedError where nobody sent the code in time.
        """
        _expect_room(path, self._environment)
        token, met = await self._telegram()
        github_token, repository, facts = await self._github()
        target, login = await self._target()
        config = {
            "telegram": await self._chat(met),
            "github": {
                "repository": repository,
                "branch": facts.default_branch or "main",
                "api": self._apis.github,
            },
            "target": target,
            "policy": {"registries": list(REGISTRIES)},
            "maintainer": {"name": met.name, "id": met.person},
            "database": _database_beside(path),
            **({"addresses": dict(self._apis.registries)} if self._apis.registries else {}),
        }
        settings_from(config, str(path))
        secrets = {"TELEGRAM_TOKEN": token, "GITHUB_TOKEN": github_token, **login}
        write_private(beside(path), "".join(f"{key}={value}\n" for key, value in secrets.items()))
        try:
            write_private(path, HEAD + as_yaml(config))
        except ConfigError:
            beside(path).unlink(missing_ok=True)  # so that init can be run again
            raise
        self._say(f"{path} and {beside(path)} are written. Only you can read them.")

    async def _telegram(self) -> tuple[str, Met]:
        found = list[BotFacts]()

        async def check(text: str) -> str:
            token = _word(text)
            async with self._bot(token) as bot:
                found.append(await Inspection(bot).me())
            return token

        question = Question("telegram_token", "Token of the bot, from @BotFather", secret=True)
        token = await self._ask(question, check)
        name = found[-1].name
        self._say(f"  It is @{name}.")
        while True:
            met = await self._meet(token, name)
            words = f"{met.name} ({met.person}) sent it in “{met.title}” ({met.chat}). Is it you?"
            if self._answers.confirm("met", words):
                return token, met

    async def _meet(self, token: str, name: str) -> Met:
        words, clock = said_in_the_chat, time.monotonic
        self._say(f"  Add @{name} to the group that it shall serve. Who sends this code there")
        self._say("  becomes the first admin. So send it yourself, within 10 minutes:")
        while True:
            code = new_code()
            self._say(f"    /start@{name} {code}")
            async with self._bot(token) as bot:
                try:
                    return await Meeting(bot, name, code, words=words, clock=clock).wait()
                except FacelessError as error:
                    self._say(f"  {error}:")

    @asynccontextmanager
    async def _bot(self, token: str) -> AsyncIterator[PollingBot]:
        bot = PollingBot(token, self._apis.telegram)
        try:
            yield bot
        finally:
            await bot.shutdown()

    async def _github(self) -> tuple[str, str, RepositoryFacts]:
        name = await self._ask(
            Question("repository", "Mirror repository at GitHub, such as example/mirror"),
            _checked(repository_name),
        )
        found = list[RepositoryFacts]()

        async def check(text: str) -> str:
            token = _word(text)
            repository = InspectedRepository(
                api=self._apis.github,
                token=token,
                repository=name,
                branch="main",
                path="image.list",
                workflow="mirror.yml",
            )
            try:
                found.append(await repository.facts())
            finally:
                repository.close()
            return token

        question = Question("github_token", f"Token for {name} (its rights: docs/operating.md)")
        token = await self._ask(replace(question, secret=True), check)
        return token, name, found[-1]

    async def _target(self) -> tuple[dict[str, str], dict[str, str]]:
        where = Question("target", "Our registry, such as harbor.example.com")
        below = Question("prefix", "Project for all images, or empty for one each source", "")
        place = {
            "host": await self._ask(where, _checked(host)),
            "prefix": await self._ask(below, _checked(target_prefix)),
        }
        user = Question("harbor_user", "Its user, such as robot$mirror")
        password = Question("harbor_pwd", "Its password", secret=True)
        login = {
            "HARBOR_USER": await self._ask(user, _checked(_some)),
            "HARBOR_PWD": await self._ask(password, _checked(_some)),
        }
        return place, login

    async def _chat(self, met: Met) -> dict[str, object]:
        likely = spoken(met.language, otherwise=Language.EN)
        languages = " or ".join(Language)
        language = Question("language", f"Language in the group: {languages}", str(likely))
        zone = Question("timezone", "Time zone of what people read", "UTC")
        return {
            "chats": [met.chat],
            "admins": [met.person],
            "language": await self._ask(language, _checked(_language)),
            "timezone": await self._ask(zone, _checked(time_zone)),
            "api": self._apis.telegram,
        }

    async def _ask(self, question: Question, check: Callable[[str], Awaitable[T]]) -> T:
        return await asked(self._answers, question, check, self._say)


def said_in_the_chat(key: str, language: str) -> str:
    """The text of a key. `language`: the code of the person's app."""
    spoken_language = spoken(language, otherwise=Language.EN)
    return TelegramWords(ZoneInfo("UTC")).render(Message((say(key),)), spoken_language).html


def _checked(check: Callable[[str], T]) -> Callable[[str], Awaitable[T]]:
    async def checked(text: str) -> T:
        return check(text)

    return checked


def _database_beside(path: Path) -> str:
    """Not relative to a folder in which a later command may not run."""
    return str(path.absolute().with_name("imageto-bot.sqlite3"))


def _expect_room(path: Path, environment: Mapping[str, str]) -> None:
    """Raise ConfigError where the files cannot be written, or would not be what is used."""
    for file in (path, beside(path)):
        if os.path.lexists(file):
            advice = "Go on with `imageto-bot setup`, or move it away"
            raise ConfigError(f"{file}: is there already. {advice}")
    if path == beside(path):
        raise ConfigError(f"{path}: is the name of the file of secrets. Name it config.yaml")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"{path.parent}: is no folder that can be written. Create it")
    given = [name for name in SECRET_NAMES if environment.get(name)]
    if given:
        advice = f"Run `unset {' '.join(given)}`"
        raise ConfigError(f"{beside(path)}: the environment goes before this file. {advice}")


def _some(text: str) -> str:
    if not text:
        raise ValueError("should not be empty")
    if not text.isprintable():
        raise ValueError("should be one line without control characters")
    return text


def _word(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or len(text.split()) != 1:
        raise ValueError("should be a token: one word of letters, digits and signs")
    return text


def _language(text: str) -> str:
    found = next((each for each in Language if each.lower() == text.lower()), None)
    if found is None:
        raise ValueError(f"should be {' or '.join(Language)}")
    return str(found)


async def go_on(answers: Answers, settings: Settings, secrets: Secrets, say: Say) -> bool:
    """Offer `setup` and `check`. Returns whether all that was wanted is well."""
    if not answers.confirm("setup", "Install the workflow now (`imageto-bot setup`)?"):
        say(_LATER)
        return True
    async with open_setup(settings, secrets) as (repository, harbor):
        await install(repository, settings, secrets, say)
        await create_projects(harbor, settings, say)
    if not answers.confirm("check", "Prove that everything works (`imageto-bot check`)?"):
        say(_LATER)
        return True
    if not await everything(settings, secrets, say):
        return False
    say("Everything is ready. Start the bot with `imageto-bot run`.")
    return True
