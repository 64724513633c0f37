"""Notes that are files."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = sa.Column("file_name", sa.Text, nullable=False, server_default="")
    op.add_column("notes", name)
    op.add_column("notes", sa.Column("file", sa.LargeBinary))
