"""The few methods that the engine needs from the world. Adapters provide them.

Every method may raise `errors.TransientError` (the same call may work later); those that write say
what else they raise. Values only: nothing of a vendor's library passes through here.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.batch import Batch, CopyResult, Run
from bot.core.draft import Draft
from bot.core.fresh import FreshPlan, TrackedImage, Watch
from bot.core.ids import (
    BatchId,
    ChatId,
    CommitSha,
    MessageId,
    Person,
    PersonId,
    Place,
    RequestId,
    RunId,
    TransferId,
)
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo, PullLimit
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.dialog.language import Language
from bot.dialog.message import Message, Phrase, Rendered
from bot.dialog.questions import Question


class Registries(Protocol):
    """Looking at the source and the target without fetching an image."""

    async def source_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where the image is missing or private. May raise RefusedError."""

    async def target_digest(self, image: ImageRef) -> str | None:
        """By HEAD. None where it is missing. Refused where the target may not be read."""

    async def shape(self, image: ImageRef, digest: str) -> ImageInfo:
        """By one GET of the manifest, and more only where none is counted. Raises RefusedError."""

    async def describe(self, image: ImageRef, digest: str, *, at_target: bool = False) -> ImageInfo:
        """All that is told of it, by a few GETs. May raise RefusedError."""

    async def tags(self, image: ImageRef) -> tuple[str, ...]:
        """Tags of the image's repository at its source, bounded. May raise RefusedError.

        Empty where it is missing or private.
        """

    def budgets(self) -> Mapping[str, PullLimit]:
        """Pulls left, by registry, where one has lately named a limit."""

    def spares(self, registry: str) -> bool:
        """Whether a GET there that could be left out may be sent."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """image.list as it is: its bytes, and the blob sha that a write has to name."""

    content: bytes
    blob: str


class WorkflowState(StrEnum):
    ACTIVE = "active"
    MISSING = "missing"
    OFF = "off"


class Repository(Protocol):
    """The mirror repository. Every write is sent once; its answer may be unclear."""

    async def workflow(self) -> WorkflowState: ...

    async def read_list(self) -> ListFile: ...

    async def write_list(self, content: bytes, *, blob: str, message: str) -> CommitSha:
        """One commit. Raises StaleError where the file is no longer `blob`, Refused for good."""

    async def find_commit(self, batch: BatchId) -> CommitSha | None:
        """The commit on the branch that names the batch in its trailer, among the recent."""

    async def dispatch(self, images: Sequence[ImageRef], *, batch: BatchId) -> Run | None:
        """Ask for a run; None where GitHub does not say which. Raises RefusedError for good."""

    async def run_of_commit(self, sha: CommitSha) -> Run | None: ...

    async def run_of_dispatch(self, batch: BatchId, *, since: datetime) -> Run | None: ...

    async def run(self, run: RunId) -> tuple[Run, CommitSha]: ...

    async def results(self, run: Run, sha: CommitSha) -> tuple[CopyResult, ...]:
        """The statuses that exactly this run has posted so far."""

    def budget(self) -> PullLimit | None:
        """Requests that GitHub still takes this hour, as it said last; None: it did not yet."""


class Chat(Protocol):
    """Saying things. Refused: this place or message will never take it.

    Moved: the chat has another id now, and nothing of it can be reached under the old one.
    """

    async def send(
        self, place: Place, text: Rendered, *, reply_to: MessageId | None
    ) -> MessageId: ...

    async def edit(self, place: Place, message: MessageId, text: Rendered) -> None:
        """Make the message say so; that it says so already is success."""

    async def send_file(
        self, place: Place, document: "Document", caption: Rendered, *, reply_to: MessageId | None
    ) -> None: ...

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        """A file that a person sent. Refused where it is gone, or longer than `limit` bytes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is sent."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The file that the images of a request came from; `content` None: not fetched yet."""

    request: RequestId
    name: str
    file_id: str
    content: bytes | None = None
    attempts: int = 0
    not_before: datetime | None = None


