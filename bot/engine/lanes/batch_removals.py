"""What ends with the line of an image in image.list, after the commit that took it out.

It is stored in the transaction that ends the batch. Other lanes would find most of it by and by:
the fresh lane reads the list once an hour. What the target has stays there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from bot.core.batch import Batch
from bot.core.events import Removed
from bot.core.ids import ChatId, PersonId, Place, is_private
from bot.core.policy import AllowLists
from bot.core.transfer import Transfer
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.removal import watch_ended
from bot.engine.decided import TakesBackUnit, take_back
from bot.engine.lanes.fresh_news import may_be_told
from bot.engine.lanes.lane import record_all_in
from bot.engine.ports.fresh import ForgetsListed
from bot.engine.ports.outbox import NewNotes
from bot.engine.ports.store import Batches, ChatOrigins, KnownPeople, ManyTransfers, Store
from bot.engine.view_loader import language_of, names_of

WATCHES_TOLD: Final = 200


class RemovalsUnit(
    Batches,
    ManyTransfers,
    ForgetsListed,
    TakesBackUnit,
    ChatOrigins,
    KnownPeople,
    NewNotes,
    Protocol,
):
    """What is read and written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRemovals:
    """`language` is that of groups."""

    store: Store[RemovalsUnit]
    access: AllowLists
    language: Language
    clock: Callable[[], datetime]

    async def finish(self, batch: Batch) -> None:
        """End the batch and its removals, and what was kept about their images."""
        now = self.clock()
        async with self.store.begin() as unit:
            removed = await unit.transfers_in(batch.id)
            await unit.save_batch(replace(batch, closed_at=now, trouble=None))
            await record_all_in(unit, {each.id: Removed(now) for each in removed})
            await unit.untrack([each.image for each in removed])
            for each in removed:
                await take_back(unit, each.image, each.approved_by, now)
                await self._end_watches(unit, each)

    async def _end_watches(self, unit: RemovalsUnit, removed: Transfer) -> None:
        """Nobody is told of this image any more. One message says so in each chat."""
        chats: dict[ChatId, tuple[Place, list[PersonId]]] = {}
        for watch in await unit.watchers(removed.image, limit=WATCHES_TOLD):
            if await may_be_told(unit, self.access, watch.person, watch.place.chat):
                chats.setdefault(watch.place.chat, (watch.place, []))[1].append(watch.person)
        await unit.drop_watches(removed.image)
        for place, people in chats.values():
            names = {} if is_private(place.chat) else names_of(await unit.people(people))
            language = await language_of(unit, place, people[0], otherwise=self.language)
            said = Text(watch_ended(removed.image, names), language)
            await unit.add_note(place, said, reply_to=None)
