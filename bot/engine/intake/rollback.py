"""Use case: ask admins to put the digest back that a tag had before.

Nobody asks the source: its tag names another digest. What to put back is in the kept decisions.
"""

from dataclasses import replace
from typing import Protocol

from bot.core.decision import Decision, Ground, Verdict
from bot.core.events import Found
from bot.core.image import ImageRef
from bot.core.policy import Ruling, decide
from bot.core.registry import ImageInfo
from bot.core.signature import Signature
from bot.core.transfer import advance
from bot.dialog import answers
from bot.dialog.command_values import CommandName
from bot.dialog.message import Message
from bot.engine.changes import log_change
from bot.engine.decided import PastUnit, approved_before
from bot.engine.intake import admission
from bot.engine.intake.context import Context
from bot.engine.intake.opening import OpeningUnit, open_request
from bot.engine.ports.store import CopiedBefore, SameTag


class RollbackUnit(CopiedBefore, OpeningUnit, PastUnit, admission.AdmissionUnit, SameTag, Protocol):
    """What this use case reads and writes."""


async def rollback(context: Context[RollbackUnit], image: ImageRef) -> Message | None:
    """Open a request whose card asks admins. The answer is None where the card says everything."""
    if image.tag is None or image.digest is not None:
        return answers.misuse(CommandName.ROLLBACK)
    rulings = admission.rulings_on(context, [image])
    if admission.all_denied(rulings):
        return answers.all_denied(rulings)
    if (limit := await admission.passed_limit(context, 1)) is not None:
        return Message((limit,))
    current = await context.unit.last_copied(image)
    before = None if current is None else await _before(context.unit, image, current)
    if current is None or before is None:
        return answers.single_line("rollback-none", image=str(image))
    if not await _ask(context, image, before, current):
        return answers.single_line("rollback-busy", image=str(image))
    return None


async def _before(unit: PastUnit, image: ImageRef, current: str) -> Decision | None:
    """The decision on the digest that the tag had before the current one."""
    had = [each for each, arrived in await approved_before(unit, image) if arrived]
    since = next((n for n, each in enumerate(had) if each.digest == current), 0)
    return next((each for each in had[since:] if each.digest != current), None)


async def _ask(
    context: Context[RollbackUnit], image: ImageRef, before: Decision, current: str
) -> bool:
    """Open the question. False where another digest of the tag is under way already."""
    if any(t.approved_at is not None for t in await context.unit.open_on_tag(image)):
        return False
    ruling = Ruling(Verdict.ASK, Ground.ROLLBACK)
    expires_at = context.now + context.installation.policy.expire_after
    seen = Found(context.now, before.digest, ImageInfo(), ruling, expires_at, replaces=current)
    found = replace(seen, signature=_signature(context, image, before))
    transfer = await context.unit.open_transfer(image, context.now)
    after = advance(transfer, found) if transfer.opened_at == context.now else None
    if after is None:
        return False
    await context.unit.save_transfer(after)
    log_change(transfer, after)
    request = await open_request(context, confirmed=True)
    await context.unit.link(request.id, [transfer.id])
    return True


def _signature(context: Context[RollbackUnit], image: ImageRef, before: Decision) -> Signature:
    """What was seen at the decision on the digest. Otherwise the card says that nobody looked."""
    signer = decide(context.installation.policy, image).signer
    seen = Signature(before.signer, before.signed_by)
    return seen if signer is None or seen.is_of(signer) else Signature(signer.name)
