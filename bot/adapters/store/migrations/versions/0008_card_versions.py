"""Each version of a card is kept with the images that its buttons decide on.

The cards that wait at the upgrade have buttons without a version. Their next edit replaces them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_versions",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column(
            *("request", sa.Integer, sa.ForeignKey("requests.id")), nullable=False, index=True
        ),
        sa.Column("pairs", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    for column in (
        sa.Column("version", sa.String(16), nullable=False, server_default=""),
        sa.Column("page", sa.Integer, nullable=False, server_default="0"),
        sa.Column("choosing", sa.Boolean, nullable=False, server_default=sa.text("0")),
        sa.Column("left_out", sa.Text, nullable=False, server_default=""),
        sa.Column("rejecting", sa.Text),
        sa.Column("refused_at", sa.String(32)),
    ):
        op.add_column("requests", column)
    op.create_index(
        *("refused_cards", "requests", ["id"]), sqlite_where=sa.text("refused_at IS NOT NULL")
    )
