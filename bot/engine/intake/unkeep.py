"""Use case: take back that later digests of a tag need no approval, or that the tag floats."""

from typing import Final, Protocol

from bot.core.approvals import ON_TAGS
from bot.core.decision import Decision, Verdict
from bot.dialog import answers
from bot.dialog.commands import EndKeep
from bot.dialog.message import Message
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.decisions import DecisionsOnNames, KeepsDecisions

DECISIONS_READ: Final = 200


class UnkeepUnit(DecisionsOnNames, ContextUnit, KeepsDecisions, Protocol):
    """What is read and written here."""


async def end_keep(context: Context[UnkeepUnit], command: EndKeep) -> Message:
    """Deny for each ground what the newest decision on the tag approved."""
    image = command.image
    found = await context.unit.decisions_of(
        image.registry,
        image.repository,
        tag=image.tag or "",
        grounds=ON_TAGS,
        limit=DECISIONS_READ,
    )
    newest = {decision.ground: decision for decision in reversed(found)}
    standing = [each for each in newest.values() if each.verdict is Verdict.APPROVE]
    for each in standing:
        await context.unit.keep_decision(
            Decision(
                request=None,
                transfer=each.transfer,
                image=image,
                digest=each.digest,
                verdict=Verdict.DENY,
                ground=each.ground,
                person=context.person.id,
                at=context.now,
            )
        )
    return answers.single_line("unkept" if standing else "unkeep-none", image=str(image))
