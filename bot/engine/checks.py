"""The lane that asks registries: before a copy what is there, after it what arrived.

Looks only by HEAD, and by GET for the platforms and the size where an admin is to decide or the
registry can spare it. Several at a time; one slow registry holds up nobody's card.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.core.facts import Shape
from bot.core.failures import Failure, FailureKind
from bot.core.image import Target
from bot.core.policy import Policy, Verdict, decide, decide_moved
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import (
    Action,
    Denied,
    Event,
    Expired,
    Found,
    Identical,
    Mismatch,
    Missing,
    Proof,
    Refused,
    Transfer,
    Verified,
    next_action,
)
from bot.core.trouble import TroubleKind
from bot.engine.halt import Stopped, never
from bot.engine.lanes import Pulse, postpone, record
from bot.engine.meaning import meant_by
from bot.engine.ports import Registries, Store
from bot.errors import Refused as RefusedError
from bot.errors import Temporary

log = logging.getLogger(__name__)

AT_ONCE: Final = 4
MOST: Final = 4 * AT_ONCE
"""Of more than these a tick takes the oldest: whoever comes meanwhile is seen by the next one."""
GIVE_UP_AFTER: Final = timedelta(hours=24)
VERIFY_TRIES: Final = 4
_OURS: Final = frozenset({Action.CHECK, Action.EXPIRE, Action.VERIFY})


class Checks:
    def __init__(
        self,
        *,
        store: Store,
        registries: Registries,
        policy: Policy,
        target: Target,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._target = target
        self._registries = registries
        self._policy = policy
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)

    async def tick(self, stopped: Stopped = never) -> Pulse:
        """One look at every transfer that is owed one."""
        now = self._clock()
        async with self._store.begin() as unit:
            transfers = await unit.due_looks(now, limit=MOST)
            pulse = Pulse.OPEN if await unit.any_open() else Pulse.IDLE
        due = [t for t in transfers if next_action(t, now) in _OURS]
        moved = await asyncio.gather(*(self._look(transfer, stopped) for transfer in due))
        return Pulse.MOVED if any(moved) else pulse

    async def _look(self, transfer: Transfer, stopped: Stopped) -> bool:
        async with self._places:
            if stopped():
                return False
            event: Event | None
            try:
                event = await self._event(transfer)
            except Temporary as trouble:
                event = self._given_up(transfer, trouble)
                if event is None:
                    log.warning("transfer %d: %s", transfer.id, trouble)
                    later = transfer.postponed(
                        self._clock(), trouble=trouble.trouble, retry_after=trouble.retry_after
                    )
                    await postpone(self._store, transfer, later)
                    return True
        moved = await record(self._store, transfer.id, event)
        log.info("transfer %d: %s", transfer.id, type(event).__name__)
        return moved

    async def _event(self, transfer: Transfer) -> Event:
        match next_action(transfer, self._clock()):
            case Action.CHECK:
                return await self._check(transfer)
            case Action.VERIFY:
                return await self._verify(transfer)
            case _:
                return Expired(self._clock())

    def _given_up(self, transfer: Transfer, trouble: Temporary) -> Event | None:
        """What a trouble comes to that has lasted too long; None: try again later."""
        now = self._clock()
        match next_action(transfer, now):
            case Action.VERIFY if transfer.attempts + 1 >= VERIFY_TRIES:
                return Verified(now, Proof.RUN)  # the target is out of our sight, not of the run's
            case Action.CHECK if now - transfer.opened_at >= GIVE_UP_AFTER:
                return Refused(now, Failure(FailureKind.NETWORK, str(trouble)))
            case _:
                return None

    async def _check(self, transfer: Transfer) -> Event:
        image = transfer.image
        decision = decide(self._policy, image)
        if decision.verdict is Verdict.DENY:  # the policy changed since the request
            return Denied(self._clock(), decision)
        try:
            source = await self._registries.source_digest(image)
        except RefusedError as refusal:
            return Refused(self._clock(), Failure(FailureKind.SOURCE_REFUSED, str(refusal)))
        if source is None:
            meant = await meant_by(self._registries, image, target_host=self._target.host)
            return Missing(self._clock(), meant)
        there = await self._at_target(transfer)
        if source == there:
            return Identical(self._clock(), source)
        if there and tag_class(image) is TagClass.VERSION:
            decision = decide_moved(self._policy, decision)
        asks = decision.verdict is Verdict.ASK
        wanted = asks or self._registries.spares(image.registry)
        shape = await self._shape(transfer, source) if wanted else Shape()
        now = self._clock()
        expires_at = now + self._policy.expire_after
        return Found(now, source, shape, decision, expires_at, replaces=there)

    async def _at_target(self, transfer: Transfer) -> str | None:
        try:
            return await self._registries.target_digest(transfer.image)
        except RefusedError:
            return None  # a target that we may not read: the workflow will compare

    async def _shape(self, transfer: Transfer, digest: str) -> Shape:
        """For people's eyes only: where it cannot be had, things go on without."""
        try:
            return await self._registries.shape(transfer.image, digest)
        except (Temporary, RefusedError) as trouble:
            log.info("transfer %d: no shape: %s", transfer.id, trouble)
            return Shape()

    async def _verify(self, transfer: Transfer) -> Event:
        try:
            found = await self._registries.target_digest(transfer.image)
        except RefusedError:
            return Verified(self._clock(), Proof.RUN)
        if found == transfer.copied_digest:
            return Verified(self._clock(), Proof.TARGET)
        if transfer.attempts + 1 < VERIFY_TRIES:
            raise Temporary(
                f"the target has {found or 'nothing'} yet",
                kind=TroubleKind.BEHIND,
                who=self._target.host,
            )
        return Mismatch(self._clock(), found)
