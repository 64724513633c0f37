"""The admins who want what waits in private, and the cards that they have there."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "private_cards",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("cards", sa.Text, nullable=False, server_default="{}"),
    )
