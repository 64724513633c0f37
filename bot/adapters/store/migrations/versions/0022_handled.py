"""Which updates were handled, by keys that each service makes of its own numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handled",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_handled_at", "handled", ["at"])
