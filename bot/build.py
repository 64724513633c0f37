"""Builds the parts of the bot from the config: adapters, polling, menus. Lanes: build_lanes.py.

Nothing is decided here, and nothing runs. What starts and stops the parts is in app.py.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.github.repository import MirrorRepository
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.harbor import Harbor
from bot.adapters.store import SqliteStore
from bot.adapters.telegram import SERVICE
from bot.adapters.telegram.chat import Menu, PollingBot
from bot.adapters.telegram.hearing import Hearing
from bot.adapters.telegram.polling import Polling, StoredOffset
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.words import Maintainer
from bot.clients import close, open_clients
from bot.config import Secrets, Settings
from bot.core.hold import Hold, with_blocks
from bot.core.policy import Policy, Role
from bot.core.registry import PullLimit
from bot.dialog.commands import menu_for
from bot.dialog.language import Language
from bot.dialog.message import say
from bot.engine.intake.context import Installation
from bot.engine.intake.updates import Intake
from bot.engine.outage import Outage
from bot.reload import Reload


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Adapters:
    """All adapters of a running bot."""

    bot: PollingBot
    repository: MirrorRepository
    registries: RegistryClient
    harbor: Harbor
    store: SqliteStore
    words: TelegramWords
    holds: Sequence[Hold] = ()
    """What admins hold since before these adapters were opened."""


@asynccontextmanager
async def open_adapters(settings: Settings, secrets: Secrets) -> AsyncIterator[Adapters]:
    """All adapters, closed at the end. Raises TransientError if the database cannot be opened."""
    store = await SqliteStore.open(Path(settings.database))
    try:
        async with open_clients(settings, secrets) as clients:
            words = make_words(settings)
            async with store.begin() as unit:
                holds = await unit.holds()
            yield Adapters(*clients, store, words, holds)
    finally:
        await close(store.close())


def make_words(settings: Settings) -> TelegramWords:
    part = settings.maintainer
    return TelegramWords(
        settings.zone(),
        maintainer=None if part is None else Maintainer(part.name, part.person),
        registries=settings.policy.registries,
    )


def policy_with_holds(settings: Settings, adapters: Adapters) -> Policy:
    """The policy of the config, without what admins have blocked."""
    return with_blocks(settings.policy_in_force(), adapters.holds)


def _installation(settings: Settings, adapters: Adapters, me: str) -> Installation:
    return Installation(
        policy=policy_with_holds(settings, adapters),
        access=settings.allow_lists(),
        target=settings.target_registry(),
        service=SERVICE,
        me=me,
        language=settings.telegram.language,
        kept_fresh=settings.fresh is not None,
        holds=adapters.holds,
        reasons=settings.policy.reasons,
        plain_http=settings.plain_http(),
    )


def make_polling(
    settings: Settings,
    adapters: Adapters,
    me: str,
    takeover: Takeover,
    *,
    hearing: Hearing,
    wake: Callable[[], None],
    reload: Reload,
) -> Polling:
    installation = _installation(settings, adapters, me)
    ahead = adapters.store.ahead()
    intake = Intake(
        store=ahead,
        installation=installation,
        clock=utc_now,
        wake=wake,
        budgets=lambda: budgets(adapters),
        workflow=adapters.repository.last_workflow,
        reload=reload,
        restart=reload.restart,
    )
    outage = Outage(
        service=SERVICE,
        store=adapters.store,
        chats=installation.access.chats,
        language=installation.language,
        clock=utc_now,
        wake=wake,
    )

    return Polling(
        bot=adapters.bot,
        words=adapters.words,
        receiver=intake,
        offset=StoredOffset(ahead),
        alive=outage.note_answer,
        turn=takeover,
        hearing=hearing,
        together=ahead.together,
    )


def budgets(adapters: Adapters) -> dict[str, PullLimit]:
    """The rate limits that each service reported last."""
    own = adapters.repository.budget()
    return {**adapters.registries.budgets(), **({"GitHub": own} if own is not None else {})}


def make_menus(settings: Settings, words: TelegramWords) -> list[Menu]:
    """The command menu in the language of the config for everybody, and in every language."""
    languages: list[tuple[Language, str | None]] = [(settings.telegram.language, None)]
    languages += [(language, str(language)[:2]) for language in Language]
    return [_menu(words, language, code) for language, code in languages]


def _menu(words: TelegramWords, language: Language, code: str | None) -> Menu:
    members, admins = (
        [
            (str(spec.name), words.plain(say(f"command-{spec.name}"), language))
            for spec in menu_for(role)
        ]
        for role in (Role.MEMBER, Role.ADMIN)
    )
    return Menu(code, members, admins)
