"""What the approval of one image by one admin comes to: the rules decide who and how many approve.

One function of core/policy.py decides, here as at the look and before the commit.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from bot.core.decision import Decision, Verdict
from bot.core.decision_effect import DecidedTransfer, DecisionEffect
from bot.core.events import Approved, Denied
from bot.core.ids import PersonId
from bot.core.policy import Ruling
from bot.core.transfer import Transfer
from bot.engine.decided import (
    DecidedUnit,
    askers,
    decisions_about_transfer,
    end_older,
    ruling_on_transfer,
)
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.decisions import Decisions


class ApprovingUnit(Decisions, ContextUnit, DecidedUnit, Protocol):
    """What is read and written here."""


async def approve(
    context: Context[ApprovingUnit], transfer: Transfer, decision: Decision
) -> DecidedTransfer:
    """Keep the approval if it counts, and let the image go on if it is enough."""
    before = await decisions_about_transfer(context.unit, transfer)
    requests = await context.unit.requests_for(transfer.id)
    rules = context.installation.rules
    ruling = await ruling_on_transfer(context.unit, rules, transfer, requests, before)
    if ruling.verdict is Verdict.DENY:
        await context.advance(transfer, Denied(context.now, ruling))
        return DecidedTransfer(transfer, DecisionEffect.DENIED)
    if (against := _against(context, ruling, askers(requests))) is not None:
        return DecidedTransfer(transfer, against, ruling.missing, ruling.needs.by or frozenset())
    known = [*before, decision]
    after = await ruling_on_transfer(context.unit, rules, transfer, requests, known)
    await context.unit.keep_decision(decision)
    if transfer.is_held:  # a look at once says whether it may go on
        await context.unit.save_transfer(replace(transfer, not_before=None))
        return DecidedTransfer(transfer, DecisionEffect.ENOUGH)
    if after.verdict is Verdict.ASK:
        return DecidedTransfer(transfer, DecisionEffect.FIRST, after.missing)
    await context.advance(transfer, Approved(context.now, context.person.id))
    if transfer.copies:
        await end_older(context.unit, replace(transfer, approved_at=context.now), context.now)
    return DecidedTransfer(transfer, DecisionEffect.ENOUGH)


def _against(
    context: Context[ApprovingUnit], ruling: Ruling, asked: Collection[PersonId]
) -> DecisionEffect | None:
    """Why the approval of this person does not count. None where it does."""
    person, admins = context.person.id, context.installation.access.admins
    if ruling.needs.accepts(person, requesters=asked, admins=admins):
        return DecisionEffect.TWICE if context.people.has(ruling.persons, person) else None
    anybody = ruling.needs.accepts(person, requesters=(), admins=admins)
    return DecisionEffect.OWN if anybody else DecisionEffect.OTHERS
