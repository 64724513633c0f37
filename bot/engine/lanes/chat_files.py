"""The files that the images came from, sent back with their names at the target."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.image import Target
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.result import rewritten_caption
from bot.engine.lanes.chat_items import NO_RETRY, ChatItem
from bot.engine.lanes.chat_sending import Sending
from bot.engine.ports.chat import Chat, Document
from bot.engine.ports.files import File, FilesToReturn
from bot.engine.ports.store import Participants, Store
from bot.engine.view_loader import language_of
from bot.paste import rewrite

log = logging.getLogger(__name__)

FILES_KEPT: Final = timedelta(days=7)
"""How long a file is kept after its request was closed, while a retry may bring more images."""


class ChatFilesUnit(FilesToReturn, Participants, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFiles:
    """`language` is that of groups."""

    store: Store[ChatFilesUnit]
    chat: Chat
    target: Target
    language: Language
    sending: Sending
    clock: Callable[[], datetime]

    async def send(self, item: ChatItem) -> bool:
        """Send the next file that the images came from, with their names at the target."""
        request = item.request
        if not self.sending.can_send(item):
            return False
        async with self.store.begin() as unit:
            files = [file for file in await unit.files(request.id) if file.name and file.content]
            language = await language_of(
                unit, request.place, request.person, otherwise=self.language
            )
        if request.returned < len(files):
            file, alone = files[request.returned], len(files) == 1
            try:
                sent = await self._send_rewritten(file, item, language, alone=alone)
            except (TransientError, ChatMovedError) as trouble:
                return await self.sending.failed(item, trouble)
            except RefusedError as refusal:
                log.warning("request %d: its file cannot be sent: %s", request.id, refusal)
                sent = True
            if sent:
                self.sending.rate.record_sent(request.place.chat, self.clock())
        is_last = request.returned + 1 >= len(files)
        await self.sending.save_for(item, lambda: self._store_sent(item, is_last=is_last))
        return True

    async def _store_sent(self, item: ChatItem, *, is_last: bool) -> None:
        if not is_last:
            returned = item.request.returned + 1
            await self.sending.store_facts(item, returned=returned, **NO_RETRY)
            return
        async with self.store.begin() as unit:
            if item.has_nothing_to_retry:
                await unit.drop_files_of(item.request.id)
            await unit.drop_files(closed_before=self.clock() - FILES_KEPT)
        await self.sending.store_facts(item, returned_at=self.clock(), **NO_RETRY)

    async def _send_rewritten(
        self, file: File, item: ChatItem, language: Language, *, alone: bool
    ) -> bool:
        """False where nothing was sent: of several files, those of which nothing has arrived."""
        request, content = item.request, file.content or b""
        images = [t.image for t in item.transfers if t.state is State.MIRRORED]
        back = await asyncio.to_thread(
            rewrite, content, name=file.name, target=self.target, images=images
        )
        changed = back.content != content
        if not (changed or back.fixed or alone):
            return False
        said = rewritten_caption(request.id, file.name, back, changed=changed, arrived=images)
        text = Text(said, language)
        key, asked = f"file {request.id} {file.position} {len(images)}", request.message
        if changed:
            document = Document(file.name, back.content)
            await self.chat.send_file(request.place, document, text, reply_to=asked, key=key)
        else:
            await self.chat.send(request.place, text, reply_to=asked, key=key)
        return True
