"""The heartbeat of Telegram has its name, since other services have theirs."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE cursors SET name = 'beat-telegram' WHERE name = 'beat-poll'")
