"""A request: the images that one message of a person asks for. It has one card.

Its images are transfers. If they came from a file or were guessed, it is a draft (core/draft.py)
until the person confirms it. It is closed when its result has been sent and its card shows it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.ids import MessageId, PersonId, Place, RequestId
from bot.core.image import ImageRef
from bot.core.retry import Retried


class PullFormat(StrEnum):
    """The tool for which the result writes how to pull."""

    DOCKER = "docker"
    CONTAINERD = "containerd"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Retried):
    """The stored facts of a request. Times are in UTC. None means "not yet".

    `message` is the one that answers reply to, None where it cannot be reached. `untagged` are
    the images that the person named without a tag, and `charts` those that are Helm charts. `shown`
    is what the card shows now. `told_in` is the message with the result, and `told` is what that
    shows. `returned` is how many files were sent back rewritten, and at `returned_at` all were.

    `version` is the key of the version that the card shows (core/card_version.py), empty where it
    asks for no decision. `page` is the open page of the images that wait. Where admins are
    `choosing`, `left_out` are the transfers without a tick. `rejecting` is the admin who is asked
    for a reason. `refused_at`: a press on the card was refused, so it is edited before all others.
    """

    id: RequestId
    person: PersonId
    place: Place
    message: MessageId | None
    opened_at: datetime
    confirmed_at: datetime | None = None
    untagged: tuple[ImageRef, ...] = ()
    charts: tuple[ImageRef, ...] = ()
    card: MessageId | None = None
    shown: str = ""
    cancelled_at: datetime | None = None
    told_at: datetime | None = None
    told_in: MessageId | None = None
    told: str = ""
    form: PullFormat = PullFormat.DOCKER
    returned: int = 0
    returned_at: datetime | None = None
    version: str = ""
    page: int = 0
    choosing: bool = False
    left_out: frozenset[int] = frozenset()
    rejecting: PersonId | None = None
    refused_at: datetime | None = None
    closed_at: datetime | None = None

    def is_chart(self, image: ImageRef) -> bool:
        """Whether the person asked for a Helm chart of this name, whatever its tag."""
        name = (image.registry, image.repository)
        return any((chart.registry, chart.repository) == name for chart in self.charts)

    @property
    def is_draft(self) -> bool:
        return self.confirmed_at is None
