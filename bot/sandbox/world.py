"""Starts every part of the sandbox on one machine, and stops what it started.

Telegram, GitHub, the page and the API for people share one port. Each of the two registries has a
port of its own. The bot runs unchanged: only addresses in its config differ.
"""

import asyncio
import json
import logging
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.adapters.github.setup_repository import SetupRepository
from bot.config import GitHubSection, IssuesSection, Secrets, Settings, settings_from
from bot.core.errors import BotError
from bot.decision_key import with_key
from bot.dialog.language import Language
from bot.env_file import write_private
from bot.sandbox import repository_api
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.github.accounts import Accounts
from bot.sandbox.github.act import run_act
from bot.sandbox.github.actions import Runner
from bot.sandbox.github.server import GitHub
from bot.sandbox.page_api import chat_routes, http_error
from bot.sandbox.page_files import page_routes
from bot.sandbox.registry.registries import Registries
from bot.sandbox.registry.seed import REGISTRIES
from bot.sandbox.repository_api import marks
from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import PEOPLE, STRANGER, MemberStatus, User
from bot.setup import install

log = logging.getLogger(__name__)

REPOSITORY: Final = "example/mirror"
README: Final = b"# The mirror repository of the sandbox\n"
READY_SECONDS: Final = 120.0
"""Long enough for a machine that is busy with other things, where imports alone take half of it."""
FIRST_RUN_SECONDS: Final = 6
"""How long the bot waits for a run to appear. GitHub needs longer, see config.example.yaml."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A running sandbox. `log` is where the bot writes."""

    address: str
    chat: TelegramState
    github: GitHub
    registries: Registries
    log: Path


def new_token() -> str:
    """A token of a bot, in the form of Telegram's. Other sites cannot know it."""
    return f"7000000001:{token_urlsafe(27)}"


LOG: Final = "bot.log"
ANSWERS: Final = "answers.yaml"
"""The file of a bare sandbox that `init` takes its answers from."""
Watch = Callable[[str, ASGIApp], ASGIApp]
"""Wraps the server "telegram" or "github", for example to count calls."""


def _unwatched(_name: str, app: ASGIApp) -> ASGIApp:
    return app


@asynccontextmanager
async def open_sandbox(
    *,
    port: int,
    data: Path,
    internet: bool = False,
    fresh: float | None = None,
    chat: TelegramState | None = None,
    runner: Runner = run_act,
    watch: Watch = _unwatched,
    branch: str = "main",
    image_list: str = "image.list",
    bare: bool = False,
    http: str = "",
    language: Language = Language.EN,
    everything: bool = False,
) -> AsyncIterator[RunningSandbox]:
    """Run the whole sandbox. The bot is polling when this yields. Raises BotError, one line.

    `fresh` is the seconds between two checks for images updated upstream, None for no checks.
    `chat` may have more people and groups than the sandbox's own. The default branch is main.
    `http` is where the bot serves its metrics, as in its config.
    `language` is that of the groups. `everything`: what is off by default is on, such as issues.
    `bare`: the services alone, with an empty repository and no bot. `init` can be tried on them.
    """
    faults = ArmedFaults()
    section = _github_section(
        branch, image_list, language if everything else None, internet=internet
    )
    database, token = data / "imageto-bot.sqlite3", new_token()
    chat = chat or _chat(database, language)
    async with AsyncExitStack() as stack:
        both = Registries(data=data, faults=faults, internet=internet)
        registries = await stack.enter_async_context(both)
        github = await stack.enter_async_context(_github(data, registries, faults, runner))
        polled, process = asyncio.Event(), BotProcess()
        routes = repository_api.routes(github, section, registries, process)
        routes += chat_routes(chat, faults)
        routes += page_routes(chat, language=language, marks=marks(github, section, registries))
        app = _app(chat, github, faults, routes, token=token, polled=polled, watch=watch)
        address = f"http://127.0.0.1:{await _serve(stack, app, port)}"
        base = (address, chat, section, registries, database)
        settings = _settings(*base, fresh=fresh, http=http, language=language)
        secrets = with_key(_secrets(github, registries, token), database, make=True)
        if bare:
            await _set_variables(github, registries, settings)
            _write_answers(data / ANSWERS, settings, secrets)
        else:
            await _prepare(github, registries, settings, secrets)
            await stack.enter_async_context(_bot(process, settings, secrets, data, polled))
        yield RunningSandbox(address, chat, github, registries, data / LOG)


