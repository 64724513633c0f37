"""A database of an earlier schema opens, keeps its content, and its open work goes on."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from fakes import ANA, GROUP, LI, NGINX, POLICY, STATIC, WEI, Said, World, digest_of, rendered
from sqlalchemy import create_engine

from bot.adapters.store import SqliteStore, migrate
from bot.adapters.telegram.rendering import Rendered
from bot.core.decision import Ground
from bot.core.fresh import FreshPlan
from bot.core.ids import BOT_ITSELF, ChatId, MessageId, Place
from bot.core.image import ImageRef
from bot.core.tag_class import TagClass
from bot.core.transfer import State
from bot.dialog.message import ButtonKind
from bot.dialog.questions import QuestionKind
from bot.engine.intake.context import Press

BEFORE: Final = "2026-03-01T11:00:00.000000+00:00"
AHEAD: Final = "2026-03-04T11:00:00.000000+00:00"
SUPERGROUP: Final = ChatId("telegram:-1009")
VERSION: Final = "docker.io/library/redis:7.2.4"
# Requests: 41 waits for an admin, 42 is a draft, 43 has ended, 44 is an alarm of the bot.
ROWS: Final[dict[str, list[dict[str, Any]]]] = {
    "people": [
        {"id": 1001, "name": "Wei", "language": "en"},
        {"id": 1003, "name": "Ana", "language": "en"},
        {"id": 0, "name": "🤖", "language": ""},
    ],
    "requests": [
        {"id": 41, "person": 1001, "chat": -1001, "thread": 5, "message": 11, "card": 5000}
        | {"opened_at": BEFORE, "confirmed_at": BEFORE, "shown": "x"},
        {"id": 42, "person": 1001, "chat": -1001, "message": 12, "card": 5001}
        | {"opened_at": BEFORE, "shown": "x"},
        {"id": 43, "person": 1001, "chat": -1001, "message": 13, "card": 4001, "told_in": 4002}
        | {"opened_at": BEFORE, "confirmed_at": BEFORE, "told_at": BEFORE, "closed_at": BEFORE},
        {"id": 44, "person": 0, "chat": -1001, "opened_at": BEFORE, "confirmed_at": BEFORE},
    ],
    "transfers": [
        {"id": 7, "image": str(STATIC), "opened_at": BEFORE, "checked_at": BEFORE}
        | {"digest": digest_of(str(STATIC)), "ground": "rule", "expires_at": AHEAD},
        {"id": 8, "image": "gcr.io/a/b:1", "opened_at": BEFORE, "checked_at": BEFORE}
        | {
            "approved_at": BEFORE,
            "approved_by": 1003,
            "ended": "rejected",
            "ended_at": BEFORE,
            "ended_by": 1003,
        },
        {"id": 9, "image": VERSION, "opened_at": BEFORE, "checked_at": BEFORE}
        | {"digest": "sha256:cd", "replaces": "sha256:ef", "ground": "moved", "expires_at": AHEAD},
    ],
    "request_transfers": [
        {"request": 41, "transfer": 7, "position": 0},
        {"request": 43, "transfer": 8, "position": 0},
        {"request": 44, "transfer": 9, "position": 0},
    ],
    "drafts": [{"request": 42, "images": str(NGINX), "file": "compose.yaml"}],
    "files": [{"request": 42, "name": "compose.yaml", "file_id": "f1", "content": b"image: x"}],
    "notes": [
        {
            "chat": -1001,
            "thread": 5,
            "reply_to": 14,
            "edits": None,
            "html": '<b>hello</b> &lt;wei&gt;\n<a href="https://x">the run</a>\n' + "y" * 1500,
            "buttons": '[[["Copy", "copy", "docker pull x"]]]',
        }
    ],
    "inquiries": [
        {"question": "list", "text": "nginx", "person": 1001, "chat": 1001, "language": "en"}
        | {"opened_at": BEFORE, "page": 1, "message": 15, "edits": 16}
    ],
    "tracked": [
        {"image": VERSION, "registry": "docker.io", "tag_class": "version", "not_before": AHEAD}
        | {"source": "sha256:cd", "target": "sha256:ef", "transfer": 9},
        {"image": str(NGINX), "registry": "docker.io", "tag_class": "floating"}
        | {"not_before": AHEAD, "moved_at": BEFORE},
    ],
    "watches": [
        {"person": 1001, "image": str(NGINX), "chat": 1001, "message": 17, "since": BEFORE}
    ],
    "moves": [{"chat": -1009, "origin": -1001}],
    "greetings": [{"chat": -1005, "at": BEFORE}],
    "cursors": [{"name": "telegram-update", "value": 90}],
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database with the schema of revision 0004 and rows in each of its tables."""
    path = tmp_path / "bot.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, to="0004")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, rows in ROWS.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                insert = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - names from above
                connection.execute(insert, tuple(row.values()))
        # An id is never used again, even where its row is gone.
        connection.execute("UPDATE sqlite_sequence SET seq = 60 WHERE name = 'requests'")
    return path