class Words(Protocol):
    def render(self, message: Message, language: Language) -> Rendered: ...

    def plain(self, phrase: Phrase, language: Language) -> str:
        """Without markup: for the answer to a press."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An answer that is to be said once. Stored with its cause, so that it is never lost.

    `edits` is the message that is to say so instead of a new one.
    """

    id: int
    place: Place
    reply_to: MessageId | None
    text: Rendered
    edits: MessageId | None = None
    attempts: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that has no number yet; see core/request.py for the fields."""

    person: PersonId
    place: Place
    message: MessageId | None
    opened_at: datetime
    confirmed_at: datetime | None
    untagged: tuple[ImageRef, ...] = ()


class Backlog(Protocol):
    """What is owed now. Bounded answers, oldest first, at a cost of what is open at most.

    `silent` are chats that nothing can be said in at present.
    """

    async def untold(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        """Open requests whose transfers are all over, and whose result has not been told."""

    async def unshown(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Request]:
        """Open requests without a card."""

    async def open_requests_after(self, request: RequestId, *, limit: int) -> Sequence[Request]:
        """The open requests that follow this number."""

    async def unconfirmed(self) -> Sequence[Request]:
        """Open requests that are drafts."""

    async def transfers_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, tuple[Transfer, ...]]: ...

    async def firsts_of_all(
        self, asked: Collection[RequestId]
    ) -> Mapping[RequestId, Mapping[TransferId, Request]]:
        """For each transfer of a request that an earlier request asked for: the earliest."""

    async def drafts_of_all(self, asked: Collection[RequestId]) -> Mapping[RequestId, Draft]: ...

    async def any_open(self) -> bool:
        """Whether any transfer is not over."""

    async def due_looks(self, now: datetime, *, limit: int) -> Sequence[Transfer]:
        """Open transfers that may be owed a look at a registry, or an end.

        The `limit` is for each registry that is asked first, and for ends: none takes the turns of
        another. Who has waited longest for it comes first.
        """

    async def due_submissions(self, now: datetime) -> Sequence[Transfer]:
        """Approved transfers that are in no batch."""

    async def first_looks(self) -> bool:
        """Whether a transfer still waits for its first look."""

    async def queue(self) -> Sequence[tuple[datetime, BatchId | None]]:
        """When each open transfer was approved that is on its way, in order; and its batch."""

    async def any_notes(self) -> bool: ...
    async def due_notes(
        self, now: datetime, *, silent: Collection[ChatId], limit: int
    ) -> Sequence[Note]: ...


class Upkeep(Protocol):
    """Listed images that are kept as they are at their sources, and who wants to hear of them.

    What is asked at each round costs by what is due, under way or told, not by what is listed.
    """

    async def tracked_names(self) -> set[str]:
        """All that are tracked, as texts: parsing a list of years takes a while."""

    async def track(self, images: Sequence[TrackedImage]) -> None: ...
    async def untrack(self, images: Sequence[ImageRef]) -> None: ...
    async def is_tracked(self, image: ImageRef) -> bool: ...
    async def save_tracked(self, images: Sequence[TrackedImage]) -> None:
        """Those that are tracked no more are left out."""

    async def bring_forward(self, plan: FreshPlan, now: datetime) -> None:
        """What lies further ahead than its interval is due: the clock or the plan was changed."""

    async def looks_since(self, since: datetime, now: datetime) -> Mapping[str, int]:
        """How many looks each source was given."""

    async def due_tracked(
        self, registry: str, now: datetime, *, limit: int
    ) -> Sequence[TrackedImage]:
        """The longest overdue first; without those that moved or are on their way."""

    async def count_tracked(self, now: datetime) -> tuple[int, int]:
        """All that are tracked, and those whose look is due; it goes through all of them."""

    async def next_look(self) -> datetime | None: ...
    async def updated_upstream(self, *, limit: int) -> Sequence[TrackedImage]: ...
    async def on_way(self) -> Sequence[tuple[TrackedImage, Transfer]]:
        """Those with a transfer, and how that stands."""

    async def arrived(self, *, limit: int) -> Sequence[TrackedImage]: ...
    async def open_of(self, images: Collection[ImageRef]) -> Mapping[ImageRef, Transfer]:
        """Their open transfers, where there are any."""

    async def askers(
        self, image: ImageRef, *, since: datetime, but_for: str, limit: int
    ) -> Sequence[Request]:
        """Requests for the image, the latest first; without those that were told this digest."""

    async def watchers(self, image: ImageRef, *, limit: int) -> Sequence[Watch]: ...
    async def watches_of(self, person: PersonId) -> Sequence[Watch]:
        """The newest first."""

    async def save_watch(self, watch: Watch) -> None: ...
    async def drop_watch(self, person: PersonId, image: ImageRef) -> bool:
        """False where there was none."""


class Unit(Backlog, Upkeep, Protocol):
    """One transaction of the store: all of it is kept, or nothing."""

    async def beat(self, name: str, at: datetime) -> datetime | None:
        """Note a sign of life, to the second; the time of the one before it."""

    async def last_update(self) -> int: ...
    async def pass_update(self, update: int) -> None: ...
    async def remember(self, person: Person) -> None: ...
    async def people(self, people: Collection[PersonId]) -> Mapping[PersonId, Person]: ...
    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        """The chat goes on under another id; messages of the old one are out of reach."""

    async def origin(self, chat: ChatId) -> ChatId:
        """The id that the chat had before all its moves."""

    async def open_request(self, request: NewRequest) -> Request: ...
    async def link(self, request: RequestId, transfers: Sequence[TransferId]) -> None:
        """These are the request's transfers now, in this order, and no others."""

    async def draft(self, request: RequestId) -> Draft: ...
    async def save_draft(self, request: RequestId, draft: Draft) -> None: ...
    async def file(self, request: RequestId) -> File | None: ...
    async def save_file(self, file: File) -> None: ...
    async def drop_file(self, request: RequestId) -> None: ...
    async def drop_files(self, *, closed_before: datetime) -> None:
        """The files of all requests that were closed before then."""

    async def unread_files(self) -> Sequence[File]: ...
    async def request(self, request: RequestId) -> Request | None: ...
    async def shows_request(self, chat: ChatId, message: MessageId) -> bool:
        """Whether this message of ours is the card or the result of one of the late requests."""

    async def open_requests(self) -> Sequence[Request]: ...
    async def save_request(self, request: Request) -> None: ...

    async def open_transfer(self, image: ImageRef, at: datetime) -> Transfer:
        """The transfer of the image that is open, or a new one."""

    async def transfer(self, transfer: TransferId) -> Transfer | None: ...
    async def transfers_of(self, request: RequestId) -> tuple[Transfer, ...]: ...
    async def open_transfers(self) -> Sequence[Transfer]: ...
    async def latest_transfer(self, image: ImageRef) -> Transfer | None: ...
    async def requests_for(self, transfer: TransferId) -> Sequence[Request]: ...
    async def requests_for_all(
        self, wanted: Collection[TransferId]
    ) -> Mapping[TransferId, Sequence[Request]]: ...
    async def save_transfer(self, transfer: Transfer) -> None: ...
    async def transfers(self, wanted: Collection[TransferId]) -> Mapping[TransferId, Transfer]: ...
    async def save_transfers(self, changed: Sequence[Transfer]) -> None: ...
    async def last_failed(self) -> Transfer | None: ...
    async def asked(self, person: PersonId, since: datetime) -> tuple[int, int]:
        """How many images of the person are open, and how many were asked for since."""

    async def open_batches(self) -> Sequence[Batch]: ...
    async def save_batch(self, batch: Batch) -> None: ...
    async def last_batch_at(self) -> datetime | None:
        """When the last one was opened, or its commit was made: commits are to keep a distance."""

    async def transfers_in(self, batch: BatchId) -> tuple[Transfer, ...]: ...

    async def add_question(self, question: Question) -> None:
        """`question.id` is of no account: it gets its own."""

    async def questions(self) -> Sequence[Question]: ...
    async def save_question(self, question: Question) -> None: ...
    async def drop_question(self, question: int) -> None: ...

    async def add_note(
        self,
        place: Place,
        text: Rendered,
        *,
        reply_to: MessageId | None,
        edits: MessageId | None = None,
    ) -> None: ...
    async def notes(self) -> Sequence[Note]: ...
    async def save_note(self, note: Note) -> None: ...
    async def drop_note(self, note: int) -> None: ...
    async def greet(self, chat: ChatId, at: datetime, *, every: float) -> bool:
        """True where the chat was not told within the last `every` seconds; notes the time."""


class Store(Protocol):
    def begin(self) -> AbstractAsyncContextManager[Unit]:
        """A transaction; units of one store never overlap."""
