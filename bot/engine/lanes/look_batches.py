"""Batches of looks: the run on GitHub that looks at images for the bot, and what it says of them.

What waits goes with one dispatch, by the same steps and with the same retries as a batch of copies.
batch_writes.py sends it. It must not write to GitHub.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.batch import GATHER_PERIOD, LONGEST_GATHER_PERIOD, Batch, Run, Via, silence_of
from bot.core.errors import RefusedError, TransientError
from bot.core.failures import Failure
from bot.core.ids import BatchId
from bot.core.look import LOOKING, Look
from bot.core.retry import Trouble, TroubleKind, has_passed
from bot.core.seal import IMAGES_PER_BLOCK, fitting
from bot.core.transfer import State, Transfer
from bot.engine.lanes.batch_forming import BATCH_INTERVAL, NO_WORKFLOW, OUTDATED_WAIT
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.looks import LooksInRuns
from bot.engine.ports.repository import Runs, WorkflowState
from bot.engine.ports.store import Batches, ManyTransfers, Store

log = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(hours=1)


class LookBatchesUnit(Batches, ManyTransfers, LooksInRuns, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBatches:
    """`key` marks what a run says: see core/look.py."""

    store: Store[LookBatchesUnit]
    repository: Runs
    key: bytes
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    async def form(self) -> TickResult:
        """Open a batch for what waits, unless one is about to be dispatched."""
        now = self.clock()
        async with self.store.begin() as unit:
            waiting = await self._waiting(unit, now)
            if not waiting:
                return TickResult.IDLE
            last, asked = await unit.last_batch_at(look=True), [look.asked_at for look in waiting]
            gathered = has_passed(GATHER_PERIOD, max(asked), now)
            if not gathered and not has_passed(LONGEST_GATHER_PERIOD, min(asked), now):
                return TickResult.SOON
            open_ones = await unit.open_batches()
            begun = any(b.via is Via.LOOK and b.dispatched_at is None for b in open_ones)
            if begun or not (last is None or has_passed(BATCH_INTERVAL, last, now)):
                return TickResult.SOON
            await unit.save_batch(Batch(id=BatchId(self.new_id()), via=Via.LOOK, opened_at=now))
        return TickResult.CHANGED

    async def taken(self, batch: Batch) -> Sequence[Look]:
        """What the batch looks at: what it had, and all that waits by now and fits.

        Nothing is added once it may have been dispatched, since that run would not know of it.
        """
        now = self.clock()
        async with self.store.begin() as unit:
            looks = list(await unit.looks_in(batch.id))
            if batch.dispatching_at is None:
                looks += await self._waiting(unit, now)
            looks = [replace(look, batch=batch.id, not_before=None) for look in looks]
            looks = looks[: fitting(looks)]
            await unit.save_looks(looks)
        return looks

    async def _waiting(self, unit: LookBatchesUnit, now: datetime) -> Sequence[Look]:
        """Without those for transfers that somebody has cancelled meanwhile."""
        looks = await unit.waiting_looks(now, limit=IMAGES_PER_BLOCK)
        there = await unit.transfers([t for look in looks if (t := look.transfer) is not None])
        live = [x for x in looks if x.transfer is None or _checks(there.get(x.transfer))]
        if looks:
            gone = [look.image for look in looks if look not in live]
            await unit.drop_looks(gone, before=now - KEPT_FOR)
        return live

    async def may_start(self, batch: Batch) -> bool:
        """Whether the workflow can look. Raises TransientError where `setup` has to be run."""
        await self.taken(batch)  # so that trouble is shown to all that wait
        state = await self.repository.workflow()
        if state is WorkflowState.DIFFERS:
            raise TransientError(
                "the workflow in the mirror repository differs: run imageto-bot setup",
                kind=TroubleKind.OUTDATED,
                retry_after=OUTDATED_WAIT,
            )
        failure = NO_WORKFLOW[state]
        if failure is not None:
            await self.give_up(batch, failure)
        return failure is None

    async def follow(self, batch: Batch) -> None:
        """Read the run first, then its statuses: a run that has ended has posted all of them."""
        assert batch.run is not None  # noqa: S101 - what Step.FOLLOW means
        began = self.clock()
        run, sha = await self.repository.run(batch.run)
        async with self.store.begin() as unit:
            looks = await unit.looks_in(batch.id)
        contexts = [context for look in looks for context in look.contexts()]
        statuses = await self.repository.statuses(run, sha, contexts=contexts)
        now = self.clock()
        told = [look.told(statuses, batch, self.key, now) for look in looks]
        silent = [look for look, answer in zip(looks, told, strict=True) if answer is None]
        answers = [answer for answer in told if answer is not None]
        if run.is_finished and silent:
            answers += await self._ended(run, silent, now)
        over = run.is_finished or not silent
        batch = batch.with_run(run, began)
        after = replace(batch, closed_at=now) if over else batch.polled(now, took=now - began)
        await self._store(after, answers)

    async def _ended(self, run: Run, silent: Sequence[Look], now: datetime) -> Sequence[Look]:
        """What the run did not answer. Once it is tried again where nothing says why."""
        outdated, unstarted = False, None
        with suppress(RefusedError):
            outdated = await self.repository.workflow() is WorkflowState.DIFFERS
            if run.conclusion != "success":
                unstarted = await self.repository.unstarted(run.id)
        failure = silence_of(run, unstarted)
        again = outdated or run.conclusion == "success"
        return [
            replace(look, batch=None, attempts=1, not_before=now)
            if again and look.attempts == 0
            else look.failed(failure, now)
            for look in silent
        ]

    async def give_up(self, batch: Batch, failure: Failure) -> None:
        """Close the batch. What it has not answered fails with this cause."""
        now = self.clock()
        async with self.store.begin() as unit:
            looks = await unit.looks_in(batch.id)
        failed = [look.failed(failure, now) for look in looks]
        await self._store(replace(batch, closed_at=now), failed)

    async def _store(self, batch: Batch, answers: Sequence[Look]) -> None:
        """Store answers, and let the transfers that wait for them go on, in one transaction."""
        async with self.store.begin() as unit:
            await unit.save_looks(answers)
            looks = [*answers, *await unit.looks_in(batch.id)]
            there = await unit.transfers([t for look in looks if (t := look.transfer) is not None])
            changed = {}
            for look in looks:
                transfer = None if look.transfer is None else there.get(look.transfer)
                if transfer is not None and _checks(transfer):
                    changed[transfer.id] = _released(transfer, look)
            await unit.save_transfers([t for t in changed.values() if t != there[t.id]])
            await unit.save_batch(batch)


def _checks(transfer: Transfer | None) -> bool:
    return transfer is not None and transfer.state is State.CHECKING


def _released(transfer: Transfer, look: Look) -> Transfer:
    """The transfer after its look has an answer, has to be repeated, or waits on."""
    if look.answered_at is not None:
        return replace(transfer, trouble=LOOKING, not_before=None)
    if look.batch is None and look.failure is not None:
        why = Trouble(TroubleKind.OTHER, look.image.registry, look.failure.line)
        return replace(transfer, trouble=why, not_before=look.not_before)
    return replace(transfer, trouble=LOOKING)
