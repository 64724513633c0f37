"""Indexes by which old requests, transfers and batches are found to be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("requests", "closed_at"), ("batches", "closed_at")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"closed_{table}", table, [column], sqlite_where=where)
    where = sa.text("ended_at IS NOT NULL")
    op.create_index("ended_transfers", "transfers", ["ended_at"], sqlite_where=where)
