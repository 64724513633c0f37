"""What chats follow, and the newer versions that they were told of."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follows",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("message", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("range", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.String(32)),
        sa.Column("listed_at", sa.String(32)),
        sa.Column("known", sa.Text, nullable=False, server_default=""),
        sa.Column("news", sa.Text, nullable=False, server_default=""),
        sa.Column("told_at", sa.String(32)),
        sa.Column("trouble", sa.String(32)),
    )
    op.create_index("ix_follows_person", "follows", ["person"])
    op.create_index("ix_follows_not_before", "follows", ["not_before"])
    op.create_table(
        "news",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("platforms", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("told_at", sa.String(32), nullable=False),
        sa.Column("request", sa.BigInteger),
    )
