"""Listed images that are kept fresh, who watches them, and which digest a transfer replaces."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _digest(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.add_column("transfers", sa.Column("replaces", sa.Text))
    _tracked()
    op.create_table(
        "watches",
        sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("image", sa.Text, primary_key=True, index=True),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("message", sa.BigInteger),
        sa.Column("since", sa.String(32), nullable=False),
    )


def _tracked() -> None:
    op.create_table(
        "tracked",
        sa.Column("image", sa.Text, primary_key=True),
        sa.Column("registry", sa.Text, nullable=False),
        sa.Column("tag_class", sa.String(32), nullable=False),
        sa.Column("not_before", sa.String(32), nullable=False),
        sa.Column("looked_at", sa.String(32)),
        _digest("source"),
        _digest("target"),
        _digest("told"),
        _digest("alarmed"),
        sa.Column("moved_at", sa.String(32)),
        sa.Column("transfer", sa.Integer, sa.ForeignKey("transfers.id")),
        sa.Column("arrived_at", sa.String(32)),
    )
    _index("due", ["registry", "not_before"], where="moved_at IS NULL AND transfer IS NULL")
    _index("next", ["not_before"], where="moved_at IS NULL AND transfer IS NULL")
    op.create_index("tracked_far", "tracked", ["tag_class", "not_before"])
    op.create_index("tracked_looked", "tracked", ["looked_at", "registry"])
    for name, column in (("moved", "moved_at"), ("on_way", "transfer"), ("arrived", "arrived_at")):
        _index(name, [column], where=f"{column} IS NOT NULL")


def _index(name: str, columns: list[str], *, where: str) -> None:
    op.create_index(f"tracked_{name}", "tracked", columns, sqlite_where=sa.text(where))
