"""The first schema: people, requests, transfers, batches, notes and cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def upgrade() -> None:
    _people_and_requests()
    _batches()
    _transfers()
    _the_rest()


def _people_and_requests() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False, server_default=""),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("card", sa.BigInteger),
        _text("shown"),
        sa.Column("cancelled_at", sa.String(32)),
        sa.Column("told_at", sa.String(32)),
        sa.Column("closed_at", sa.String(32)),
        _count("attempts"),
        sa.Column("not_before", sa.String(32)),
        sa.UniqueConstraint("chat", "message", name="one_request_a_message"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_person", "requests", ["person"])
    op.create_index("open_requests", "requests", ["id"], sqlite_where=sa.text("closed_at IS NULL"))


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("via", sa.String(32), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("committing_at", sa.String(32)),
        sa.Column("sha", sa.String(64)),
        sa.Column("committed_at", sa.String(32)),
        sa.Column("dispatching_at", sa.String(32)),
        sa.Column("dispatched_at", sa.String(32)),
        sa.Column("run", sa.BigInteger),
        _text("run_url"),
        sa.Column("run_seen_at", sa.String(32)),
        sa.Column("closed_at", sa.String(32)),
        _count("attempts"),
        sa.Column("not_before", sa.String(32)),
        _text("trouble"),
    )
    op.create_index("ix_batches_opened_at", "batches", ["opened_at"])
    op.create_index("open_batches", "batches", ["id"], sqlite_where=sa.text("closed_at IS NULL"))


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("checked_at", sa.String(32)),
        sa.Column("digest", sa.Text),
        _text("platforms"),
        sa.Column("size", sa.BigInteger),
        sa.Column("ground", sa.String(32)),
        sa.Column("expires_at", sa.String(32)),
        sa.Column("approved_at", sa.String(32)),
        sa.Column("approved_by", sa.BigInteger),
        sa.Column("batch", sa.String(32), sa.ForeignKey("batches.id")),
        sa.Column("submitted_at", sa.String(32)),
        sa.Column("run", sa.BigInteger),
        _text("run_url"),
        sa.Column("copying_at", sa.String(32)),
        sa.Column("copied_digest", sa.Text),
        sa.Column("copied_at", sa.String(32)),
        sa.Column("ended", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("ended_by", sa.BigInteger),
        _text("reason"),
        sa.Column("failure", sa.Text),
        sa.Column("proof", sa.String(32)),
        _count("attempts"),
        sa.Column("not_before", sa.String(32)),
        _text("trouble"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transfers_image", "transfers", ["image"])
    op.create_index("ix_transfers_batch", "transfers", ["batch"])
    still_open = sa.text("ended IS NULL")
    op.create_index(
        "one_open_transfer", "transfers", ["image"], unique=True, sqlite_where=still_open
    )
    op.create_index("open_transfers", "transfers", ["id"], sqlite_where=still_open)
    op.create_table(
        "request_transfers",
        sa.Column("request", sa.Integer, sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("transfer", sa.Integer, sa.ForeignKey("transfers.id"), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_index("ix_request_transfers_transfer", "request_transfers", ["transfer"])


def _the_rest() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("reply_to", sa.BigInteger),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("buttons", sa.Text, nullable=False),
        _count("attempts"),
        sa.Column("not_before", sa.String(32)),
    )
    op.create_table(
        "greetings",
        sa.Column("chat", sa.BigInteger, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "cursors",
        "greetings",
        "notes",
        "request_transfers",
        "transfers",
        "batches",
        "requests",
        "people",
    ):
        op.drop_table(table)
