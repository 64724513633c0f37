"""Writes a batch to the mirror repository, as a commit or a dispatch, and finds its run.

The intention is stored before each write. Where an earlier try may have taken effect, the effect is
looked for before the write.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from bot.core import image_list
from bot.core.batch import Batch, Run, Via, commit_message, removal_message
from bot.core.errors import StaleError, TransientError
from bot.core.events import RunSeen
from bot.core.ids import CommitSha
from bot.core.image import ImageRef
from bot.core.policy import policy_digest
from bot.core.retry import TroubleKind
from bot.core.seal import DecidedImage, Sealed, sealed_block
from bot.core.transfer import State
from bot.engine.lanes.batch_admission import BatchAdmission, BatchAdmissionUnit
from bot.engine.lanes.batch_records import save_batch
from bot.engine.lanes.batch_removals import BatchRemovals
from bot.engine.lanes.lane import record_all_in
from bot.engine.lanes.look_batches import LookBatches
from bot.engine.ports.repository import Writes
from bot.engine.ports.store import Batches, ManyTransfers, Store

log = logging.getLogger(__name__)

WRITE_TRIES: Final = 5
DISPATCH_LAG: Final = timedelta(seconds=30)
"""How long a dispatched run may take to show up in GitHub's listing."""
Decided: TypeAlias = Sequence[tuple[ImageRef, DecidedImage]]
"""Images as the list has them, each with what was decided on."""


class WritesUnit(Batches, ManyTransfers, BatchAdmissionUnit, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWrites:
    """`key` seals what is decided: see core/seal.py. `looks` knows what a run has to look at."""

    removals: BatchRemovals
    store: Store[WritesUnit]
    repository: Writes
    admission: BatchAdmission
    looks: LookBatches
    key: bytes
    clock: Callable[[], datetime]

    async def commit(self, batch: Batch) -> None:
        if batch.committing_at is not None:
            sha = await self.repository.find_commit(batch.id)
            if sha is not None:
                await self._committed(batch, sha)
                return
        begun = replace(batch, committing_at=self.clock(), policy=self._policy())
        batch = await save_batch(self.store, begun)
        decided = await self._decided(batch)
        if not decided:
            await save_batch(self.store, replace(batch, closed_at=self.clock()))
            return
        sha = await self._write(batch, decided)
        if sha is None and batch.via is Via.COMMIT:  # others added the lines: it would be empty
            await save_batch(self.store, replace(batch, via=Via.DISPATCH))
        else:
            await self._committed(batch, sha)

    async def dispatch(self, batch: Batch) -> None:
        now = self.clock()
        if batch.dispatching_at is not None:
            run = await self.repository.run_of_dispatch(batch.id, since=batch.dispatching_at)
            if run is not None:
                await self._run_found(replace(batch, dispatched_at=now), run)
                return
            if now < batch.dispatching_at + DISPATCH_LAG:  # see Batch.polled for clocks set back
                await save_batch(self.store, batch.polled(now))
                return
        images = await self._dispatched(batch)
        if not images:  # a dispatch without images would copy the whole list
            await save_batch(self.store, replace(batch, closed_at=now))
            return
        begun = replace(batch, dispatching_at=now, policy=self._policy())
        batch = await save_batch(self.store, begun)
        run = await self.repository.dispatch(self._block(batch, images), batch=batch.id)
        batch = await save_batch(self.store, replace(batch, dispatched_at=self.clock()))
        log.info("batch %s: dispatched", batch.id)
        if run is not None:
            await self._run_found(batch, run)

    async def find_run(self, batch: Batch) -> bool:
        """Look for the run before giving up: after an outage it may exist, or have ended."""
        run = None
        if batch.dispatched_at is not None and batch.dispatching_at is not None:
            run = await self.repository.run_of_dispatch(batch.id, since=batch.dispatching_at)
        elif batch.sha is not None:
            run = await self.repository.run_of_commit(batch.sha)
        if run is not None:
            await self._run_found(batch, run)
        return run is not None

    async def _decided(self, batch: Batch) -> Decided:
        """The images of the batch that the rules of now still let through."""
        async with self.store.begin() as unit:
            there = {t.id: t for t in await unit.transfers_in(batch.id)}
            waiting = [t for t in there.values() if t.state is State.SUBMITTED]
            decided = await self.admission.admitted(unit, waiting, self.clock())
        return [(there[number].image, image) for number, image in decided.items()]

    async def _dispatched(self, batch: Batch) -> Sequence[Sealed]:
        if batch.via is Via.LOOK:
            return await self.looks.taken(batch)
        return [image for _, image in await self._decided(batch)]

    def _policy(self) -> str:
        return policy_digest(self.admission.rules.policy)

    def _block(self, batch: Batch, images: Sequence[Sealed]) -> str:
        return sealed_block(batch.id, self.clock(), images, key=self.key)

    async def _write(self, batch: Batch, decided: Decided) -> CommitSha | None:
        """Add the images to the list as it is now, or take them out.

        None where that changes nothing.
        """
        wanted = [image for image, _ in decided]
        change, words = image_list.with_images, commit_message
        if batch.via is Via.REMOVAL:
            change, words = image_list.without, removal_message
        message = words(wanted, self._block(batch, [image for _, image in decided]))
        for _ in range(WRITE_TRIES):
            current = await self.repository.read_list()
            content = await asyncio.to_thread(change, current.content, wanted)
            if content == current.content:
                return None
            try:
                return await self.repository.write_list(content, blob=current.blob, message=message)
            except StaleError:
                log.info("batch %s: the list was changed by others, reading it again", batch.id)
        raise TransientError("the list keeps being changed by others", kind=TroubleKind.CONTESTED)

    async def _committed(self, batch: Batch, sha: CommitSha | None) -> None:
        log.info("batch %s: commit %s", batch.id, sha)
        committed = replace(batch, sha=sha, committed_at=self.clock())
        if batch.via is Via.REMOVAL:
            await self.removals.finish(committed)
        else:
            await save_batch(self.store, committed)

    async def _run_found(self, batch: Batch, run: Run) -> None:
        log.info("batch %s: run %d", batch.id, run.id)
        now = self.clock()
        async with self.store.begin() as unit:
            seen = replace(batch, run=run.id, run_url=run.url, run_seen_at=now).with_run(run, now)
            await unit.save_batch(replace(seen, attempts=0, not_before=None, trouble=None))
            joined = [transfer.id for transfer in await unit.transfers_in(batch.id)]
            event = RunSeen(now, run.id, run.url, began=not run.is_queued)
            await record_all_in(unit, dict.fromkeys(joined, event))
