"""Builds the parts of the bot from the config: adapters and intake. Lanes: build_lanes.py.

Nothing is decided here, and nothing runs. What starts and stops the parts is in app.py.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.adapters.github.issues.api import IssueRepository
from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.harbor import Harbor
from bot.adapters.store import SqliteStore
from bot.adapters.telegram.chat import PollingBot
from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.words import Maintainer
from bot.build_issues import Issues, make_issues
from bot.clients import close, open_clients
from bot.config import Secrets, Settings
from bot.core.hold import Hold, with_blocks
from bot.core.ids import service_of
from bot.core.policy import Policy
from bot.core.registry import PullLimit
from bot.core.service import Service
from bot.engine.intake.context import Installation
from bot.engine.intake.rate_limit import RateLimit
from bot.engine.intake.updates import Intake
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.outage import Outage
from bot.engine.ports.store import Store
from bot.reload import Reload

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Adapters:
    """All adapters of a running bot."""

    bot: PollingBot | None
    repository: IssueRepository
    registries: RegistryClient
    harbor: Harbor
    store: SqliteStore
    words: TelegramWords
    issues: Issues | None = None
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
            yield Adapters(*clients, store, words, make_issues(settings, clients[1]), holds)
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


@dataclass(frozen=True, slots=True)
class Running:
    """What the services share, from one start of the parts to the next."""

    settings: Settings
    adapters: Adapters
    reconciler: Reconciler
    reload: Reload
    rate_limit: RateLimit = field(default_factory=RateLimit)

    def log_name(self, name: str) -> None:
        log.info("bot %s serves mirror repository %s", name, self.settings.github.repository)


def make_intake(
    running: Running,
    store: Store[Any],
    service: Service,
    me: str,
    adapted: Callable[[Installation], Installation] = lambda installation: installation,
) -> Intake:
    """The intake of a service, where the bot is called `me`. `adapted`: what is other there."""
    settings, adapters, reload = running.settings, running.adapters, running.reload
    installation = Installation(
        policy=policy_with_holds(settings, adapters),
        access=settings.allow_lists(),
        target=settings.target_registry(),
        service=service,
        me=me,
        language=settings.language,
        kept_fresh=settings.fresh is not None,
        holds=adapters.holds,
        reasons=settings.policy.reasons,
        approvals=settings.approvals,
        plain_http=settings.plain_http(),
    )
    return Intake(
        store=store,
        installation=adapted(installation),
        clock=utc_now,
        wake=running.reconciler.wake,
        rate_limit=running.rate_limit,
        budgets=lambda: budgets(adapters),
        workflow=adapters.repository.last_workflow,
        reload=reload,
        restart=reload.restart,
    )


def make_outage(running: Running, service: Service) -> Outage:
    chats = running.settings.allow_lists().chats
    return Outage(
        service=service,
        store=running.adapters.store,
        chats=[chat for chat in chats if service_of(chat) == service.name],
        language=running.settings.language,
        clock=utc_now,
        wake=running.reconciler.wake,
    )


def budgets(adapters: Adapters) -> dict[str, PullLimit]:
    """The rate limits that each service reported last."""
    own = adapters.repository.budget()
    return {**adapters.registries.budgets(), **({"GitHub": own} if own is not None else {})}
