"""Takes messages and presses, and stores what is asked, in one transaction each.

Intake only stores and wakes the lanes. It must not wait for the network, write to GitHub or send.
An answer is stored as a note in the transaction of its cause, so a kill loses neither. An update
that is received again changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, assert_never

from bot.core.bad_image import BadImage
from bot.core.ids import ChatId, MessageId, Person, Place, is_private_chat_of
from bot.core.policy import Role
from bot.core.registry import PullLimit
from bot.dialog import answers
from bot.dialog.buttons import (
    MirrorImage,
    Pressed,
    ShowDigests,
    TakeSuggestion,
    command_behind,
    parse_button,
)
from bot.dialog.commands import (
    COMMANDS,
    Approve,
    BeginWatch,
    Block,
    Cancel,
    Command,
    CommandName,
    Confirm,
    EndKeep,
    EndWatch,
    History,
    Holding,
    Kept,
    List,
    Lookup,
    Mirror,
    Misuse,
    Outdated,
    Pause,
    Reject,
    Resume,
    Retry,
    Rollback,
    Simple,
    Status,
    TypedCommand,
    Unblock,
    Why,
    parse,
)
from bot.dialog.language import Language, spoken
from bot.dialog.message import Message, Phrase, Rendered, say
from bot.engine.intake import (
    cancel,
    card_press,
    decide,
    draft,
    hold,
    kept,
    mirror,
    presses,
    questions,
    retry,
    showing,
    status,
    watch,
)
from bot.engine.intake.context import Context, Incoming, Installation, Outcome, Press
from bot.engine.intake.rate_limit import ANSWERS_TO_STRANGERS, RateLimit, RateVerdict
from bot.engine.ports.chat import Words
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.repository import WorkflowState
from bot.engine.ports.store import (
    ChatOrigins,
    Greetings,
    KnownPeople,
    LastUpdate,
    MovesChats,
    SavesPeople,
    Store,
    Updates,
)
from bot.engine.view_loader import admin_names

GREET_EVERY: Final = 3600.0
"""Seconds between two messages to a chat that is not served."""
REPEATED_WITHIN: Final = 10_000
"""Telegram repeats only what was not confirmed: a hundred updates at most. A number far below the
last one begins a new series, as after a week without updates:
https://core.telegram.org/bots/api#update"""
_BEGIN_WORK: Final = (Confirm, List, MirrorImage, Retry, ShowDigests, TakeSuggestion)
"""Presses that count as much as the command behind them, where that begins work."""
_NO_ANSWER: Final = Message(())
"""An answer without text, which is never sent."""


