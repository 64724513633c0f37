"""The lane that shows how the requests of a conversation stand together, such as by a label.

What was shown last is stored, so that a kill in between shows it again, which changes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId, MessageId
from bot.core.retry import has_passed
from bot.core.standing import Standing, standing_of
from bot.engine.changes import chat_name
from bot.engine.lanes.lane import TickResult
from bot.engine.ports.conversations import Conversations
from bot.engine.ports.store import Cursors, NewestRequests, Store
from bot.engine.shutdown import Stopped, never

log = logging.getLogger(__name__)

INTERVAL: Final = timedelta(seconds=5)
TROUBLE_PAUSE: Final = timedelta(minutes=1)
REQUESTS_READ: Final = 100
"""The newest requests, of which each has had its time: an older one has long been shown."""
_CODES: Final = {standing: code for code, standing in enumerate(Standing, 1)}


class StandingUnit(Cursors, NewestRequests, Protocol):
    """What is read and written here."""


@dataclass(frozen=True, slots=True)
class _Due:
    chat: ChatId
    standing: Standing
    asked: frozenset[MessageId]


class StandingLane:
    def __init__(
        self,
        *,
        store: Store[StandingUnit],
        conversations: Conversations,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._clock = clock
        self._looked_at: datetime | None = None
        self._pause = INTERVAL

    async def tick(self, stopped: Stopped = never) -> TickResult:
        now = self._clock()
        if self._looked_at is not None and not has_passed(self._pause, self._looked_at, now):
            return TickResult.OPEN
        self._looked_at, self._pause = now, INTERVAL
        for due in await self._due():
            if stopped() or not await self._show(due):
                break
        return TickResult.IDLE

    async def _due(self) -> list[_Due]:
        service = self._conversations.service.name
        found: list[_Due] = []
        async with self._store.begin() as unit:
            newest = await unit.newest_requests(service=service, limit=REQUESTS_READ)
            transfers = await unit.transfers_of_all([request.id for request in newest])
            for chat in dict.fromkeys(request.place.chat for request in newest):
                own = [request for request in newest if request.place.chat == chat]
                standing = standing_of(own, transfers)
                if standing and await unit.cursor(_name(chat)) != _CODES[standing]:
                    asked = frozenset(each.message for each in own if each.message is not None)
                    found.append(_Due(chat, standing, asked))
        return found

    async def _show(self, due: _Due) -> bool:
        """False where the service has trouble: then all others wait, too."""
        try:
            await self._conversations.show_standing(due.chat, due.standing, due.asked)
        except TransientError as trouble:
            log.warning("%s: how it stands cannot be shown: %s", chat_name(due.chat), trouble)
            self._pause = TROUBLE_PAUSE
            return False
        except RefusedError as refusal:
            log.info("%s: how it stands is not shown: %s", chat_name(due.chat), refusal)
        async with self._store.begin() as unit:
            await unit.save_cursor(_name(due.chat), _CODES[due.standing])
        return True


def _name(chat: ChatId) -> str:
    return f"standing {chat}"
