"""A database of each earlier schema opens, and what was open in it goes on to its end.

`make upgrade` runs this. Each database is made by Alembic's own steps, with rows as the bot of that
time wrote them, as far as its schema had their columns.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from fakes import ANA, GROUP, NGINX, POLICY, STATIC, Said, World, digest_of
from sqlalchemy import create_engine
from test_cli import TOKENS, config, imageto_bot

from bot.adapters.store import SqliteStore, migrate, newest_migration
from bot.core.ids import MessageId, Place
from bot.core.transfer import State
from bot.engine.intake.context import Press

pytestmark = pytest.mark.upgrade
VERSIONS: Final = Path(__file__).parents[3] / "bot/adapters/store/migrations/versions"
REVISIONS: Final = sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))
BEFORE: Final = "2026-03-01T11:00:00.000000+00:00"
LATER: Final = "2026-03-04T11:00:00.000000+00:00"
OPEN: Final[dict[str, list[dict[str, Any]]]] = {
    "people": [
        {"id": 1001, "name": "Wei", "language": "en"},
        {"id": 1003, "name": "Ana", "language": "en"},
    ],
    "requests": [
        {"id": 41, "person": 1001, "chat": -1001, "message": 11, "card": 5000, "shown": "x"}
        | {"opened_at": BEFORE, "confirmed_at": BEFORE},
        {"id": 42, "person": 1001, "chat": -1001, "message": 12, "card": 5001, "shown": "x"}
        | {"opened_at": BEFORE, "confirmed_at": BEFORE},
    ],
    "transfers": [
        {"id": 7, "image": str(STATIC), "opened_at": BEFORE, "checked_at": BEFORE}
        | {"digest": digest_of(str(STATIC)), "ground": "rule", "expires_at": LATER},
        {"id": 8, "image": str(NGINX), "opened_at": BEFORE},
    ],
    "request_transfers": [
        {"request": 41, "transfer": 7, "position": 0},
        {"request": 42, "transfer": 8, "position": 0},
    ],
    "cursors": [{"name": "telegram-update", "value": 90}],
}
"""Request 41 waits for an admin, and 42 for the answer of a registry."""
IDS: Final = {("people", "id"), *(("requests", name) for name in ("person", "chat", "message"))}
NAMED: Final = IDS | {("requests", "card")}
"""Columns that have `telegram:` before the number since revision 0006."""


def made(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, to=revision)
    engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        for table, rows in OPEN.items():
            there = {row[1] for row in file.execute(f"PRAGMA table_info({table})")}
            for row in rows:
                insert(file, table, {k: v for k, v in row.items() if k in there}, revision)


def insert(file: sqlite3.Connection, table: str, row: dict[str, Any], revision: str) -> None:
    if revision >= "0006":
        row = {k: f"telegram:{v}" if (table, k) in NAMED else v for k, v in row.items()}
    marks = ", ".join("?" * len(row))
    file.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - names from above


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_an_earlier_schema_opens_and_goes_on(
    revision: str, tmp_path: Path
) -> None:
    path = tmp_path / "bot.sqlite3"
    made(path, revision)
    store = await SqliteStore.open(path)
    w = World(store, POLICY)
    for number in (5000, 5001):
        said = Said(Place(GROUP), "x", None, (), {}, ["x"])
        w.chat.messages[MessageId(f"telegram:{number}")] = said
    w.upstream(NGINX, STATIC)
    w.last_update = 101
    old = {"message": MessageId("telegram:5000"), "data": "approve:41"}
    await w.pressed(Press(update=101, person=ANA, place=Place(GROUP), **old))  # type: ignore[arg-type]
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(60)
    assert await w.press(ANA, "approve:41") == "#41: 1 image approved."
    await w.settle(20)
    w.copied(STATIC)
    await w.settle(100)
    assert set(w.repository.content.decode().split()) >= {str(STATIC), str(NGINX)}
    results = [said for said in w.chat.messages.values() if said.text.startswith("Done, 1 of 1")]
    assert {said.reply_to for said in results} == {"telegram:11", "telegram:12"}
    async with store.begin() as unit:
        ends = await unit.transfers([7, 8])  # type: ignore[list-item]
    assert [each.state for each in ends.values()] == [State.MIRRORED] * 2
    await store.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_an_older_program_on_a_newer_database_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await (await SqliteStore.open(path)).close()
    newer = f"{int(newest_migration()) + 1:04}"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE alembic_version SET version_num = ?", (newer,))
    done = imageto_bot("run", "--config", str(config(tmp_path)), environment=TOKENS)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"imageto-bot: the database {path} is of a newer version")
    assert "Traceback" not in done.stderr
