"""The table of statements, and its queries: what has to get beside the images in the target."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, select, text

from bot.adapters.store.columns import Envelopes, Image, Time, Word
from bot.adapters.store.rows import LIMIT, Rows, at_time, fields_of, in_time
from bot.adapters.store.schema import metadata
from bot.core.statement import Statement, StatementForm

statements = Table(
    "statements",
    metadata,
    Column("transfer", ForeignKey("transfers.id"), primary_key=True),
    Column("image", Image, nullable=False),
    Column("digest", Text, nullable=False),
    Column("form", Word(StatementForm), nullable=False),
    Column("envelopes", Envelopes, nullable=False),
    Column("signed_at", Time),
    Column("ended_at", Time),
    Column("refusal", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Time),
    Index("open_statements", "transfer", sqlite_where=text("ended_at IS NULL")),
)


class StatementQueries(Rows):
    """Implements engine/ports/statements.py."""

    async def add_statement(self, statement: Statement) -> None:
        await self._add(statements, fields_of(statement))

    async def due_statements(self, now: datetime, *, limit: int) -> Sequence[Statement]:
        rows = await self._all(_DUE, **at_time(now), limit=limit)
        return [Statement(**row) for row in rows]

    async def any_open_statement(self) -> bool:
        return await self._any(_OPEN.limit(1))

    async def save_statement(self, statement: Statement) -> None:
        await self._save(statements, fields_of(statement))

    async def last_refusal(self) -> str:
        row = await self._one(_REFUSED)
        return "" if row is None else str(row["refusal"])


# -- the statements, built once: to build one takes longer than to run it

_OPEN = select(statements).where(text("ended_at IS NULL"))  # as in the partial index
_DUE = _OPEN.where(in_time(statements.c.not_before)).order_by(statements.c.transfer).limit(LIMIT)
_REFUSED = _OPEN.where(statements.c.refusal != "").order_by(statements.c.transfer.desc()).limit(1)
