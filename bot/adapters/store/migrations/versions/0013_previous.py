"""What became of the digest that a copy overwrote."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("previous_tag", "previous_refusal"):
        op.add_column("transfers", sa.Column(name, sa.Text, nullable=False, server_default=""))
