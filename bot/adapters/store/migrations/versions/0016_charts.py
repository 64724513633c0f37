"""A request knows which of its images are Helm charts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("charts", sa.Text, nullable=False, server_default=""))
