"""Takes messages and presses, and stores what is asked, in one transaction each.

Intake only stores and wakes the lanes. It must not wait for the network, write to GitHub or send.
An answer is stored as a note in the transaction of its cause, so a kill loses neither. An update
that is received again changes nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from bot.core.bad_image import BadImage
from bot.core.ids import ChatId, Person, Place, UpdateKey, is_private, is_private_chat_of
from bot.core.policy import Role
from bot.core.registry import PullLimit
from bot.dialog import answers
from bot.dialog.buttons import command_behind, parse_button
from bot.dialog.command_values import CommandName, Misuse, Unknown
from bot.dialog.commands import COMMANDS, TypedCommand, parse
from bot.dialog.language import Language, spoken
from bot.dialog.message import Message, Phrase, Text, say
from bot.engine.changes import chat_name
from bot.engine.intake import card_press, commands, gather, mirror, presses, status
from bot.engine.intake.context import Added, Context, Incoming, Installation, Press
from bot.engine.intake.rate_limit import RateLimit
from bot.engine.intake.rights import NO_ANSWER, Rights
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.repository import WorkflowState
from bot.engine.ports.store import (
    ChatOrigins,
    Greetings,
    KnownPeople,
    MovesChats,
    SavesPeople,
    Store,
    Updates,
)

log = logging.getLogger(__name__)

GREET_EVERY: Final = 3600.0
"""Seconds between two messages to a chat that is not served."""


class IntakeUnit(
    commands.CommandUnit,
    presses.PressUnit,
    Updates,
    SavesPeople,
    ChatOrigins,
    MovesChats,
    Greetings,
    KnownPeople,
    NewNotes,
    Protocol,
):
    """What the use cases read and write together, and what is read and written here."""


class Intake:
    def __init__(
        self,
        *,
        store: Store[IntakeUnit],
        installation: Installation,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        rate_limit: RateLimit | None = None,
        budgets: Callable[[], Mapping[str, PullLimit]] = dict,
        workflow: Callable[[], WorkflowState | None] = lambda: None,
        reload: Callable[[], Sequence[str]] = tuple,
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        """`rate_limit` is shared by the intakes of all services.

        `budgets` and `workflow`: what the services said last, see status.Vitals.

        `reload` reads the config again. Returns the changed keys, or raises ConfigError.
        `restart` starts all parts anew, after what admins hold has changed.
        """
        self._store = store
        self._installation = installation
        self._clock = clock
        self._wake = wake
        self._rights = Rights(installation, clock, rate_limit or RateLimit())
        self._process = commands.Process(
            status.Vitals(budgets, workflow), reload, self._restart_later
        )
        self._restart = restart
        self._restarts = False

    async def receive(self, incoming: Incoming) -> bool:
        """Handle a message, and store its immediate answer as a note.

        Returns True where work has begun whose answer comes later.
        """
        async with self._store.begin() as unit:
            if not await unit.take(incoming.update, self._clock()):
                return False
            command = self._command(incoming)
            whole = command is not None and not await gather.was_cut_off(unit, incoming)
            if not whole and await self._belongs_to_another(unit, incoming):
                return False
            answer = await self._answer(unit, incoming, command)
            if answer == NO_ANSWER:
                return False
            if answer is not None:
                text = Text(answer, self._language(incoming.place, incoming.person))
                await unit.add_note(incoming.place, text, reply_to=incoming.message)
        if self._restarts:
            self._restarts = False
            self._restart()
        self._wake()
        return answer is None and COMMANDS[_name(command)].begins_work

    async def added(self, added: Added) -> None:
        """Say in a group that the bot was added to what it is, and what to do next."""
        async with self._store.begin() as unit:
            if not await unit.take(added.update, self._clock()):
                return
            served = await self._rights.serves(unit, added.chat)
            if not served and not self._rights.answers_outside(added.update):
                return
            if await unit.greet(added.chat, self._clock(), every=GREET_EVERY):
                said = answers.added(added.person, added.chat, served=served, me=self._me(added))
                text = Text(said, self._installation.language)
                await unit.add_note(Place(added.chat), text, reply_to=None)
        self._wake()

    def _me(self, added: Added) -> str:
        """The name that a command needs in the group. Empty where bare commands arrive."""
        return "" if added.hears_all else self._installation.me

    async def press(self, press: Press) -> Text | None:
        """Handle a press. Returns the text of the popup, None for a repeated update."""
        async with self._store.begin() as unit:
            if not await unit.take(press.update, self._clock()):
                return None
            answer = await self._pressed(unit, press)
        self._wake()
        return self._popup(answer, press) if answer is not None else None

    def _popup(self, words: Phrase, press: Press) -> Text:
        """Only the person who pressed sees it, so it is in their language."""
        language = spoken(press.person.language, otherwise=self._installation.language)
        return Text(Message((words,)), language)

    async def pass_over(self, update: UpdateKey) -> None:
        """Store that an irrelevant update was handled, so that it is not received again."""
        async with self._store.begin() as unit:
            await unit.take(update, self._clock())

    def excuse(self, incoming: Incoming) -> Text | None:
        """What to send at once while nothing can be stored, or None for no answer.

        The store cannot be read either, so only chats that the config names are answered.
        """
        access, place, person = self._installation.access, incoming.place, incoming.person
        role = access.role_of(person.id, place.chat, faceless=incoming.faceless)
        private = is_private_chat_of(place.chat, person.id)
        if role in (Role.OUTSIDE, Role.NOBODY) or not (private or self._command(incoming)):
            return None
        return Text(answers.single_line("cannot-store"), self._language(place, person))

    def excuse_press(self, press: Press) -> Text:
        return self._popup(say("cannot-store-press"), press)

    async def moved(self, update: UpdateKey, old: ChatId, new: ChatId) -> None:
        """A group became a supergroup: move its requests there, and serve it as before."""
        async with self._store.begin() as unit:
            if await unit.take(update, self._clock()):
                await unit.move_chat(old, new)
        self._wake()

    def _restart_later(self) -> None:
        """Restart once the transaction has ended, so that the parts read what it stored."""
        self._restarts = True

    def _command(self, incoming: Incoming) -> TypedCommand | None:
        """The command of a message. None for a text or a file without one.

        In a group, an unknown command is probably meant for another bot.
        """
        installation = self._installation
        if incoming.forwarded:  # it was said to somebody else
            return None
        command = parse(incoming.text, me=installation.me, target_host=installation.target.host)
        private = is_private_chat_of(incoming.place.chat, incoming.person.id)
        match command and command.parsed:
            case Unknown(addressed=False) if not private:
                return None
        return command

    def _language(self, place: Place, person: Person) -> Language:
        private = is_private_chat_of(place.chat, person.id)
        own = self._installation.language
        return spoken(person.language, otherwise=own) if private else own

    def _context(self, unit: IntakeUnit, of: Incoming | Press, role: Role) -> Context[IntakeUnit]:
        installation, strangers = self._installation, self._installation.strangers
        if isinstance(of, Incoming) and of.stranger and strangers is not None:
            installation = replace(installation, policy=strangers)
        return Context(
            unit=unit,
            installation=installation,
            now=self._clock(),
            person=of.person,
            place=of.place,
            message=of.message,
            role=role,
            language=self._language(of.place, of.person),
        )

    # -- messages -----------------------------------------------------------------------

    async def _belongs_to_another(self, unit: IntakeUnit, incoming: Incoming) -> bool:
        """Handle a message that goes with another one, or has no command and concerns nobody.

        False where it is one of its own, as in a private chat.
        """
        chat, person = incoming.place.chat, incoming.person
        role = await self._rights.role_in(unit, incoming)
        private = is_private_chat_of(chat, person.id)
        if role not in COMMANDS[CommandName.MIRROR].audience:
            return not private
        context = self._context(unit, incoming, role)
        if await gather.add_part(context, incoming):
            return True
        if not private and incoming.file is not None and incoming.file.album:
            await gather.hear(context, incoming.file)
        return not private

    async def _answer(
        self, unit: IntakeUnit, incoming: Incoming, command: TypedCommand | None
    ) -> Message | None:
        """The answer to a command, or to what is taken as /mirror without one."""
        person = incoming.person
        role = await self._rights.role_in(unit, incoming)
        if role is Role.OUTSIDE:
            return await self._outside(unit, incoming, _name(command))
        if (turned_away := self._rights.turned_away(role, incoming)) is not None:
            return turned_away
        if role is Role.NOBODY:
            return answers.single_line("faceless")
        await unit.save_person(person)
        name, context = _name(command), self._context(unit, incoming, role)
        if role not in COMMANDS[name].audience:
            return Message((await self._rights.refusal(unit, name, person),))
        if command is None:
            return await mirror.take(context, incoming)
        match command.parsed:
            case BadImage() as bad:
                return answers.unreadable([bad], command=name)
            case Misuse():
                return answers.misuse(name)
            case Unknown(unknown):
                return answers.unknown(unknown)
            case parsed:
                return await commands.answer(context, parsed, incoming, self._process)

    async def _outside(self, unit: IntakeUnit, incoming: Incoming, command: CommandName) -> Message:
        """What is said in a chat that is not served: seldom, but for /whoami in a group."""
        chat, person = incoming.place.chat, incoming.person
        if not self._rights.answers_outside(incoming.update):
            return NO_ANSWER
        asks = command is CommandName.WHOAMI and not is_private(chat)
        if not asks and not await unit.greet(chat, self._clock(), every=GREET_EVERY):
            return NO_ANSWER
        log.info(
            "%s is not served, and somebody asked there: see `chats` in the config", chat_name(chat)
        )
        return answers.outside(person, chat)

    # -- presses ------------------------------------------------------------------------

    async def _pressed(self, unit: IntakeUnit, press: Press) -> Phrase | None:
        pressed = parse_button(press.data)
        role = await self._rights.role(
            unit, press.person, press.place.chat, faceless=press.faceless
        )
        if pressed is None:
            return await self._unknown(unit, press, role)
        command = command_behind(pressed)
        if role not in COMMANDS[command].audience:
            return await self._rights.refusal(unit, command, press.person)
        await unit.save_person(press.person)
        if not self._rights.allows_press(press, pressed, role):
            return self._rights.too_fast(press.person)
        return await presses.answer(self._context(unit, press, role), pressed)

    async def _unknown(self, unit: IntakeUnit, press: Press, role: Role) -> Phrase:
        """A button of another version of the bot. An admin's press has its card shown anew."""
        if role not in COMMANDS[CommandName.APPROVE].audience:
            return say("button-unknown")
        return (await card_press.refuse(self._context(unit, press, role))).words


def _name(command: TypedCommand | None) -> CommandName:
    """The command whose row holds: a message without one is taken as /mirror."""
    return CommandName.MIRROR if command is None else command.name
