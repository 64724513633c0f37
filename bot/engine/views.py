"""What the projections of core/cards.py need beside the facts: fetched here, for both rooms."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.cards import View
from bot.core.image import Target
from bot.core.request import Request
from bot.core.transfer import Transfer
from bot.engine.ports import Unit


async def view_of(
    unit: Unit,
    transfers: Sequence[Transfer],
    requests: Sequence[Request],
    *,
    target: Target,
    now: datetime,
) -> View:
    """A view in which everybody has a name who took part in the given facts."""
    people = {request.person for request in requests}
    for transfer in transfers:
        people |= {p for p in (transfer.approved_by, transfer.ended_by) if p is not None}
    return View(await unit.names(people), target, now)
