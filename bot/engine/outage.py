"""Notes when Telegram answered last, and tells the chats of an outage that lost messages.

Telegram keeps updates for a day. After a longer outage some messages are lost, so their senders
should know why they got no answer.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.ids import ChatId, Place, number_of
from bot.dialog import answers
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import SignsOfLife, Store

log = logging.getLogger(__name__)

HEARTBEAT: Final = "poll"
"""The name of the heartbeat that is stored while Telegram answers polls."""
ALIVE_WITHIN: Final = timedelta(minutes=3)
"""A bot without an answer from Telegram for this long is not well. A poll takes 30 s."""
UPDATES_KEPT: Final = timedelta(hours=24)
"""How long Telegram keeps a message for a bot: https://core.telegram.org/bots/api#getting-updates"""


class OutageUnit(SignsOfLife, NewNotes, Protocol):
    """What is read and written here."""


class Outage:
    def __init__(
        self,
        *,
        store: Store[OutageUnit],
        chats: Collection[ChatId],
        language: Language,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._chats = chats
        self._language = language
        self._clock = clock
        self._wake = wake

    async def note_answer(self, silence: float | None = None) -> None:
        """Telegram has answered. `silence`: seconds since its last answer, None if not measured.

        A measured time is preferred, since the system clock may have been set meanwhile.
        """
        now = self._clock()
        async with self._store.begin() as unit:
            last = await unit.beat(HEARTBEAT, now)
            if last is None:
                return
            away = now - last
            if silence is not None:
                away = min(away, timedelta(seconds=silence))
            if away <= UPDATES_KEPT:
                return
            log.warning(
                "Telegram was out of reach from %s to %s: what was sent before %s is lost",
                *(f"{time:%Y-%m-%d %H:%M} UTC" for time in (last, now, now - UPDATES_KEPT)),
            )
            text = Text(answers.absent(last, now, now - UPDATES_KEPT), self._language)
            for chat in sorted(self._chats, key=number_of):
                await unit.add_note(Place(chat), text, reply_to=None)
        self._wake()
