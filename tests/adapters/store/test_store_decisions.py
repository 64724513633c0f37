"""Kept decisions: they come out as they went in, and nobody can change or delete them."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import ANA, GROUP, LI, NGINX, STATIC
from store_fixture import fresh_store

from bot.adapters.store import SqliteStore, person_behind
from bot.adapters.store import decisions as queries
from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import ChatId, PersonId, Place, RequestId, TransferId
from bot.engine.ports.store import NewRequest

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
FIRST, SECOND = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await fresh_store(path)
    yield opened
    await opened.close()


async def decision(store: SqliteStore, **values: Any) -> Decision:
    """Keep a decision on nginx by the rule `**`, or one with these values instead."""
    image = values.setdefault("image", NGINX)
    async with store.begin() as unit:
        transfer = await unit.open_transfer(image, NOW)
        plain = Decision(
            request=None,
            transfer=transfer.id,
            image=image,
            digest=FIRST,
            verdict=Verdict.APPROVE,
            ground=Ground.RULE,
            rule="**",
            at=NOW,
        )
        kept = replace(plain, **values)
        await unit.keep_decision(kept)
    return kept


async def test_a_decision_comes_out_as_it_went_in(store: SqliteStore) -> None:
    by_rule = await decision(store)
    by_person = await decision(
        store,
        verdict=Verdict.DENY,
        ground=Ground.PERSON,
        rule="",
        person=ANA.id,
        card="k3Jx_-9Q",
        reason="too large",
        replaces=by_rule.transfer,
    )
    async with store.begin() as unit:
        found = await unit.decisions_on([by_rule.transfer, TransferId(99)])
    assert found == {by_rule.transfer: [by_rule, by_person], TransferId(99): []}


async def test_the_newest_decisions_on_a_name_a_tag_and_a_digest(store: SqliteStore) -> None:
    other = replace(NGINX, tag="1.26")
    first = await decision(store)
    second = await decision(store, digest=SECOND)
    third = await decision(store, image=other)
    await decision(store, image=STATIC)
    name = (NGINX.registry, NGINX.repository)
    async with store.begin() as unit:
        assert await unit.decisions_of(*name, limit=9) == [third, second, first]
        assert await unit.decisions_of(*name, limit=1) == [third]
        assert await unit.decisions_of(*name, tag=NGINX.tag, limit=9) == [second, first]
        assert await unit.decisions_of(*name, digest=FIRST, limit=9) == [third, first]
        assert await unit.decisions_of(*name, tag="1.26", digest=SECOND, limit=9) == []
        on_rules = await unit.decisions_of(*name, grounds={Ground.RULE}, limit=9)
        assert {each.ground for each in on_rules} <= {Ground.RULE}
        by_some = await unit.decisions_of(*name, grounds={Ground.KEPT, Ground.ROLLBACK}, limit=9)
        assert by_some == []


@pytest.mark.parametrize(
    "change", ["UPDATE decisions SET verdict = 'deny'", "DELETE FROM decisions"]
)
async def test_no_statement_changes_or_deletes_a_decision(
    store: SqliteStore, path: Path, change: str
) -> None:
    kept = await decision(store)
    with closing(sqlite3.connect(path)) as file, pytest.raises(sqlite3.IntegrityError):
        file.execute(change)
    async with store.begin() as unit:
        assert await unit.decisions_on([kept.transfer]) == {kept.transfer: [kept]}


async def test_a_person_has_one_pseudonym_for_ever(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = iter(["11111111", "11111111", "22222222"])
    monkeypatch.setattr(queries.secrets, "token_hex", lambda _: next(words))
    async with store.begin() as unit:
        assert await unit.pseudonyms([ANA.id, LI.id]) == {ANA.id: "p:11111111", LI.id: "p:22222222"}
    async with store.begin() as unit:
        assert await unit.pseudonyms([LI.id]) == {LI.id: "p:22222222"}
        assert await unit.pseudonyms([]) == {}


async def test_a_forgotten_person_leaves_the_decision_with_the_pseudonym(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await decision(store, ground=Ground.PERSON, person=ANA.id)
    async with store.begin() as unit:
        pseudonym = (await unit.pseudonyms([ANA.id]))[ANA.id]
    with closing(sqlite3.connect(path)) as file, file:
        assert str(ANA.id) not in "\n".join(map(str, file.execute("SELECT * FROM decisions")))
        file.execute("DELETE FROM pseudonyms")
    words = iter([pseudonym.removeprefix("p:"), "22222222"])
    monkeypatch.setattr(queries.secrets, "token_hex", lambda _: next(words))
    async with store.begin() as unit:
        found = await unit.decisions_on([kept.transfer])
        assert found == {kept.transfer: [replace(kept, person=PersonId(pseudonym))]}
        assert await unit.pseudonyms([LI.id]) == {LI.id: "p:22222222"}, "never given again"


async def request_in(store: SqliteStore, chat: ChatId, transfer: TransferId) -> RequestId:
    async with store.begin() as unit:
        await unit.save_person(ANA)
        place, at = Place(chat), NOW
        asked = NewRequest(person=ANA.id, place=place, message=None, opened_at=at, confirmed_at=at)
        request = await unit.open_request(asked)
        await unit.link(request.id, [transfer])
    return request.id


async def test_the_newest_decisions_of_a_chat_an_image_and_a_request(store: SqliteStore) -> None:
    first = await decision(store)
    retried = await decision(store, image=STATIC, digest=SECOND, replaces=first.transfer)
    last = await decision(store, image=replace(NGINX, tag="1.26"))
    other = ChatId("telegram:-1002")
    number = await request_in(store, GROUP, retried.transfer)
    await request_in(store, other, last.transfer)
    of_person = await decision(store, ground=Ground.PERSON, person=ANA.id, request=number)
    async with store.begin() as unit:
        newest = unit.newest_decisions
        assert await newest(limit=9) == [of_person, last, retried, first]
        assert await newest(limit=1) == [of_person]
        assert await newest(chat=GROUP, limit=9) == [of_person, retried]
        assert await newest(chat=other, limit=9) == [last]
        assert await newest(about=NGINX, limit=9) == [of_person, first]
        assert await newest(about=replace(NGINX, digest=SECOND), limit=9) == []
        assert await newest(about=number, limit=9) == [of_person, retried, first]
        assert await newest(about=number, chat=other, limit=9) == []


async def test_a_forgotten_person_leaves_decisions_and_no_name(
    store: SqliteStore, path: Path
) -> None:
    by_ana = await decision(store, ground=Ground.PERSON, person=ANA.id)
    await request_in(store, GROUP, by_ana.transfer)
    by_li = await decision(store, image=STATIC, ground=Ground.PERSON, person=LI.id)
    async with store.begin() as unit:
        names = await unit.pseudonyms([ANA.id, LI.id])
    assert person_behind(path, names[ANA.id]) == (ANA.id, ANA.name)
    assert person_behind(path, names[LI.id]) == (LI.id, "")
    async with store.begin() as unit:
        assert await unit.forget(ANA.id)
        assert await unit.forget(LI.id)
        assert not await unit.forget(LI.id)
        people = await unit.people([ANA.id, LI.id])
        assert [person.name for person in people.values()] == ["?"]  # her request is still kept
        kept = await unit.decisions_on([by_ana.transfer, by_li.transfer])
    assert kept[by_ana.transfer] == [replace(by_ana, person=names[ANA.id])]
    assert kept[by_li.transfer] == [replace(by_li, person=names[LI.id])]
    assert person_behind(path, names[ANA.id]) is None
    assert person_behind(path.with_name("none"), names[ANA.id]) is None
