"""Which listed images their sources have no more, and what people are to be told of that."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("seen_at", "missing_since", "gone_at", "gone_news"):
        op.add_column("tracked", sa.Column(name, sa.String(32)))
    missed = sa.Column("missed", sa.Integer, nullable=False, server_default="0")
    op.add_column("tracked", missed)
    there = sa.text("gone_news IS NOT NULL")
    op.create_index("tracked_gone_news", "tracked", ["gone_news"], sqlite_where=there)
