"""Reads what the run of a batch reports on each image, and ends what it does not report.

It must not write to GitHub. Where a run says nothing of an image, the target is asked for it.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Protocol, TypeAlias

from bot.core.batch import Batch, Run, names_in_results, no_result_event, result_event, result_of
from bot.core.errors import BotError, RefusedError, TransientError
from bot.core.events import Copied, CopyFailed, Event, RunMissing, RunSeen
from bot.core.failures import Failure, FailureKind
from bot.core.ids import TransferId
from bot.core.transfer import State, Transfer
from bot.engine.lanes.batch_forming import NO_WORKFLOW
from bot.engine.lanes.batch_records import postpone_batch
from bot.engine.lanes.lane import record_all, record_all_in
from bot.engine.ports.looks import LooksInRuns
from bot.engine.ports.registries import Digests
from bot.engine.ports.repository import Runs, WorkflowState
from bot.engine.ports.store import Batches, ManyTransfers, Store

log = logging.getLogger(__name__)

TARGET_TRIES: Final = 4
"""How often in a row the target is asked. If it never answers, the image counts as not arrived."""
MissingEvent: TypeAlias = Callable[[Transfer, datetime], Event]
"""The event of an image that did not arrive."""


class ResultsUnit(Batches, ManyTransfers, LooksInRuns, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResults:
    store: Store[ResultsUnit]
    repository: Runs
    registries: Digests
    clock: Callable[[], datetime]

    async def follow(self, batch: Batch) -> None:
        """Read the run first, then its results: a run that has ended has posted all of them."""
        assert batch.run is not None  # noqa: S101 - what Step.FOLLOW means
        began = self.clock()
        run, sha = await self.repository.run(batch.run)
        batch = batch.with_run(run, began)
        transfers = await self._transfers(batch, run)
        copying = [t for t in transfers if t.state is State.COPYING]
        awaited = [names_in_results(t) for t in copying]
        told = await self.repository.results(run, sha, awaited=awaited)
        results = {r.image: r for r in told}
        found = [(t, result_of(t, results)) for t in copying]
        events = {t.id: result_event(t, result, self.clock()) for t, result in found if result}
        await record_all(self.store, events)  # stored before the target is asked, which may fail
        unreported = [t for t in copying if t.id not in events]
        if run.is_finished and unreported:
            why = await self._why_silent(run)
            if not await self._end_unreported(batch, unreported, why):
                return
        now = self.clock()
        over = run.is_finished or not unreported
        after = replace(batch, closed_at=now) if over else batch.polled(now, took=now - began)
        await self._follow_up(after, troubled=any(t.trouble for t in transfers))

    async def _transfers(self, batch: Batch, run: Run) -> Sequence[Transfer]:
        """Those of the batch. Once a runner has taken the run, they are no longer queued."""
        async with self.store.begin() as unit:
            transfers = await unit.transfers_in(batch.id)
            queued = [t for t in transfers if t.state is State.COPYING and t.copying_at is None]
            if run.is_queued or not queued:
                return transfers
            event = RunSeen(self.clock(), run.id, run.url)
            await record_all_in(unit, dict.fromkeys([t.id for t in queued], event))
            return await unit.transfers_in(batch.id)

    async def give_up(self, batch: Batch, failure: Failure) -> None:
        """Close the batch. The images that have not arrived fail with this cause."""
        async with self.store.begin() as unit:
            transfers = await unit.transfers_in(batch.id)
        copying = [t for t in transfers if t.state is State.COPYING]
        if not await self._end_unreported(batch, copying, lambda _, at: CopyFailed(at, failure)):
            return
        now = self.clock()
        async with self.store.begin() as unit:
            await record_all_in(unit, {t.id: RunMissing(now, failure) for t in transfers})
            await unit.save_batch(replace(batch, closed_at=now))

    async def _why_silent(self, run: Run) -> MissingEvent:
        """The event of an image that this finished run did not report."""
        outdated, unstarted = False, None
        with suppress(RefusedError):
            outdated = await self.repository.workflow() is WorkflowState.DIFFERS
            unstarted = (
                None if run.conclusion == "success" else await self.repository.unstarted(run.id)
            )
        return partial(no_result_event, run, outdated=outdated, unstarted=unstarted)

    async def _follow_up(self, batch: Batch, *, troubled: bool) -> None:
        async with self.store.begin() as unit:
            if troubled:  # GitHub has answered, so the trouble has ended
                shown = [t for t in await unit.transfers_in(batch.id) if t.trouble is not None]
                await unit.save_transfers([replace(t, trouble=None, attempts=0) for t in shown])
            await unit.save_batch(batch)

    async def _end_unreported(
        self, batch: Batch, unreported: Sequence[Transfer], missing_event: MissingEvent
    ) -> bool:
        """End the images that the run does not report, by what the target has. False: ask again."""
        events, trouble = dict[TransferId, Event](), None
        try:
            for transfer in unreported:
                digest = await self._arrived(transfer)
                now = self.clock()
                events[transfer.id] = (
                    Copied(now, digest, None) if digest else missing_event(transfer, now)
                )
        except TransientError as caught:  # do not ask for the others: commits would wait
            again = not events and batch.trouble and batch.trouble.who == caught.trouble.who
            batch = batch if again else replace(batch, attempts=0)  # only failures in a row count
            trouble = caught if batch.attempts + 1 < TARGET_TRIES else None
        if trouble is None:
            events |= {
                t.id: missing_event(t, self.clock()) for t in unreported if t.id not in events
            }
        await record_all(self.store, events)
        if trouble is not None:
            await postpone_batch(self.store, batch, trouble, self.clock())
        return trouble is None

    async def _arrived(self, transfer: Transfer) -> str | None:
        """The digest at the target. A run that reports nothing may still have copied the image."""
        with suppress(RefusedError):
            found = await self.registries.target_digest(transfer.image)
            return found if found == transfer.digest else None
        return None

    async def why_no_run(self, line: str = "") -> Failure:
        """The cause that the state of the workflow shows, or else GitHub's message."""
        try:
            failure = NO_WORKFLOW[await self.repository.workflow()]
        except BotError:
            failure = None
        kind = FailureKind.GITHUB_REFUSED if line else FailureKind.RUN_MISSING
        return failure or Failure(kind, line)
