"""What all presses on a card that asks for a decision share: its version, and how one is refused.

A press that is refused has its card shown anew, before all other edits.
"""

from dataclasses import replace
from typing import Protocol

from bot.core.card_version import CardVersion
from bot.core.ids import is_private
from bot.core.request import Request
from bot.dialog import decision_answers
from bot.dialog.message import say
from bot.dialog.waiting import waiting_in
from bot.engine.intake.context import Context, ContextUnit, Outcome
from bot.engine.ports.card_versions import FindsCardVersions
from bot.engine.ports.store import ChatOrigins, LinkedTransfers, OwnMessages, Requests


class CardPressUnit(
    Requests, LinkedTransfers, ChatOrigins, FindsCardVersions, OwnMessages, ContextUnit, Protocol
):
    """What is read and written here."""


async def pressed_version(
    context: Context[CardPressUnit], key: str
) -> tuple[Request, CardVersion] | None:
    """The version of this key and its request. None where it is no card of this chat."""
    version = await context.unit.card_version(key)
    if version is None:
        return None
    request = await context.unit.request(version.request)
    if request is None or not await is_shown_here(context, request):
        return None
    return request, version


async def is_shown_here(context: Context[CardPressUnit], request: Request) -> bool:
    """Whether it was asked for here, or the pressed message is its card in another chat.

    Those are the private chats of admins, and the groups that decide for all services.

    In a group the card may have been sent twice, and only one of them is known.
    """
    here = context.place.chat
    if request.place.chat == here:
        return True
    shown = await context.unit.request_shown(here, context.message)
    names = {here, await context.unit.origin(here)}
    may = is_private(here) or not names.isdisjoint(context.installation.approvals)
    return shown is not None and shown.id == request.id and may


async def refuse(context: Context[CardPressUnit]) -> Outcome:
    """Refuse the press of a button that is no longer in use."""
    request = await context.unit.request_shown(context.place.chat, context.message)
    if request is None:
        return Outcome(say("button-unknown"), done=False)
    return await refuse_outdated(context, request)


async def refuse_outdated(context: Context[CardPressUnit], request: Request) -> Outcome:
    """Refuse a press on a card that has changed meanwhile, say why, and show it anew."""
    await refresh(context, request)
    transfers = await context.unit.transfers_of(request.id)
    if waiting_in(transfers) and request.cancelled_at is None:
        return Outcome(say("card-changed", request=str(request.id)), done=False)
    view = await context.view(transfers)
    return Outcome(decision_answers.why_decided(request.id, transfers, view), done=False)


async def refresh(context: Context[CardPressUnit], request: Request) -> None:
    """Let the chat lane show the card anew, also where it believes that nothing has changed."""
    again = replace(request, shown="", refused_at=context.now, closed_at=None)
    await context.unit.save_request(again)
