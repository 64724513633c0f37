"""The composition root: builds every part, and owns start and stop.

Nothing else builds an adapter, and nothing here decides anything.
"""

import asyncio
import contextlib
import gc
import logging
import os
import secrets as randomness
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot import __version__
from bot.adapters.github.repository import MirrorRepository
from bot.adapters.registry.client import RegistryClient
from bot.adapters.store import SqliteStore, last_beat
from bot.adapters.store.lock import alone
from bot.adapters.telegram.chat import (
    Menu,
    PollingBot,
    TelegramChat,
    introduce,
    make_bot,
    set_menus,
)
from bot.adapters.telegram.polling import Polling
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.words import LocaleWords
from bot.config import Secrets, Settings, source_logins
from bot.core.ids import ChatId, PersonId
from bot.core.policy import Role
from bot.core.registry import PullLimit
from bot.dialog.commands import menu_for
from bot.dialog.language import Language
from bot.dialog.message import say
from bot.engine.intake.context import Installation
from bot.engine.intake.updates import Intake
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import ChatLane
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.fresh import FreshLane
from bot.engine.lanes.fresh_news import FreshNews
from bot.engine.lanes.lane import Lane
from bot.engine.lanes.questions import QuestionsLane
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.lanes.registry_checks import RegistryChecksLane
from bot.engine.outage import HEARTBEAT, Outage
from bot.engine.shutdown import Shutdown

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 10.0
"""So long a stop waits for what is under way; the rest is left to the next start."""
CLOSE_SECONDS: Final = 2.0
SETTLED: Final = timedelta(seconds=90)
"""Who was heard by Telegram so lately goes on where it was: no other will have taken its turn."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clients:
    """The services of one process, within reach."""

    bot: PollingBot
    repository: MirrorRepository
    registries: RegistryClient


@dataclass(frozen=True, slots=True)
class Parts(Clients):
    """All adapters of a bot, open."""

    store: SqliteStore
    words: LocaleWords


@asynccontextmanager
async def opened(settings: Settings, secrets: Secrets) -> AsyncIterator[Parts]:
    """The adapters, closed again at the end. Raises TransientError where the database is shut."""
    store = await SqliteStore.open(Path(settings.database))
    try:
        async with connected(settings, secrets) as services:
            words = LocaleWords(settings.zone())
            yield Parts(services.bot, services.repository, services.registries, store, words)
    finally:
        await _closed(store.close())


@asynccontextmanager
async def connected(settings: Settings, secrets: Secrets) -> AsyncIterator[Clients]:
    """The services without the database: for who looks beside a running bot."""
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
        yield Clients(bot, repository, registries)
    finally:
        await _closed(bot.shutdown())
        repository.close()
        await _closed(registries.aclose())


async def _closed(closing: Coroutine[Any, Any, None]) -> None:
    """Nothing depends on a connection that closes well, and nobody waits for it for long."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


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
            "chat": ChatLane(
                store=parts.store,
                chat=chat,
                words=parts.words,
                target=target,
                language=language,
                clock=utc_now,
            ),
            "files": FilesLane(
                store=parts.store,
                chat=chat,
                words=parts.words,
                target=target,
                language=language,
                clock=utc_now,
            ),
            "questions": QuestionsLane(
                store=parts.store,
                registries=parts.registries,
                repository=parts.repository,
                words=parts.words,
                target=target,
                clock=utc_now,
            ),
            "registry_checks": RegistryChecksLane(
                store=parts.store,
                registries=parts.registries,
                policy=policy,
                target=target,
                clock=utc_now,
            ),
            "batches": BatchesLane(
                store=parts.store,
                repository=parts.repository,
                registries=parts.registries,
                patience=timedelta(seconds=settings.github.patience),
                clock=utc_now,
                new_id=lambda: randomness.token_hex(8),
            ),
            **_fresh(settings, parts),
        }
    )


def _fresh(settings: Settings, parts: Parts) -> dict[str, Lane]:
    """The lane that looks without being asked, where the config wants it."""
    plan = settings.plan()
    if plan is None:
        return {}
    language = settings.telegram.language
    news = FreshNews(words=parts.words, access=settings.access(), language=language)
    return {
        "fresh": FreshLane(
            store=parts.store,
            registries=parts.registries,
            repository=parts.repository,
            policy=settings.rules(),
            target=settings.place(),
            plan=plan,
            news=news,
            clock=utc_now,
        )
    }


