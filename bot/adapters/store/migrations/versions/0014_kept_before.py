"""Listed images that were kept fresh before each new digest was decided. They are offered once."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("kept_before", sa.Column("image", sa.Text, primary_key=True))
    op.execute("INSERT INTO kept_before SELECT image FROM tracked")
    # An offer is no copy: it lets other transfers of its image go on.
    op.drop_index("one_open_transfer", "transfers")
    op.create_index(
        *("one_open_transfer", "transfers", ["image"]),
        unique=True,
        sqlite_where=sa.text("ended IS NULL AND ground IS NOT 'offered'"),
    )
    op.create_index(
        *("open_offers", "transfers", ["image"]),
        sqlite_where=sa.text("ended IS NULL AND ground = 'offered'"),
    )
    op.create_index(
        *("decisions_on_tags", "decisions", ["id"]),
        sqlite_where=sa.text("ground IN ('kept', 'floats')"),
    )
