"""Open requests as the chats of a service should show them: card and result, and what is due.

It must not send or store anything. Each tick of the chat lane reads the requests whose result or
card is due, and a few of the others in turn. So a tick stays short. Changes without an event (a
place in the queue, the seconds of a copy) are seen at the request's turn. Messages are made on
demand, outside of the transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Protocol

from bot.core.card_version import CardVersion, Pair, pairs_of
from bot.core.draft import Draft
from bot.core.errors import TransientError
from bot.core.ids import ChatId, Person, PersonId, RequestId
from bot.core.image import Target
from bot.core.request import Request
from bot.core.retry import Retried
from bot.core.service import Service
from bot.core.transfer import RETRYABLE, State, Transfer
from bot.dialog.card import card
from bot.dialog.draft_card import draft_card
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.result import result
from bot.dialog.view import View
from bot.dialog.waiting import decided_on, held_in
from bot.engine.lanes.approvers import Approvers
from bot.engine.lanes.lane import guarded
from bot.engine.ports.card_versions import CardVersions
from bot.engine.ports.decisions import Decisions
from bot.engine.ports.store import Participants, RequestsToShow
from bot.engine.view_loader import (
    CopyQueue,
    FirstRequests,
    admin_names,
    first_requests_of,
    language_from,
    names_of,
    participants_of,
)

ITEMS_PER_TICK: Final = 10
"""How many requests of each kind are read in a tick: intake waits for the reads."""
NO_RETRY: Final = asdict(Retried())
MESSAGE_FACTS: Final = frozenset({"card", "shown", "version", "told_in"})
"""Facts about messages. They are not stored after a chat has moved: ids belong to one chat."""


class ChatItemsUnit(RequestsToShow, Participants, CardVersions, Decisions, Protocol):
    """What is read here."""


@dataclass(frozen=True)
class ChatItem:
    """A request with the text of its card and of its result. None: nothing to show yet."""

    request: Request
    transfers: tuple[Transfer, ...]
    draft: Draft
    view: View
    language: Language

    def __str__(self) -> str:
        """For the log."""
        return f"request {self.request.id}"

    @property
    def ended(self) -> bool:
        return bool(self.transfers) and all(transfer.state.is_final for transfer in self.transfers)

    @property
    def is_offer(self) -> bool:
        """Whether it only asks what to keep fresh. Its card says everything: it has no result."""
        return any(transfer.is_offer for transfer in self.transfers)

    @property
    def is_finished(self) -> bool:
        """Whether all has ended and the result was sent. Messages may still need an edit."""
        if self.request.cancelled_at is not None:
            return True
        return self.ended and (self.is_offer or self.request.told_at is not None)

    @property
    def has_no_card(self) -> bool:
        """Whether it has no card yet."""
        return self.request.card is None

    @property
    def needs_result(self) -> bool:
        if self.is_offer or self.request.cancelled_at is not None:
            return False
        return self.ended and self.request.told_at is None

    @property
    def result_is_outdated(self) -> bool:
        """Whether the result that was sent differs from what it should say now."""
        if self.request.told_in is None or self.result is None:
            return False
        return self.result.fingerprint != self.request.told

    @property
    def needs_file(self) -> bool:
        """Whether the file can be sent back: all has ended, and an image of it has arrived."""
        if not self.draft.file or self.request.returned_at is not None:
            return False
        if self.request.is_draft or self.request.told_at is None or not self.ended:
            return False
        return any(transfer.state is State.MIRRORED for transfer in self.transfers)

    @property
    def has_nothing_to_retry(self) -> bool:
        """Whether a retry would find nothing left to try."""
        return not any(transfer.state in RETRYABLE for transfer in self.transfers)

    @property
    def asks(self) -> bool:
        """Whether an image waits for a decision: somebody has to see the card."""
        return any(transfer.state is State.WAITING for transfer in self.transfers)

    @property
    def press_was_refused(self) -> bool:
        """Whether a press on the card was refused, so that it has to be shown anew."""
        return self.request.refused_at is not None and not self.has_no_card

    @cached_property
    def decided_on(self) -> tuple[Pair, ...]:
        """What the buttons of the card decide on. Empty where it asks for no decision."""
        if self.request.is_draft:
            return ()
        held = held_in(self.request, self.transfers)  # an admin may let these go on by a command
        return pairs_of([*decided_on(self.request, self.transfers, self.view.room), *held])

    @property
    def lacks_version(self) -> bool:
        """Whether a version has to be stored before the card can be shown."""
        return bool(self.decided_on) and not self.view.version

    def with_version(self, key: str) -> "ChatItem":
        return replace(self, view=replace(self.view, version=key))

    def still_true(self, current: Request, facts: Mapping[str, object]) -> dict[str, object]:
        """Those facts about messages that still hold for the request as it is stored now.

        Messages of a chat that has moved cannot be reached, so they are left out.
        """
        dropped: set[str] = set()
        if current.not_before != self.request.not_before and not facts.get("not_before", True):
            # It was postponed in this tick, which another message of the tick must not undo.
            dropped |= set(NO_RETRY)
        if current.refused_at != self.request.refused_at:
            # Another press was refused after the card was read: it has to be shown once more.
            dropped |= {"shown", "refused_at"}
        if current.place != self.request.place:
            dropped |= MESSAGE_FACTS
        return {name: fact for name, fact in facts.items() if name not in dropped}

    @property
    def is_unread_draft(self) -> bool:
        """Whether it is a draft whose file was not read yet."""
        return self.request.is_draft and not self.draft.images and not self.draft.bad

    @cached_property
    def card(self) -> Text | None:
        if self.is_unread_draft:
            return None
        if self.request.is_draft:
            return Text(draft_card(self.request, self.draft, self.view), self.language)
        return Text(card(self.request, self.transfers, self.view), self.language)

    @cached_property
    def result(self) -> Text | None:
        if self.request.is_draft or not self.ended:
            return None
        return Text(result(self.request, self.transfers, self.view), self.language)


class ChatItems:
    def __init__(
        self,
        *,
        target: Target,
        language: Language,
        clock: Callable[[], datetime],
        approvers: Approvers,
        service: Service,
        reasons: Sequence[str] = (),
    ) -> None:
        self._target = target
        self._language = language
        self._clock = clock
        self._approvers = approvers
        self._reasons = reasons
        self._service = service
        self._last = RequestId(0)

    async def read(self, unit: ChatItemsUnit, *, silent: Collection[ChatId] = ()) -> list[ChatItem]:
        """The open requests to handle in this tick, the oldest first."""
        now, before = self._clock(), self._last
        found = [*await self._next(unit)]
        if before != self._last:  # there are more than these
            these: Any = {"service": self._service.name, "silent": silent, "limit": ITEMS_PER_TICK}
            found += await unit.requests_without_result(now, **these)
            found += await unit.requests_without_card(now, **these)
            found += await unit.requests_to_refresh(now, **these)
        requests = {request.id: request for request in found}
        return await self.of(unit, [requests[number] for number in sorted(requests)])

    async def _next(self, unit: ChatItemsUnit) -> Sequence[Request]:
        """The requests after the last ones, and then from the start again.

        Empty only if none is open, since an empty result lets the lane wait.
        """
        requests = await self._after(unit, self._last)
        if not requests and self._last:
            requests = await self._after(unit, RequestId(0))
        self._last = requests[-1].id if len(requests) == ITEMS_PER_TICK else RequestId(0)
        return requests

    async def _after(self, unit: ChatItemsUnit, last: RequestId) -> Sequence[Request]:
        return await unit.open_requests_after(
            last, service=self._service.name, limit=ITEMS_PER_TICK
        )

    async def of(self, unit: ChatItemsUnit, requests: Sequence[Request]) -> list[ChatItem]:
        """All at once. Where that raises, one by one, so that one bad request fails alone."""
        if not requests:
            return []
        try:
            return await self._read(unit, requests)
        except TransientError:
            raise
        except Exception:  # noqa: BLE001 - raised again and logged for the bad request below
            items = []
            for request in requests:
                with guarded(f"request {request.id}"):
                    items += await self._read(unit, [request])
            return items

    async def _read(self, unit: ChatItemsUnit, requests: Sequence[Request]) -> list[ChatItem]:
        numbers = [request.id for request in requests]
        transfers = await unit.transfers_of_all(numbers)
        drafts = await unit.drafts_of_all(numbers)
        firsts = await first_requests_of(unit, requests)
        every = [transfer for of in transfers.values() for transfer in of]
        progress = await self._approvers.progress(unit, every)
        others = [first for of in firsts.values() for first in of.values()]
        approvers = {person for each in progress.values() for person in each.given}
        took_part = participants_of(every, [*requests, *others])
        people = await unit.people({*took_part, *approvers, *self._approvers.admins})
        queue = CopyQueue(await unit.queue())
        items = [
            ChatItem(
                request,
                transfers[request.id],
                drafts[request.id],
                replace(
                    self._view(people, queue, transfers[request.id], firsts[request.id]),
                    progress=progress,
                    admins=admin_names(
                        people,
                        self._approvers.of(
                            request, transfers[request.id], firsts[request.id], progress
                        ),
                    ),
                ),
                self._language_of(people, request),
            )
            for request in requests
        ]
        return await _with_versions(unit, items)

    def _view(
        self,
        people: Mapping[PersonId, Person],
        queue: CopyQueue,
        transfers: Sequence[Transfer],
        firsts: FirstRequests,
    ) -> View:
        ahead, now = queue.ahead(transfers), self._clock()
        return View(
            names_of(people),
            self._target,
            now,
            ahead,
            firsts,
            reasons=self._reasons,
            room=self._service.room,
        )

    def _language_of(self, people: Mapping[PersonId, Person], request: Request) -> Language:
        return language_from(people, request.place, request.person, otherwise=self._language)


async def _with_versions(unit: CardVersions, items: Sequence[ChatItem]) -> list[ChatItem]:
    """The items with the keys that are stored for what their cards show now."""
    asking = [item.request.id for item in items if item.decided_on]
    versions = await unit.card_versions_of_all(asking) if asking else {}
    return [item.with_version(_key(item, versions.get(item.request.id, ()))) for item in items]


def _key(item: ChatItem, versions: Sequence[CardVersion]) -> str:
    return next((each.key for each in versions if each.pairs == item.decided_on), "")
