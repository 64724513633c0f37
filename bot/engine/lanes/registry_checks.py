"""The lane that asks registries: before a copy for the source, after a copy for the target.

Sources that the bot cannot reach, or shall not ask, are left to runs: see looks.py.

It sends HEAD. It sends GET for platforms and size only where an admin has to decide, or where the
registry has pulls to spare. Several checks run at a time per registry. A tick ends soon after its
longest check, so a registry that does not answer delays others by one check at most.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.decision import Verdict
from bot.core.errors import PullRefusedError, RefusedError, TransientError, UnsignedError
from bot.core.events import (
    CheckFailed,
    Denied,
    Event,
    Expired,
    Found,
    Held,
    Identical,
    Mismatch,
    Missing,
    Proof,
    Verified,
)
from bot.core.failures import Failure, FailureKind
from bot.core.image import ImageRef, Target
from bot.core.look import LOOKING
from bot.core.next_action import Action, next_action
from bot.core.policy import decide
from bot.core.registry import ImageInfo
from bot.core.retry import TroubleKind
from bot.core.sighting import LOOKED_AT_AGAIN
from bot.core.statement import StatementForm, statement_for
from bot.core.transfer import State, Transfer
from bot.engine.changes import named
from bot.engine.decided import Rules, look_for_signature, ruling_on
from bot.engine.lanes.lane import RecordUnit, TickResult, postpone, record_in
from bot.engine.lanes.looks import Looked, LooksByRun, LooksUnit, WhoLooks
from bot.engine.lanes.registry_health import SlowRegistries
from bot.engine.lanes.suggestions import suggest_images
from bot.engine.ports.decisions import DecisionsOnNames
from bot.engine.ports.fresh import TrackedNames
from bot.engine.ports.registries import Digests, Registries, Tags
from bot.engine.ports.sightings import Sightings
from bot.engine.ports.statements import AddsStatements
from bot.engine.ports.store import CopiedBefore, Store, TransfersToCheck
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

CHECKS_PER_REGISTRY: Final = 4
"""Checks at a time, for each registry, so that one that does not answer delays no other."""
CHECKS_PER_TICK: Final = 4 * CHECKS_PER_REGISTRY
"""Checks in one tick, for each registry. Those that have waited longest go first."""
TICK_PERIOD: Final = timedelta(seconds=5)
"""After this time a tick starts no more checks, so that new transfers get their turn."""
CHECK_PERIOD: Final = timedelta(hours=24)
VERIFY_TRIES: Final = 4
_ACTIONS: Final = frozenset({Action.CHECK, Action.EXPIRE, Action.VERIFY})


class RegistryChecksUnit(
    TransfersToCheck,
    RecordUnit,
    LooksUnit,
    CopiedBefore,
    DecisionsOnNames,
    TrackedNames,
    Sightings,
    AddsStatements,
    Protocol,
):
    """What this lane reads and writes."""


class RegistryChecksLane:
    def __init__(
        self,
        *,
        store: Store[RegistryChecksUnit],
        registries: Registries,
        rules: Rules,
        target: Target,
        who: WhoLooks,
        clock: Callable[[], datetime],
        statements: StatementForm | None = None,
    ) -> None:
        """`statements`: how what arrived is stated at the target. None: it is not."""
        self._store = store
        self._form = statements
        self._target = target
        self._who = who
        self._looks = LooksByRun(store, clock)
        self._registries = registries
        self._rules = rules
        self._clock = clock
        self._slow = SlowRegistries(clock)
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CHECKS_PER_REGISTRY)
        )

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Check each transfer that is due once."""
        now = self._clock()
        async with self._store.begin() as unit:
            transfers = await unit.due_checks(now, limit=CHECKS_PER_TICK)
            pulse = TickResult.OPEN if await unit.any_open_transfer() else TickResult.IDLE
        due = [t for t in transfers if next_action(t, now) in _ACTIONS]

        def over() -> bool:
            return stopped() or self._clock() - now > TICK_PERIOD

        moved = await asyncio.gather(*(self._check_one(transfer, over) for transfer in due))
        return TickResult.CHANGED if any(moved) else pulse

    async def _check_one(self, transfer: Transfer, over: Stopped) -> bool:
        async with self._places[self._asked_for(transfer)]:
            if over() or self._waits_for_target(transfer):
                return False
            event: Event | None
            try:
                event = await self._event(transfer)
            except TransientError as trouble:
                event = self._given_up(transfer, trouble)
                if event is None:
                    log.warning("%s: %s", named(transfer), trouble)
                    later = transfer.troubled(
                        self._clock(),
                        trouble.trouble,
                        seed=transfer.id,
                        retry_after=trouble.retry_after,
                    )
                    await postpone(self._store, transfer, later)
                    return True
            if event is None:  # a run looks at it, and that is stored
                return True
        async with self._store.begin() as unit:
            moved = await record_in(unit, transfer.id, event)
            if moved and self._form is not None and isinstance(event, Verified):
                await unit.add_statement(statement_for(transfer, self._form))
            return moved

    def _asked_for(self, transfer: Transfer) -> str:
        """The registry that is asked first for a transfer. Empty where it only expires."""
        match transfer.state:
            case State.CHECKING:
                return transfer.image.registry
            case State.VERIFYING:
                return self._target.host
            case _:
                return ""

    def _waits_for_target(self, transfer: Transfer) -> bool:
        """Whether to wait for a slow target. Verification has few tries: none may be wasted."""
        verifies = transfer.state is State.VERIFYING
        return verifies and self._slow.of(self._target.host) is not None

    async def _event(self, transfer: Transfer) -> Event | None:
        """None: a run has to look first."""
        match next_action(transfer, self._clock()):
            case Action.CHECK:
                return await self._check(transfer)
            case Action.VERIFY:
                return await self._verify(transfer)
            case _:
                return Expired(self._clock())

    def _given_up(self, transfer: Transfer, trouble: TransientError) -> Event | None:
        """The event after trouble that has lasted too long. None: try again later."""
        now = self._clock()
        match next_action(transfer, now):
            case Action.VERIFY if transfer.attempts + 1 >= VERIFY_TRIES:
                return Verified(now, Proof.RUN)  # the run has seen the target, the bot cannot
            case Action.CHECK if now - (transfer.held_until or transfer.opened_at) >= CHECK_PERIOD:
                return CheckFailed(now, Failure(FailureKind.NETWORK, str(trouble)))
            case _:
                return None

    async def _check(self, transfer: Transfer) -> Event | None:
        image = transfer.image
        ruling = decide(self._rules.policy, image)
        if ruling.verdict is Verdict.DENY:  # the policy changed since the request
            return Denied(self._clock(), ruling)
        shape = ruling.verdict is Verdict.ASK
        if self._who.by_run(image.registry, asked=transfer.trouble == LOOKING):
            return await self._by_run(transfer, shape=shape)
        try:
            self._expect_quick(image.registry, self._target.host)
            event = await self._look(transfer, self._registries)
        except UnsignedError as found:
            return CheckFailed(self._clock(), Failure(FailureKind.UNSIGNED, str(found)))
        except RefusedError as refusal:
            return CheckFailed(self._clock(), Failure(FailureKind.SOURCE_REFUSED, str(refusal)))
        except TransientError as trouble:
            if not self._who.lets_run(image.registry, trouble, tries=transfer.attempts + 1):
                raise
            return await self._by_run(transfer, shape=shape)
        self._who.reached(image.registry)
        return event

    def _expect_quick(self, *registries: str) -> None:
        """Raise the known trouble of one of them instead of waiting for it again."""
        known = self._slow.of(*registries)
        if known is not None:
            raise TransientError(known.line, kind=known.kind, who=known.who)

    async def _by_run(self, transfer: Transfer, *, shape: bool) -> Event | None:
        looks = await self._looks.at(transfer, shape=shape)
        if looks is None:
            return None
        failure = next((look.failure for look in looks.values() if look.failure), None)
        if failure is not None:
            return CheckFailed(self._clock(), failure)
        return await self._look(transfer, Looked(self._registries, looks))

    async def _look(self, transfer: Transfer, at: Looked | Registries) -> Event:
        """Resolve the image to a digest, on which the policy decides."""
        image = transfer.image
        digest = await self._at_source(at, image)
        if digest is None:
            meant = await self._suggested(at, image)
            return Missing(self._clock(), meant)
        there, pull_refusal = await self._at_target(at, image)
        if digest == there:
            return Identical(self._clock(), digest, pull_refusal)
        if image.tag and image.digest:
            tagged = replace(image, digest=None)
            named = await self._at_source(at, tagged)
            if named != digest:
                return _other_digest(self._clock(), image, tagged if named else None)
        return await self._decided(transfer, digest, there, at)

    async def _suggested(self, at: Tags, image: ImageRef) -> tuple[ImageRef, ...]:
        """What was probably meant by an image that its source lacks."""
        async with self._store.begin() as unit:
            listed = await unit.tracked_names()
        host = self._target.host
        return await suggest_images(at, image, target_host=host, listed=listed)

    async def _decided(
        self, transfer: Transfer, digest: str, there: str | None, at: Looked | Registries
    ) -> Event:
        """What the policy says of a digest that the target lacks. It may replace another one."""
        image = transfer.image
        look = look_for_signature(at, self._rules.policy, image, digest)
        signature = await self._slow.timed(image.registry, look)
        async with self._store.begin() as unit:
            replaced = there or (await unit.last_copied(image) if image.tag else None)
            ruling = await ruling_on(
                unit,
                self._rules,
                image,
                digest,
                transfer=transfer.id,
                replaced=replaced not in (None, digest),
                signature=signature,
            )
            now = self._clock()
            until = (await unit.saw(image, digest, now)).held_until(ruling.wait, now)
        if ruling.verdict is Verdict.DENY:
            return Denied(now, ruling)
        if until is not None:
            return Held(now, digest, until, min(until, now + LOOKED_AT_AGAIN))
        asks = ruling.verdict is Verdict.ASK
        wanted = asks or self._registries.spares(image.registry)
        shape = await self._shape(transfer, digest, at) if wanted else ImageInfo()
        now = self._clock()
        expires_at = now + self._rules.policy.expire_after
        seen = Found(now, digest, shape, ruling, expires_at, replaces=replaced)
        return replace(seen, signature=signature)

    async def _at_source(self, at: Digests, image: ImageRef) -> str | None:
        return await self._slow.timed(image.registry, at.source_digest(image))

    async def _at_target(self, at: Digests, image: ImageRef) -> tuple[str | None, str]:
        """The digest, if the target tells it, and why it lets nobody pull the image, if so."""
        try:
            return await self._target_digest(at, image), ""
        except PullRefusedError as why:  # by digest: it is there
            return image.digest if image.tag is None else None, str(why)
        except RefusedError:
            return None, ""  # the bot may not read the target: the workflow will compare

    async def _target_digest(self, at: Digests, image: ImageRef) -> str | None:
        return await self._slow.timed(self._target.host, at.target_digest(image))

    async def _shape(self, transfer: Transfer, digest: str, at: Looked | Registries) -> ImageInfo:
        """Platforms and size, shown to people only: on an error the check goes on without."""
        try:
            return await at.shape(transfer.image, digest)
        except (TransientError, RefusedError) as trouble:
            log.info("%s: its platforms and size are not known: %s", named(transfer), trouble)
            return ImageInfo()

    async def _verify(self, transfer: Transfer) -> Event:
        try:
            found = await self._target_digest(self._registries, transfer.image)
        except PullRefusedError as why:
            return Verified(self._clock(), Proof.RUN, str(why))
        except RefusedError:
            return Verified(self._clock(), Proof.RUN)
        if found == transfer.copied_digest:
            return Verified(self._clock(), Proof.TARGET)
        if transfer.attempts + 1 < VERIFY_TRIES:
            raise TransientError(
                f"the target has {found or 'nothing'} yet",
                kind=TroubleKind.BEHIND,
                who=self._target.host,
            )
        return Mismatch(self._clock(), found)


def _other_digest(now: datetime, image: ImageRef, tagged: ImageRef | None) -> Missing:
    """The tag names another digest at the source, or the source has no such tag: ask back.

    No spelling writes a digest under a tag that does not name it. `tagged` is the image by its tag
    alone, None where the source has no such tag.
    """
    alone = replace(image, tag=None)
    meant = (alone,) if tagged is None else (alone, tagged)
    return Missing(now, meant, Failure(FailureKind.OTHER_DIGEST))
