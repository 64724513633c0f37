"""Use cases: tell why an image was copied or not, and what was decided lately."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.core.decision import Decision
from bot.core.ids import PersonId, RequestId, TransferId, is_private
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.dialog import kept_decisions
from bot.dialog.kept_decisions import DECISIONS_SHOWN, TRANSFERS_SHOWN, Story
from bot.dialog.message import Message
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.intake.status import TRANSFERS_READ
from bot.engine.ports.decisions import DecisionHistory, Decisions
from bot.engine.ports.store import ManyTransfers, Requesters, TransferReports
from bot.engine.view_loader import names_of


class WhyUnit(
    DecisionHistory, ManyTransfers, Decisions, TransferReports, ContextUnit, Requesters, Protocol
):
    """What these use cases read."""


async def why(context: Context[WhyUnit], image: ImageRef) -> Message:
    """What became of the image, as far as requests tell that the person may see."""
    found = await _visible(context, image)
    shown = found[:TRANSFERS_SHOWN]
    made = await context.unit.decisions_on([transfer.id for transfer, _ in shown])
    stories = [Story(transfer, asked, made[transfer.id]) for transfer, asked in shown]
    names = await _names(
        context, [request.person for _, asked in shown for request in asked], *made.values()
    )
    return kept_decisions.why(image, stories, names, context.now, more=len(found) - len(shown))


async def _visible(
    context: Context[WhyUnit], image: ImageRef
) -> list[tuple[Transfer, Sequence[Request]]]:
    """The transfers of the image, the newest first, each with the requests that may be seen.

    A request no longer has the transfers that a retry replaced. Their stories go with the retry.
    """
    found: list[tuple[Transfer, Sequence[Request]]] = []
    replaced: set[TransferId | None] = set()
    for transfer in await _transfers(context.unit, image):
        asked = await context.unit.requests_for(transfer.id)
        requests = [request for request in asked if context.may_see(request)]
        if requests or transfer.id in replaced:
            found.append((transfer, requests))
            replaced.add(transfer.retries)
    return found


async def _transfers(unit: WhyUnit, image: ImageRef) -> list[Transfer]:
    """Those of this reference, and those on whose digest was decided under its name and tag."""
    same = await unit.transfers_of_image(image, limit=TRANSFERS_READ)
    decided = await unit.newest_decisions(about=image, limit=TRANSFERS_READ)
    others = await unit.transfers({each.transfer for each in decided})
    every = {transfer.id: transfer for transfer in same} | dict(others)
    return [every[number] for number in sorted(every, reverse=True)]


async def history(context: Context[WhyUnit], about: RequestId | ImageRef | None) -> Message:
    """In private the decisions of all chats, in a group those on what was asked there."""
    here = None if is_private(context.place.chat) else context.place.chat
    found = await context.unit.newest_decisions(chat=here, about=about, limit=DECISIONS_SHOWN + 1)
    names = await _names(context, (), found)
    return kept_decisions.history(found, names, context.now, about=about, everywhere=here is None)


async def _names(
    context: Context[WhyUnit], askers: Collection[PersonId], *made: Sequence[Decision]
) -> Mapping[PersonId, str]:
    """One name for each human, whichever of their ids asked or decided."""
    deciders = {each.person for few in made for each in few if each.person is not None}
    found = {*askers, *deciders}
    first = {person: context.people.first(person) for person in found}
    names = names_of(await context.unit.people({*found, *first.values()}))
    known = {person: names.get(first[person]) or names.get(person) for person in found}
    return {person: name for person, name in known.items() if name is not None}
