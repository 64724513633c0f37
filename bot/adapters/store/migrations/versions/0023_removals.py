"""Transfers that take an image's line out of image.list, beside others of the same image."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("one_open_transfer", "transfers")
    copies, removals = "coalesce(ground, '') NOT IN ('offered', 'removal')", "ground = 'removal'"
    for name, of in (("one_open_transfer", copies), ("one_open_removal", removals)):
        op.create_index(
            *(name, "transfers", ["image"]),
            unique=True,
            sqlite_where=sa.text(f"ended IS NULL AND {of}"),
        )
