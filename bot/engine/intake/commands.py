"""Which use case handles which command. The grammar is in dialog/commands.py.

Here begins what rights.py has let through. Buttons are in presses.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from bot.core.request import Request
from bot.dialog import answers
from bot.dialog.command_values import (
    Approve,
    BeginFollow,
    BeginWatch,
    Block,
    Cancel,
    Command,
    CommandName,
    Confirm,
    Deciding,
    EndFollow,
    EndKeep,
    EndWatch,
    History,
    Holding,
    Kept,
    List,
    Looking,
    Lookup,
    Mirror,
    Nodes,
    Notify,
    Outdated,
    Pause,
    Reject,
    Remove,
    Replied,
    Resume,
    Retry,
    Rollback,
    Simple,
    Status,
    Unblock,
    Unused,
    Watching,
    Why,
)
from bot.dialog.message import Message
from bot.engine.intake import (
    cancel,
    decide,
    draft,
    follow,
    hold,
    mirror,
    nodes,
    notify,
    questions,
    retry,
    rollback,
    status,
    unkeep,
    unused,
    watch,
    why,
)
from bot.engine.intake.context import Context, Incoming, Outcome


class CommandUnit(
    unused.UnusedUnit,
    unkeep.UnkeepUnit,
    nodes.NodesUnit,
    why.WhyUnit,
    rollback.RollbackUnit,
    questions.AskUnit,
    cancel.CancelUnit,
    draft.DraftUnit,
    hold.HoldUnit,
    status.StatusUnit,
    mirror.MirrorUnit,
    decide.DecideUnit,
    retry.RetryUnit,
    watch.WatchUnit,
    follow.FollowUnit,
    notify.NotifyUnit,
    Protocol,
):
    """What the use cases read and write together."""


@dataclass(frozen=True, slots=True)
class Process:
    """What commands read of the running bot, and change in it.

    `reload` reads the config again. Returns the changed keys, or raises ConfigError.
    `restart` starts all parts anew after the transaction, since what admins hold has changed.
    """

    vitals: status.Vitals
    reload: Callable[[], Sequence[str]]
    restart: Callable[[], None]


async def answer(
    context: Context[CommandUnit], command: Command, incoming: Incoming, process: Process
) -> Message | None:
    """Do what the command asks for. Returns None where the answer comes later, or is a card."""
    match command:
        case Mirror(text):
            return await mirror.mirror(context, text, incoming)
        case Confirm(number):
            return _unless_done(await draft.confirm(context, number))
        case Status():
            return await _status(context, command, incoming, process)
        case Lookup() | List() | Unused() | Outdated() | Remove():
            return await _looked(context, command, incoming)
        case BeginWatch() | EndWatch() | BeginFollow() | EndFollow() | Notify() | Nodes():
            return await _wants_to_be_told(context, command)
        case Approve() | Reject() | Cancel() | Retry() | Replied():
            return await _decided(context, command, incoming)
        case Why() | History() | Rollback() | EndKeep():
            return await _on_kept(context, command)
        case Pause() | Resume() | Block() | Unblock():
            return await _hold(context, command, process)
        case Simple(name):
            return _plain(context, name, process)
        case never:
            assert_never(never)


async def _looked(
    context: Context[CommandUnit], command: Looking, incoming: Incoming
) -> Message | None:
    if isinstance(command, Unused):
        return await unused.unused(context, command, incoming)
    return await questions.ask(context, command)


async def _wants_to_be_told(context: Context[CommandUnit], command: Watching) -> Message | None:
    if isinstance(command, Nodes):
        return await nodes.nodes(context, command.tool)
    if isinstance(command, Notify):
        return await notify.notify(context, command)
    if isinstance(command, BeginFollow | EndFollow):
        return await follow.change_follows(context, command)
    return await watch.change_watches(context, command)


async def _status(
    context: Context[CommandUnit], command: Status, incoming: Incoming, process: Process
) -> Message:
    request = None if command.about is not None else await _replied_to(context, incoming)
    if request is not None:
        command = Status(request.id)
    return await status.status(context, command, process.vitals)


async def _replied_to(context: Context[CommandUnit], incoming: Incoming) -> Request | None:
    """The request whose card or result in this chat the message replies to. None: of no one."""
    if incoming.replies_to is None:
        return None
    return await context.unit.request_shown(context.place.chat, incoming.replies_to)


async def _hold(context: Context[CommandUnit], command: Holding, process: Process) -> Message:
    outcome = await hold.change_hold(context, command)
    if outcome.done:
        process.restart()
    return Message((outcome.words,))


def _plain(context: Context[CommandUnit], name: CommandName, process: Process) -> Message:
    if name is CommandName.RELOAD:
        return hold.read_config_again(process.reload)
    if name is CommandName.WHOAMI:
        return answers.whoami(context.person, context.place.chat, admin=context.admin)
    return answers.help_text(context.person, context.role)


async def _decided(
    context: Context[CommandUnit], command: Deciding, incoming: Incoming
) -> Message | None:
    match command:
        case Cancel():
            return Message(((await cancel.cancel(context, command)).words,))
        case Retry(number):
            return _unless_done(await retry.retry(context, number))
        case Replied():
            return await _replied(context, command, incoming)
        case Approve() | Reject():
            return await decide.command(context, command)
        case never:
            assert_never(never)


async def _replied(
    context: Context[CommandUnit], command: Replied, incoming: Incoming
) -> Message | None:
    """A command without a number, which means the request whose card or result it replies to."""
    request = await _replied_to(context, incoming)
    if request is None:
        return answers.replies_to_nothing(command.name)
    match command.name:
        case CommandName.CANCEL:
            return await _decided(context, Cancel(request.id), incoming)
        case CommandName.RETRY:
            return await _decided(context, Retry(request.id), incoming)
        case _:
            return await decide.on_card(context, command, request, incoming.quoted_buttons)


async def _on_kept(context: Context[CommandUnit], command: Kept) -> Message | None:
    """The commands that read decisions of before, take one back or ask for one."""
    match command:
        case Why(image):
            return await why.why(context, image)
        case History(about):
            return await why.history(context, about)
        case Rollback(image):
            return await rollback.rollback(context, image)
        case EndKeep():
            return await unkeep.end_keep(context, command)
        case never:
            assert_never(never)


def _unless_done(outcome: Outcome) -> Message | None:
    """The answer, or None where it was done: then the card shows it."""
    return None if outcome.done else Message((outcome.words,))
