"""The store: values round-trip, migrations match the tables, and disk errors are transient.

test_store_fresh.py has tracked images and watches.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fakes import ANA, GROUP, NGINX, STATIC, WEI, plain
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import IntegrityError
from store_fixture import database_of

from bot.adapters import store as store_module
from bot.adapters.store import Ahead, SqliteStore, last_beat, migrate, newest_migration
from bot.adapters.store import connection as connection_module
from bot.adapters.store.connection import begin_writing
from bot.adapters.store.schema import (
    batches,
    drafts,
    files,
    metadata,
    questions,
    requests,
    tracked,
    transfers,
    watches,
)
from bot.core.bad_image import BadImage, Correction, Gap, Mistake
from bot.core.batch import Batch, Via
from bot.core.decision import Ground
from bot.core.draft import Draft
from bot.core.errors import ConfigError, TransientError
from bot.core.events import Proof
from bot.core.failures import Failure, FailureKind
from bot.core.fresh import TrackedImage, Watch
from bot.core.gathering import Cut, Gathering
from bot.core.ids import BatchId, ChatId, CommitSha, MessageId, Place, RunId, TransferId, UpdateKey
from bot.core.image import Problem
from bot.core.request import PullFormat, Request
from bot.core.retry import REPEATED_WITHIN, Trouble, TroubleKind
from bot.core.transfer import State, Transfer
from bot.dialog.language import Language
from bot.dialog.message import ButtonKind
from bot.dialog.questions import Question, QuestionKind
from bot.engine.ports.files import File, HeardFile
from bot.engine.ports.store import NewRequest

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
PLACE = Place(GROUP, 5)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


def asked_by_wei(message: int = 7) -> NewRequest:
    return NewRequest(
        person=WEI.id,
        place=PLACE,
        message=MessageId(f"telegram:{message}"),
        opened_at=NOW,
        confirmed_at=NOW,
        untagged=(NGINX,),
    )


async def request_of_wei(store: SqliteStore, message: int = 7) -> tuple[Request, Transfer]:
    async with store.begin() as unit:
        await unit.save_person(WEI)
        request = await unit.open_request(asked_by_wei(message))
        transfer = await unit.open_transfer(NGINX, NOW)
        await unit.link(request.id, [transfer.id])
    return request, transfer


async def test_a_whole_transfer_and_request_and_batch_come_out_as_they_went_in(
    store: SqliteStore,
) -> None:
    request, transfer = await request_of_wei(store)
    batch = Batch(
        id=BatchId("b1"),
        via=Via.COMMIT,
        opened_at=NOW,
        committing_at=NOW,
        sha=CommitSha("a" * 40),
        committed_at=NOW,
        dispatching_at=NOW,
        dispatched_at=NOW,
        run=RunId(2**40),
        run_url="https://x",
        run_seen_at=NOW,
        attempts=2,
        not_before=NOW,
        trouble=Trouble(TroubleKind.FAULTY, "harbor.example.com:8443", "it answers 503"),
    )
    full = replace(
        transfer,
        checked_at=NOW,
        digest="sha256:ab",
        platforms=("linux/amd64", "linux/arm/v7"),
        size=2**40,
        ground=Ground.RULE,
        expires_at=NOW,
        approved_at=NOW,
        approved_by=ANA.id,
        batch=batch.id,
        submitted_at=NOW,
        run=RunId(2**40),
        run_url="https://x",
        copying_at=NOW,
        copied_digest="sha256:ab",
        copied_at=NOW,
        previous_tag="1.27-before-2026-11-30",
        previous_refusal="the target answers 412",
        attachments=3,
        attachments_refusal="2: target: denied",
        pull_refusal="not scanned",
        signer="key 0123",
        signed_by="key 0123",
        ended=State.FAILED,
        ended_at=NOW,
        ended_by=ANA.id,
        reason="because: so",
        failure=Failure(FailureKind.NETWORK, "a: b"),
        meant=(NGINX, STATIC),
        proof=Proof.RUN,
        requeue_cause=Failure(FailureKind.RATE_LIMITED, "slow"),
        requeues=2,
        attempts=3,
        not_before=NOW,
        trouble=Trouble(TroubleKind.FAULTY, "harbor.example.com:8443", "it answers 503"),
    )
    asked = replace(
        request, card=MessageId("telegram:9"), shown="x", told_at=NOW, cancelled_at=NOW, attempts=1,
        not_before=NOW, told_in=MessageId("telegram:10"), told="y", form=PullFormat.KUBERNETES,
        charts=(STATIC,),
        returned=1,
        returned_at=NOW,
    )  # fmt: skip
    async with store.begin() as unit:
        await unit.save_batch(batch)
        await unit.save_transfer(full)
        await unit.save_request(asked)
    async with store.begin() as unit:
        assert await unit.transfer(transfer.id) == full
        assert await unit.request(request.id) == asked
        assert await unit.open_batches() == [batch]
        assert await unit.transfers_in(batch.id) == (full,)
        assert await unit.transfers_of(request.id) == (full,)
        assert await unit.requests_for(transfer.id) == [asked]
        assert await unit.transfers_of_image(NGINX, limit=9) == [full]
        assert await unit.last_batch_at() == NOW
        assert await unit.people([WEI.id, ANA.id]) == {WEI.id: WEI}
        assert await unit.last_failed() == full


@pytest.mark.parametrize(
    ("table", "value", "besides"),
    [
        (transfers, Transfer, set()),
        (batches, Batch, set()),
        (requests, Request, {"chat", "thread"}),
        (drafts, Draft, {"request"}),
        (files, File, set()),
        (questions, Question, {"chat", "thread"}),
        (tracked, TrackedImage, {"registry", "tag_class"}),
        (watches, Watch, {"chat", "thread"}),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_a_column_is_called_like_the_field_it_keeps(
    table: object, value: type, besides: set[str]
) -> None:
    columns = {column.name for column in table.columns}  # type: ignore[attr-defined]
    assert columns - besides == {field.name for field in fields(value)} - {"place"}


async def test_the_migrations_make_exactly_these_tables(store: SqliteStore) -> None:
    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert compare(database_of(store).connection) == []


async def test_opening_again_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    first = await SqliteStore.open(path)
    request, _ = await request_of_wei(first)
    await first.close()
    second = await SqliteStore.open(path)
    async with second.begin() as unit:
        assert await unit.request(request.id) == request
    await second.close()


async def test_an_image_has_one_open_transfer_and_a_new_one_after_it_is_over(
    store: SqliteStore,
) -> None:
    _, first = await request_of_wei(store)
    async with store.begin() as unit:
        assert await unit.open_transfer(NGINX, NOW) == first
        assert await unit.open_transfers() == [first]
        await unit.save_transfer(replace(first, ended=State.CANCELLED))
        second = await unit.open_transfer(NGINX, NOW)
        assert second.id != first.id
        assert (await unit.transfers_of_image(NGINX, limit=1)) == [second]


async def test_a_database_of_the_first_schema_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, to="0001")
    engine.dispose()
    with sqlite3.connect(path) as old:
        old.execute("INSERT INTO people (id, name) VALUES (1001, 'Wei')")
        old.execute(
            "INSERT INTO requests (id, person, chat, message, opened_at) VALUES (?, ?, ?, ?, ?)",
            (41, 1001, -1001, 7, "2026-03-01T12:00:00.000000+00:00"),
        )
    old.close()
    store = await SqliteStore.open(path)
    async with store.begin() as unit:
        request = await unit.request(41)  # type: ignore[arg-type]
        again = await unit.open_request(asked_by_wei())
    await store.close()
    assert request is not None
    assert not request.is_draft
    assert (request.message, request.form) == ("telegram:7", PullFormat.DOCKER)
    assert again.id == 42, "numbers are never given twice"


async def test_a_request_may_be_linked_anew(store: SqliteStore) -> None:
    request, _ = await request_of_wei(store)
    async with store.begin() as unit:
        other = await unit.open_transfer(STATIC, NOW)
        await unit.link(request.id, [other.id, other.id])
        assert await unit.transfers_of(request.id) == (other,)


async def test_a_draft_and_its_file_come_out_as_they_went_in(store: SqliteStore) -> None:
    request, _ = await request_of_wei(store)
    draft = Draft(
        images=(NGINX, STATIC),
        left_out=frozenset({1, 0}),
        page=2,
        bad=(
            BadImage("Nginx\n\U0001f600", None, Correction(Mistake.UPPERCASE, NGINX)),
            BadImage("${X}", Gap.VARIABLE, None),
            BadImage("a b", Problem.BLANK, None),
        ),
        file="a b.yaml",
        more_files=2,
        cut=Cut.ALBUM,
    )
    file = File(request=request.id, name="a b.yaml", file_id="x")
    async with store.begin() as unit:
        assert await unit.draft(request.id) == Draft()
        await unit.save_draft(request.id, draft)
        await unit.save_file(file)
    async with store.begin() as unit:
        assert await unit.draft(request.id) == draft
        second = replace(file, position=1, name="b.yaml")
        await unit.save_file(second)
        await unit.save_file(replace(file, content=b"\0\xff"))
        assert await unit.files(request.id) == [replace(file, content=b"\0\xff"), second]
        await unit.drop_file(request.id, 0)
        assert await unit.files(request.id) == [second]
        await unit.drop_files_of(request.id)
        assert await unit.files(request.id) == []


async def test_what_is_gathered_comes_out_as_it_went_in(store: SqliteStore) -> None:
    request, _ = await request_of_wei(store)
    gathering = Gathering(
        request=request.id,
        first_at=NOW,
        sent_at=NOW + timedelta(seconds=1),
        until=NOW + timedelta(seconds=2),
        album="13000000000000000",
        parts=3,
        length=4096,
        cut=Cut.ALBUM,
        attempts=2,
        not_before=NOW,
    )
    async with store.begin() as unit:
        await unit.save_gathering(gathering)
    async with store.begin() as unit:
        assert await unit.gathering(request.id) == gathering
        assert await unit.gatherings() == [gathering]
        assert await unit.gatherings_of(request.person, request.place) == [], "it is no draft"
        await unit.save_request(replace(request, confirmed_at=None))
        assert await unit.gatherings_of(request.person, request.place) == [gathering]
        assert await unit.gatherings_of(request.person, Place(request.place.chat, 7)) == []
        assert await unit.gatherings_of(ANA.id, request.place) == []
        await unit.save_gathering(replace(gathering, read_at=NOW))
        assert await unit.gatherings() == [replace(gathering, read_at=NOW)]
        await unit.drop_gathering(request.id)
        assert await unit.gathering(request.id) is None


async def test_files_of_an_album_wait_for_their_command_and_are_taken_once(
    store: SqliteStore,
) -> None:
    def heard(number: int, **more: object) -> HeardFile:
        values: dict[str, object] = {"album": "a", "person": WEI.id, "chat": GROUP, "at": NOW}
        return HeardFile(name=f"{number}.yaml", file_id=f"f{number}", size=9, **(values | more))  # type: ignore[arg-type]

    old = NOW - timedelta(minutes=5)
    async with store.begin() as unit:
        await unit.add_heard_file(heard(0, at=old), since=old)
        for file in (heard(1), heard(2), heard(3, album="b"), heard(4, person=ANA.id)):
            await unit.add_heard_file(file, since=NOW - timedelta(minutes=2))
    async with store.begin() as unit:
        assert await unit.take_heard_files("a", WEI.id, GROUP) == [heard(1), heard(2)]
        assert await unit.take_heard_files("a", WEI.id, GROUP) == []
        assert await unit.take_heard_files("b", WEI.id, ChatId("telegram:-9")) == []


async def test_questions_wait_until_they_are_dropped(store: SqliteStore) -> None:
    question = Question(
        id=0,
        kind=QuestionKind.LIST,
        text="nginx",
        person=WEI.id,
        place=PLACE,
        language=Language.ZH_CN,
        opened_at=NOW,
        page=3,
        message=MessageId("telegram:7"),
        edits=MessageId("telegram:8"),
    )
    async with store.begin() as unit:
        await unit.add_question(question)
        await unit.add_question(question)
        first, second = await unit.questions()
        assert first == replace(question, id=first.id)
        later = replace(first, attempts=1, not_before=NOW)
        await unit.save_question(later)
        await unit.drop_question(second.id)
        assert await unit.questions() == [later]


async def test_a_chat_that_moves_takes_its_requests_along_and_remembers_where_it_was(
    store: SqliteStore,
) -> None:
    request, _ = await request_of_wei(store)
    second, third = ChatId("telegram:-2"), ChatId("telegram:-3")
    async with store.begin() as unit:
        await unit.save_request(replace(request, card=MessageId("telegram:9"), shown="x"))
        await unit.add_note(
            PLACE, plain("x"), reply_to=MessageId("telegram:7"), edits=MessageId("telegram:8")
        )
        await unit.move_chat(GROUP, second)
        await unit.move_chat(second, third)
        await unit.move_chat(second, third)
        moved = await unit.request(request.id)
        (note,) = await unit.notes()
        assert await unit.origin(third) == GROUP
        assert await unit.origin(GROUP) == GROUP
    assert moved is not None
    assert (moved.place.chat, moved.message, moved.card, moved.shown) == (third, None, None, "")
    assert (note.place.chat, note.reply_to, note.edits) == (third, None, None)


async def test_the_first_to_ask_for_an_image_is_known(store: SqliteStore) -> None:
    first, transfer = await request_of_wei(store, 7)
    second, _ = await request_of_wei(store, 8)
    async with store.begin() as unit:
        assert await unit.first_requests_of_all([first.id, second.id]) == {
            first.id: {},
            second.id: {transfer.id: first},
        }


async def test_an_update_is_taken_once_and_remembered_for_some_days(store: SqliteStore) -> None:
    seven, eight = UpdateKey("telegram:7"), UpdateKey("github:comment/7")
    async with store.begin() as unit:
        assert [await unit.take(key, NOW) for key in (seven, seven, eight)] == [True, False, True]
        assert not await unit.take(seven, NOW + REPEATED_WITHIN)
        assert not await unit.take(seven, NOW - REPEATED_WITHIN)  # the clock was set back
        assert await unit.take(seven, NOW + REPEATED_WITHIN + timedelta(seconds=1))


async def test_a_unit_that_fails_leaves_nothing(store: SqliteStore) -> None:
    async def fail() -> None:
        async with store.begin() as unit:
            await unit.save_cursor("x", 7)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.begin() as unit:
        assert await unit.cursor("x") is None


async def test_foreign_keys_hold(store: SqliteStore) -> None:
    with pytest.raises(IntegrityError):
        async with store.begin() as unit:
            await unit.link(99, [TransferId(99)])  # type: ignore[arg-type]


async def test_what_a_person_has_open_and_asked_for_is_counted(store: SqliteStore) -> None:
    request, transfer = await request_of_wei(store)
    async with store.begin() as unit:
        assert await unit.count_asked(WEI.id, NOW) == (1, 1)
        assert await unit.count_asked(WEI.id, NOW + timedelta(seconds=1)) == (1, 0)
        assert await unit.count_asked(ANA.id, NOW) == (0, 0)
        await unit.save_transfer(replace(transfer, ended=State.CANCELLED))
        assert await unit.count_asked(WEI.id, NOW) == (0, 1)
        await unit.save_request(replace(request, closed_at=NOW))
        assert await unit.open_requests() == []


async def test_notes_wait_in_order_until_they_are_dropped(store: SqliteStore) -> None:
    text = plain("x", ("Copy", ButtonKind.COPY, "y"))
    async with store.begin() as unit:
        await unit.add_note(PLACE, text, reply_to=MessageId("telegram:7"))
        await unit.add_note(Place(GROUP), plain("second"), reply_to=None)
        first, second = await unit.notes()
        assert (first.place, first.text, first.reply_to) == (PLACE, text, "telegram:7")
        assert second.reply_to is None
        await unit.save_note(replace(first, attempts=2, not_before=NOW))
        await unit.drop_note(second.id)
        (kept,) = await unit.notes()
        assert (kept.attempts, kept.not_before) == (2, NOW)


async def test_a_chat_is_greeted_once_in_a_while(store: SqliteStore) -> None:
    async with store.begin() as unit:
        assert await unit.greet(GROUP, NOW, every=3600)
        assert not await unit.greet(GROUP, NOW + timedelta(seconds=3599), every=3600)
        assert await unit.greet(GROUP, NOW + timedelta(seconds=3600), every=3600)


async def test_a_sign_of_life_is_kept_to_the_second(store: SqliteStore, tmp_path: Path) -> None:
    path, first = tmp_path / "bot.sqlite3", NOW.replace(microsecond=0)
    assert last_beat(path, "poll") is None
    async with store.begin() as unit:
        assert await unit.beat("poll", NOW) is None
    async with store.begin() as unit:
        assert await unit.beat("poll", NOW + timedelta(seconds=2)) == first
    assert last_beat(path, "poll") == first + timedelta(seconds=2)


def test_a_look_at_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert last_beat(tmp_path / "bot.sqlite3", "poll") is None
    (tmp_path / "empty.sqlite3").touch()
    assert last_beat(tmp_path / "empty.sqlite3", "poll") is None
    assert [path.name for path in tmp_path.iterdir()] == ["empty.sqlite3"]


async def test_a_look_beside_a_bot_that_writes_waits_for_nothing(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.beat("poll", NOW)
    async with store.begin() as unit:
        await unit.save_cursor("x", 7)
        assert last_beat(tmp_path / "bot.sqlite3", "poll") == NOW.replace(microsecond=0)


def test_the_newest_revision_is_the_one_that_migrations_lead_to() -> None:
    folder = Path(store_module.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == newest_migration()


async def test_a_database_that_is_up_to_date_is_not_migrated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bot.sqlite3"
    await (await SqliteStore.open(path)).close()
    monkeypatch.setattr(store_module, "migrate", lambda _: pytest.fail("migrated"))
    await (await SqliteStore.open(path)).close()
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        migrated = [*connection.execute("SELECT version_num FROM alembic_version")]
    connection.close()
    assert migrated == [(newest_migration(),)]


async def test_a_locked_database_is_a_temporary_trouble(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_of(store), "busy_seconds", 0.1)
    other = sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(TransientError, match="locked"):
            async with store.begin() as unit:
                await unit.save_cursor("x", 1)
        with pytest.raises(TransientError, match="locked"):
            await store.beat("poll", NOW)
    finally:
        other.close()


async def test_who_waited_for_a_turn_does_not_wait_for_the_file_again(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: Counter[str] = Counter()

    def counted(connection: sqlite3.Connection) -> None:
        task = asyncio.current_task()
        assert task is not None
        tries[task.get_name()] += 1
        begin_writing(connection)

    async def beat() -> None:
        with pytest.raises(TransientError, match="locked"):
            await store.beat("poll", NOW)

    monkeypatch.setattr(database_of(store), "busy_seconds", 0.5)
    monkeypatch.setattr(connection_module, "begin_writing", counted)
    other = sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        await asyncio.gather(*(asyncio.create_task(beat(), name=name) for name in "abc"))
    finally:
        other.close()
    assert tries["a"] >= 1  # once only where the machine is that busy
    assert (tries["b"], tries["c"]) == (1, 1)


async def test_a_full_disk_is_a_temporary_trouble_that_says_what_to_do(store: SqliteStore) -> None:
    connection = database_of(store).connection
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(TransientError, match="is full: make room"):
        async with store.begin() as unit:
            await unit.save_person(replace(WEI, language="W" * 100_000))
    connection.exec_driver_sql("PRAGMA max_page_count=100000")
    async with store.begin() as unit:
        await unit.save_person(replace(WEI, language="W" * 100_000))


async def test_a_file_that_is_no_database_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_text("telegram: {chats: [-1001]}\n" * 100)
    with pytest.raises(TransientError, match=r"not a database: .* Name another"):
        await SqliteStore.open(tmp_path / "bot.sqlite3")


async def test_a_file_that_cannot_be_opened_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="unable to open"):
        await SqliteStore.open(tmp_path / "missing" / "bot.sqlite3")


def test_every_transaction_begins_as_a_writer() -> None:
    said: list[str] = []

    class Spy:
        def execute(self, text: str) -> None:
            said.append(text)

    begin_writing(Spy())  # type: ignore[arg-type]
    assert said == ["BEGIN IMMEDIATE"]
    assert callable(migrate)


async def test_a_message_is_taken_before_the_lanes_that_wait_already(store: SqliteStore) -> None:
    order: list[str] = []

    async def take(name: str, kept: SqliteStore | Ahead) -> None:
        async with kept.begin():
            order.append(name)

    async with store.begin():
        lanes = [asyncio.create_task(take(f"lane {number}", store)) for number in (1, 2)]
        await asyncio.sleep(0)
        message = asyncio.create_task(take("message", store.ahead()))
        await asyncio.sleep(0)
    await asyncio.gather(*lanes, message)
    assert order == ["message", "lane 1", "lane 2"]


async def test_whoever_gives_up_waiting_holds_up_nobody(store: SqliteStore) -> None:
    async def take() -> None:
        async with store.begin() as unit:
            await unit.cursor("x")

    async with store.begin():
        first, second = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        first.cancel()
    # And one that is cancelled just when its turn has come.
    async with store.begin():
        third = asyncio.create_task(take())
        await asyncio.sleep(0)
    third.cancel()
    await asyncio.wait({first, second, third})
    async with asyncio.timeout(90), store.begin() as unit:
        await unit.save_cursor("x", 7)
    async with store.begin() as unit:
        assert await unit.cursor("x") == 7


async def test_what_is_stored_together_is_kept_but_for_the_part_that_failed(
    store: SqliteStore,
) -> None:
    ahead = store.ahead()
    async with ahead.together():
        async with ahead.begin() as unit:
            await unit.save_person(WEI)
        with suppress(LookupError):
            async with ahead.begin() as unit:
                await unit.save_person(ANA)
                raise LookupError
        async with ahead.begin() as unit:
            await unit.save_cursor("x", 9)
    async with store.begin() as unit:
        assert set(await unit.people([WEI.id, ANA.id])) == {WEI.id}
        assert await unit.cursor("x") == 9


async def test_what_cannot_be_stored_together_is_not_stored_at_all(store: SqliteStore) -> None:
    ahead, full = store.ahead(), plain("x" * 100_000)
    connection = database_of(store).connection
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    async def store_both() -> None:
        async with ahead.together():
            async with ahead.begin() as unit:
                await unit.save_cursor("x", 8)
            async with ahead.begin() as unit:
                await unit.add_note(PLACE, full, reply_to=None)

    with pytest.raises(TransientError, match="make room on its disk"):
        await store_both()
    async with ahead.begin() as unit:
        assert await unit.cursor("x") is None


async def test_what_fails_halfway_leaves_nothing(store: SqliteStore) -> None:
    async def fail() -> None:
        async with store.begin() as unit:
            await unit.save_cursor("x", 5)
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        await fail()
    async with store.begin() as unit:
        assert await unit.cursor("x") is None


async def test_the_backlog_names_what_is_owed_and_leaves_out_silent_chats(
    store: SqliteStore,
) -> None:
    request, transfer = await request_of_wei(store)
    here: Any = {"service": "telegram", "limit": 9}
    async with store.begin() as unit:
        assert await unit.requests_without_card(NOW, silent=[], **here) == [request]
        assert await unit.requests_without_card(NOW, silent=[request.place.chat], **here) == []
        assert await unit.requests_without_result(NOW, silent=[], **here) == []
        assert await unit.requests_without_card(NOW, silent=[], service="github", limit=9) == []
        assert await unit.open_requests_after(request.id, **here) == []
        assert await unit.due_checks(NOW, limit=9) == [transfer]
        assert await unit.any_unchecked_transfer()
        await unit.save_transfers([replace(transfer, ended=State.CANCELLED, ended_at=NOW)])
        assert await unit.requests_without_result(NOW, silent=[], **here) == [request]
        assert not await unit.any_open_transfer()
        assert await unit.count_asked(request.person, NOW - timedelta(days=1)) == (0, 1)


async def _used(path: Path) -> dict[str, int]:
    """The files of a database that was opened and written to, with the rights on each."""
    store = await SqliteStore.open(path)
    await store.beat("x", NOW)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("*")}
    await store.close()
    return modes


def test_nobody_else_on_the_machine_reads_what_people_sent(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    private = dict.fromkeys(["bot.sqlite3", "bot.sqlite3-shm", "bot.sqlite3-wal"], 0o600)
    assert asyncio.run(_used(path)) == private
    path.chmod(0o644)  # as an older version left it
    assert asyncio.run(_used(path)) == private


async def test_a_file_of_a_newer_version_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await (await SqliteStore.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(ConfigError, match="is of a newer version of this program") as caught:
        await SqliteStore.open(path)
    assert str(caught.value).isprintable()
