"""What admins have stopped: pauses and blocks."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("pattern", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("lift_by", sa.Text),
        sa.Column("lift_at", sa.String(32)),
        sa.Column("lifted_at", sa.String(32)),
        sqlite_autoincrement=True,
    )
