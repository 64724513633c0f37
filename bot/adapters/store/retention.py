"""Deletes what nobody needs any more: old requests, and all that only they refer to.

Decisions stay, with their pseudonyms. Each call deletes few rows, so that no person waits for it,
and finds them by an index. So its cost grows with what it deletes and not with what is kept.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, exists, select, text

from bot.adapters.store.rows import Rows
from bot.adapters.store.schema import (
    batches,
    card_versions,
    drafts,
    files,
    gatherings,
    heard_files,
    links,
    people,
    requests,
    retries,
    tracked,
    transfers,
    watches,
)
from bot.adapters.store.schema_follow import sightings
from bot.adapters.store.schema_told import greetings
from bot.adapters.store.statements import statements

_OF_REQUESTS = (links, drafts, files, gatherings, card_versions)


class RetentionQueries(Rows):
    """Implements engine.ports.retention.Retention."""

    async def delete_before(self, before: datetime, *, limit: int) -> int:
        deleted = await self._delete_requests(before, limit)
        deleted += await self._delete_transfers(before, limit)
        deleted += await self._delete_batches(before, limit)
        for table in (greetings, heard_files, retries, sightings):
            await self._connection.execute(delete(table).where(table.c.at < before))
        return deleted

    async def rebuild_index(self) -> None:
        await self._connection.execute(text("REINDEX ix_transfers_image"))

    async def give_back(self, pages: int) -> int:
        return self._connection.give_back(pages)

    async def _delete_requests(self, before: datetime, limit: int) -> int:
        wanted = select(requests.c.id, requests.c.person).where(requests.c.closed_at < before)
        rows = await self._all(wanted.order_by(requests.c.closed_at).limit(limit))
        numbers = [row["id"] for row in rows]
        for table in _OF_REQUESTS:
            await self._delete(table, table.c.request, numbers)
        await self._delete(requests, requests.c.id, numbers)
        await self._delete_people({row["person"] for row in rows})
        return len(rows)

    async def _delete_people(self, asked: set[str]) -> None:
        """Those of them who asked for nothing else."""
        wanted = [requests.c.person == people.c.id, watches.c.person == people.c.id]
        done = and_(*(~exists().where(wants) for wants in wanted))
        await self._connection.execute(delete(people).where(people.c.id.in_(asked), done))

    async def _delete_transfers(self, before: datetime, limit: int) -> int:
        unused = and_(
            ~exists().where(links.c.transfer == transfers.c.id),
            ~exists().where(tracked.c.transfer == transfers.c.id),
        )
        wanted = select(transfers.c.id).where(transfers.c.ended_at < before, unused)
        rows = await self._all(wanted.order_by(transfers.c.ended_at).limit(limit))
        numbers = [row["id"] for row in rows]
        await self._delete(statements, statements.c.transfer, numbers)
        return await self._delete(transfers, transfers.c.id, numbers)

    async def _delete_batches(self, before: datetime, limit: int) -> int:
        unused = ~exists().where(transfers.c.batch == batches.c.id)
        wanted = select(batches.c.id).where(batches.c.closed_at < before, unused)
        rows = await self._all(wanted.order_by(batches.c.closed_at).limit(limit))
        return await self._delete(batches, batches.c.id, [row["id"] for row in rows])

    async def _delete(self, table: Table, column: Any, values: Sequence[Any]) -> int:
        if values:
            await self._connection.execute(delete(table).where(column.in_(values)))
        return len(values)
