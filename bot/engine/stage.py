"""How each open request stands: what its messages should say now, and what is still owed.

A look without effects, made at each tick of the lane that talks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.cards import card
from bot.core.draft import Draft
from bot.core.draft_card import draft_card
from bot.core.image import Target
from bot.core.language import Language
from bot.core.message import Message, Rendered
from bot.core.request import Request
from bot.core.results import RETRIED, result
from bot.core.transfer import State, Transfer
from bot.engine.lanes import guarded
from bot.engine.ports import Unit, Words
from bot.engine.views import language_of, view_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A request with what its card and its result should say; None: nothing to say yet."""

    request: Request
    transfers: tuple[Transfer, ...]
    card: Rendered | None
    result: Rendered | None
    has_file: bool

    @property
    def ended(self) -> bool:
        return bool(self.transfers) and all(transfer.state.over for transfer in self.transfers)

    @property
    def settled(self) -> bool:
        """All is over, and the person has been told: only the messages may be behind."""
        if self.request.cancelled_at is not None:
            return True
        return self.ended and self.request.told_at is not None

    @property
    def owes_result(self) -> bool:
        return self.ended and self.request.told_at is None and self.request.cancelled_at is None

    @property
    def retold(self) -> bool:
        """Whether the result says something else than it should by now."""
        if self.result is None or self.request.told_in is None:
            return False
        return self.result.fingerprint != self.request.told

    @property
    def owes_file(self) -> bool:
        """Whether the file can go back: all is over, and something of it has arrived."""
        if not self.has_file or self.request.told_at is None or not self.ended:
            return False
        return any(transfer.state is State.MIRRORED for transfer in self.transfers)

    @property
    def complete(self) -> bool:
        """Whether a retry would find nothing left to try."""
        return not any(transfer.state in RETRIED for transfer in self.transfers)


class Stage:
    def __init__(
        self,
        *,
        words: Words,
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
    ) -> None:
        self._words = words
        self._target = target
        self._language = language
        self._clock = clock

    async def look(self, unit: Unit) -> list[Standing]:
        """Every open request, the oldest first."""
        queue = await unit.open_transfers()
        standings = []
        for request in await unit.open_requests():
            with guarded(f"request {request.id}"):
                standings.append(await self._standing(unit, request, queue))
        return standings

    async def language(self, unit: Unit, request: Request) -> Language:
        return await language_of(unit, request.place, request.person, otherwise=self._language)

    async def _standing(self, unit: Unit, request: Request, queue: Sequence[Transfer]) -> Standing:
        transfers = await unit.transfers_of(request.id)
        view = await view_of(
            unit, transfers, [request], target=self._target, now=self._clock(), queue=queue
        )
        language = await self.language(unit, request)
        draft = await unit.draft(request.id)
        if request.is_draft:
            shown = None if _is_unread(draft) else draft_card(request, draft, view)
            return Standing(request, (), self._rendered(shown, language), None, has_file=False)
        ended = all(transfer.state.over for transfer in transfers)
        return Standing(
            request,
            transfers,
            self._rendered(card(request, transfers, view), language),
            self._rendered(result(request, transfers, view) if ended else None, language),
            has_file=bool(draft.file) and request.returned_at is None,
        )

    def _rendered(self, message: Message | None, language: Language) -> Rendered | None:
        return None if message is None else self._words.render(message, language)


def _is_unread(draft: Draft) -> bool:
    return not draft.images and not draft.bad
