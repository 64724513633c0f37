"""Drafts, files, inquiries and moved chats. A request may be continued after its result.

Troubles have a kind from here on. Old ones are deleted, and the next try stores them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _time(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(32))


def upgrade() -> None:
    _requests()
    _transfers()
    _drafts_and_files()
    _inquiries_and_moves()
    op.add_column("notes", sa.Column("edits", sa.BigInteger))


def _requests() -> None:
    with op.batch_alter_table("requests", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint("one_request_a_message", type_="unique")
        table.alter_column("message", existing_type=sa.BigInteger, nullable=True)
        table.add_column(_time("confirmed_at"))
        table.add_column(_text("untagged"))
        table.add_column(sa.Column("told_in", sa.BigInteger))
        table.add_column(_text("told"))
        table.add_column(sa.Column("form", sa.String(32), nullable=False, server_default="docker"))
        table.add_column(_time("returned_at"))
    op.execute("UPDATE requests SET confirmed_at = opened_at")


def _transfers() -> None:
    op.add_column("transfers", _text("meant"))
    op.add_column("transfers", sa.Column("setback", sa.Text))
    op.add_column("transfers", _count("put_offs"))
    op.execute("UPDATE transfers SET trouble = ''")
    op.execute("UPDATE batches SET trouble = ''")


def _drafts_and_files() -> None:
    op.create_table(
        "drafts",
        sa.Column("request", sa.Integer, sa.ForeignKey("requests.id"), primary_key=True),
        _text("images"),
        _text("left_out"),
        sa.Column("page", sa.Integer),
        _text("bad", "[]"),
        _text("file"),
    )
    op.create_table(
        "files",
        sa.Column("request", sa.Integer, sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        _count("attempts"),
        _time("not_before"),
    )


def _inquiries_and_moves() -> None:
    op.create_table(
        "inquiries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("question", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        _count("page"),
        sa.Column("message", sa.BigInteger),
        sa.Column("edits", sa.BigInteger),
        _count("attempts"),
        _time("not_before"),
    )
    op.create_table(
        "moves",
        sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.BigInteger, nullable=False),
    )
