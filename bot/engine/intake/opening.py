"""Opens requests: each begins here, with or without a draft."""

from typing import Protocol

from bot.core.image import ImageRef
from bot.core.request import Request
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.store import NewRequest, OpensRequests


class OpeningUnit(OpensRequests, ContextUnit, Protocol):
    """What is written here."""


async def open_request(
    context: Context[OpeningUnit],
    *,
    confirmed: bool,
    untagged: tuple[ImageRef, ...] = (),
    charts: tuple[ImageRef, ...] = (),
) -> Request:
    """A new request of this person. It is a draft until it is confirmed."""
    return await context.unit.open_request(
        NewRequest(
            person=context.person.id,
            place=context.place,
            message=context.message,
            opened_at=context.now,
            confirmed_at=context.now if confirmed else None,
            untagged=untagged,
            charts=charts,
        )
    )
