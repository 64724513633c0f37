"""Copies listed images anew at the digests that were decided last, for a target that lost them.

It decides nothing: what the rules no longer approve, by the decisions of then, is refused. The
source is not asked. The run copies the digest whatever the tag names now, and fails where the
source has lost it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.core.approvals import ON_DIGESTS
from bot.core.decision import Decision, Ground, Verdict
from bot.core.errors import RefusedError
from bot.core.events import Found
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo
from bot.core.signature import Signature
from bot.core.transfer import Transfer, advance
from bot.engine.changes import log_change
from bot.engine.decided import (
    DecidedUnit,
    PastUnit,
    Rules,
    approved_before,
    decided,
    decisions_about,
    end_older,
    ruling_on,
)
from bot.engine.ports.decisions import DecisionsOnNames
from bot.engine.ports.store import OpensTransfers


class RefillUnit(DecisionsOnNames, OpensTransfers, PastUnit, DecidedUnit, Protocol):
    """What is read and written here."""


async def refill(unit: RefillUnit, image: ImageRef, rules: Rules, now: datetime) -> str:
    """Open a transfer of the image at the digest that was decided last. Returns the digest.

    It has the time of the decision, so what was asked or decided later is not replaced by it.
    Raises RefusedError where there is none, where the rules do not approve it now, and where the
    image is under way.
    """
    last = await _last_decided(unit, image)
    before = await decisions_about(unit, image, last.digest)
    then = last.transfer
    seen = Signature(last.signer, last.signed_by)
    ruling = await ruling_on(
        unit, rules, image, last.digest, transfer=then, decisions=before, signature=seen
    )
    if ruling.verdict is not Verdict.APPROVE:
        raise RefusedError(f"{image}: now the rules say {ruling.verdict} ({ruling.ground})")
    others = [t for t in await unit.open_on_tag(image) if t.approved_at is not None]
    transfer = await unit.open_transfer(image, now)
    found = Found(last.at, last.digest, ImageInfo(), ruling, last.at, signature=seen)
    after = advance(transfer, found) if transfer.opened_at == now and not others else None
    if after is None:
        state = (others or [transfer])[0].state
        raise RefusedError(f"{image}: under way already ({state})")
    log_change(transfer, after)
    if ruling.ground in (Ground.PERSON, Ground.ROLLBACK):
        after = replace(after, approved_by=last.person)
        await unit.save_transfer(after)
        await _carry_over(unit, after, last, before)
        await end_older(unit, after, last.at)
    else:
        await unit.save_transfer(after)
        await decided(unit, after, found)
    return last.digest


async def _last_decided(unit: PastUnit, image: ImageRef) -> Decision:
    """The last decision whose digest arrived, or where none did, the last that was enough."""
    past = await approved_before(unit, image)
    if not past:
        raise RefusedError(f"{image}: there is no record of a decision on its digest")
    return next((decision for decision, arrived in past if arrived), past[0][0])


async def _carry_over(
    unit: DecidedUnit, transfer: Transfer, last: Decision, before: Sequence[Decision]
) -> None:
    """Keep for this transfer what persons approved then, with the time of then."""
    for decision in before:
        same = decision.transfer == last.transfer and decision.digest == last.digest
        if same and decision.ground in ON_DIGESTS and decision.verdict is Verdict.APPROVE:
            ground = Ground.PERSON if decision.ground is Ground.KEPT else decision.ground
            await unit.keep_decision(
                replace(decision, transfer=transfer.id, ground=ground, replaces=decision.transfer)
            )
