"""Puts what is approved into batches, and stores them.

It reads the list and the state of the workflow. It must not write to GitHub: batch_writes.py does.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core import image_list
from bot.core.batch import Batch, Via, is_time_to_commit, one_per_place
from bot.core.decision import Ground
from bot.core.errors import RefusedError, TransientError
from bot.core.events import CheckFailed, Submitted
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, TransferId
from bot.core.next_action import Action, next_action
from bot.core.retry import TroubleKind, has_passed
from bot.core.seal import fitting
from bot.core.transfer import State, Transfer
from bot.engine.decided import end_older
from bot.engine.lanes.batch_admission import BatchAdmission, BatchAdmissionUnit
from bot.engine.lanes.lane import TickResult, postpone, record_all, record_all_in
from bot.engine.ports.fresh import OpenOfImages
from bot.engine.ports.repository import ImageListFile, InstalledWorkflow, WorkflowState
from bot.engine.ports.store import Batches, ManyTransfers, Store, TransfersToSubmit

log = logging.getLogger(__name__)

BATCH_INTERVAL: Final = timedelta(seconds=10)
"""The time between two batches. GitHub allows 80 writes of content per minute and 500 per hour:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
NO_WORKFLOW: Final = {
    WorkflowState.ACTIVE: None,
    WorkflowState.MISSING: Failure(FailureKind.WORKFLOW_MISSING),
    WorkflowState.OFF: Failure(FailureKind.WORKFLOW_OFF),
    WorkflowState.DIFFERS: None,
}
"""What images fail with while no workflow could copy them."""
OUTDATED_WAIT: Final = 60.0
"""Seconds until the files of the workflow are compared again."""


class FormingUnit(
    Batches, TransfersToSubmit, ManyTransfers, BatchAdmissionUnit, OpenOfImages, Protocol
):
    """What is read and written here."""


class FormingRepository(ImageListFile, InstalledWorkflow, Protocol):
    """What is read of the mirror repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchForming:
    store: Store[FormingUnit]
    repository: FormingRepository
    admission: BatchAdmission
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    async def form(self) -> TickResult:
        """Form batches if it is time. Returns whether anything is open or has changed."""
        now = self.clock()
        async with self.store.begin() as unit:
            pulse = TickResult.OPEN if await unit.any_open_transfer() else TickResult.IDLE
            last = await unit.last_batch_at()
            calm = last is None or has_passed(BATCH_INTERVAL, last, now)
            if pulse is TickResult.IDLE or not calm:
                return pulse
            due, checking = await unit.due_submissions(now), await unit.any_unchecked_transfer()
            due = [t for t in due if not t.is_removal or not await _is_held(unit, t)]
            taken = {image.place for image in await unit.images_in_batches()}
        ready = one_per_place([t for t in due if next_action(t, now) is Action.SUBMIT], taken)
        if not ready or not is_time_to_commit(ready, now, checking=checking):
            return pulse
        try:
            await self._submit(ready)
        except TransientError as trouble:
            log.warning("forming a batch: %s", trouble)
            for t in ready:
                later = t.troubled(now, trouble.trouble, seed=t.id, retry_after=trouble.retry_after)
                await postpone(self.store, t, later)
        return TickResult.CHANGED

    async def _submit(self, ready: Sequence[Transfer]) -> None:
        """Store the batches that the transfers go with. Nothing is written to GitHub yet."""
        try:
            state = await self.repository.workflow()
            if state is WorkflowState.DIFFERS:
                raise TransientError(
                    "the workflow in the mirror repository differs: run imageto-bot setup",
                    kind=TroubleKind.OUTDATED,
                    retry_after=OUTDATED_WAIT,
                )
            failure = NO_WORKFLOW[state]
            content = b"" if failure else (await self.repository.read_list()).content
        except RefusedError as refusal:
            failure = Failure(FailureKind.GITHUB_REFUSED, str(refusal))
        await self._open(Via.REMOVAL, [t for t in ready if t.is_removal])
        ready = [t for t in ready if not t.is_removal]
        if failure is not None:
            await self._refuse([t.id for t in ready], failure)
            return
        wanted = [t.image for t in ready]
        # In a thread, since a long list takes a while.
        lacking = set(await asyncio.to_thread(image_list.unlisted, content, wanted))
        # Approved because it was listed. Somebody removed its line, so that ground is gone.
        gone = {t.id for t in ready if t.ground is Ground.LISTED and t.image in lacking}
        await self._refuse(gone, Failure(FailureKind.UNLISTED))
        going = [t for t in ready if t.id not in gone]
        await self._open(Via.COMMIT, [t for t in going if t.image in lacking])
        await self._open(Via.DISPATCH, [t for t in going if t.image not in lacking])

    async def _open(self, via: Via, transfers: Sequence[Transfer]) -> None:
        if not transfers:
            return
        now = self.clock()
        batch = Batch(id=BatchId(self.new_id()), via=via, opened_at=now)
        async with self.store.begin() as unit:
            found = await unit.transfers([transfer.id for transfer in transfers])
            current = [found[t.id] for t in transfers if found[t.id].state is State.APPROVED]
            for transfer in current:
                if not transfer.is_removal:
                    await end_older(unit, transfer, now)
            decided = await self.admission.admitted(unit, current, now)
            going = list(decided)[: fitting(list(decided.values()))]
            if not going:
                return  # a dispatch without images would copy the whole list
            await unit.save_batch(batch)
            await record_all_in(unit, dict.fromkeys(going, Submitted(now, batch.id)))
        log.info("batch %s: %d images by %s", batch.id, len(going), via)

    async def _refuse(self, transfers: Iterable[TransferId], failure: Failure) -> None:
        refused = CheckFailed(self.clock(), failure)
        await record_all(self.store, dict.fromkeys(transfers, refused))


async def _is_held(unit: OpenOfImages, removal: Transfer) -> bool:
    """Whether a copy of the image is open that is older than the decision to remove its line."""
    other = (await unit.open_transfers_of([removal.image])).get(removal.image)
    decided_at = removal.approved_at
    return other is not None and decided_at is not None and other.opened_at <= decided_at
