"""The composition root: builds every part, and owns start and stop.

Nothing else builds an adapter, and nothing here decides anything.
"""

import asyncio
import contextlib
import logging
import secrets as randomness
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.adapters.github import MirrorRepository
from bot.adapters.registry import RegistryClient
from bot.adapters.store import SqliteStore
from bot.adapters.telegram import (
    Menu,
    PollingBot,
    TelegramChat,
    introduce,
    make_bot,
    set_menus,
)
from bot.adapters.telegram_updates import Polling
from bot.adapters.words import LocaleWords
from bot.config import Secrets, Settings, source_logins
from bot.core.commands import COMMANDS
from bot.core.facts import Budget, ChatId, PersonId
from bot.core.language import Language
from bot.core.message import say
from bot.engine.batches import Batches
from bot.engine.case import House
from bot.engine.checks import Checks
from bot.engine.inquiries import Inquiries
from bot.engine.intake import Intake
from bot.engine.readings import Readings
from bot.engine.reconcile import Reconciler
from bot.engine.talk import Talk

log = logging.getLogger(__name__)

BEAT: Final = "poll"
STOP_SECONDS: Final = 10


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters of one process, open."""

    store: SqliteStore
    bot: PollingBot
    repository: MirrorRepository
    registries: RegistryClient
    words: LocaleWords


@asynccontextmanager
async def opened(settings: Settings, secrets: Secrets) -> AsyncIterator[Parts]:
    """The adapters, closed again at the end. Raises Temporary where the database cannot open."""
    store = await SqliteStore.open(Path(settings.database))
    registries = RegistryClient(
        addresses=settings.addresses,
        target=settings.place(),
        allowed=frozenset(settings.policy.registries),
        target_login=secrets.target_login(),
        source_logins=source_logins(secrets),
    )
    repository = make_repository(settings, secrets)
    bot = make_bot(secrets.telegram_token.get_secret_value(), settings.telegram.api)
    try:
        yield Parts(store, bot, repository, registries, LocaleWords(settings.zone()))
    finally:
        with contextlib.suppress(Exception):  # closing connections: nothing depends on it
            await bot.shutdown()
        repository.close()
        await registries.aclose()
        await store.close()


def make_repository(settings: Settings, secrets: Secrets) -> MirrorRepository:
    part = settings.github
    return MirrorRepository(
        api=part.api,
        token=secrets.github_token.get_secret_value(),
        repository=part.repository,
        branch=part.branch,
        path=part.list,
        workflow=part.workflow,
    )


def make_reconciler(settings: Settings, parts: Parts) -> Reconciler:
    target, policy = settings.place(), settings.rules()
    chat, language = TelegramChat(parts.bot), settings.telegram.language
    return Reconciler(
        {
            # First: a card says that a request is being checked before it says what came of it.
            "talk": Talk(
                store=parts.store,
                chat=chat,
                words=parts.words,
                target=target,
                language=language,
                clock=utc_now,
            ),
            "readings": Readings(
                store=parts.store,
                chat=chat,
                words=parts.words,
                target=target,
                language=language,
                clock=utc_now,
            ),
            "inquiries": Inquiries(
                store=parts.store,
                registries=parts.registries,
                repository=parts.repository,
                words=parts.words,
                target=target,
                clock=utc_now,
            ),
            "checks": Checks(
                store=parts.store,
                registries=parts.registries,
                policy=policy,
                target=target,
                clock=utc_now,
            ),
            "batches": Batches(
                store=parts.store,
                repository=parts.repository,
                registries=parts.registries,
                patience=timedelta(seconds=settings.github.patience),
                clock=utc_now,
                new_id=lambda: randomness.token_hex(8),
            ),
        }
    )


async def run(settings: Settings, secrets: Secrets) -> None:
    """Serve until SIGTERM or SIGINT. What is under way goes on at the next start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with opened(settings, secrets) as parts:
        serving = asyncio.create_task(_serve(settings, parts))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not serving.done():
            log.info("stopping; what is under way goes on at the next start")
            serving.cancel()
            await asyncio.wait({serving}, timeout=STOP_SECONDS)
        if serving.done() and not serving.cancelled():
            serving.result()


async def _serve(settings: Settings, parts: Parts) -> None:
    reconciler = make_reconciler(settings, parts)
    async with asyncio.TaskGroup() as group:
        group.create_task(reconciler.run())
        me = await introduce(parts.bot)
        log.info("I am @%s; mirror repository %s", me, settings.github.repository)
        group.create_task(_menus(settings, parts))
        await _polling(settings, parts, me, reconciler).run()


def _polling(settings: Settings, parts: Parts, me: str, reconciler: Reconciler) -> Polling:
    house = House(
        policy=settings.rules(),
        access=settings.access(),
        target=settings.place(),
        me=me,
        language=settings.telegram.language,
    )
    intake = Intake(
        store=parts.store.ahead(),
        words=parts.words,
        house=house,
        clock=utc_now,
        wake=reconciler.wake,
        budgets=lambda: _budgets(parts),
    )

    async def next_update() -> int:
        async with parts.store.ahead().begin() as unit:
            return await unit.last_update() + 1

    async def alive() -> None:
        await parts.store.beat(BEAT, utc_now())

    return Polling(bot=parts.bot, receiver=intake, next_update=next_update, alive=alive)


def _budgets(parts: Parts) -> dict[str, Budget]:
    """What each service still allows us, as it said last."""
    own = parts.repository.budget()
    return {**parts.registries.budgets(), **({"GitHub": own} if own is not None else {})}


async def _menus(settings: Settings, parts: Parts) -> None:
    await set_menus(
        parts.bot,
        menus=[
            _menu(parts, settings.telegram.language, None),
            *(_menu(parts, language, str(language)[:2]) for language in Language),
        ],
        chats=[ChatId(chat) for chat in settings.telegram.chats],
        admin_ids=[PersonId(person) for person in settings.telegram.admins],
    )


def _menu(parts: Parts, language: Language, code: str | None) -> Menu:
    rows = [
        (spec, (str(spec.name), parts.words.plain(say(f"command-{spec.name}"), language)))
        for spec in COMMANDS
        if spec.in_menu
    ]
    everybody = [row for spec, row in rows if not spec.admins_only]
    return Menu(code, everybody, [row for _, row in rows])
