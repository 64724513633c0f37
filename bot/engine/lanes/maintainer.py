"""The lane that tells the maintainer of defects: what they alone can mend, and each only once.

It reads what other lanes have found, and what the services said in passing. It asks nobody, but for
the quotas and the login of the target: these it looks at once a day.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.defect import (
    Defect,
    DefectKind,
    Found,
    ends_soon,
    look,
    nearly_full,
    refused_by_target,
    refused_statement,
    silent_runner,
    together,
)
from bot.core.errors import BotError
from bot.core.ids import ChatId, PersonId, Place
from bot.core.quiet_hours import QuietHours
from bot.core.retry import has_passed
from bot.dialog.defects import defects
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.defects import Defects
from bot.engine.ports.outbox import Instead, NewNotes
from bot.engine.ports.registries import KnowsLogins, LooksAtTarget, TargetState
from bot.engine.ports.repository import InstalledWorkflow, KnowsToken, WorkflowState
from bot.engine.ports.statements import RefusedStatements
from bot.engine.ports.store import KnownPeople, OpenBatches, Store
from bot.engine.shutdown import Stopped, never
from bot.engine.view_loader import language_of

log = logging.getLogger(__name__)

LOOK_INTERVAL: Final = timedelta(minutes=1)
TARGET_INTERVAL: Final = timedelta(days=1)
TARGET_RETRY: Final = timedelta(hours=1)
COPIES_READ: Final = 20
_OF_WORKFLOW: Final = {
    WorkflowState.MISSING: DefectKind.WORKFLOW_MISSING,
    WorkflowState.OFF: DefectKind.WORKFLOW_OFF,
    WorkflowState.DIFFERS: DefectKind.WORKFLOW_DIFFERS,
}


class MaintainerUnit(Defects, OpenBatches, KnownPeople, NewNotes, RefusedStatements, Protocol):
    """What this lane reads and writes."""


class GitHub(KnowsToken, InstalledWorkflow, Protocol):
    """What GitHub said in passing."""


@dataclass(frozen=True, slots=True)
class ToldWhere:
    """Whom to tell: `person` in private, or the chat where they are not known or do not listen."""

    chat: ChatId
    person: PersonId | None
    language: Language
    quiet: QuietHours | None


class MaintainerLane:
    def __init__(
        self,
        *,
        store: Store[MaintainerUnit],
        github: GitHub,
        registries: KnowsLogins,
        target: LooksAtTarget,
        host: str,
        where: ToldWhere,
        clock: Callable[[], datetime],
    ) -> None:
        """`host`: of the target, as `registries` names it."""
        self._store = store
        self._github = github
        self._registries = registries
        self._target = target
        self._host = host
        self._where = where
        self._clock = clock
        self._looked_at: datetime | None = None
        self._next_look_at_target: datetime | None = None
        self._state: TargetState | None = None

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Look if it is due, and store what to tell."""
        now = self._clock()
        if stopped() or not (
            self._looked_at is None or has_passed(LOOK_INTERVAL, self._looked_at, now)
        ):
            return TickResult.IDLE
        self._looked_at = now
        await self._look_at_target(now)
        found = self._in_passing(now)
        async with self._store.begin() as unit:
            found = together(
                found,
                silent_runner(await unit.open_batches(), now),
                refused_by_target(await unit.last_copies(limit=COPIES_READ)),
                refused_statement(await unit.last_refusal()),
            )
            told = await self._compare(unit, found, now)
        return TickResult.CHANGED if told else TickResult.IDLE

    async def _look_at_target(self, now: datetime) -> None:
        due = self._next_look_at_target
        if due is not None and due - TARGET_INTERVAL <= now < due:
            return
        try:
            self._state = await self._target()
            self._next_look_at_target = now + TARGET_INTERVAL
        except BotError as trouble:
            log.info("the quotas of the target are not known: %s", trouble)
            self._next_look_at_target = now + TARGET_RETRY

    def _in_passing(self, now: datetime) -> Found:
        token, state = self._github.token(), self._github.last_workflow()
        found: dict[str, Defect | None] = {}
        if token.accepted is not None:
            found |= _one(DefectKind.GITHUB_TOKEN, there=not token.accepted)
        if token.accepted:
            found |= ends_soon(DefectKind.GITHUB_EXPIRY, token.ends, now)
        if state is not None:
            found |= dict.fromkeys(map(str, _OF_WORKFLOW.values()))
            found |= _one(_OF_WORKFLOW[state]) if state in _OF_WORKFLOW else {}
        for registry, accepted in self._registries.logins().items():
            found |= _of_login(registry, self._host, there=not accepted)
        if self._state is not None:
            found |= nearly_full(self._state.quotas)
            found |= ends_soon(DefectKind.TARGET_EXPIRY, self._state.ends, now)
        return found

    async def _compare(self, unit: MaintainerUnit, found: Found, now: datetime) -> bool:
        quiet = self._where.quiet is not None and self._where.quiet.covers(now)
        looked = look(await unit.defects(), found, now, quiet=quiet)
        for defect in looked.save:
            await unit.save_defect(defect)
        for key in looked.drop:
            await unit.drop_defect(key)
        if looked.tell:
            log.info("the maintainer is told: %s", ", ".join(each.key for each in looked.tell))
            await self._tell(unit, looked.tell)
        return bool(looked.tell)

    async def _tell(self, unit: MaintainerUnit, found: Sequence[Defect]) -> None:
        where = self._where
        public = Text(defects(found, private=False), where.language)
        if where.person is None:
            await unit.add_note(Place(where.chat), public, reply_to=None)
            return
        place = Place(ChatId(where.person))
        language = await language_of(unit, place, where.person, otherwise=where.language)
        text = Text(defects(found, private=True), language)
        await unit.add_note(place, text, reply_to=None, instead=Instead(where.chat, public))


def _one(kind: DefectKind, where: str = "", *, there: bool = True) -> Found:
    defect = Defect(kind, where)
    return {defect.key: defect if there else None}


def _of_login(registry: str, target: str, *, there: bool) -> Found:
    if registry == target:
        return _one(DefectKind.TARGET_LOGIN, there=there)
    return _one(DefectKind.SOURCE_LOGIN, registry, there=there)