def _chat(database: Path, language: Language) -> TelegramState:
    # A kept database knows old message ids. A new chat must not use them again.
    first = int(time.time()) if database.exists() else 1
    if language is Language.EN:
        return TelegramState(first_message=first)
    readers = [replace(person, language="zh-hans") for person in PEOPLE]
    return TelegramState(first_message=first, people=readers)


@asynccontextmanager
async def _bot(
    process: BotProcess, settings: Settings, secrets: Secrets, data: Path, polled: asyncio.Event
) -> AsyncIterator[None]:
    """The bot, which polls when this yields."""
    output = data / LOG
    config, environment = _written(settings, data), _environment(secrets)
    async with process.kept_alive(config=config, environment=environment, output=output):
        await _until_polling(polled, output)
        yield


def _github(data: Path, registries: Registries, faults: ArmedFaults, runner: Runner) -> GitHub:
    return GitHub(
        data=data,
        name=REPOSITORY,
        files={"README.md": README},
        faults=faults,
        environment=registries.environment,
        runner=runner,
    )


async def _serve(stack: AsyncExitStack, app: ASGIApp, port: int) -> int:
    try:
        return await stack.enter_async_context(served(app, port=port))
    except OSError as error:
        raise BotError(str(error)) from error


def _app(
    chat: TelegramState,
    github: GitHub,
    faults: ArmedFaults,
    routes: Sequence[BaseRoute],
    *,
    token: str,
    polled: asyncio.Event,
    watch: Watch,
) -> ASGIApp:
    telegram = FaultMiddleware(telegram_app(chat, token=token), faults, "telegram")

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if str(scope.get("path", "")).endswith("/getUpdates"):
            polled.set()
        await telegram(scope, receive, send)

    return Starlette(
        routes=[
            Mount("/telegram", app=watch("telegram", watched)),
            Mount("/github", app=watch("github", github.app)),
            *routes,
        ],
        exception_handlers={404: http_error, 405: http_error},
    )


def _github_section(
    branch: str, image_list: str, issues: Language | None, *, internet: bool
) -> GitHubSection:
    """`issues` is the language of issues, None where the bot reads none."""
    patience = 90 if internet else FIRST_RUN_SECONDS
    section = GitHubSection(
        repository=REPOSITORY, branch=branch, list=image_list, patience=patience
    )
    if issues is None:
        return section
    people = Accounts(REPOSITORY)
    admins = tuple(each.id for each in people if each.kind == "User" and each.may("admin"))
    asked = IssuesSection.model_validate({"admins": admins, "language": issues})
    return section.model_copy(update={"issues": asked})


def _settings(
    address: str,
    chat: TelegramState,
    section: GitHubSection,
    registries: Registries,
    database: Path,
    *,
    fresh: float | None,
    http: str,
    language: Language,
) -> Settings:
    people = [person for person in chat.people.values() if person.name != STRANGER]
    data: dict[str, Any] = {
        "telegram": {
            "chats": [each.id for each in chat.chats.values() if each.person is None],
            "admins": [person.id for person in people if person.role is MemberStatus.ADMIN],
            "members": [person.id for person in people if person.role is MemberStatus.MEMBER],
            "language": language,
            "api": f"{address}/telegram",
        },
        "github": section.model_dump() | {"api": f"{address}/github"},
        "target": {"host": registries.target_address},
        "policy": {
            "registries": list(REGISTRIES),
            "rules": [
                {"images": "docker.io/library/**", "then": "approve"},
                {
                    "images": "docker.io/forbidden/**",
                    "then": "deny",
                    "reason": "the sandbox denies these, to show how it looks",
                },
                {"images": "**", "then": "ask"},
            ],
            # Scripts write faster than people.
            "limits": {"minute": 120},
        },
        "addresses": registries.addresses,
        "database": str(database),
        "http": http,
    }
    data |= _off_by_default(section, people)
    if fresh is not None:
        data["fresh"] = {
            "every": dict.fromkeys(("floating", "versions"), fresh / 3600),
            "looks": 100_000,
            "keep": True,
        }
    return settings_from(data, "the sandbox's config")


