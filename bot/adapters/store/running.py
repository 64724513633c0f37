"""Queries for what clusters run: implements engine/ports/running.py."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.adapters.store.rows import Rows
from bot.adapters.store.schema_told import running
from bot.core.ids import ChatId
from bot.core.running import CLUSTERS_KEPT, RunningImages


class RunningQueries(Rows):
    """Reads and writes lists of clusters."""

    async def keep_running(self, running_images: RunningImages) -> None:
        row = {"chat": running_images.chat, "name": running_images.name, "at": running_images.at}
        await self._upsert(running, row | {"images": running_images.images})
        own = running.c.chat == running_images.chat
        newest = select(running.c.name).where(own).order_by(running.c.at.desc())
        kept = newest.limit(CLUSTERS_KEPT)
        gone = running.delete().where(own, running.c.name.not_in(kept))
        await self._connection.execute(gone)

    async def running(self, chat: ChatId) -> Sequence[RunningImages]:
        wanted = select(running).where(running.c.chat == chat).order_by(running.c.name)
        return [RunningImages(**row) for row in await self._all(wanted)]
