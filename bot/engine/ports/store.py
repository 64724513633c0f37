"""The port of the database: what is stored of requests, transfers, batches and people.

A unit is one transaction: all of it is kept, or nothing. Its methods are grouped here by duty, in
protocols of a few methods. A lane or a use case combines some of them into its own unit, whose type
says what it may read and write. Notes are in outbox.py, tracked images in fresh.py, and versions of
cards in card_versions.py.

Values go in and out, never rows. Times are UTC. A list is bounded by what is open, or by `limit`,
and starts with the oldest unless the method says otherwise. Any method may raise
`errors.TransientError` where the file is locked, full or unreadable. Nothing of the transaction is
kept then.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.core.batch import Batch
from bot.core.draft import Draft
from bot.core.ids import (
    BatchId,
    ChatId,
    MessageId,
    Person,
    PersonId,
    Place,
    RequestId,
    TransferId,
    UpdateKey,
)
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.dialog.questions import Question

UnitT_co = TypeVar("UnitT_co", covariant=True)


class Store(Protocol[UnitT_co]):
    """A database whose transactions offer the methods of the unit."""

    def begin(self) -> AbstractAsyncContextManager[UnitT_co]:
        """A transaction. It is kept at the end of the block, or dropped where the block raises.

        Transactions of one store never overlap: the block must not wait for the network.
        """


# -- requests ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that has no number yet. core/request.py explains the fields."""

    person: PersonId
    place: Place
    message: MessageId | None
    opened_at: datetime
    confirmed_at: datetime | None
    untagged: tuple[ImageRef, ...] = ()
    charts: tuple[ImageRef, ...] = ()


class FindsRequests(Protocol):
    async def request(self, request: RequestId) -> Request | None:
        """The request of this number. None where there is none."""


class Requests(FindsRequests, Protocol):
    """Reads and writes one request."""

    async def save_request(self, request: Request) -> None:
        """Store a changed request. The request must be there already."""


class OpensRequests(Protocol):
    """Begins a request."""

    async def open_request(self, request: NewRequest) -> Request:
        """Store a new request and return it with its number."""

    async def link(self, request: RequestId, transfers: Sequence[TransferId]) -> None:
        """Make these the transfers of the request, in this order, and no others."""


class LinkedTransfers(Protocol):
    async def transfers_of(self, request: RequestId) -> tuple[Transfer, ...]:
        """The transfers of a request, in its order. Empty where there are none."""


class Links(LinkedTransfers, Protocol):
    async def link(self, request: RequestId, transfers: Sequence[TransferId]) -> None:
        """As in `OpensRequests`."""


class Requesters(Protocol):
    async def requests_for(self, transfer: TransferId) -> Sequence[Request]:
        """All requests that asked for this transfer."""


class OpenRequests(Protocol):
    async def open_requests(self) -> Sequence[Request]:
        """All open requests."""


class NewestRequests(Protocol):
    async def newest_requests(self, *, service: str, limit: int) -> Sequence[Request]:
        """The requests of a service with the greatest numbers, the newest first."""

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]:
        """As in `RequestsToShow`."""


class OwnMessages(Protocol):
    async def request_shown(self, chat: ChatId, message: MessageId) -> Request | None:
        """The recent request whose card or result this message of the bot is. None: of no one."""


class CountsAsked(Protocol):
    async def count_asked(self, person: PersonId, since: datetime) -> tuple[int, int]:
        """How many images of the person are open, and how many were asked for after `since`.

        An image counts each time that it was asked for, also as a retry.
        """


class UsageCounts(CountsAsked, Protocol):
    async def count_drafts(self, person: PersonId) -> int:
        """How many drafts wait for the person to confirm them."""


class CountsRetries(Protocol):
    async def count_retry(self, person: PersonId, images: int, at: datetime) -> None:
        """Count so many images that the person asked for once more."""


class RequestsToShow(Protocol):
    """What the chat lane needs to write cards and results, for many requests at once.

    Each asks for the requests of the chats of one service. `silent` are chats in which nothing may
    be sent now.
    """

    async def requests_without_result(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        """Open requests whose transfers have all ended and whose result was not sent yet."""

    async def requests_without_card(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        """Open requests without a card."""

    async def requests_to_refresh(
        self, now: datetime, *, service: str, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        """Open requests on whose card a press was refused."""

    async def open_requests_after(
        self, request: RequestId, *, service: str, limit: int
    ) -> Sequence[Request]:
        """The open requests with greater numbers than this one."""

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]:
        """The transfers of each of these requests, in its order."""

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]:
        """The draft of each of these requests, an empty one where none was stored."""

    async def queue(self) -> Sequence[tuple[datetime, BatchId | None]]:
        """When each open transfer on its way to a copy was approved, in order, and its batch."""


class Participants(Protocol):
    """Who took part in a request: needed for the names on cards and in answers."""

    async def first_requests_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Mapping[TransferId, Request]]:
        """For each transfer of these requests that an earlier request asked for: the earliest."""

    async def people(self, people: Collection[PersonId]) -> Mapping[PersonId, Person]:
        """What is stored of these people. Unknown people are left out."""


# -- transfers --------------------------------------------------------------------------


class SavesTransfers(Protocol):
    async def save_transfer(self, transfer: Transfer) -> None:
        """Store a changed transfer. The transfer must be there already."""


class OpensTransfers(SavesTransfers, Protocol):
    async def open_transfer(self, image: ImageRef, at: datetime) -> Transfer:
        """The open transfer of the image. A new one, opened `at`, where there is none."""


