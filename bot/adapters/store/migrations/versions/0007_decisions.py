"""Decisions are kept for ever, and name persons by pseudonym."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


_APPROVED = sa.text(
    "SELECT id AS transfer, image, digest, approved_by, approved_at AS at FROM transfers"
    " WHERE ended IS NULL AND approved_by IS NOT NULL AND digest IS NOT NULL"
)
_PSEUDONYM = sa.text("SELECT pseudonym FROM pseudonyms WHERE person = :person")
_NEW_PSEUDONYM = sa.text("INSERT INTO pseudonyms VALUES (:person, :pseudonym)")
_KEEP = sa.text(
    "INSERT INTO decisions (transfer, image, name, tag, digest, verdict, ground, pseudonym, at)"
    " VALUES (:transfer, :image, :name, :tag, :digest, 'approve', 'person', :pseudonym, :at)"
)


def upgrade() -> None:
    op.create_table(
        "pseudonyms",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("pseudonym", sa.String(16), nullable=False, unique=True),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        # No foreign keys: a decision outlives the request and the transfer that it was made on.
        sa.Column("request", sa.Integer),
        sa.Column("transfer", sa.Integer, nullable=False, index=True),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tag", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("ground", sa.String(32), nullable=False),
        _text("rule"),
        sa.Column("pseudonym", sa.String(16)),
        sa.Column("card", sa.String(16), nullable=False, server_default=""),
        _text("reason"),
        sa.Column("replaces", sa.Integer),
        sa.Column("at", sa.String(32), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_on_name", "decisions", ["name", "id"])
    op.add_column("transfers", sa.Column("retries", sa.Integer))
    _keep_open_approvals()
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER no_{change.lower()}_of_decisions BEFORE {change} ON decisions "
            "BEGIN SELECT RAISE(ABORT, 'a decision is kept as it was made'); END"
        )


def _keep_open_approvals() -> None:
    """Approvals of persons that are still to be carried out count as decisions on their digest."""
    database = op.get_bind()
    for transfer in database.execute(_APPROVED).mappings().all():
        person = {"person": transfer["approved_by"]}
        known = database.execute(_PSEUDONYM, person).scalar()
        if known is None:
            known = f"p:{secrets.token_hex(4)}"
            database.execute(_NEW_PSEUDONYM, {**person, "pseudonym": known})
        name, tag = _name_and_tag(transfer["image"])
        row = {**transfer, "name": name, "tag": tag, "pseudonym": known}
        database.execute(_KEEP, row)


def _name_and_tag(image: str) -> tuple[str, str | None]:
    name, _, _ = image.partition("@")
    start = name.rfind("/") + 1
    last, colon, tag = name[start:].partition(":")
    return name[:start] + last, tag if colon else None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")
