"""The part of the store that holds drafts, and the files and texts that they come from.

What arrives in several messages is gathered first: see core/gathering.py. store.py explains
transactions, times and errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.draft import Draft
from bot.core.gathering import Gathering
from bot.core.ids import ChatId, PersonId, Place, RequestId
from bot.core.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that the images of a request came from, or a part of a text without a name.

    `content` None: not fetched yet.
    """

    request: RequestId
    position: int = 0
    name: str
    file_id: str
    content: bytes | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is a part of a text."""
        return not self.file_id


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFile:
    """A file of an album whose command may still come. `size` is in bytes."""

    album: str
    person: PersonId
    chat: ChatId
    name: str
    file_id: str
    size: int
    at: datetime


class SavesDrafts(Protocol):
    async def save_draft(self, request: RequestId, draft: Draft) -> None:
        """Store the draft of a request in place of the one before."""


class Drafts(SavesDrafts, Protocol):
    async def draft(self, request: RequestId) -> Draft:
        """The draft of a request, an empty one where none was stored."""


class ReadsFiles(Protocol):
    async def files(self, request: RequestId) -> Sequence[File]:
        """The files of a request, and the parts of its text, by position."""


class Files(ReadsFiles, Protocol):
    async def save_file(self, file: File) -> None:
        """Store a file of a request in place of the one before at its position."""


class DropsFiles(Protocol):
    async def drop_files_of(self, request: RequestId) -> None:
        """Delete the files of a request, and what is gathered for it."""


class FindsGatherings(Protocol):
    async def gathering(self, request: RequestId) -> Gathering | None:
        """What is gathered for a request. None where nothing is, or no longer."""


class Gatherings(Protocol):
    """Where intake adds what arrives: see core/gathering.py."""

    async def save_file(self, file: File) -> None:
        """As in `Files`."""

    async def gatherings_of(self, person: PersonId, place: Place) -> Sequence[Gathering]:
        """What is gathered for unconfirmed drafts of the person in this place, newest first."""

    async def save_gathering(self, gathering: Gathering) -> None:
        """Store what is gathered for a request in place of what was before."""

    async def add_heard_file(self, file: HeardFile, *, since: datetime) -> None:
        """Store the file, and delete those that were heard before then."""

    async def take_heard_files(
        self, album: str, person: PersonId, chat: ChatId
    ) -> Sequence[HeardFile]:
        """The person's files of an album in this chat, in their order. They are deleted."""


class UnreadDrafts(Files, DropsFiles, FindsGatherings, Protocol):
    """Drafts that are still to be read, or wait for a person."""

    async def gatherings(self) -> Sequence[Gathering]:
        """All that is gathered."""

    async def save_gathering(self, gathering: Gathering) -> None:
        """As in `Gatherings`."""

    async def drop_gathering(self, request: RequestId) -> None:
        """Delete what is gathered for a request. Its files stay."""

    async def drop_file(self, request: RequestId, position: int) -> None:
        """Delete one file of a request."""

    async def open_drafts(self) -> Sequence[Request]:
        """Open requests that are drafts."""


class FilesToReturn(ReadsFiles, DropsFiles, Protocol):
    async def drop_files(self, *, closed_before: datetime) -> None:
        """Delete the files of all requests that were closed before then."""