class IntakeUnit(
    mirror.MirrorUnit,
    presses.PressUnit,
    status.StatusUnit,
    questions.AskUnit,
    watch.WatchUnit,
    kept.KeptUnit,
    hold.HoldUnit,
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
        words: Words,
        installation: Installation,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        budgets: Callable[[], Mapping[str, PullLimit]] = dict,
        workflow: Callable[[], WorkflowState | None] = lambda: None,
        reload: Callable[[], Sequence[str]] = tuple,
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        """`budgets` and `workflow`: what the services said last, see status.Vitals.

        `reload` reads the config again. Returns the changed keys, or raises ConfigError.
        `restart` starts all parts anew, after what admins hold has changed.
        """
        self._store = store
        self._words = words
        self._installation = installation
        self._clock = clock
        self._wake = wake
        self._vitals = status.Vitals(budgets, workflow)
        self._reload = reload
        self._restart = restart
        self._restarts = False
        self._rate_limit = RateLimit()

    async def receive(self, incoming: Incoming) -> bool:
        """Handle a message, and store its immediate answer as a note.

        Returns True where work has begun whose answer comes later.
        """
        async with self._store.begin() as unit:
            if await _is_repeated(unit, incoming.update):
                return False
            await unit.save_last_update(incoming.update)
            command = self._command(incoming)
            if command is None:
                return False
            answer = await self._answer(unit, incoming, command)
            if answer == _NO_ANSWER:
                return False
            if answer is not None:
                text = self._words.render(answer, self._language(incoming.place, incoming.person))
                await unit.add_note(incoming.place, text, reply_to=incoming.message)
        if self._restarts:
            self._restarts = False
            self._restart()
        self._wake()
        return answer is None and COMMANDS[command.name].begins_work

    async def press(self, press: Press) -> str:
        """Handle a press. Returns the text of the popup, empty for a repeated update."""
        async with self._store.begin() as unit:
            if await _is_repeated(unit, press.update):
                return ""
            await unit.save_last_update(press.update)
            answer = await self._pressed(unit, press)
        self._wake()
        # Only the person who pressed sees it, so it is in their language.
        language = spoken(press.person.language, otherwise=self._installation.language)
        return self._words.plain(answer, language) if answer is not None else ""

    async def pass_over(self, update: int) -> None:
        """Store that an irrelevant update was handled, so that it is not received again."""
        async with self._store.begin() as unit:
            if not await _is_repeated(unit, update):
                await unit.save_last_update(update)

    def excuse(self, incoming: Incoming) -> Rendered | None:
        """What to send at once while nothing can be stored, or None for no answer.

        The store cannot be read either, so only chats that the config names are answered.
        """
        access, place, person = self._installation.access, incoming.place, incoming.person
        role = access.role_of(person.id, place.chat, faceless=incoming.faceless)
        if role in (Role.OUTSIDE, Role.NOBODY) or self._command(incoming) is None:
            return None
        return self._words.render(
            answers.single_line("cannot-store"), self._language(place, person)
        )

    def excuse_press(self, press: Press) -> str:
        language = spoken(press.person.language, otherwise=self._installation.language)
        return self._words.plain(say("cannot-store-press"), language)

    async def moved(self, update: int, old: ChatId, new: ChatId) -> None:
        """A group became a supergroup: move its requests there, and serve it as before."""
        async with self._store.begin() as unit:
            if not await _is_repeated(unit, update):
                await unit.save_last_update(update)
                await unit.move_chat(old, new)
        self._wake()

    def _command(self, incoming: Incoming) -> TypedCommand | None:
        installation = self._installation
        return parse(incoming.text, me=installation.me, target_host=installation.target.host)

    def _language(self, place: Place, person: Person) -> Language:
        private = is_private_chat_of(place.chat, person.id)
        own = self._installation.language
        return spoken(person.language, otherwise=own) if private else own

    async def _role(
        self, unit: IntakeUnit, person: Person, chat: ChatId, *, faceless: bool = False
    ) -> Role:
        """The role of a person. A chat that has moved counts as the one that the config names."""
        access = self._installation.access
        role = access.role_of(person.id, chat, faceless=faceless)
        if role is Role.OUTSIDE and (origin := await unit.origin(chat)) != chat:
            return access.role_of(person.id, origin, faceless=faceless)
        return role

    def _context(self, unit: IntakeUnit, of: Incoming | Press, role: Role) -> Context[IntakeUnit]:
        return Context(
            unit=unit,
            installation=self._installation,
            now=self._clock(),
            person=of.person,
            place=of.place,
            message=of.message,
            role=role,
            language=self._language(of.place, of.person),
        )

    # -- messages -----------------------------------------------------------------------

    async def _answer(
        self, unit: IntakeUnit, incoming: Incoming, command: TypedCommand
    ) -> Message | None:
        chat, person = incoming.place.chat, incoming.person
        role = await self._role(unit, person, chat, faceless=incoming.faceless)
        if role is Role.OUTSIDE:
            told = not await unit.greet(chat, self._clock(), every=GREET_EVERY)
            return _NO_ANSWER if told else answers.outside(person, chat)
        if (turned_away := self._turned_away(role, incoming)) is not None:
            return turned_away
        if role is Role.NOBODY:
            return answers.single_line("faceless")
        await unit.save_person(person)
        if role not in COMMANDS[command.name].audience:
            return Message((await self._may_not(unit, command.name, person),))
        match command.parsed:
            case BadImage() as bad:
                return answers.unreadable([bad], command=command.name)
            case Misuse():
                return answers.misuse(command.name)
            case parsed:
                return await self._run(self._context(unit, incoming, role), parsed, incoming)

    async def _may_not(self, unit: KnownPeople, command: CommandName, person: Person) -> Phrase:
        admins = self._installation.access.admins
        names = admin_names(await unit.people(admins), admins)
        return answers.may_not(command, person, names)

    def _turned_away(self, role: Role, incoming: Incoming) -> Message | None:
        """The answer to a person who is too fast. None where the person is not."""
        now, most = self._clock(), self._installation.policy.minute_limit
        person, chat, update = incoming.person, incoming.place.chat, incoming.update
        match role:
            case Role.ADMIN:
                return None
            case Role.MEMBER:
                turn = self._rate_limit.take(person.id, now, most=most, update=update)
            case _:  # there may be many strangers: only the first of a window are answered
                turn = self._rate_limit.take(chat, now, most=ANSWERS_TO_STRANGERS, update=update)
        if turn is RateVerdict.ALLOWED:
            return None
        if turn is RateVerdict.IGNORED or role is not Role.MEMBER:
            return _NO_ANSWER
        return Message((self._too_fast(person),))

    def _too_fast(self, person: Person) -> Phrase:
        seconds = self._rate_limit.wait(person.id, self._clock())
        return say("limit-minute", number=self._installation.policy.minute_limit, seconds=seconds)

    async def _run(
        self, context: Context[IntakeUnit], command: Command, incoming: Incoming
    ) -> Message | None:
        match command:
            case Mirror(text):
                return await mirror.mirror(context, text, incoming)
            case Confirm(number):
                return _unless_done(await draft.confirm(context, number))
            case Status():
                return await status.status(context, command, self._vitals)
            case Lookup() | List() | Outdated():
                return await questions.ask(context, command)
            case BeginWatch() | EndWatch():
                return await watch.change_watches(context, command)
            case Why() | History() | Rollback() | EndKeep() | Approve() | Reject() | Cancel():
                return await _decided(context, command, incoming.replies_to)
            case Retry(number):
                return _unless_done(await retry.retry(context, number))
            case Pause() | Resume() | Block() | Unblock():
                return await self._hold(context, command)
            case Simple(name):
                return self._plain(context, name)
            case never:
                assert_never(never)

    async def _hold(self, context: Context[IntakeUnit], command: Holding) -> Message:
        outcome = await hold.change_hold(context, command)
        self._restarts = self._restarts or outcome.done
        return Message((outcome.words,))

    def _plain(self, context: Context[IntakeUnit], name: CommandName) -> Message:
        if name is CommandName.RELOAD:
            return hold.read_config_again(self._reload)
        if name is CommandName.WHOAMI:
            return answers.whoami(context.person, context.place.chat, admin=context.admin)
        return answers.help_text(context.person, context.role)

    # -- presses ------------------------------------------------------------------------

    async def _pressed(self, unit: IntakeUnit, press: Press) -> Phrase | None:
        pressed = parse_button(press.data)
        role = await self._role(unit, press.person, press.place.chat)
        if pressed is None:
            return await self._unknown(unit, press, role)
        command = command_behind(pressed)
        if role not in COMMANDS[command].audience:
            return await self._may_not(unit, command, press.person)
        await unit.save_person(press.person)
        if role is not Role.ADMIN and not self._allows(press, pressed):
            return self._too_fast(press.person)
        context = self._context(unit, press, role)
        if isinstance(pressed, List | MirrorImage | ShowDigests):
            return await self._begin(context, pressed)
        return (await presses.outcome(context, pressed)).words

    async def _unknown(self, unit: IntakeUnit, press: Press, role: Role) -> Phrase:
        """A button of another version of the bot. An admin's press has its card shown anew."""
        if role not in COMMANDS[CommandName.APPROVE].audience:
            return say("button-unknown")
        return (await card_press.refuse(self._context(unit, press, role))).words

    def _allows(self, press: Press, pressed: Pressed) -> bool:
        command = command_behind(pressed)
        turn = self._rate_limit.take(
            press.person.id,
            self._clock(),
            most=self._installation.policy.minute_limit,
            update=press.update,
            light=not (isinstance(pressed, _BEGIN_WORK) and COMMANDS[command].begins_work),
        )
        return turn is RateVerdict.ALLOWED

    async def _begin(
        self, context: Context[IntakeUnit], pressed: List | MirrorImage | ShowDigests
    ) -> Phrase | None:
        """Begin what a press asks for. Its answer comes later, as a message."""
        if isinstance(pressed, MirrorImage):
            answer = await mirror.submit(context, [pressed.image])
            return say("wanted") if answer is None else answer.lines[0]
        if isinstance(pressed, ShowDigests):
            return await self._send_digests(context, pressed)
        # A press may be forged: it must not overwrite a card or a result with a list.
        if await context.unit.request_shown(context.place.chat, context.message) is not None:
            return say("button-unknown")
        await questions.ask_for_list(context, pressed, edits=context.message)
        return None

    async def _send_digests(
        self, context: Context[IntakeUnit], pressed: ShowDigests
    ) -> Phrase | None:
        message = await showing.digests(context, pressed)
        if message is None:
            return (await card_press.refuse(context)).words
        text = self._words.render(message, self._language(context.place, context.person))
        await context.unit.add_note(context.place, text, reply_to=context.message)
        return None


async def _decided(
    context: Context[IntakeUnit],
    command: Approve | Reject | Cancel | Kept,
    card: MessageId | None,
) -> Message | None:
    if isinstance(command, Kept):
        return await kept.answer(context, command)
    if isinstance(command, Cancel):
        return Message(((await cancel.cancel(context, command)).words,))
    if isinstance(command, Reject) and command.request is None:
        return await decide.reject_card(context, command, card)
    return await decide.command(context, command)


async def _is_repeated(unit: LastUpdate, update: int) -> bool:
    last = await unit.last_update()
    return last - REPEATED_WITHIN < update <= last


def _unless_done(outcome: Outcome) -> Message | None:
    """The answer, or None where it was done: then the card shows it."""
    return None if outcome.done else Message((outcome.words,))
