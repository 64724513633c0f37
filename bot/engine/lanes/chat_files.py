"""The file that the images came from, sent back with their names at the target."""

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
from bot.dialog.result import rewritten_caption
from bot.engine.lanes.chat_items import NO_RETRY, ChatItem
from bot.engine.lanes.chat_sending import Sending
from bot.engine.ports.chat import Chat, Document, Words
from bot.engine.ports.store import File, FilesToReturn, Participants, Store
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
    words: Words
    target: Target
    language: Language
    sending: Sending
    clock: Callable[[], datetime]

    async def send(self, item: ChatItem) -> bool:
        """Send the file that the images came from, with their names at the target."""
        request = item.request
        if not self.sending.can_send(item):
            return False
        async with self.store.begin() as unit:
            file = await unit.file(request.id)
            language = await language_of(
                unit, request.place, request.person, otherwise=self.language
            )
        if file is not None and file.content is not None:
            try:
                await self._send_rewritten(file, file.content, item, language)
            except (TransientError, ChatMovedError) as trouble:
                return await self.sending.failed(item, trouble)
            except RefusedError as refusal:
                log.warning("request %d: its file cannot be sent: %s", request.id, refusal)
            self.sending.rate.record_sent(request.place.chat, self.clock())
        await self.sending.save_for(item, lambda: self._store_sent(item))
        return True

    async def _store_sent(self, item: ChatItem) -> None:
        async with self.store.begin() as unit:
            if item.has_nothing_to_retry:
                await unit.drop_file(item.request.id)
            await unit.drop_files(closed_before=self.clock() - FILES_KEPT)
        await self.sending.store_facts(item, returned_at=self.clock(), **NO_RETRY)

    async def _send_rewritten(
        self, file: File, content: bytes, item: ChatItem, language: Language
    ) -> None:
        request = item.request
        images = [t.image for t in item.transfers if t.state is State.MIRRORED]
        back = await asyncio.to_thread(
            rewrite, content, name=file.name, target=self.target, images=images
        )
        changed = back.content != content
        text = self.words.render(
            rewritten_caption(request.id, file.name, back, changed=changed), language
        )
        if not changed:
            await self.chat.send(request.place, text, reply_to=request.message)
            return
        document = Document(file.name, back.content)
        await self.chat.send_file(request.place, document, text, reply_to=request.message)
