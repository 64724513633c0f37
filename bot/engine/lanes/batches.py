"""The lane that writes to the mirror repository. No other lane does.

It puts approved transfers into batches, and makes the commit or the dispatch of each. Then it finds
the run that this started, and reads what the run reports on each image. Before each write it stores
the intention. Where an earlier try may have taken effect, it looks for the effect before it writes.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, assert_never

from bot.core import image_list
from bot.core.batch import (
    Batch,
    Run,
    Step,
    Via,
    commit_message,
    is_time_to_commit,
    next_step,
    no_result_event,
    one_per_place,
    result_event,
    result_of,
)
from bot.core.decision import Ground
from bot.core.errors import BotError, RefusedError, StaleError, TransientError
from bot.core.events import CheckFailed, Copied, CopyFailed, Event, RunMissing, RunSeen, Submitted
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BatchId, CommitSha, TransferId
from bot.core.image import ImageRef
from bot.core.retry import TroubleKind, has_passed
from bot.core.seal import DecidedImage, fitting, sealed_block
from bot.core.transfer import Action, State, Transfer, next_action
from bot.engine.decided import end_older
from bot.engine.lanes.batch_admission import BatchAdmission, BatchAdmissionUnit
from bot.engine.lanes.lane import TickResult, guarded, postpone, record_all, record_all_in
from bot.engine.ports.registries import Digests
from bot.engine.ports.repository import Repository, WorkflowState
from bot.engine.ports.store import Batches, ManyTransfers, Store, TransfersToSubmit
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

BATCH_INTERVAL: Final = timedelta(seconds=10)
"""The time between two batches. GitHub allows 80 writes of content per minute and 500 per hour:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
WRITE_TRIES: Final = 5
DISPATCH_LAG: Final = timedelta(seconds=30)
"""How long a dispatched run may take to show up in GitHub's listing."""
TARGET_TRIES: Final = 4
"""How often in a row the target is asked. If it never answers, the image counts as not arrived."""
Decided = Sequence[tuple[ImageRef, DecidedImage]]
"""Images as the list has them, each with what was decided on."""
MissingEvent = Callable[[Transfer, datetime], Event]  # the event of an image that did not arrive
_NO_WORKFLOW: Final = {
    WorkflowState.ACTIVE: None,
    WorkflowState.MISSING: Failure(FailureKind.WORKFLOW_MISSING),
    WorkflowState.OFF: Failure(FailureKind.WORKFLOW_OFF),
    WorkflowState.DIFFERS: None,
}
_OUTDATED_WAIT: Final = 60.0
"""Seconds until the files of the workflow are compared again."""
_STEPS_AFTER_A_LOOK: Final = frozenset({Step.DISPATCH, Step.FIND_RUN, Step.GIVE_UP})


class BatchesUnit(Batches, TransfersToSubmit, ManyTransfers, BatchAdmissionUnit, Protocol):
    """What this lane reads and writes."""


