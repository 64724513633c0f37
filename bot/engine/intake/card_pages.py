"""Use cases of what admins open on a card that asks for a decision: a page, ticks, a reason.

They change what the card shows, and decide nothing. Everybody in the chat sees the same card.
"""

from dataclasses import replace
from typing import Protocol

from bot.core.ids import RequestId
from bot.core.request import Request
from bot.dialog import decision_answers
from bot.dialog.buttons import AskReason, PickWaiting, ShowDigests, ShowWaitingPage
from bot.dialog.message import Message, say
from bot.dialog.waiting import decided_on, open_page
from bot.engine.intake.card_press import (
    CardPressUnit,
    is_shown_here,
    pressed_version,
    refuse,
)
from bot.engine.intake.context import Context, Outcome
from bot.engine.ports.store import ManyTransfers


class CardPagesUnit(ManyTransfers, CardPressUnit, Protocol):
    """What this use case reads and writes."""


async def open_waiting(context: Context[CardPagesUnit], pressed: ShowWaitingPage) -> Outcome:
    """Open a page of the images that wait, with a tick for each where some are chosen."""
    request = await _asked_here(context, pressed.request)
    if request is None:
        return await refuse(context)
    choosing = pressed.choosing
    left_out = request.left_out if choosing and request.choosing else frozenset[int]()
    shown = replace(
        request, page=pressed.page, choosing=choosing, left_out=left_out, rejecting=None
    )
    page = open_page(shown, await context.unit.transfers_of(request.id), context.service.room)
    if page is None:
        return await refuse(context)
    await context.unit.save_request(replace(shown, page=page.number))
    return Outcome(say("draft-page", page=page.number + 1, pages=page.pages))


async def pick(context: Context[CardPagesUnit], pressed: PickWaiting) -> Outcome:
    """Tick an image that waits on or off."""
    request = await _asked_here(context, pressed.request)
    transfers = await context.unit.transfers_of(pressed.request)
    page = None if request is None else open_page(request, transfers, context.service.room)
    if request is None or page is None or not request.choosing:
        return await refuse(context)
    if pressed.transfer not in {transfer.id for transfer in page.transfers}:
        return await refuse(context)
    left_out = request.left_out ^ {pressed.transfer}
    ticked = replace(request, left_out=left_out, rejecting=None)
    await context.unit.save_request(ticked)
    chosen = len(decided_on(ticked, transfers, context.service.room))
    return Outcome(say("draft-ticked", chosen=chosen, count=len(page.transfers)))


async def ask_reason(context: Context[CardPagesUnit], pressed: AskReason) -> Outcome:
    """Offer the reasons of the config to the admin who rejects."""
    found = await pressed_version(context, pressed.version)
    if found is None:
        return await refuse(context)
    request, version = found
    transfers = await context.unit.transfers_of(request.id)
    if not version.still_waiting(transfers) or request.cancelled_at is not None:
        return await refuse(context)
    await context.unit.save_request(replace(request, rejecting=context.person.id))
    return Outcome(say("reason-asked"))


async def digests(context: Context[CardPagesUnit], pressed: ShowDigests) -> Message | None:
    """The full digests of what a version of a card shows. None where it is no card of this chat."""
    found = await pressed_version(context, pressed.version)
    if found is None:
        return None
    request, version = found
    shown = await context.unit.transfers([number for number, _ in version.pairs])
    return decision_answers.digests(
        request.id,
        [
            replace(shown[number], digest=digest)
            for number, digest in version.pairs
            if number in shown
        ],
    )


async def _asked_here(context: Context[CardPagesUnit], number: RequestId) -> Request | None:
    """The request, if its card is in this chat and can ask for a decision."""
    request = await context.unit.request(number)
    if request is None or not await is_shown_here(context, request):
        return None
    return request
