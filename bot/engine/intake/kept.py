"""Use cases of kept decisions: tell them, and take one back or ask for one."""

from typing import Protocol, assert_never

from bot.dialog.commands import EndKeep, History, Kept, Rollback, Why
from bot.dialog.message import Message
from bot.engine.intake import keep, rollback, why
from bot.engine.intake.context import Context


class KeptUnit(keep.KeepUnit, why.WhyUnit, rollback.RollbackUnit, Protocol):
    """What these use cases read and write together."""


async def answer(context: Context[KeptUnit], command: Kept) -> Message | None:
    match command:
        case Why(image):
            return await why.why(context, image)
        case History(about):
            return await why.history(context, about)
        case Rollback(image):
            return await rollback.rollback(context, image)
        case EndKeep():
            return await keep.end_keep(context, command)
        case never:
            assert_never(never)
