"""A draft may come from several files, or from a text in several messages."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _gatherings()
    _files()
    op.add_column("requests", sa.Column("returned", sa.Integer, nullable=False, server_default="0"))
    op.add_column("drafts", sa.Column("more_files", sa.Integer, nullable=False, server_default="0"))
    op.add_column("drafts", sa.Column("cut", sa.String(32)))


def _gatherings() -> None:
    op.create_table(
        "gatherings",
        sa.Column("request", sa.Integer, sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("first_at", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.Column("album", sa.Text, nullable=False, server_default=""),
        sa.Column("parts", sa.Integer, nullable=False, server_default="1"),
        sa.Column("length", sa.Integer, nullable=False, server_default="0"),
        sa.Column("cut", sa.String(32)),
        sa.Column("read_at", sa.String(32)),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.String(32)),
    )
    op.create_table(
        "heard_files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("album", sa.Text, nullable=False, index=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )


def _files() -> None:
    """Files that were not read yet are read as before: what was gathered is one file."""
    op.execute(
        "INSERT INTO gatherings (request, first_at, sent_at, until, attempts, not_before)"
        " SELECT f.request, r.opened_at, r.opened_at, r.opened_at, f.attempts, f.not_before"
        " FROM files f JOIN requests r ON r.id = f.request WHERE f.content IS NULL"
    )
    op.rename_table("files", "former_files")
    op.create_table(
        "files",
        sa.Column("request", sa.Integer, sa.ForeignKey("requests.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
    )
    op.execute(
        "INSERT INTO files (request, position, name, file_id, content)"
        " SELECT request, 0, name, file_id, content FROM former_files"
    )
    op.drop_table("former_files")
