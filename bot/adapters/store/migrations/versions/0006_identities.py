"""Persons, chats and messages are `service:number`, such as `telegram:1003`.

SQLite cannot change the type of a column, so each table is rewritten. Each row is copied once,
so a million rows take seconds. Alembic's batch mode would write them twice.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PERSONS = {
    "people": ["id"],
    "requests": ["person"],
    "transfers": ["approved_by", "ended_by"],
    "questions": ["person"],
    "watches": ["person"],
}
_CHATS_AND_MESSAGES = {
    "requests": ["chat", "message", "card", "told_in"],
    "questions": ["chat", "message", "edits"],
    "watches": ["chat", "message"],
    "moves": ["chat", "origin"],
    "notes": ["chat", "reply_to", "edits"],
    "greetings": ["chat"],
}
_NUMBERED = "AUTOINCREMENT"
_NUMBERS = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
"""The highest key that a table ever generated. SQLite drops it with the table."""
_FORGET_NUMBERS = sa.text("DELETE FROM sqlite_sequence WHERE name = :name")
_KEEP_NUMBERS = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)")


def upgrade() -> None:
    for table in {**_PERSONS, **_CHATS_AND_MESSAGES}:
        ids = {name: _person(name) for name in _PERSONS.get(table, [])}
        ids |= {name: _id(name) for name in _CHATS_AND_MESSAGES.get(table, [])}
        _rewrite(table, ids)


def _person(column: str) -> str:
    return f"CASE {column} WHEN 0 THEN 'bot:0' ELSE {_id(column)} END"


def _id(column: str) -> str:
    """NULL stays NULL."""
    return f"'telegram:' || {column}"


def _rewrite(table: str, ids: dict[str, str]) -> None:
    """Copy each row once into a new table: https://sqlite.org/lang_altertable.html#otheralter"""
    database = op.get_bind()
    (created,) = _sql_of(database, table, "table")
    indexes = _sql_of(database, table, "index")
    for name in ids:
        created, changed = re.subn(rf"\b{name} BIGINT", f"{name} TEXT", created)
        assert changed == 1, f"{table}.{name}"  # noqa: S101 - the migrations before made it so
    _, body = created.split("(", 1)
    numbers = database.execute(_NUMBERS, {"name": table}).scalar() if _NUMBERED in body else None
    names = [row[1] for row in database.exec_driver_sql(f"PRAGMA table_info({table})")]
    values = ", ".join(ids.get(name, f'"{name}"') for name in names)
    op.execute(f"CREATE TABLE rewritten ({body}")
    op.execute(f"INSERT INTO rewritten SELECT {values} FROM {table}")  # noqa: S608 - names from above
    op.drop_table(table)
    op.rename_table("rewritten", table)
    for index in indexes:
        op.execute(index)
    if numbers is not None:
        database.execute(_FORGET_NUMBERS, {"name": table})
        database.execute(_KEEP_NUMBERS, {"name": table, "seq": numbers})


def _sql_of(database: sa.Connection, table: str, kind: str) -> list[str]:
    query = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type = ? AND sql IS NOT NULL"
    return [row[0] for row in database.exec_driver_sql(query, (table, kind))]