async def run(settings: Settings, secrets: Secrets) -> None:
    """Serve until SIGTERM or SIGINT. What takes long goes on at the next start."""
    shutdown = Shutdown()
    _heed_signals(shutdown)
    work = asyncio.create_task(_work(settings, secrets, shutdown))
    told = asyncio.create_task(shutdown.wait())
    await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not work.done():
        log.info("stopping: what has begun is finished within %.0f s", STOP_SECONDS)
        await asyncio.wait({work}, timeout=STOP_SECONDS)
    if not work.done():
        log.warning("stopping: what is not finished goes on at the next start")
        work.cancel()
        await asyncio.wait({work}, timeout=CLOSE_SECONDS)
    if not work.done():
        _end_with_what_hangs()
    if not work.cancelled():
        work.result()


def _end_with_what_hangs() -> None:
    """A commit to a disk that stalls: Python would wait for its thread. As safe as a kill."""
    logging.shutdown()
    os._exit(0)


def _heed_signals(shutdown: Shutdown) -> None:
    """The first signal asks for a stop; another one means it."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def asked() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, _end_at_once)
        shutdown.request()

    for number in numbers:
        loop.add_signal_handler(number, asked)


def _end_at_once(number: int, _frame: object) -> None:
    """As safe as a kill. Not the default handler: as a container's first process we have none."""
    os._exit(128 + number)


async def _work(settings: Settings, secrets: Secrets, shutdown: Shutdown) -> None:
    log.info("version %s starts", __version__)
    async with AsyncExitStack() as stack:
        database = Path(settings.database)
        if await shutdown.unless_requested(stack.enter_async_context(alone(database))) is None:
            return
        parts = await stack.enter_async_context(opened(settings, secrets))
        gc.freeze()  # what is here by now stays: to look through it again stops everything
        await _serve(settings, parts, shutdown)


async def _serve(settings: Settings, parts: Parts, shutdown: Shutdown) -> None:
    reconciler = make_reconciler(settings, parts)
    settled = _is_settled(Path(settings.database))
    reconciler.hold(held=not settled)  # another bot may be at the same work: the polling will tell
    async with asyncio.TaskGroup() as group:
        group.create_task(reconciler.run(shutdown))
        me = await shutdown.unless_requested(introduce(parts.bot))
        if me is None:
            return
        log.info("I am @%s; mirror repository %s", me, settings.github.repository)
        group.create_task(shutdown.unless_requested(_menus(settings, parts)))
        turn = Takeover(settled=settled, hold=lambda held: reconciler.hold(held=held))
        await _polling(settings, parts, me, turn, wake=reconciler.wake).run(shutdown)


def _is_settled(database: Path) -> bool:
    last = last_beat(database, HEARTBEAT)
    return last is not None and abs(utc_now() - last) <= SETTLED


def _polling(
    settings: Settings, parts: Parts, me: str, turn: Takeover, *, wake: Callable[[], None]
) -> Polling:
    installation = Installation(
        policy=settings.rules(),
        access=settings.access(),
        target=settings.place(),
        me=me,
        language=settings.telegram.language,
        kept_fresh=settings.fresh is not None,
    )
    ahead = parts.store.ahead()
    intake = Intake(
        store=ahead,
        words=parts.words,
        installation=installation,
        clock=utc_now,
        wake=wake,
        budgets=lambda: _budgets(parts),
    )
    outage = Outage(
        store=parts.store,
        words=parts.words,
        chats=installation.access.chats,
        language=installation.language,
        clock=utc_now,
        wake=wake,
    )

    async def next_update() -> int:
        async with ahead.begin() as unit:
            return await unit.last_update() + 1

    return Polling(
        bot=parts.bot,
        receiver=intake,
        next_update=next_update,
        alive=outage.note_answer,
        turn=turn,
        together=ahead.together,
    )


def _budgets(parts: Parts) -> dict[str, PullLimit]:
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
    members, admins = (
        [
            (str(spec.name), parts.words.plain(say(f"command-{spec.name}"), language))
            for spec in menu_for(role)
        ]
        for role in (Role.MEMBER, Role.ADMIN)
    )
    return Menu(code, members, admins)
