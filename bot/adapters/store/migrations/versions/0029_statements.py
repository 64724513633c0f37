"""The statements about what arrived, and which rules admitted a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("transfer", sa.Integer, sa.ForeignKey("transfers.id"), primary_key=True),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("form", sa.String(32), nullable=False),
        sa.Column("envelopes", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("refusal", sa.Text, nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.String(32)),
    )
    op.create_index(
        "open_statements", "statements", ["transfer"], sqlite_where=sa.text("ended_at IS NULL")
    )
    op.add_column("batches", sa.Column("policy", sa.String(64), nullable=False, server_default=""))
