"""The lane that makes the chat show what is so, the only one that says anything there.

Results first, then answers, then cards; each card is sent once and edited from then on. What
was said is stored right after it was said: a kill between the two may say a result twice,
never lose it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.backoff import wait_after
from bot.core.cards import card, result
from bot.core.facts import ChatId, RequestId
from bot.core.image import Target
from bot.core.message import Rendered
from bot.core.request import Request
from bot.core.transfer import State, Transfer
from bot.engine.lanes import Pulse
from bot.engine.pace import Pace
from bot.engine.ports import Chat, Note, Store, Words
from bot.engine.views import view_of
from bot.errors import Refused, Temporary

log = logging.getLogger(__name__)

FIRST_LOOKS: Final = timedelta(seconds=4)
"""So long the first edit of a card waits for the first look at each of its images."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A request with what it should show and, once all is over, tell."""

    request: Request
    transfers: tuple[Transfer, ...]
    card: Rendered
    result: Rendered | None

    @property
    def settled(self) -> bool:
        """All is over, and the person has been told: only the card may be behind."""
        if self.request.cancelled_at is not None:
            return True
        ended = all(transfer.state.over for transfer in self.transfers)
        return ended and self.request.told_at is not None


class Talk:
    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        words: Words,
        target: Target,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._chat = chat
        self._words = words
        self._target = target
        self._clock = clock
        self._pace = Pace()

    async def tick(self) -> Pulse:
        """Say what is owed, as far as the pace allows."""
        opened, notes = await self._look()
        spoke = [await self._tell(item) for item in opened if item.result is not None]
        spoke += [await self._note(note) for note in notes]
        spoke += [await self._show(item) for item in opened]
        if any(spoke):
            return Pulse.MOVED
        return Pulse.OPEN if opened or notes else Pulse.IDLE

    async def _look(self) -> tuple[list[_Open], tuple[Note, ...]]:
        opened: list[_Open] = []
        async with self._store.begin() as unit:
            for request in await unit.open_requests():
                transfers = await unit.transfers_of(request.id)
                view = await view_of(
                    unit, transfers, [request], target=self._target, now=self._clock()
                )
                told = request.told_at is not None or request.cancelled_at is not None
                ended = all(transfer.state.over for transfer in transfers)
                opened.append(
                    _Open(
                        request,
                        transfers,
                        self._words.render(card(request, transfers, view)),
                        None
                        if told or not ended
                        else self._words.render(result(request, transfers, view)),
                    )
                )
            return opened, tuple(await unit.notes())

    async def _tell(self, item: _Open) -> bool:
        request, text = item.request, item.result
        if text is None or not self._due(request) or not self._may_say(request):
            return False
        try:
            await self._chat.send(request.place, text, reply_to=request.message)
        except Temporary as trouble:
            await self._put_off(request, trouble)
            return False
        except Refused as refusal:
            log.warning("request %d: its result cannot be told: %s", request.id, refusal)
        self._pace.said(request.place.chat, self._clock())
        log.info("request %d: result told", request.id)
        await self._keep(request.id, told_at=self._clock(), attempts=0, not_before=None)
        return True

    async def _show(self, item: _Open) -> bool:
        """Bring the card up to date, and close the request once its last word is said."""
        request = item.request
        shown = _fingerprint(item.card)
        if shown == request.shown or (request.card is None and item.settled):
            return await self._close(item)
        if not self._due(request) or not self._may_show(request) or self._is_premature(item):
            return False
        try:
            message = request.card
            if message is None:
                message = await self._chat.send(request.place, item.card, reply_to=request.message)
            else:
                await self._chat.edit(request.place, message, item.card)
            self._pace.said(request.place.chat, self._clock(), edit=request.card is not None)
            await self._keep(request.id, card=message, shown=shown, attempts=0, not_before=None)
        except Temporary as trouble:
            await self._put_off(request, trouble)
            return False
        except Refused as refusal:  # deleted, or we were shown the door: the result still comes
            log.warning("request %d: its card cannot be shown: %s", request.id, refusal)
            await self._keep(request.id, shown=shown)
        return True

    async def _close(self, item: _Open) -> bool:
        if not item.settled:
            return False
        await self._keep(item.request.id, closed_at=self._clock())
        return True

    async def _note(self, note: Note) -> bool:
        now = self._clock()
        if note.not_before is not None and now < note.not_before:
            return False
        if not self._pace.may_say(note.place.chat, now):
            return False
        try:
            await self._chat.send(note.place, note.text, reply_to=note.reply_to)
        except Temporary as trouble:
            self._heed(note.place.chat, trouble)
            wait = wait_after(note.attempts + 1, seed=note.id, retry_after=trouble.retry_after)
            later = replace(note, attempts=note.attempts + 1, not_before=now + wait)
            async with self._store.begin() as unit:
                await unit.save_note(later)
            log.warning("note %d: %s", note.id, trouble)
            return False
        except Refused as refusal:
            log.warning("note %d cannot be said: %s", note.id, refusal)
        self._pace.said(note.place.chat, now)
        async with self._store.begin() as unit:
            await unit.drop_note(note.id)
        return True

    def _due(self, request: Request) -> bool:
        return request.not_before is None or self._clock() >= request.not_before

    def _may_say(self, request: Request) -> bool:
        return self._pace.may_say(request.place.chat, self._clock())

    def _may_show(self, request: Request) -> bool:
        if request.card is None:
            return self._may_say(request)
        return self._pace.may_edit(request.place.chat, self._clock())

    def _is_premature(self, item: _Open) -> bool:
        """Whether an edit would show some first looks, and keep the rest waiting for its turn."""
        if item.request.card is None or self._clock() - item.request.opened_at > FIRST_LOOKS:
            return False
        return any(t.state is State.CHECKING and t.attempts == 0 for t in item.transfers)

    def _heed(self, chat: ChatId, trouble: Temporary) -> None:
        """A wish to be left alone counts for the whole chat, not only for this message."""
        if trouble.retry_after is not None:
            until = self._clock() + timedelta(seconds=trouble.retry_after)
            self._pace.hold(chat, until)

    async def _put_off(self, request: Request, trouble: Temporary) -> None:
        log.warning("request %d: %s", request.id, trouble)
        self._heed(request.place.chat, trouble)
        attempts = request.attempts + 1
        wait = wait_after(attempts, seed=request.id, retry_after=trouble.retry_after)
        await self._keep(request.id, attempts=attempts, not_before=self._clock() + wait)

    async def _keep(self, request: RequestId, **facts: object) -> None:
        """Store facts of the request over whatever a person changed meanwhile."""
        async with self._store.begin() as unit:
            current = await unit.request(request)
            if current is not None:
                await unit.save_request(replace(current, **facts))  # type: ignore[arg-type]


def _fingerprint(text: Rendered) -> str:
    """What the card says, for comparison: its text and its buttons, as they went out."""
    rows = "\n".join(" ".join(":".join(button) for button in row) for row in text.buttons)
    return f"{text.html}\n{rows}".strip()
