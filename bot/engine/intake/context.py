"""One update that is handled: who, where, by which rules, and in which transaction.

The use cases of this folder take a context and store what was asked. They never wait for the
network and send nothing themselves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from bot.core.events import Event
from bot.core.hold import Hold
from bot.core.ids import (
    ChatId,
    MessageId,
    Person,
    PersonId,
    Place,
    RequestId,
    UpdateKey,
    is_private,
    service_of,
)
from bot.core.image import Target
from bot.core.people import People
from bot.core.policy import AllowLists, Policy, Role
from bot.core.request import Request
from bot.core.service import Service
from bot.core.transfer import Transfer, advance
from bot.dialog.language import Language
from bot.dialog.message import Phrase, say
from bot.dialog.view import View
from bot.engine.changes import log_change
from bot.engine.decided import Rules
from bot.engine.ports.store import FindsRequests, Participants, SavesTransfers
from bot.engine.view_loader import view_of


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message. `size` is in bytes, 0 where the service does not say.

    `album` is the service's id of the files that were sent together, empty for a single file.
    """

    file_id: str
    name: str
    size: int = 0
    album: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message of a person. `faceless`: it does not say of whom. `forwarded`: from elsewhere.

    `sent_at` is when the service got it, in UTC and whole seconds. `hears_all`: the bot gets all
    messages of this chat, and not only commands. `quoted` and `quoted_file` are the text and the
    file of the message that it replies to, which is `replies_to`, and `quoted_buttons` what its
    buttons carry. `stranger`: the service gave the person no role in this chat.
    """

    update: UpdateKey
    person: Person
    place: Place
    message: MessageId
    text: str
    sent_at: datetime
    hears_all: bool = False
    faceless: bool = False
    forwarded: bool = False
    file: Attachment | None = None
    quoted: str = ""
    quoted_file: Attachment | None = None
    quoted_buttons: tuple[str, ...] = ()
    replies_to: MessageId | None = None
    stranger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed button, and the message that it belongs to."""

    update: UpdateKey
    person: Person
    place: Place
    message: MessageId
    data: str
    faceless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A person has added the bot to a group. `hears_all` as in Incoming."""

    update: UpdateKey
    person: Person
    chat: ChatId
    hears_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The configuration: who may ask, the policy, the target, and the language of groups.

    `service` is where people talk, and `me` is the bot's own name there. `kept_fresh`:
    whether the listed images are checked regularly. `reasons` are offered to an admin who rejects.
    `approvals` are the groups that decide on what was asked by other services.
    `plain_http`: the target has no TLS.
    `strangers`: the policy for people without a role. None: they may not ask.
    """

    policy: Policy
    access: AllowLists
    target: Target
    service: Service
    me: str
    language: Language = Language.EN
    kept_fresh: bool = False
    holds: Sequence[Hold] = ()
    reasons: tuple[str, ...] = ()
    approvals: Collection[ChatId] = ()
    plain_http: bool = False
    strangers: Policy | None = None

    @property
    def rules(self) -> Rules:
        return Rules(self.policy, self.access.admins)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a command or a press. `done`: what was asked for has happened."""

    words: Phrase
    done: bool = True


class ContextUnit(FindsRequests, SavesTransfers, Participants, Protocol):
    """What every use case may read and write."""


UnitT_co = TypeVar("UnitT_co", bound=ContextUnit, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Generic[UnitT_co]):
    """`message` is what an answer replies to. `role`: what the person may do here."""

    unit: UnitT_co
    installation: Installation
    now: datetime
    person: Person
    place: Place
    message: MessageId
    role: Role
    language: Language

    @property
    def service(self) -> Service:
        return self.installation.service

    @property
    def people(self) -> People:
        return self.installation.policy.people

    def is_own(self, person: PersonId) -> bool:
        """Whether it is the human who speaks here."""
        return person in self.people.ids(self.person.id)

    @property
    def admin(self) -> bool:
        return self.role is Role.ADMIN

    async def view(self, transfers: Sequence[Transfer], requests: Sequence[Request] = ()) -> View:
        return await view_of(
            self.unit,
            transfers,
            requests,
            target=self.installation.target,
            now=self.now,
            admins=self.installation.access.admins,
            room=self.service.room,
        )

    def may_see(self, request: Request) -> bool:
        """Whether the person may learn of a request here. Others are answered as unknown ones.

        What was asked in private is shown to admins in private alone. In public only what was
        asked there is shown, but for a chat that decides for all services.
        """
        home, here = request.place.chat, self.place.chat
        if self.service.is_public and service_of(home) != service_of(here):
            decides = here in self.installation.approvals
            return decides and self.admin and not is_private(home)
        if home == here or request.person == self.person.id:
            return True
        if self.is_own(request.person) and not is_private(home):
            return True
        return self.admin and (is_private(here) or not is_private(home))

    async def own_request(self, number: RequestId) -> Request | Outcome:
        """The request, if the person may change it. Otherwise the answer that says why not."""
        request = await self.unit.request(number)
        if request is None or not self.may_see(request):
            return Outcome(say("no-request", request=str(number)), done=False)
        if not self.admin and not self.is_own(request.person):
            return Outcome(say("not-yours", request=str(number)), done=False)
        return request

    async def advance(self, transfer: Transfer, event: Event) -> bool:
        """Store the transfer after the event. False where its state does not allow it."""
        after = advance(transfer, event)
        if after is not None:
            await self.unit.save_transfer(after)
            log_change(transfer, after)
        return after is not None
