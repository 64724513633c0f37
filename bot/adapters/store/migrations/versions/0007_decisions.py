"""Decisions are kept for ever, and name persons by pseudonym."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pseudonyms",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("pseudonym", sa.String(16), nullable=False, unique=True),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        # No foreign keys: a decision outlives the request and the transfer that it was made on.
        sa.Column("request", sa.Integer),
        sa.Column("transfer", sa.Integer, nullable=False, index=True),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tag", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("ground", sa.String(32), nullable=False),
        _text("rule"),
        sa.Column("pseudonym", sa.String(16)),
        sa.Column("card", sa.String(16), nullable=False, server_default=""),
        _text("reason"),
        sa.Column("replaces", sa.Integer),
        sa.Column("at", sa.String(32), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_on_name", "decisions", ["name", "id"])
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER no_{change.lower()}_of_decisions BEFORE {change} ON decisions "
            "BEGIN SELECT RAISE(ABORT, 'a decision is kept as it was made'); END"
        )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")
