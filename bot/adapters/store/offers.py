"""Queries for transfers that copy nothing: offers and removals.

An offer asks whether to keep a tag fresh, as before an upgrade. A removal takes the line of an
image out of image.list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, func, or_, select, text

from bot.adapters.store.rows import Rows, place_of
from bot.adapters.store.schema import kept_before, links, requests, tracked, transfers
from bot.core.decision import Ground
from bot.core.fresh import KeptBefore
from bot.core.ids import BOT_ITSELF, Place, TransferId
from bot.core.image import ImageRef
from bot.core.transfer import Transfer

# In words and not by a parameter, as in the partial indexes: otherwise SQLite would not use them.
IS_OFFER: Final = text("transfers.ground = 'offered'")
IS_REMOVAL: Final = text("transfers.ground = 'removal'")
IS_COPY: Final = text("coalesce(transfers.ground, '') NOT IN ('offered', 'removal')")


class OfferQueries(Rows):
    """Implements engine.ports.fresh.Offers."""

    async def kept_before(self) -> Sequence[KeptBefore]:
        places: dict[ImageRef, list[Place]] = {}
        for row in await self._all(_PLACES):
            places.setdefault(row["image"], []).append(place_of(row))
        return [
            KeptBefore(row["image"], row["target"] or "", tuple(places.get(row["image"], ())))
            for row in await self._all(_KEPT_BEFORE)
        ]

    async def offer(
        self, offered: Sequence[KeptBefore], at: datetime, until: datetime
    ) -> Sequence[TransferId]:
        return [
            TransferId(
                await self._add(
                    transfers,
                    {"image": each.image, "digest": each.digest, "ground": Ground.OFFERED}
                    | {"opened_at": at, "checked_at": at, "expires_at": until},
                )
            )
            for each in offered
        ]

    async def drop_kept_before(self, images: Sequence[ImageRef]) -> None:
        if images:  # one by one: a long list has more of them than a statement may have parameters
            dropped = kept_before.delete().where(kept_before.c.image == bindparam("gone"))
            await self._connection.execute(dropped, [{"gone": image} for image in images])

    async def open_removal(self, image: ImageRef) -> Transfer | None:
        row = await self._one(_OPEN_REMOVAL, image=image)
        return None if row is None else Transfer(**row)

    async def ask_for_removal(self, image: ImageRef, at: datetime, until: datetime) -> TransferId:
        asked = {"opened_at": at, "checked_at": at, "expires_at": until}
        row = {"image": image, "digest": image.digest, "ground": Ground.REMOVAL, **asked}
        return TransferId(await self._add(transfers, row))

    async def open_offers(self) -> int:
        return int((await self._connection.execute(_OPEN_OFFERS)).scalar_one())


# -- the statements, built once: to build one takes longer than to run it

_OPEN_OFFERS = (
    select(func.count()).select_from(transfers).where(transfers.c.ended.is_(None), IS_OFFER)
)
_OPEN_REMOVAL = select(transfers).where(
    transfers.c.ended.is_(None), IS_REMOVAL, transfers.c.image == bindparam("image")
)
_KEPT_BEFORE = (
    select(kept_before.c.image, tracked.c.target)
    .outerjoin(tracked, tracked.c.image == kept_before.c.image)
    .order_by(kept_before.c.image)
)
_ASKED = (
    kept_before.join(transfers, transfers.c.image == kept_before.c.image)
    .join(links, links.c.transfer == transfers.c.id)
    .join(requests, requests.c.id == links.c.request)
)
_LAST = func.max(requests.c.id)
# SQLite takes the other columns from the row that has the maximum.
_PLACES = (
    select(kept_before.c.image, requests.c.chat, requests.c.thread, _LAST.label("last"))
    .select_from(_ASKED)
    .where(requests.c.person != BOT_ITSELF, requests.c.cancelled_at.is_(None))
    .group_by(kept_before.c.image, requests.c.chat)
    .order_by(_LAST.desc())
)
HELD = or_(
    exists().where(kept_before.c.image == tracked.c.image),
    exists().where(transfers.c.image == tracked.c.image, transfers.c.ended.is_(None), IS_OFFER),
)
"""Tracked images about which an offer is or will be open."""
