"""Indexes for frequent queries, so that their cost does not grow with the history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_requests_person", "requests")
    op.create_index("requests_of_person", "requests", ["person", "opened_at"])
    op.drop_index("ix_transfers_batch", "transfers")
    op.create_index(
        "transfers_in_batch", "transfers", ["batch"], sqlite_where=sa.text("batch IS NOT NULL")
    )
    op.create_index(
        "failed_transfers", "transfers", ["ended_at"], sqlite_where=sa.text("failure IS NOT NULL")
    )
    op.drop_index("open_batches", "batches")
    op.create_index(
        "open_batches", "batches", ["opened_at"], sqlite_where=sa.text("closed_at IS NULL")
    )
