"""Notes when a service answered last, and tells its chats of an outage that lost messages.

Some services keep messages for a bot that is away for a time only. After a longer outage some are
lost, so their senders should know why they got no answer.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.ids import ChatId, Place, number_of
from bot.core.service import Service
from bot.dialog import answers
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import SignsOfLife, Store

log = logging.getLogger(__name__)

ALIVE_WITHIN: Final = timedelta(minutes=3)
"""A bot without an answer of a service for this long is not well."""


class OutageUnit(SignsOfLife, NewNotes, Protocol):
    """What is read and written here."""


class Outage:
    def __init__(
        self,
        *,
        service: Service,
        store: Store[OutageUnit],
        chats: Collection[ChatId],
        language: Language,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._service = service
        self._store = store
        self._chats = chats
        self._language = language
        self._clock = clock
        self._wake = wake

    async def note_answer(self, silence: float | None = None) -> None:
        """The service has answered. `silence`: seconds since its last answer, None if not measured.

        A measured time is preferred, since the system clock may have been set meanwhile.
        """
        now = self._clock()
        async with self._store.begin() as unit:
            last = await unit.beat(self._service.name, now)
            keeps = self._service.keeps
            if last is None or keeps is None:
                return
            away = now - last
            if silence is not None:
                away = min(away, timedelta(seconds=silence))
            if away <= keeps:
                return
            log.warning(
                "%s was out of reach from %s to %s: what was sent before %s is lost",
                self._service.title,
                *(f"{time:%Y-%m-%d %H:%M} UTC" for time in (last, now, now - keeps)),
            )
            text = Text(answers.absent(self._service.title, last, now, now - keeps), self._language)
            for chat in sorted(self._chats, key=number_of):
                await unit.add_note(Place(chat), text, reply_to=None)
        self._wake()
