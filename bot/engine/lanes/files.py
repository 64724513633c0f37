"""The lane that reads the files and the long texts people send, and ends unconfirmed drafts.

What arrives in several messages is read once its deadline has passed: see core/gathering.py. A
file is fetched once. It is kept until it was sent back rewritten, or is of no use any more. All is
read in a thread, with the limits of paste/.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from bot.core.draft import DRAFT_LIFETIME
from bot.core.errors import RefusedError, TransientError
from bot.core.gathering import Gathering
from bot.core.ids import RequestId, service_of
from bot.core.image import Target
from bot.core.request import Request
from bot.core.retry import has_passed
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.pieces import Piece, draft_of_pieces, found_together, why_nothing
from bot.engine.lanes.lane import TickResult, attempt
from bot.engine.ports.chat import Chat
from bot.engine.ports.files import File, SavesDrafts, UnreadDrafts
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import KnownPeople, Requests, Store
from bot.engine.shutdown import Stopped, never
from bot.engine.view_loader import language_of
from bot.paste import PASTE_SIZE_LIMIT, REWRITABLE, extract, extract_file

log = logging.getLogger(__name__)

FETCH_PERIOD: Final = timedelta(minutes=10)
"""How long a fetch is retried that the service does not answer."""


class FilesUnit(UnreadDrafts, Requests, SavesDrafts, NewNotes, KnownPeople, Protocol):
    """What this lane reads and writes."""


class FilesLane:
    def __init__(
        self,
        *,
        store: Store[FilesUnit],
        chats: Mapping[str, Chat],
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._chats = chats
        self._target = target
        self._language = language
        self._clock = clock

    async def tick(self, stopped: Stopped = never) -> TickResult:
        """Read what is complete, and end the drafts that are too old."""
        async with self._store.begin() as unit:
            gathered = await unit.gatherings()
            drafts = await unit.open_drafts()
        now = self._clock()
        ripe = [gathering for gathering in gathered if gathering.is_ripe(now)]
        moved = [await self._try(gathering) for gathering in ripe if not stopped()]
        for gathering in gathered:
            if gathering.is_over(now):
                await self._forget(gathering)
        moved += [
            await attempt(f"request {draft.id}: its draft", partial(self._expire, draft))
            for draft in drafts
            if now - draft.opened_at >= DRAFT_LIFETIME
        ]
        if any(moved):
            return TickResult.CHANGED
        if any(g.read_at is None and g.not_before is None for g in gathered):
            return TickResult.SOON  # a person waits for the end of the deadline
        return TickResult.OPEN if gathered else TickResult.IDLE

    async def _try(self, gathering: Gathering) -> bool | None:
        """What raises while it is read is postponed and given up like trouble with its service."""
        later = partial(self._postpone, gathering, TransientError("it cannot be read"))
        what = f"request {gathering.request}: what was sent"
        return await attempt(what, partial(self._read, gathering), later)

    async def _read(self, gathering: Gathering) -> bool:
        async with self._store.begin() as unit:
            files = await unit.files(gathering.request)
            chat = await self._chat_of(unit, gathering.request)
        try:
            fetched = [await self._fetched(file, chat) for file in files]
        except TransientError as trouble:
            return await self._postpone(gathering, trouble)
        pieces = await asyncio.to_thread(self._pieces, fetched, chat)
        return await self._keep(gathering, pieces)

    async def _chat_of(self, unit: Requests, number: RequestId) -> Chat | None:
        """The chat that the request came by. None where it is not stored, or not served now."""
        request = await unit.request(number)
        return None if request is None else self._chats.get(service_of(request.place.chat))

    async def _fetched(self, file: File, chat: Chat | None) -> File:
        """The file with its content, which is stored. Without content where it cannot be had."""
        if file.content is not None or chat is None:
            return file
        try:
            content = await chat.fetch(file.file_id, limit=PASTE_SIZE_LIMIT)
        except RefusedError as refusal:
            log.warning("request %d: its file: %s", file.request, refusal)
            return file
        file = replace(file, content=content)
        async with self._store.begin() as unit:
            if await _waiting(unit, file.request) is not None:
                await unit.save_file(file)
        return file

    def _pieces(self, files: Sequence[File], chat: Chat | None) -> list[Piece]:
        host = self._target.host
        texts = tuple((file.content or b"").decode() for file in files if file.is_text)
        cuts = None if chat is None else chat.service.cuts
        text = "\n".join(texts) if cuts is None else cuts.joined(texts)
        pieces = [Piece("", extract(text, target_host=host))] if texts else []
        for file in files:
            if file.is_text:
                continue
            found = (
                None
                if file.content is None
                else extract_file(file.content, target_host=host, name=file.name)
            )
            pieces.append(Piece(file.name, found, file.position))
        return pieces

    async def _keep(self, gathering: Gathering, pieces: Sequence[Piece]) -> bool:
        """Store what was found, unless another part has arrived meanwhile."""
        now = self._clock()
        async with self._store.begin() as unit:
            request = await _waiting(unit, gathering.request)
            if await unit.gathering(gathering.request) != gathering:
                return False
            if request is None:
                await unit.drop_files_of(gathering.request)
                return False
            draft = draft_of_pieces(pieces, cut=gathering.cut)
            if not draft.images:
                await self._end(unit, request, pieces)
                return True
            log.info("request %d: %d images in what was sent", request.id, len(draft.images))
            await unit.save_draft(request.id, draft)
            found = found_together(pieces)
            await unit.save_request(replace(request, untagged=found.untagged, charts=found.charts))
            for piece in pieces:
                if piece.name and not (piece.finding and piece.finding.kind in REWRITABLE):
                    await unit.drop_file(request.id, piece.position)
            if gathering.may_grow:
                await unit.save_gathering(replace(gathering, read_at=now))
            else:
                await unit.drop_gathering(request.id)
        return True

    async def _end(self, unit: FilesUnit, request: Request, pieces: Sequence[Piece]) -> None:
        """Give up what was sent, and tell the person why."""
        now = self._clock()
        await unit.drop_files_of(request.id)
        language = await language_of(unit, request.place, request.person, otherwise=self._language)
        text = Text(why_nothing(pieces), language)
        await unit.add_note(request.place, text, reply_to=request.message)
        await unit.save_request(replace(request, cancelled_at=now, closed_at=now))

    async def _postpone(self, gathering: Gathering, trouble: TransientError) -> bool:
        now, number = self._clock(), gathering.request
        log.warning("request %d: what was sent: %s", number, trouble)
        async with self._store.begin() as unit:
            request = await _waiting(unit, number)
            if request is not None and not has_passed(FETCH_PERIOD, request.opened_at, now):
                later = gathering.postponed(now, seed=number, retry_after=trouble.retry_after)
                if await unit.gathering(number) == gathering:
                    await unit.save_gathering(later)
                return False
            files, chat = await unit.files(number), await self._chat_of(unit, number)
        return await self._keep(gathering, await asyncio.to_thread(self._pieces, files, chat))

    async def _forget(self, gathering: Gathering) -> None:
        """No part comes any more. What was read of a text is in the draft."""
        async with self._store.begin() as unit:
            for file in await unit.files(gathering.request):
                if file.is_text:
                    await unit.drop_file(file.request, file.position)
            await unit.drop_gathering(gathering.request)

    async def _expire(self, draft: Request) -> bool:
        now = self._clock()
        async with self._store.begin() as unit:
            request = await unit.request(draft.id)
            if request is None or not request.is_draft or request.cancelled_at is not None:
                return False
            await unit.drop_files_of(request.id)
            await unit.save_request(replace(request, cancelled_at=now))
        return True


async def _waiting(unit: Requests, number: RequestId) -> Request | None:
    """The request, if it is a draft that still waits for what was sent."""
    request = await unit.request(number)
    if request is None or request.cancelled_at is not None or not request.is_draft:
        return None
    return request
