"""Builds the parts of the bot from the config: adapters, lanes, polling, menus.

Nothing is decided here, and nothing runs. What starts and stops the parts is in app.py.
"""

import secrets as randomness
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.store import SqliteStore
from bot.adapters.telegram.chat import Menu, TelegramChat
from bot.adapters.telegram.polling import Polling
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.wish_file import WishFile
from bot.adapters.words import LocaleWords, Maintainer
from bot.clients import Services, close, open_services
from bot.config import Secrets, Settings
from bot.core.hold import Hold, pause_of, with_blocks
from bot.core.ids import Place
from bot.core.policy import Policy, Role
from bot.core.registry import PullLimit
from bot.dialog.commands import menu_for
from bot.dialog.language import Language
from bot.dialog.message import say
from bot.engine.decided import Rules
from bot.engine.intake.context import Installation
from bot.engine.intake.updates import Intake
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import ChatLane
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.fresh import FreshLane
from bot.engine.lanes.fresh_news import FreshNews
from bot.engine.lanes.fresh_offers import FreshOffers
from bot.engine.lanes.fresh_updates import FreshUpdates
from bot.engine.lanes.hand_written import HandWrittenLane
from bot.engine.lanes.lane import Lane
from bot.engine.lanes.paused import Paused
from bot.engine.lanes.questions import QuestionsLane
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.lanes.registry_checks import RegistryChecksLane
from bot.engine.lanes.retention import RetentionLane
from bot.engine.lanes.wishes import WishesLane
from bot.engine.lanes.workflow import WorkflowLane
from bot.engine.outage import Outage
from bot.engine.ports.repository import Repository
from bot.reload import Reload


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Adapters(Services):
    """All adapters of a running bot."""

    store: SqliteStore
    words: LocaleWords
    holds: Sequence[Hold] = ()
    """What admins hold since before these adapters were opened."""


@asynccontextmanager
async def open_adapters(settings: Settings, secrets: Secrets) -> AsyncIterator[Adapters]:
    """All adapters, closed at the end. Raises TransientError if the database cannot be opened."""
    store = await SqliteStore.open(Path(settings.database))
    try:
        async with open_services(settings, secrets) as services:
            words = make_words(settings)
            async with store.begin() as unit:
                holds = await unit.holds()
            yield Adapters(
                services.bot, services.repository, services.registries, store, words, holds
            )
    finally:
        await close(store.close())


def make_words(settings: Settings) -> LocaleWords:
    part = settings.maintainer
    return LocaleWords(
        settings.zone(),
        maintainer=None if part is None else Maintainer(part.name, part.id),
        registries=settings.policy.registries,
    )


def _written(adapters: Adapters) -> Repository:
    """The mirror repository for the lane that writes to it."""
    held = pause_of(adapters.holds) is not None
    return Paused(adapters.repository) if held else adapters.repository


def _policy(settings: Settings, adapters: Adapters) -> Policy:
    return with_blocks(settings.policy_in_force(), adapters.holds)


def _rules(settings: Settings, adapters: Adapters) -> Rules:
    return Rules(_policy(settings, adapters), settings.allow_lists().admins)


def make_reconciler(
    settings: Settings, secrets: Secrets, adapters: Adapters, restart: Callable[[], None]
) -> Reconciler:
    """All lanes. `restart` starts all parts anew, after what admins hold has changed."""
    return Reconciler(
        {
            **_chat_lanes(settings, adapters),
            "registry_checks": RegistryChecksLane(
                store=adapters.store,
                registries=adapters.registries,
                rules=_rules(settings, adapters),
                target=settings.target_registry(),
                clock=utc_now,
            ),
            "batches": _batches_lane(settings, secrets, adapters),
            "retention": RetentionLane(
                store=adapters.store, keep=timedelta(days=settings.retention_days), clock=utc_now
            ),
            "workflow": WorkflowLane(repository=adapters.repository, clock=utc_now),
            "wishes": WishesLane(
                store=adapters.store,
                wishes=WishFile(Path(settings.database)),
                rules=Rules(settings.policy_in_force(), settings.allow_lists().admins),
                clock=utc_now,
                restart=restart,
            ),
            "hand_written": _hand_written_lane(settings, adapters),
            **_fresh_lane(settings, adapters),
        }
    )


def _chat_lanes(settings: Settings, adapters: Adapters) -> dict[str, Lane]:
    """The lanes that people hear from. Cards first: they show "being checked" before the result."""
    chat, target, language = (
        TelegramChat(adapters.bot),
        settings.target_registry(),
        settings.telegram.language,
    )
    return {
        "chat": ChatLane(
            store=adapters.store,
            chat=chat,
            words=adapters.words,
            target=target,
            language=language,
            clock=utc_now,
            policy=settings.policy_in_force(),
            admins=settings.allow_lists().admins,
            reasons=settings.policy.reasons,
        ),
        "files": FilesLane(
            store=adapters.store,
            chat=chat,
            words=adapters.words,
            target=target,
            language=language,
            clock=utc_now,
        ),
        "questions": QuestionsLane(
            store=adapters.store,
            registries=adapters.registries,
            repository=adapters.repository,
            words=adapters.words,
            target=target,
            floating=settings.policy_in_force().floating,
            clock=utc_now,
        ),
    }


