"""What follows from an update upstream: the policy decides, and a transfer or an alarm is opened.

A part of the fresh lane, as fresh_list.py and fresh_news.py are. Of registries it asks for the
signatures alone.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from bot.core.decision import Ground
from bot.core.errors import RefusedError, TransientError, UnsignedError
from bot.core.events import CheckFailed, Found
from bot.core.failures import Failure, FailureKind
from bot.core.fresh import (
    UPDATES_GATHERED_FOR,
    FreshPlan,
    TrackedImage,
    alarm_cards,
    gathered_long_enough,
)
from bot.core.ids import BOT, BOT_ITSELF, Place, TransferId
from bot.core.image import ImageRef
from bot.core.signature import Signature
from bot.core.transfer import State, Transfer, advance
from bot.engine.changes import log_change
from bot.engine.decided import DecidedUnit, Rules, decided, look_for_signature, ruling_on
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.decisions import DecisionsOnNames
from bot.engine.ports.fresh import TrackedTransfers, TrackedUpdates
from bot.engine.ports.registries import Signatures
from bot.engine.ports.sightings import Sightings
from bot.engine.ports.store import (
    NewRequest,
    OpensRequests,
    OpensTransfers,
    SavesPeople,
    Store,
)

log = logging.getLogger(__name__)

IMAGES_OPENED_TOGETHER: Final = 140
"""Images opened at a time. One dispatch holds them even with the longest names: GitHub takes 65535
characters of inputs."""


Looked = tuple[TrackedImage, Signature | Failure]
"""An updated image, and what was seen of the signature of its new digest."""


class FreshUpdatesUnit(
    TrackedUpdates,
    TrackedTransfers,
    DecisionsOnNames,
    OpensTransfers,
    OpensRequests,
    SavesPeople,
    DecidedUnit,
    Sightings,
    Protocol,
):
    """What is read and written here."""


class FreshUpdates:
    def __init__(
        self,
        *,
        store: Store[FreshUpdatesUnit],
        registries: Signatures,
        rules: Rules,
        plan: FreshPlan,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._registries = registries
        self._rules = rules
        self._plan = plan
        self._clock = clock

    async def open(self, may_copy: Callable[[ImageRef], bool]) -> TickResult:
        """Open transfers for all updates of a round, so that one dispatch takes them.

        OPEN: there are some, which have to wait for others. `may_copy` says what the list allows.
        """
        now = self._clock()
        async with self._store.begin() as unit:
            updated = await unit.updated_upstream(limit=IMAGES_OPENED_TOGETHER)
            if not updated:
                return TickResult.IDLE
            due = await unit.next_check()
            checking = due is not None and due <= now
            since = [each.updated_at for each in updated]
            if not gathered_long_enough(since, now, under_way=checking, wait=UPDATES_GATHERED_FOR):
                return TickResult.OPEN
            if any(_is_approved(transfer) for _, transfer in await unit.tracked_transfers()):
                return TickResult.OPEN  # the last ones are not dispatched yet: these have to wait
        looked = [
            (each, await self._look(each, now, may_copy=may_copy(each.image))) for each in updated
        ]
        async with self._store.begin() as unit:
            await unit.save_tracked([t for _, t in looked if isinstance(t, TrackedImage)])
            seen = [(each, s) for each, s in looked if not isinstance(s, TrackedImage)]
            await self._open_all(unit, seen, now)
        return TickResult.CHANGED

    async def _look(
        self, each: TrackedImage, now: datetime, *, may_copy: bool
    ) -> Signature | Failure | TrackedImage:
        """What there is of a signature that a rule demands, or that it is not there.

        The image itself, where nothing follows from the update now. The next check sees it again.
        """
        left = replace(each, updated_at=None)
        if not may_copy:
            return left
        try:
            return await look_for_signature(
                self._registries, self._rules.policy, each.image, each.source
            )
        except UnsignedError as found:
            return Failure(FailureKind.UNSIGNED, str(found))
        except (TransientError, RefusedError) as trouble:
            log.warning("the signature of %s cannot be looked for: %s", each.image, trouble)
            return left.after_failed_check(now, self._plan)

    async def _open_all(
        self, unit: FreshUpdatesUnit, updated: Sequence[Looked], now: datetime
    ) -> None:
        there = await unit.open_transfers_of([each.image for each, _ in updated])
        after = [await self._after(unit, each, there.get(each[0].image), now) for each in updated]
        opened = [each for each in after if each.transfer is not None]
        await self._raise_alarms([each for each in opened if each.is_alarm], unit, now)
        await unit.save_tracked(after)
        log.info("updated upstream: %d, with a transfer: %d", len(updated), len(opened))

    async def _after(
        self, unit: FreshUpdatesUnit, looked: Looked, there: Transfer | None, now: datetime
    ) -> TrackedImage:
        """The image with a new transfer, with the open one that is `there`, or without."""
        each, seen = looked
        if there is not None:
            if each.is_asked_by(there):
                return each.with_alarm(there.id)
            return each.with_other_transfer(now, self._plan)
        if isinstance(seen, Failure):
            return await self._opened(unit, each, CheckFailed(now, seen))
        return await self._decided(unit, each, seen, now)

    async def _decided(
        self, unit: FreshUpdatesUnit, each: TrackedImage, seen: Signature, now: datetime
    ) -> TrackedImage:
        """Decide as for people who ask. A digest that was rejected before is not asked about."""
        ruling = await ruling_on(
            unit, self._rules, each.image, each.source, replaced=True, signature=seen
        )
        if ruling.ground is Ground.REJECTED:
            return each.with_alarm(None)
        seen_since = await unit.saw(each.image, each.source, now)
        if (until := seen_since.held_until(ruling.wait, now)) is not None:
            return each.until(until)
        found = each.found_event(ruling, now, now + self._rules.policy.expire_after)
        return await self._opened(unit, each, replace(found, signature=seen))

    async def _opened(
        self, unit: FreshUpdatesUnit, each: TrackedImage, found: Found | CheckFailed
    ) -> TrackedImage:
        """The image with a new transfer, and with an alarm where it is not approved."""
        transfer = await unit.open_transfer(each.image, found.at)
        after = advance(transfer, found)
        assert after is not None  # noqa: S101 - a new transfer takes what was found
        await unit.save_transfer(after)
        log_change(transfer, after)
        await decided(unit, after, found)
        goes = after.state is State.APPROVED
        return each.with_transfer(transfer.id) if goes else each.with_alarm(transfer.id)

    async def _raise_alarms(
        self, alarms: Sequence[TrackedImage], unit: FreshUpdatesUnit, now: datetime
    ) -> None:
        """Open a request of the bot itself. Its card is the alarm, with buttons for admins."""
        if alarms:
            await unit.save_person(BOT)
        for group in alarm_cards(alarms):
            request = await unit.open_request(
                NewRequest(
                    person=BOT_ITSELF,
                    place=Place(self._plan.alarms),
                    message=None,
                    opened_at=now,
                    confirmed_at=now,
                )
            )
            await unit.link(request.id, _ids(group))


def _ids(opened: Iterable[TrackedImage]) -> list[TransferId]:
    return [each.transfer for each in opened if each.transfer is not None]


def _is_approved(transfer: Transfer) -> bool:
    """Whether it waits for the next batch, and not for the time of a requeued copy."""
    return transfer.state is State.APPROVED and transfer.not_before is None