@pytest.fixture
async def w(old: Path) -> AsyncIterator[World]:
    store = await SqliteStore.open(old)
    world = World(store, POLICY)
    for number in (5000, 5001):
        said = Said(Place(GROUP), "x", None, (), {}, ["x"])
        world.chat.messages[MessageId(f"telegram:{number}")] = said
    world.upstream(NGINX, STATIC)
    yield world
    await store.close()


async def test_persons_chats_and_messages_get_the_name_of_their_service(w: World) -> None:
    async with w.store.begin() as unit:
        assert await unit.people([WEI.id, ANA.id]) == {WEI.id: WEI, ANA.id: ANA}
        waiting, draft, over, alarm = [await unit.request(number) for number in (41, 42, 43, 44)]  # type: ignore[arg-type]
        rejected = await unit.transfer(8)  # type: ignore[arg-type]
        updated = await unit.transfer(9)  # type: ignore[arg-type]
        (note,) = await unit.notes()
        (question,) = await unit.questions()
        (watch,) = await unit.watches_of(WEI.id)
        assert await unit.origin(SUPERGROUP) == GROUP
        assert not await unit.greet(
            ChatId("telegram:-1005"), datetime(2026, 3, 1, tzinfo=UTC), every=1
        )
        assert await unit.cursor("telegram-update") == 90
    assert waiting is not None
    assert (waiting.person, waiting.place) == (WEI.id, Place(GROUP, 5))
    assert (waiting.message, waiting.card, waiting.told_in) == (
        "telegram:11",
        "telegram:5000",
        None,
    )
    assert draft is not None
    assert draft.is_draft
    assert over is not None
    assert (over.card, over.told_in) == ("telegram:4001", "telegram:4002")
    assert alarm is not None
    assert (alarm.person, alarm.message) == (BOT_ITSELF, None)
    assert rejected is not None
    assert (rejected.approved_by, rejected.ended_by) == (ANA.id, ANA.id)
    assert updated is not None
    assert updated.ground is Ground.UPDATED
    assert (note.place, note.reply_to, note.edits) == (Place(GROUP, 5), "telegram:14", None)
    assert rendered(note.text) == Rendered(
        f"hello &lt;wei&gt;\nthe run\n{'y' * 1000}\n{'y' * 500}",
        ((("Copy", ButtonKind.COPY, "docker pull x"),),),
    )
    assert (question.kind, question.person, question.place) == (
        *(QuestionKind.LIST, WEI.id, Place(ChatId(WEI.id))),
    )
    assert (question.message, question.edits) == ("telegram:15", "telegram:16")
    assert (watch.person, watch.place, watch.message) == (
        *(WEI.id, Place(ChatId(WEI.id)), "telegram:17"),
    )


async def test_what_was_updated_upstream_and_what_is_on_its_way_stay_so(w: World) -> None:
    async with w.store.begin() as unit:
        assert await unit.updated_upstream(limit=9) == []  # before it is offered
        await unit.drop_kept_before([NGINX])
        (updated,) = await unit.updated_upstream(limit=9)
        ((on_way, transfer),) = await unit.tracked_transfers()
    assert (updated.image, updated.updated_at is not None) == (NGINX, True)
    assert (str(on_way.image), transfer.id) == (VERSION, 9)


async def test_people_go_on_with_what_they_began(w: World) -> None:
    """A button of the bot before has no version: its card is edited, and then it counts."""
    old = Press(
        update=101,
        person=ANA,
        place=Place(GROUP),
        message=MessageId("telegram:5000"),
        data="approve:41",
    )
    assert (await w.pressed(old)).startswith("The card of #41 had changed before")
    w.last_update = 101
    await w.settle(4)
    assert await w.press(ANA, "approve:41") == "#41: 1 image approved."
    await w.say(WEI, "/mirror #42")
    await w.settle(20)
    card = w.chat.messages[MessageId("telegram:5000")]
    assert len(card.texts) > 1, "the card that stands in the chat is edited"
    assert STATIC.repository in card.text
    assert w.repository.content == f"# images\n{STATIC}\n{NGINX}\n".encode()
    w.copied(NGINX, STATIC)
    await w.settle(200)
    results = {said.reply_to: said.text for said in w.chat.messages.values()}
    assert results[MessageId("telegram:11")].startswith("Done, 1 of 1")
    assert any("Done, 1 of 1" in said.text for said in w.chat.messages.values())
    async with w.store.begin() as unit:
        approved = await unit.transfer(7)  # type: ignore[arg-type]
    assert approved is not None
    assert (approved.state, approved.approved_by) == (State.MIRRORED, ANA.id)


