"""The lane that writes to the mirror repository. No other lane does.

Each tick forms batches of approved transfers (batch_forming.py). Then it takes one step with every
open batch: a commit or a dispatch (batch_writes.py), or a look at its run (batch_results.py). A
batch may also ask a run to look at images (look_batches.py).
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from bot.core.batch import Batch, Step, Via, next_step
from bot.core.errors import RefusedError, TransientError
from bot.core.policy import AllowLists
from bot.dialog.language import Language
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.lanes.batch_forming import BatchForming, FormingUnit
from bot.engine.lanes.batch_records import postpone_batch, save_batch
from bot.engine.lanes.batch_removals import BatchRemovals, RemovalsUnit
from bot.engine.lanes.batch_results import BatchResults, ResultsUnit
from bot.engine.lanes.batch_writes import BatchWrites, WritesUnit
from bot.engine.lanes.lane import TickResult, guarded
from bot.engine.lanes.look_batches import LookBatches, LookBatchesUnit
from bot.engine.ports.registries import Digests
from bot.engine.ports.repository import Repository
from bot.engine.ports.store import Store
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

_WHAT_TO_DO: Final = "`imageto-bot check` tests the repository and the token"
_STEPS_AFTER_A_LOOK: Final = frozenset({Step.DISPATCH, Step.FIND_RUN, Step.GIVE_UP})


class BatchesUnit(FormingUnit, WritesUnit, ResultsUnit, RemovalsUnit, LookBatchesUnit, Protocol):
    """What this lane reads and writes."""


class BatchesLane:
    def __init__(
        self,
        *,
        store: Store[BatchesUnit],
        repository: Repository,
        registries: Digests,
        admission: BatchAdmission,
        access: AllowLists,
        language: Language,
        key: bytes,
        patience: timedelta,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """`key` seals what is decided: see core/seal.py. `language` is that of groups."""
        self._store = store
        self._patience = patience
        self._clock = clock
        self._forming = BatchForming(
            store=store, repository=repository, admission=admission, clock=clock, new_id=new_id
        )
        removals = BatchRemovals(store=store, access=access, language=language, clock=clock)
        self._looks = LookBatches(
            store=store, repository=repository, key=key, clock=clock, new_id=new_id
        )
        self._writes = BatchWrites(
            removals=removals,
            store=store,
            repository=repository,
            admission=admission,
            looks=self._looks,
            key=key,
            clock=clock,
        )
        self._results = BatchResults(
            store=store, repository=repository, registries=registries, clock=clock
        )

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Put what is ready into batches, then take one step with every open batch."""
        pulse = max(await self._forming.form(), await self._looks.form())
        async with self._store.begin() as unit:
            batches = await unit.open_batches()
        for batch in batches:
            if stopped():
                break
            step = next_step(batch, self._clock(), patience=self._patience)
            pulse = max(pulse, TickResult.SOON)
            if step is not None:
                with guarded(f"batch {batch.id}"):
                    await self._take(batch, step)
                    pulse = TickResult.CHANGED
        return pulse

    async def _take(self, batch: Batch, step: Step) -> None:
        try:
            if step in _STEPS_AFTER_A_LOOK and await self._writes.find_run(batch):
                return
            looks = batch.via is Via.LOOK
            match step:
                case Step.DISPATCH if looks and not await self._looks.may_start(batch):
                    return
                case Step.COMMIT:
                    await self._writes.commit(batch)
                case Step.DISPATCH:
                    await self._writes.dispatch(batch)
                case Step.FIND_RUN:
                    await save_batch(self._store, batch.polled(self._clock()))
                case Step.FOLLOW:
                    await (self._looks if looks else self._results).follow(batch)
                case Step.GIVE_UP:
                    await self._give_up(batch)
                case never:
                    assert_never(never)
        except RefusedError as refusal:
            log.warning("batch %s: %s refused: %s. %s", batch.id, step, refusal, _WHAT_TO_DO)
            await self._give_up(batch, str(refusal))
        except TransientError as trouble:
            await postpone_batch(self._store, batch, trouble, self._clock())

    async def _give_up(self, batch: Batch, line: str = "") -> None:
        part = self._looks if batch.via is Via.LOOK else self._results
        await part.give_up(batch, await self._results.why_no_run(line))
