"""Whose signature a rule demanded of a digest, and who signed it."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("transfers", "decisions"):
        for name in ("signer", "signed_by"):
            op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