@pytest.fixture
def approved_before(old: Path) -> Path:
    """An admin approved two images: of one the digest is known, of the other it is not."""
    columns = "image, digest, opened_at, checked_at, approved_at, approved_by"
    insert = f"INSERT INTO transfers ({columns}) VALUES (?, ?, ?, ?, ?, 1003)"  # noqa: S608 - from above
    digests = {"gcr.io/a/known:1": digest_of("known"), "gcr.io/a/unknown:1": None}
    with closing(sqlite3.connect(old)) as connection, connection:
        for image, digest in digests.items():
            connection.execute(insert, (image, digest, BEFORE, BEFORE, BEFORE))
    return old


async def test_what_was_approved_before_goes_on_where_its_digest_is_known(
    approved_before: Path, w: World
) -> None:
    unknown = ImageRef.parse("gcr.io/a/unknown:1")
    w.upstream(unknown)
    async with w.store.begin() as unit:
        (found,) = await unit.decisions_of("gcr.io", "a/known", limit=9)
    assert (found.digest, found.person, found.image.tag) == (digest_of("known"), ANA.id, "1")
    await w.settle(30)
    (block,) = w.repository.blocks
    assert f"Image: gcr.io/a/known:1@{digest_of('known')}; approved p:" in block
    async with w.store.begin() as unit:
        again = await unit.open_transfer(unknown, w.clock())
    assert (again.state, again.digest) == (State.WAITING, digest_of(str(unknown)))


@pytest.fixture
def unread_before(old: Path) -> Path:
    """A file was sent that the bot had not fetched yet."""
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("DELETE FROM drafts WHERE request = 42")
        connection.execute("UPDATE requests SET card = NULL, shown = '' WHERE id = 42")
        connection.execute("UPDATE files SET content = NULL, attempts = 2 WHERE request = 42")
    return old


async def test_a_file_that_was_not_read_before_is_read_now(unread_before: Path, w: World) -> None:
    w.clock.now = datetime.fromisoformat(BEFORE)
    async with w.store.begin() as unit:
        (gathering,) = await unit.gatherings()
    assert (gathering.request, gathering.attempts) == (42, 2)
    w.chat.files["f1"] = f"image: {NGINX}\n".encode()
    await w.settle(4)
    assert any("1 image found in <code>compose.yaml</code>" in text for text in w.chat.texts)


async def test_numbers_that_were_given_are_never_given_again(w: World) -> None:
    await w.say(LI, "/mirror nginx:1.27")
    async with w.store.begin() as unit:
        assert await unit.request(61) is not None  # type: ignore[arg-type]


def test_indexes_and_foreign_keys_are_kept(old: Path) -> None:
    def described(query: str) -> list[Any]:
        with closing(sqlite3.connect(old)) as connection:
            return [row[0] for row in connection.execute(query)]

    indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOTNULL ORDER BY name"
    keys = (
        "SELECT m.name || '.' || k.\"from\" || ' ' || k.\"table\" || '.' || k.\"to\""
        " FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table' ORDER BY 1"
    )
    indexes_before, keys_before = described(indexes), described(keys)
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    renamed = [_as_it_is_now(sql) for sql in indexes_before]
    assert set(described(indexes)) >= set(renamed)
    assert set(described(keys)) >= set(keys_before)
    assert described("PRAGMA foreign_key_check") == []
    assert described("PRAGMA integrity_check") == ["ok"]


def _as_it_is_now(index: str) -> str:
    if "one_open_transfer" in index:  # what copies nothing lets transfers of its image go on
        return f"{index} AND coalesce(ground, '') NOT IN ('offered', 'removal')"
    return index.replace("moved", "updated")


PLAN: Final = FreshPlan(
    intervals=dict.fromkeys(TagClass, timedelta(hours=6)), looks=600, budgets={}, alarms=GROUP
)
KEPT: Final = "docker.io/bitnami/redis:7"


async def test_what_was_kept_fresh_without_a_question_is_offered_once(old: Path) -> None:
    """A database from before decisions were kept. Requests of that time say which chat asked."""
    with closing(sqlite3.connect(old)) as connection, connection:
        columns = "image, registry, tag_class, target, not_before"
        values = (KEPT, "docker.io", "floating", digest_of("there"), AHEAD)
        connection.execute(f"INSERT INTO tracked ({columns}) VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608 - from above
    messages = {
        MessageId(f"telegram:{number}"): Said(Place(GROUP), "x", None, (), {}, ["x"])
        for number in (16, 5000, 5001)
    }
    for _ in range(2):
        store = await SqliteStore.open(old)
        w = World(store, POLICY, plan=PLAN)
        w.chat.messages = messages
        w.registries.source[KEPT] = w.registries.target[KEPT] = digest_of("there")
        w.repository.content = f"{KEPT}\n{NGINX}\n{VERSION}\n".encode()
        await w.settle(20)
        async with store.begin() as unit:
            (offer,) = await unit.transfers_of(61)  # type: ignore[arg-type]
            assert await unit.request(62) is None  # type: ignore[arg-type]
        assert (str(offer.image), offer.digest) == (KEPT, digest_of("there"))
        await store.close()
    assert sum("kept fresh without a question" in said.text for said in messages.values()) == 1