def _off_by_default(section: GitHubSection, people: Sequence[User]) -> dict[str, Any]:
    """What the config has besides, where everything is on."""
    if section.issues is None:
        return {}
    accounts = {each.name: each.id for each in Accounts(REPOSITORY)}
    both = [each for each in people if each.name in accounts]
    ids = [[f"telegram:{each.id}", f"github:{accounts[each.name]}"] for each in both]
    return {"people": ids, "statements": "att"}


def _secrets(github: GitHub, registries: Registries, token: str) -> Secrets:
    return Secrets.model_validate(
        {
            "telegram_token": token,
            "github_token": github.token,
            "harbor_user": registries.user,
            "harbor_pwd": registries.password,
        }
    )


def _environment(secrets: Secrets) -> dict[str, str]:
    return {
        "TELEGRAM_TOKEN": secrets.telegram_token.get_secret_value(),
        "GITHUB_TOKEN": secrets.github_token.get_secret_value(),
        "HARBOR_USER": secrets.harbor_user,
        "HARBOR_PWD": secrets.harbor_pwd.get_secret_value(),
    }


def _written(settings: Settings, data: Path) -> Path:
    """Write the bot's config file as JSON, which is YAML too."""
    path = data / "config.yaml"
    path.write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return path


def _write_answers(path: Path, settings: Settings, secrets: Secrets) -> None:
    """The answers that `imageto-bot init` takes, all but who the admin is and which chat."""
    environment = _environment(secrets)
    answers = {
        **{name.lower(): environment[name] for name in sorted(environment)},
        "repository": settings.github.repository,
        "target": settings.target.host,
        "telegram_api": settings.telegram.api if settings.telegram else "",
        "github_api": settings.github.api,
        "addresses": settings.addresses,
    }
    path.unlink(missing_ok=True)
    write_private(path, json.dumps(answers, indent=2) + "\n")


async def _prepare(
    github: GitHub, registries: Registries, settings: Settings, secrets: Secrets
) -> None:
    """Set up the mirror repository with the code of `imageto-bot setup`."""
    branch = settings.github.branch
    if await github.repository.tip(branch) is None:
        await github.repository.move(await github.repository.head(), None, branch)
    async with _client(github, settings) as repository:
        await install(repository, settings, secrets, log.debug)
    await _set_variables(github, registries, settings)


async def _set_variables(github: GitHub, registries: Registries, settings: Settings) -> None:
    """What the runs need to know of this machine, and `setup` does not."""
    async with _client(github, settings) as repository:
        addresses = json.dumps(registries.addresses)
        await repository.set_variable("REGISTRY_ADDRESSES", addresses)
        await repository.set_variable("PATIENCE", "0")  # no retries: faults show at once


@asynccontextmanager
async def _client(github: GitHub, settings: Settings) -> AsyncIterator[SetupRepository]:
    section = settings.github
    repository = SetupRepository(
        api=section.api,
        token=github.token,
        repository=section.repository,
        branch=section.branch,
        path=section.list,
        workflow=section.workflow,
        between=(0.0, 0.0),
    )
    try:
        yield repository
    finally:
        repository.close()


async def _until_polling(polled: asyncio.Event, output: Path) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await polled.wait()
    except TimeoutError:
        raise BotError(f"the bot did not start: {_last_line(output)}") from None


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


@contextmanager
def sandbox_folder(data: Path | None) -> Iterator[Path]:
    """Yield the given folder, which is kept, or a temporary one."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="imageto-sandbox-") as made:
        yield Path(made)


async def serve(*, data: Path | None, say: Callable[[str], None], **options: Any) -> None:
    """Run until SIGTERM or Ctrl-C. `options` are those of `open_sandbox`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with sandbox_folder(data) as kept:
        running = asyncio.create_task(_run(kept, say, **options))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()


async def _run(
    data: Path,
    say: Callable[[str], None],
    *,
    bare: bool = False,
    internet: bool = False,
    **options: Any,
) -> None:
    async with open_sandbox(data=data, bare=bare, internet=internet, **options) as made:
        if bare:
            say(f"There is no bot yet: imageto-bot init --answers {data / ANSWERS}")
        if not internet:
            say("The source registry holds small stand-ins under well-known names.")
        say("People: wei and li may ask, ana is an admin, mallory has no rights.")
        say(f"sandbox ready: {made.address}")
        say("Open it in a browser. Ctrl-C ends everything.")
        await asyncio.Event().wait()