def _hand_written_lane(settings: Settings, adapters: Adapters) -> HandWrittenLane:
    """The lane that tells the admins of lines written by hand, where alarms go."""
    plan = settings.fresh_plan()
    return HandWrittenLane(
        store=adapters.store,
        repository=adapters.repository,
        words=adapters.words,
        policy=settings.policy_in_force(),
        place=Place(settings.telegram.chats[0] if plan is None else plan.alarms),
        language=settings.telegram.language,
        clock=utc_now,
    )


def _batches_lane(settings: Settings, secrets: Secrets, adapters: Adapters) -> BatchesLane:
    return BatchesLane(
        store=adapters.store,
        repository=_written(adapters),
        registries=adapters.registries,
        admission=BatchAdmission(_rules(settings, adapters)),
        key=bytes.fromhex(secrets.decision_key.get_secret_value()),
        patience=timedelta(seconds=settings.github.patience),
        clock=utc_now,
        new_id=lambda: randomness.token_hex(8),
    )


def _fresh_lane(settings: Settings, adapters: Adapters) -> dict[str, Lane]:
    """The lane that keeps listed images fresh, if the config has the section `fresh`."""
    plan = settings.fresh_plan()
    if plan is None:
        return {}
    access, policy = settings.allow_lists(), _policy(settings, adapters)
    news = FreshNews(words=adapters.words, access=access, language=settings.telegram.language)
    updates = FreshUpdates(
        store=adapters.store, rules=_rules(settings, adapters), plan=plan, clock=utc_now
    )
    offers = FreshOffers(
        store=adapters.store,
        rules=_rules(settings, adapters),
        chats=access.chats,
        plan=plan,
        clock=utc_now,
    )
    return {
        "fresh": FreshLane(
            store=adapters.store,
            registries=adapters.registries,
            repository=adapters.repository,
            policy=policy,
            target=settings.target_registry(),
            plan=plan,
            news=news,
            updates=updates,
            offers=offers,
            clock=utc_now,
        )
    }


def _installation(settings: Settings, adapters: Adapters, me: str) -> Installation:
    return Installation(
        policy=_policy(settings, adapters),
        access=settings.allow_lists(),
        target=settings.target_registry(),
        me=me,
        language=settings.telegram.language,
        kept_fresh=settings.fresh is not None,
        holds=adapters.holds,
        reasons=settings.policy.reasons,
    )


def make_polling(
    settings: Settings,
    adapters: Adapters,
    me: str,
    takeover: Takeover,
    *,
    wake: Callable[[], None],
    reload: Reload,
) -> Polling:
    installation = _installation(settings, adapters, me)
    ahead = adapters.store.ahead()
    intake = Intake(
        store=ahead,
        words=adapters.words,
        installation=installation,
        clock=utc_now,
        wake=wake,
        budgets=lambda: _budgets(adapters),
        workflow=adapters.repository.last_workflow,
        reload=reload,
        restart=reload.restart,
    )
    outage = Outage(
        store=adapters.store,
        words=adapters.words,
        chats=installation.access.chats,
        language=installation.language,
        clock=utc_now,
        wake=wake,
    )

    async def next_update() -> int:
        async with ahead.begin() as unit:
            return await unit.last_update() + 1

    return Polling(
        bot=adapters.bot,
        receiver=intake,
        next_update=next_update,
        alive=outage.note_answer,
        turn=takeover,
        together=ahead.together,
    )


def _budgets(adapters: Adapters) -> dict[str, PullLimit]:
    """The rate limits that each service reported last."""
    own = adapters.repository.budget()
    return {**adapters.registries.budgets(), **({"GitHub": own} if own is not None else {})}


def make_menus(settings: Settings, words: LocaleWords) -> list[Menu]:
    """The command menu in the language of the config for everybody, and in every language."""
    languages: list[tuple[Language, str | None]] = [(settings.telegram.language, None)]
    languages += [(language, str(language)[:2]) for language in Language]
    return [_menu(words, language, code) for language, code in languages]


def _menu(words: LocaleWords, language: Language, code: str | None) -> Menu:
    members, admins = (
        [
            (str(spec.name), words.plain(say(f"command-{spec.name}"), language))
            for spec in menu_for(role)
        ]
        for role in (Role.MEMBER, Role.ADMIN)
    )
    return Menu(code, members, admins)
