"""What clusters run, by the names that people gave them, and files that come with questions."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "running",
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("images", sa.Text, nullable=False),
    )
    for name in ("file", "file_name"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("questions", column)
