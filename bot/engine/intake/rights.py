"""Who may ask for what here, and who asks too fast.

The rules are in core/policy.py. What each command demands is in dialog/commands.py.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.core.ids import ChatId, Person, PersonId, UpdateKey
from bot.core.policy import Role
from bot.dialog import answers
from bot.dialog.buttons import (
    MirrorImage,
    Pressed,
    ShowDigests,
    TakeSuggestion,
    command_behind,
)
from bot.dialog.command_values import CommandName, Confirm, List, Retry
from bot.dialog.commands import COMMANDS
from bot.dialog.message import Message, Phrase, say
from bot.engine.intake.context import Incoming, Installation, Press
from bot.engine.intake.rate_limit import (
    ANSWERS_OUTSIDE,
    ANSWERS_TO_STRANGERS,
    OUTSIDE,
    RateLimit,
    RateVerdict,
)
from bot.engine.ports.store import ChatOrigins, KnownPeople
from bot.engine.view_loader import admin_names

NO_ANSWER: Final = Message(())
"""An answer without text, which is never sent."""
_BEGIN_WORK: Final = (Confirm, List, MirrorImage, Retry, ShowDigests, TakeSuggestion)
"""Presses that count as much as the command behind them, where that begins work."""


class Rights:
    """Reads the config, names and moved chats, and counts what each person asks for."""

    def __init__(
        self, installation: Installation, clock: Callable[[], datetime], rate_limit: RateLimit
    ) -> None:
        self._installation = installation
        self._clock = clock
        self._rate_limit = rate_limit

    async def role_in(self, unit: ChatOrigins, incoming: Incoming) -> Role:
        """The role of who sent a message. A stranger is no member, though everybody else is."""
        chat, faceless = incoming.place.chat, incoming.faceless
        role = await self.role(unit, incoming.person, chat, faceless=faceless)
        shut = incoming.stranger and self._installation.strangers is None
        return Role.GUEST if shut and role is Role.MEMBER else role

    def _first(self, person: Person) -> PersonId:
        """The id by which the human is counted."""
        return self._installation.policy.people.first(person.id)

    async def role(
        self, unit: ChatOrigins, person: Person, chat: ChatId, *, faceless: bool = False
    ) -> Role:
        """The role of a person. A chat that has moved counts as the one that the config names."""
        access = self._installation.access
        role = access.role_of(person.id, chat, faceless=faceless)
        if role is Role.OUTSIDE and (origin := await unit.origin(chat)) != chat:
            return access.role_of(person.id, origin, faceless=faceless)
        return role

    async def serves(self, unit: ChatOrigins, chat: ChatId) -> bool:
        """Whether a group is served, under its id of now or of before."""
        chats = self._installation.access.chats
        return chat in chats or await unit.origin(chat) in chats

    def answers_outside(self, update: UpdateKey) -> bool:
        """Count an answer to a chat that is not served: all of them share one allowance."""
        turn = self._rate_limit.take(OUTSIDE, self._clock(), most=ANSWERS_OUTSIDE, update=update)
        return turn is RateVerdict.ALLOWED

    async def refusal(self, unit: KnownPeople, command: CommandName, person: Person) -> Phrase:
        asks = Role.MEMBER in COMMANDS[command].audience
        if asks and self._installation.service.is_public:  # the service knows who may ask
            return say("stranger")
        admins = self._installation.access.admins
        names = admin_names(await unit.people(admins), admins)
        return answers.may_not(command, person, names)

    def turned_away(self, role: Role, incoming: Incoming) -> Message | None:
        """The answer to a person who is too fast. None where the person is not."""
        now, most = self._clock(), self._installation.policy.minute_limit
        person, chat, update = incoming.person, incoming.place.chat, incoming.update
        match role:
            case Role.ADMIN:
                return None
            case Role.MEMBER:
                turn = self._rate_limit.take(self._first(person), now, most=most, update=update)
            case _:  # there may be many strangers: only the first of a window are answered
                turn = self._rate_limit.take(chat, now, most=ANSWERS_TO_STRANGERS, update=update)
        if turn is RateVerdict.ALLOWED:
            return None
        if turn is RateVerdict.IGNORED or role is not Role.MEMBER:
            return NO_ANSWER
        return Message((self.too_fast(person),))

    def too_fast(self, person: Person) -> Phrase:
        seconds = self._rate_limit.wait(self._first(person), self._clock())
        return say("limit-minute", number=self._installation.policy.minute_limit, seconds=seconds)

    def allows_press(self, press: Press, pressed: Pressed, role: Role) -> bool:
        """Count a press. False where the person is too fast."""
        if role is Role.ADMIN:
            return True
        command = command_behind(pressed)
        turn = self._rate_limit.take(
            self._first(press.person),
            self._clock(),
            most=self._installation.policy.minute_limit,
            update=press.update,
            light=not (isinstance(pressed, _BEGIN_WORK) and COMMANDS[command].begins_work),
        )
        return turn is RateVerdict.ALLOWED