class CopiedBefore(Protocol):
    async def last_copied(self, image: ImageRef) -> str | None:
        """The digest that arrived last under name and tag, or else was approved last. Or None."""


class Transfers(SavesTransfers, Protocol):
    """Reads and writes one transfer."""

    async def transfer(self, transfer: TransferId) -> Transfer | None:
        """The transfer of this number. None where there is none."""


class ManyTransfers(Protocol):
    """Reads and writes many transfers in a few queries."""

    async def transfers(self, wanted: Collection[TransferId]) -> Mapping[TransferId, Transfer]:
        """These transfers by number. Unknown numbers are left out."""

    async def save_transfers(self, changed: Sequence[Transfer]) -> None:
        """Store changed transfers. They must be there already."""


class SameTag(Protocol):
    async def open_on_tag(self, image: ImageRef) -> Sequence[Transfer]:
        """The open transfers of this name and tag, whatever digest each asks for.

        Empty for an image without a tag.
        """


class AnyOpenTransfers(Protocol):
    async def any_open_transfer(self) -> bool:
        """Whether a transfer has not ended."""


class TransfersToCheck(AnyOpenTransfers, Protocol):
    async def due_checks(self, now: datetime, *, limit: int) -> Sequence[Transfer]:
        """Open transfers that may need a check at a registry, or that may have expired.

        At most `limit` for each registry that is asked first, and `limit` that expire, so that one
        registry does not delay another. Those that have waited longest come first.
        """


class AsksForRemovals(Protocol):
    async def open_removal(self, image: ImageRef) -> Transfer | None:
        """The open transfer that takes the image's line out of image.list."""

    async def ask_for_removal(self, image: ImageRef, at: datetime, until: datetime) -> TransferId:
        """Open one, which asks admins `until` then. None may be open."""


class TransfersToSubmit(AnyOpenTransfers, Protocol):
    async def due_submissions(self, now: datetime) -> Sequence[Transfer]:
        """Approved transfers that are in no batch and are due, in the order of approval."""

    async def images_in_batches(self) -> Sequence[ImageRef]:
        """The images of open transfers that are in a batch, until they are verified."""

    async def any_unchecked_transfer(self) -> bool:
        """Whether a transfer waits for its first check."""


class TransferReports(Protocol):
    """The transfers that /status shows."""

    async def open_transfers(self) -> Sequence[Transfer]:
        """All transfers that have not ended."""

    async def transfers_of_image(self, image: ImageRef, *, limit: int) -> Sequence[Transfer]:
        """The transfers of the image, those first that were opened last."""

    async def last_failed(self) -> Transfer | None:
        """The transfer that failed last."""


# -- batches ----------------------------------------------------------------------------


class OpenBatches(Protocol):
    async def open_batches(self) -> Sequence[Batch]:
        """All batches that are not closed."""


class RequestersOfAll(Protocol):
    async def requests_for_all(
        self, wanted: Collection[TransferId]
    ) -> Mapping[TransferId, Sequence[Request]]:
        """All requests that asked for each of these transfers."""


class Batches(OpenBatches, Protocol):
    async def save_batch(self, batch: Batch) -> None:
        """Store a new or a changed batch."""

    async def last_batch_at(self, *, look: bool = False) -> datetime | None:
        """When the last batch was opened, or its commit was made. None before the first.

        `look`: the last one that looks. The others are counted without those.
        """

    async def transfers_in(self, batch: BatchId) -> tuple[Transfer, ...]:
        """The transfers that go with this batch."""


# -- questions --------------------------------------------------------------------------


class AddsQuestions(Protocol):
    async def count_questions(self, person: PersonId) -> int:
        """How many questions of the person have no answer yet."""

    async def add_question(self, question: Question) -> None:
        """Store a question. Its `id` is ignored: the store gives it one."""


class Questions(Protocol):
    """Questions that wait for an answer."""

    async def questions(self) -> Sequence[Question]:
        """All of them."""

    async def save_question(self, question: Question) -> None:
        """Store when the question is tried again, and how often it was tried."""

    async def drop_question(self, question: int) -> None:
        """Delete a question that was answered, by its id."""


# -- people, chats and updates ----------------------------------------------------------


class KnownPeople(Protocol):
    async def people(self, people: Collection[PersonId]) -> Mapping[PersonId, Person]:
        """As in `Participants`."""


class SavesPeople(Protocol):
    async def save_person(self, person: Person) -> None:
        """Store the name and the language that a person has now."""


class ChatOrigins(Protocol):
    async def origin(self, chat: ChatId) -> ChatId:
        """The id that the chat had before all its moves. The same id where it never moved."""


class MovedChats(Protocol):
    async def now_at(self, chat: ChatId) -> ChatId:
        """The id that the chat has after all its moves. The same id where it never moved."""


class MovesChats(Protocol):
    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        """Replace the id of a chat everywhere. Ids of messages under the old id are deleted."""


class Greetings(Protocol):
    async def greet(self, chat: ChatId, at: datetime, *, every: float) -> bool:
        """True where the chat was not greeted in the last `every` seconds. Stores the time."""


class Updates(Protocol):
    async def take(self, update: UpdateKey, at: datetime) -> bool:
        """Store that an update is handled. False where it was in the last REPEATED_WITHIN."""


class Cursors(Protocol):
    """How far a service was read. The name and the value are its adapter's."""

    async def cursor(self, name: str) -> int | None:
        """The value stored last. None where there is none."""

    async def save_cursor(self, name: str, value: int) -> None:
        """Store a value."""


class SignsOfLife(Protocol):
    async def beat(self, name: str, at: datetime) -> datetime | None:
        """Store a heartbeat, to the second. Returns the one before it."""
