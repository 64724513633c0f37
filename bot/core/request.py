"""What one message of a person asks for. It owns one card; its images are transfers.

A request whose images were found in a file or were guessed is a draft (draft.py) until the
person confirms it. It is closed when its outcome has been told and its card shows it. Pure facts.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.core.ids import MessageId, PersonId, Place, RequestId
from bot.core.image import ImageRef

BOT_ITSELF: Final = PersonId(0)
"""The bot, where it asks for what nobody asked for: Telegram gives this number to nobody."""


class PullFormat(StrEnum):
    """The tool that a pull is written for."""

    DOCKER = "docker"
    CONTAINERD = "containerd"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The stored facts of a request. Times are UTC; None means: not yet.

    `message` is what the answers reply to, None where that is out of reach. `untagged` are the
    images that the person named without a tag. `shown` is what the card shows now; `told_in`
    the message that tells the result, which shows `told`. `returned_at` is when the file that
    the images came from went back rewritten.
    """

    id: RequestId
    person: PersonId
    place: Place
    message: MessageId | None
    opened_at: datetime
    confirmed_at: datetime | None = None
    untagged: tuple[ImageRef, ...] = ()
    card: MessageId | None = None
    shown: str = ""
    cancelled_at: datetime | None = None
    told_at: datetime | None = None
    told_in: MessageId | None = None
    told: str = ""
    form: PullFormat = PullFormat.DOCKER
    returned_at: datetime | None = None
    closed_at: datetime | None = None
    attempts: int = 0
    not_before: datetime | None = None

    @property
    def is_draft(self) -> bool:
        return self.confirmed_at is None
