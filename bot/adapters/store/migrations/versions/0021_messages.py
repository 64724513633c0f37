"""Notes hold a message as data. What waits in HTML becomes a message of plain lines.

Its lines and the labels of its buttons are phrases of the key `plain`.
"""

import html
import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TAG = re.compile(r"<[^<>]*>")
_KEPT = "id, chat, thread, reply_to, edits, instead_chat, attempts, not_before"
_CHARACTERS = 1000
"""Of a value: adapters/words.py cuts off what is far longer."""


def upgrade() -> None:
    database = op.get_bind()
    rows = database.execute(sa.text("SELECT * FROM notes ORDER BY id")).mappings().all()
    op.drop_table("notes")
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("thread", sa.BigInteger),
        sa.Column("reply_to", sa.Text),
        sa.Column("edits", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("instead_chat", sa.Text),
        sa.Column("instead_text", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.String(32)),
    )
    added = sa.text(
        f"INSERT INTO notes ({_KEPT}, text, instead_text) VALUES (:id, :chat, :thread, :reply_to, "  # noqa: S608 - names from above
        ":edits, :instead_chat, :attempts, :not_before, :text, :instead_text)"
    )
    for row in rows:
        instead = None if row["instead_chat"] is None else _message(row["instead_html"], [])
        text = _message(row["html"], json.loads(row["buttons"]))
        database.execute(added, {**row, "text": text, "instead_text": instead})


def _message(markup: str, rows: list[list[list[str]]]) -> str:
    text = html.unescape(_TAG.sub("", markup))
    lines = [_plain(part) for line in text.split("\n") for part in _parts(line)]
    buttons = [
        [{"label": _plain(label), "kind": kind, "value": value} for label, kind, value in row]
        for row in rows
    ]
    return json.dumps({"language": "en", "lines": lines, "buttons": buttons})


def _parts(line: str) -> list[str]:
    return [line[i : i + _CHARACTERS] for i in range(0, max(len(line), 1), _CHARACTERS)]


def _plain(text: str) -> dict[str, object]:
    return {"key": "plain", "values": {"text": text}}
