"""Use cases of operation: one admin stops something at once, two lift it, /reload."""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.core.errors import ConfigError
from bot.core.hold import Hold, HoldKind
from bot.dialog import answers
from bot.dialog.command_values import Block, Holding, Pause, Resume, Unblock
from bot.dialog.message import Message, say
from bot.engine.intake.context import Context, ContextUnit, Outcome
from bot.engine.ports.holds import Holds


class HoldUnit(Holds, ContextUnit, Protocol):
    """What these use cases read and write."""


async def change_hold(context: Context[HoldUnit], command: Holding) -> Outcome:
    """Begin a hold, or begin or finish to lift one. `done`: what is held has changed."""
    match command:
        case Pause(reason):
            return await _begin(context, HoldKind.PAUSE, "", reason)
        case Block(pattern, reason):
            return await _begin(context, HoldKind.BLOCK, pattern, reason)
        case Resume():
            return await _lift(context, HoldKind.PAUSE, "")
        case Unblock(pattern):
            return await _lift(context, HoldKind.BLOCK, pattern)


async def _find(context: Context[HoldUnit], kind: HoldKind, pattern: str) -> Hold | None:
    holds = await context.unit.holds()
    return next((each for each in holds if (each.kind, each.pattern) == (kind, pattern)), None)


async def _begin(context: Context[HoldUnit], kind: HoldKind, pattern: str, reason: str) -> Outcome:
    if await _find(context, kind, pattern) is not None:
        return Outcome(say(f"hold-stands-{kind}", pattern=pattern), done=False)
    person, now = context.person.id, context.now
    await context.unit.add_hold(
        Hold(id=0, kind=kind, person=person, at=now, pattern=pattern, reason=reason)
    )
    return Outcome(say(f"hold-begun-{kind}", pattern=pattern))


async def _lift(context: Context[HoldUnit], kind: HoldKind, pattern: str) -> Outcome:
    hold = await _find(context, kind, pattern)
    if hold is None:
        return Outcome(say(f"hold-none-{kind}", pattern=pattern), done=False)
    after = hold.after_lift_by(context.person.id, context.now, context.people)
    await context.unit.save_hold(after)
    if after.lifted_at is None:
        return Outcome(say(f"hold-lifting-{kind}", pattern=pattern), done=False)
    return Outcome(say(f"hold-lifted-{kind}", pattern=pattern))


def read_config_again(reload: Callable[[], Sequence[str]]) -> Message:
    """`reload` returns the keys that changed, or raises ConfigError."""
    try:
        return answers.reloaded(reload())
    except ConfigError as error:
        return answers.not_reloaded(str(error))