class BatchesLane:
    def __init__(
        self,
        *,
        store: Store[BatchesUnit],
        repository: Repository,
        registries: Digests,
        admission: BatchAdmission,
        key: bytes,
        patience: timedelta,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """`key` seals what is decided: see core/seal.py."""
        self._store = store
        self._repository = repository
        self._registries = registries
        self._admission = admission
        self._key = key
        self._patience = patience
        self._clock = clock
        self._new_id = new_id

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Put what is ready into batches, then take one step with every open batch."""
        pulse = await self._form()
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

    # -- forming ------------------------------------------------------------------------

    async def _form(self) -> TickResult:
        now = self._clock()
        async with self._store.begin() as unit:
            pulse = TickResult.OPEN if await unit.any_open_transfer() else TickResult.IDLE
            last = await unit.last_batch_at()
            calm = last is None or has_passed(BATCH_INTERVAL, last, now)
            if pulse is TickResult.IDLE or not calm:
                return pulse
            due, checking = await unit.due_submissions(now), await unit.any_unchecked_transfer()
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
                await postpone(self._store, t, later)
        return TickResult.CHANGED

    async def _submit(self, ready: Sequence[Transfer]) -> None:
        """Store the batches that the transfers go with. Nothing is written to GitHub yet."""
        try:
            state = await self._repository.workflow()
            if state is WorkflowState.DIFFERS:
                raise TransientError(
                    "the workflow in the mirror repository differs: run imageto-bot setup",
                    kind=TroubleKind.OUTDATED,
                    retry_after=_OUTDATED_WAIT,
                )
            failure = _NO_WORKFLOW[state]
            content = b"" if failure else (await self._repository.read_list()).content
        except RefusedError as refusal:
            failure = Failure(FailureKind.GITHUB_REFUSED, str(refusal))
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
        for via in Via:
            chosen = [t for t in going if (t.image in lacking) is (via is Via.COMMIT)]
            if chosen:
                await self._open(via, chosen)

    async def _open(self, via: Via, transfers: Sequence[Transfer]) -> None:
        now = self._clock()
        batch = Batch(id=BatchId(self._new_id()), via=via, opened_at=now)
        async with self._store.begin() as unit:
            found = await unit.transfers([transfer.id for transfer in transfers])
            current = [found[t.id] for t in transfers if found[t.id].state is State.APPROVED]
            for transfer in current:
                await end_older(unit, transfer, now)
            decided = await self._admission.admitted(unit, current, now)
            going = list(decided)[: fitting(list(decided.values()))]
            if not going:
                return  # a dispatch without images would copy the whole list
            await unit.save_batch(batch)
            await record_all_in(unit, dict.fromkeys(going, Submitted(now, batch.id)))
        log.info("batch %s: %d images by %s", batch.id, len(going), via)

    # -- steps --------------------------------------------------------------------------

    async def _take(self, batch: Batch, step: Step) -> None:
        try:
            if step in _STEPS_AFTER_A_LOOK and await self._find_run(batch):
                return
            match step:
                case Step.COMMIT:
                    await self._commit(batch)
                case Step.DISPATCH:
                    await self._dispatch(batch)
                case Step.FIND_RUN:
                    await self._save(batch.polled(self._clock()))
                case Step.FOLLOW:
                    await self._follow(batch)
                case Step.GIVE_UP:
                    await self._give_up(batch, await self._why_no_run())
                case never:
                    assert_never(never)
        except RefusedError as refusal:
            log.warning("batch %s: %s refused: %s", batch.id, step, refusal)
            await self._give_up(batch, await self._why_no_run(str(refusal)))
        except TransientError as trouble:
            await self._postpone(batch, trouble)

    async def _commit(self, batch: Batch) -> None:
        if batch.committing_at is not None:
            sha = await self._repository.find_commit(batch.id)
            if sha is not None:
                await self._committed(batch, sha)
                return
        batch = await self._save(replace(batch, committing_at=self._clock()))
        decided = await self._decided(batch)
        if not decided:
            await self._save(replace(batch, closed_at=self._clock()))
            return
        sha = await self._write(batch, decided)
        if sha is None:  # somebody added the lines meanwhile, so a commit would be empty
            await self._save(replace(batch, via=Via.DISPATCH))
        else:
            await self._committed(batch, sha)

    async def _decided(self, batch: Batch) -> Decided:
        """The images of the batch that the rules of now still let through."""
        async with self._store.begin() as unit:
            there = {t.id: t for t in await unit.transfers_in(batch.id)}
            waiting = [t for t in there.values() if t.state is State.SUBMITTED]
            decided = await self._admission.admitted(unit, waiting, self._clock())
        return [(there[number].image, image) for number, image in decided.items()]

    def _block(self, batch: Batch, decided: Decided) -> str:
        images = [image for _, image in decided]
        return sealed_block(batch.id, self._clock(), images, key=self._key)

    async def _write(self, batch: Batch, decided: Decided) -> CommitSha | None:
        """Add the images to the list as it is now. None where it has all of them already."""
        wanted = [image for image, _ in decided]
        message = commit_message(wanted, self._block(batch, decided))
        for _ in range(WRITE_TRIES):
            current = await self._repository.read_list()
            content = await asyncio.to_thread(image_list.with_images, current.content, wanted)
            if content == current.content:
                return None
            try:
                return await self._repository.write_list(
                    content, blob=current.blob, message=message
                )
            except StaleError:
                log.info("batch %s: the list was changed by others, reading it again", batch.id)
        raise TransientError("the list keeps being changed by others", kind=TroubleKind.CONTESTED)

    async def _committed(self, batch: Batch, sha: CommitSha) -> None:
        log.info("batch %s: commit %s", batch.id, sha)
        await self._save(replace(batch, sha=sha, committed_at=self._clock()))

    async def _dispatch(self, batch: Batch) -> None:
        now = self._clock()
        if batch.dispatching_at is not None:
            run = await self._repository.run_of_dispatch(batch.id, since=batch.dispatching_at)
            if run is not None:
                await self._run_found(replace(batch, dispatched_at=now), run)
                return
            if now < batch.dispatching_at + DISPATCH_LAG:  # see Batch.polled for clocks set back
                await self._save(batch.polled(now))
                return
        decided = await self._decided(batch)
        if not decided:  # a dispatch without images would copy the whole list
            await self._save(replace(batch, closed_at=now))
            return
        batch = await self._save(replace(batch, dispatching_at=now))
        run = await self._repository.dispatch(self._block(batch, decided), batch=batch.id)
        batch = await self._save(replace(batch, dispatched_at=self._clock()))
        log.info("batch %s: dispatched", batch.id)
        if run is not None:
            await self._run_found(batch, run)

    async def _find_run(self, batch: Batch) -> bool:
        """Look for the run before giving up: after an outage it may exist, or have ended."""
        run = None
        if batch.dispatched_at is not None and batch.dispatching_at is not None:
            run = await self._repository.run_of_dispatch(batch.id, since=batch.dispatching_at)
        elif batch.sha is not None:
            run = await self._repository.run_of_commit(batch.sha)
        if run is not None:
            await self._run_found(batch, run)
        return run is not None

    async def _run_found(self, batch: Batch, run: Run) -> None:
        log.info("batch %s: run %d", batch.id, run.id)
        now = self._clock()
        async with self._store.begin() as unit:
            seen = replace(batch, run=run.id, run_url=run.url, run_seen_at=now)
            await unit.save_batch(replace(seen, attempts=0, not_before=None, trouble=None))
            joined = [transfer.id for transfer in await unit.transfers_in(batch.id)]
            await record_all_in(unit, dict.fromkeys(joined, RunSeen(now, run.id, run.url)))

    async def _follow(self, batch: Batch) -> None:
        """Read the run first, then its results: a run that has ended has posted all of them."""
        assert batch.run is not None  # noqa: S101 - what Step.FOLLOW means
        began = self._clock()
        run, sha = await self._repository.run(batch.run)
        results = {r.image: r for r in await self._repository.results(run, sha)}
        async with self._store.begin() as unit:
            transfers = await unit.transfers_in(batch.id)
        copying = [t for t in transfers if t.state is State.COPYING]
        found = [(t, result_of(t, results)) for t in copying]
        events = {t.id: result_event(t, result, self._clock()) for t, result in found if result}
        await record_all(self._store, events)  # stored before the target is asked, which may fail
        unreported = [t for t in copying if t.id not in events]
        outdated = run.is_finished and bool(unreported) and await self._is_outdated()
        if run.is_finished and not await self._end_unreported(
            batch, unreported, partial(no_result_event, run, outdated=outdated)
        ):
            return
        now = self._clock()
        over = run.is_finished or not unreported
        after = replace(batch, closed_at=now) if over else batch.polled(now, took=now - began)
        await self._follow_up(after, troubled=any(t.trouble for t in transfers))

    async def _is_outdated(self) -> bool:
        with suppress(RefusedError):
            return await self._repository.workflow() is WorkflowState.DIFFERS
        return False

    async def _follow_up(self, batch: Batch, *, troubled: bool) -> None:
        async with self._store.begin() as unit:
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
                now = self._clock()
                events[transfer.id] = (
                    Copied(now, digest, None) if digest else missing_event(transfer, now)
                )
        except TransientError as caught:  # do not ask for the others: commits would wait
            again = not events and batch.trouble and batch.trouble.who == caught.trouble.who
            batch = batch if again else replace(batch, attempts=0)  # only failures in a row count
            trouble = caught if batch.attempts + 1 < TARGET_TRIES else None
        if trouble is None:
            events |= {
                t.id: missing_event(t, self._clock()) for t in unreported if t.id not in events
            }
        await record_all(self._store, events)
        if trouble is not None:
            await self._postpone(batch, trouble)
        return trouble is None

    async def _arrived(self, transfer: Transfer) -> str | None:
        """The digest at the target. A run that reports nothing may still have copied the image."""
        with suppress(RefusedError):
            found = await self._registries.target_digest(transfer.image)
            return found if found == transfer.digest else None
        return None

    async def _why_no_run(self, line: str = "") -> Failure:
        """The cause that the state of the workflow shows, or else GitHub's message."""
        try:
            failure = _NO_WORKFLOW[await self._repository.workflow()]
        except BotError:
            failure = None
        kind = FailureKind.GITHUB_REFUSED if line else FailureKind.RUN_MISSING
        return failure or Failure(kind, line)

    async def _give_up(self, batch: Batch, failure: Failure) -> None:
        """Close the batch. The images that have not arrived fail with this cause."""
        async with self._store.begin() as unit:
            transfers = await unit.transfers_in(batch.id)
        copying = [t for t in transfers if t.state is State.COPYING]
        if not await self._end_unreported(batch, copying, lambda _, at: CopyFailed(at, failure)):
            return
        now = self._clock()
        async with self._store.begin() as unit:
            await record_all_in(unit, {t.id: RunMissing(now, failure) for t in transfers})
            await unit.save_batch(replace(batch, closed_at=now))

    # -- storing ------------------------------------------------------------------------

    async def _save(self, batch: Batch) -> Batch:
        kept = replace(batch, trouble=None) if batch.not_before is None else batch
        async with self._store.begin() as unit:
            await unit.save_batch(kept)
        return kept

    async def _refuse(self, transfers: Iterable[TransferId], failure: Failure) -> None:
        refused = CheckFailed(self._clock(), failure)
        await record_all(self._store, dict.fromkeys(transfers, refused))

    async def _postpone(self, batch: Batch, trouble: TransientError) -> None:
        """Store a later try, and the trouble for the cards of the images."""
        log.warning("batch %s: %s", batch.id, trouble)
        now = self._clock()
        async with self._store.begin() as unit:
            current = next((b for b in await unit.open_batches() if b.id == batch.id), None)
            if current is None:
                return
            tried = replace(current, attempts=batch.attempts)
            later = tried.troubled(
                now, trouble.trouble, seed=batch.id, retry_after=trouble.retry_after
            )
            await unit.save_batch(later)
            waiting = (State.SUBMITTED, State.COPYING)
            shown = [
                replace(transfer, trouble=later.trouble, attempts=later.attempts)
                for transfer in await unit.transfers_in(batch.id)
                if transfer.state in waiting
            ]
            await unit.save_transfers(shown)
