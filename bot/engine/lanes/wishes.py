"""The lane that carries out what commands on the host wish: see bot/wishes.py.

It writes to the database alone. After a kill or trouble wishes are carried out once more, which
changes nothing that was done.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.core.errors import RefusedError
from bot.core.hold import HoldKind, with_blocks
from bot.core.ids import BOT_ITSELF, PersonId
from bot.core.image import ImageRef
from bot.engine.decided import Rules
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.decisions import ForgetsPeople
from bot.engine.ports.holds import Holds
from bot.engine.ports.store import Store
from bot.engine.ports.wishes import Wish, Wishes, WishKind
from bot.engine.refill import RefillUnit, refill
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)


class WishUnit(Holds, ForgetsPeople, RefillUnit, Protocol):
    """What wishes read and write."""


class WishesLane:
    def __init__(
        self,
        *,
        store: Store[WishUnit],
        wishes: Wishes,
        rules: Rules,
        clock: Callable[[], datetime],
        restart: Callable[[], None],
    ) -> None:
        """`restart` starts all parts anew: what admins hold may have changed."""
        self._store = store
        self._wishes = wishes
        self._rules = rules
        self._clock = clock
        self._restart = restart

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Carry out what was wished since the last tick."""
        try:
            wishes = None if stopped() else self._wishes.take()
            for wish in wishes or ():
                await self._carry_out(wish)
            if wishes is not None:
                self._wishes.done()
                self._restart()
        except OSError as trouble:
            log.warning("wishes of the host have to wait: %s", trouble)
        # Never IDLE: nobody wakes this lane.
        return TickResult.OPEN

    async def _carry_out(self, wish: Wish) -> None:
        try:
            async with self._store.begin() as unit:
                log.info("%s", await carry_out(unit, wish, self._rules, self._clock()))
        except RefusedError as refusal:
            log.warning("a wish of the host: %s", refusal)


async def carry_out(unit: WishUnit, wish: Wish, rules: Rules, now: datetime) -> str:
    """Carry one wish out. Returns what was done. Raises RefusedError where there is nothing."""
    if wish.kind is WishKind.FORGET:
        return await _forget(unit, PersonId(wish.about))
    if wish.kind is WishKind.REFILL:
        return await _refill(unit, wish.about, rules, now)
    for hold in await unit.holds():
        if (hold.kind, hold.pattern) == (HoldKind(wish.kind), wish.about):
            lifted = replace(hold, lift_by=BOT_ITSELF, lift_at=now, lifted_at=now)
            await unit.save_hold(lifted)
            return f"{wish.kind} {wish.about}".rstrip() + " is lifted from the host"
    raise RefusedError(f"there is no {wish.kind} {wish.about}".rstrip())


async def _forget(unit: WishUnit, person: PersonId) -> str:
    if not await unit.forget(person):
        raise RefusedError(f"nothing is stored about {person}")
    return f"{person} is forgotten"


async def _refill(unit: WishUnit, text: str, rules: Rules, now: datetime) -> str:
    image = ImageRef.parse_or_none(text)
    if image is None:
        raise RefusedError(f"{text:.200} is not an image")
    in_force = replace(rules, policy=with_blocks(rules.policy, await unit.holds()))
    digest = await refill(unit, image, in_force, now)
    return f"{image}: goes to the target again as {digest}"
