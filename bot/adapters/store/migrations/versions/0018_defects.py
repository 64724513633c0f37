"""What the maintainer was told of, where a refused note goes instead, and when a run has begun."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "defects",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("told_at", sa.String(32)),
        sa.Column("gone_at", sa.String(32)),
    )
    op.add_column("notes", sa.Column("instead_chat", sa.Text))
    op.add_column("notes", sa.Column("instead_html", sa.Text, nullable=False, server_default=""))
    op.add_column("batches", sa.Column("run_began_at", sa.String(32)))
