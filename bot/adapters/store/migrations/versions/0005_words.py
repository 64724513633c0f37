"""Images are "updated upstream", copies are requeued, and questions are called questions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite rewrites the indexes that mention a renamed column, but an index keeps its name.
    op.execute("ALTER TABLE tracked RENAME COLUMN moved_at TO updated_at")
    op.drop_index("tracked_moved", "tracked")
    op.create_index(
        *("tracked_updated", "tracked", ["updated_at"]),
        sqlite_where=sa.text("updated_at IS NOT NULL"),
    )
    op.execute("UPDATE transfers SET ground = 'updated' WHERE ground = 'moved'")
    op.execute("ALTER TABLE transfers RENAME COLUMN setback TO requeue_cause")
    op.execute("ALTER TABLE transfers RENAME COLUMN put_offs TO requeues")
    op.rename_table("inquiries", "questions")
    op.execute("ALTER TABLE questions RENAME COLUMN question TO kind")
