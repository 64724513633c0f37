"""The part of the store that has statements. store.py says how to use such a port."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.batch import Batch
from bot.core.ids import BatchId
from bot.core.statement import Statement


class AddsStatements(Protocol):
    async def add_statement(self, statement: Statement) -> None:
        """Store that a transfer needs statements. There must be none for it yet."""


class Statements(Protocol):
    """The statements that are not beside their image yet."""

    async def due_statements(self, now: datetime, *, limit: int) -> Sequence[Statement]:
        """Those that are due, the oldest first."""

    async def any_open_statement(self) -> bool:
        """Whether a statement still has to get beside its image."""

    async def save_statement(self, statement: Statement) -> None:
        """Store a changed statement. It must be there already."""

    async def batch(self, batch: BatchId) -> Batch | None:
        """The batch that a transfer went with. None where it was deleted."""


class RefusedStatements(Protocol):
    async def last_refusal(self) -> str:
        """Why the target does not take a statement that is still tried. Empty where it does."""
