"""What one message of a person asks for. It owns one card; its images are transfers.

A request is closed when its outcome has been told and its card shows it. Pure facts.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.core.facts import MessageId, PersonId, Place, RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The stored facts of a request. Times are UTC; None means: not yet.

    `shown` is what the card shows now, `told_at` when the result was told in a reply.
    """

    id: RequestId
    person: PersonId
    place: Place
    message: MessageId
    opened_at: datetime
    card: MessageId | None = None
    shown: str = ""
    cancelled_at: datetime | None = None
    told_at: datetime | None = None
    closed_at: datetime | None = None
    attempts: int = 0
    not_before: datetime | None = None
