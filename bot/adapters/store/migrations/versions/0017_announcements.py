"""The last announcement in each chat of what waits there."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("thread", sa.BigInteger),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("told", sa.Text, nullable=False, server_default=""),
        sa.Column("shown", sa.Text, nullable=False, server_default=""),
    )
