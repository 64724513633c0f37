"""Reads the decisions that `core.policy.admission` weighs, for whoever asks it."""

from typing import Final

from bot.core.approvals import ON_DIGESTS, ON_TAGS
from bot.core.decision import Decision
from bot.core.image import ImageRef
from bot.engine.ports.store import DecisionsOnNames

DECISIONS_READ: Final = 200
"""Of those on one digest, and of those on one tag. The newest count."""


async def decisions_about(unit: DecisionsOnNames, image: ImageRef, digest: str) -> list[Decision]:
    """What persons decided on a digest under any tag, and on the image's tag for all digests."""
    name = (image.registry, image.repository)
    found = await unit.decisions_of(*name, digest=digest, grounds=ON_DIGESTS, limit=DECISIONS_READ)
    if image.tag is None:
        return list(found)
    on_tag = await unit.decisions_of(*name, tag=image.tag, grounds=ON_TAGS, limit=DECISIONS_READ)
    return [*found, *on_tag]
