"""The lane that fetches and reads the files people send, and ends drafts that nobody confirms.

A file is fetched once. It is kept until it was sent back rewritten, or is of no use any more. It is
read in a thread, with the limits of paste/.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from bot.core.draft import DRAFT_LIFETIME, draft_of
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import RequestId
from bot.core.image import Target
from bot.core.request import Request
from bot.core.retry import has_passed
from bot.dialog import answers
from bot.dialog.commands import CommandName
from bot.dialog.language import Language
from bot.dialog.message import Message
from bot.engine.lanes.lane import TickResult, attempt
from bot.engine.ports.chat import FileSource, Words
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import File, KnownPeople, Requests, SavesDrafts, Store, UnreadFiles
from bot.engine.shutdown import Stopped, never
from bot.engine.view_loader import language_of
from bot.paste import PASTE_SIZE_LIMIT, REWRITABLE, Finding, extract_file

log = logging.getLogger(__name__)

FETCH_PERIOD: Final = timedelta(minutes=10)
"""How long a fetch is retried that Telegram does not answer."""


class FilesUnit(UnreadFiles, Requests, SavesDrafts, NewNotes, KnownPeople, Protocol):
    """What this lane reads and writes."""


class FilesLane:
    def __init__(
        self,
        *,
        store: Store[FilesUnit],
        chat: FileSource,
        words: Words,
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._chat = chat
        self._words = words
        self._target = target
        self._language = language
        self._clock = clock

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Fetch and read every waiting file, and end the drafts that are too old."""
        async with self._store.begin() as unit:
            files = await unit.unread_files()
            drafts = await unit.open_drafts()
        now = self._clock()
        due = [file for file in files if file.is_due(now)]
        moved = [await self._try(file) for file in due if not stopped()]
        moved += [
            await attempt(f"request {draft.id}: its draft", partial(self._expire, draft))
            for draft in drafts
            if now - draft.opened_at >= DRAFT_LIFETIME
        ]
        if any(moved):
            return TickResult.CHANGED
        return TickResult.OPEN if files else TickResult.IDLE

    async def _try(self, file: File) -> bool | None:
        """A file whose processing raises is postponed and given up like one that has trouble."""
        later = partial(self._postpone, file, TransientError("it cannot be read"))
        what = f"request {file.request}: its file"
        return await attempt(what, partial(self._read, file), later)

    async def _read(self, file: File) -> bool:
        try:
            content = await self._chat.fetch(file.file_id, limit=PASTE_SIZE_LIMIT)
        except RefusedError as refusal:
            log.warning("request %d: its file: %s", file.request, refusal)
            await self._end(file, answers.single_line("file-gone", file=file.name))
            return True
        except TransientError as trouble:
            return await self._postpone(file, trouble)
        finding = await asyncio.to_thread(
            extract_file, content, target_host=self._target.host, name=file.name
        )
        if finding.images or any(bad.correction for bad in finding.bad):
            await self._keep(replace(file, content=content), finding)
        else:
            await self._end(file, _why_nothing(finding, file.name))
        return True

    async def _keep(self, file: File, finding: Finding) -> None:
        log.info("request %d: %d images in its file", file.request, len(finding.images))
        async with self._store.begin() as unit:
            request = await _waiting(unit, file.request)
            if request is None:
                return
            draft = draft_of(finding.images, finding.bad, file=file.name)
            await unit.save_draft(file.request, draft)
            await unit.save_request(replace(request, untagged=finding.untagged))
            if finding.kind in REWRITABLE:
                await unit.save_file(file)
            else:
                await unit.drop_file(file.request)

    async def _end(self, file: File, answer: Message) -> None:
        """Give up the file, and tell the person why."""
        now = self._clock()
        async with self._store.begin() as unit:
            request = await _waiting(unit, file.request)
            await unit.drop_file(file.request)
            if request is None:
                return
            language = await language_of(
                unit, request.place, request.person, otherwise=self._language
            )
            text = self._words.render(answer, language)
            await unit.add_note(request.place, text, reply_to=request.message)
            await unit.save_request(replace(request, cancelled_at=now, closed_at=now))

    async def _postpone(self, file: File, trouble: TransientError) -> bool:
        now = self._clock()
        log.warning("request %d: its file: %s", file.request, trouble)
        async with self._store.begin() as unit:
            request = await _waiting(unit, file.request)
            late = request is None or has_passed(FETCH_PERIOD, request.opened_at, now)
            if not late:
                retry_after = trouble.retry_after
                later = file.postponed(now, seed=file.request, retry_after=retry_after)
                await unit.save_file(later)
        if late:
            await self._end(file, answers.single_line("file-gone", file=file.name))
        return late

    async def _expire(self, draft: Request) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            request = await unit.request(draft.id)
            if request is None or not request.is_draft or request.cancelled_at is not None:
                return False
            await unit.drop_file(request.id)
            await unit.save_request(replace(request, cancelled_at=now))
        return True


async def _waiting(unit: Requests, number: RequestId) -> Request | None:
    """The request, if it still waits for its file."""
    request = await unit.request(number)
    return request if request is not None and request.cancelled_at is None else None


def _why_nothing(finding: Finding, name: str) -> Message:
    if finding.flaw is not None:
        return answers.bad_file(finding.flaw, name)
    if finding.bad:
        return answers.unreadable(finding.bad, command=CommandName.MIRROR)
    return answers.nothing_found(file=name)
