"""Looks at images by runs, where the bot cannot reach the source."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("image", sa.Text, primary_key=True),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("transfer", sa.Integer),
        sa.Column("shape", sa.Boolean, nullable=False),
        sa.Column("batch", sa.String(32)),
        sa.Column("answered_at", sa.String(32)),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at_target", sa.String(32), nullable=False),
        sa.Column("platforms", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.String(32)),
    )
