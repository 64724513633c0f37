"""What came along with a copy, and why the target lets nobody pull it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.Column("attachments", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("transfers", number)
    for name in ("attachments_refusal", "pull_refusal"):
        op.add_column("transfers", sa.Column(name, sa.Text, nullable=False, server_default=""))
