"""Tracked images and watches in the store: values round-trip, and few rows are read.

test_store.py has everything else.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, STATIC, WEI, fresh_plan
from store_fixture import database_of, plans

from bot.adapters.store import SqliteStore
from bot.core.fresh import TrackedImage, Watch
from bot.core.ids import BOT_ITSELF, ChatId, MessageId, Person, Place, RequestId, TransferId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer
from bot.engine.ports.store import NewRequest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FIXED = ImageRef.parse("nginx:1.27.3")
PLAN = fresh_plan(version=168)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


def tracked(image: ImageRef, **facts: object) -> TrackedImage:
    return replace(TrackedImage(image=image, not_before=NOW), **facts)  # type: ignore[arg-type]


async def test_a_tracked_image_comes_out_as_it_went_in(store: SqliteStore) -> None:
    async with store.begin() as unit:
        transfer = await unit.open_transfer(NGINX, NOW)
        full = tracked(
            NGINX,
            looked_at=NOW,
            source=A,
            target=B,
            told=B,
            alarmed=A,
            updated_at=NOW,
            arrived_at=NOW,
            transfer=transfer.id,
        )
        await unit.track([tracked(NGINX), tracked(STATIC)])
        await unit.save_tracked([full, tracked(FIXED)])
        await unit.save_tracked([])
        await unit.track([])
    async with store.begin() as unit:
        assert await unit.updated_upstream(limit=9) == [full]
        assert await unit.arrived(limit=9) == [full]
        assert await unit.tracked_transfers() == [(full, transfer)]
        assert await unit.tracked_names() == {str(NGINX), str(STATIC)}, "not one that left"
        assert await unit.is_tracked(NGINX)
        assert not await unit.is_tracked(FIXED)
        await unit.untrack([NGINX])
        assert await unit.tracked_names() == {str(STATIC)}


async def test_due_are_the_longest_overdue_of_a_registry_that_wait_for_nothing_else(
    store: SqliteStore,
) -> None:
    images = [ImageRef.parse(f"docker.io/library/app{n}:latest") for n in range(5)]
    async with store.begin() as unit:
        transfer = await unit.open_transfer(images[3], NOW)
        rows = [tracked(image, not_before=NOW - n * HOUR) for n, image in enumerate(images)]
        rows[3] = replace(rows[3], transfer=transfer.id)
        rows[4] = replace(rows[4], updated_at=NOW)
        later = tracked(FIXED, not_before=NOW + HOUR)
        await unit.track([*rows, later, tracked(STATIC)])
        assert await unit.due_tracked("docker.io", NOW, limit=2) == [rows[2], rows[1]]
        assert await unit.due_tracked("gcr.io", NOW, limit=9) == [tracked(STATIC)]
        assert await unit.next_check() == NOW - 2 * HOUR
        assert await unit.count_tracked(NOW) == (7, 4)
        await unit.untrack([*images, STATIC])
        assert await unit.next_check() == NOW + HOUR
        await unit.untrack([FIXED])
        assert await unit.next_check() is None


async def test_looks_are_counted_by_source_and_those_of_a_wrong_clock_are_not(
    store: SqliteStore,
) -> None:
    ages = (-HOUR, HOUR / 2, HOUR, 2 * HOUR)
    images = [ImageRef.parse(f"docker.io/library/app{n}:latest") for n in range(4)]
    async with store.begin() as unit:
        rows = [tracked(i, looked_at=NOW - age) for i, age in zip(images, ages, strict=True)]
        await unit.track([*rows, tracked(STATIC, looked_at=NOW), tracked(FIXED)])
        found = await unit.checks_since(NOW - HOUR, NOW)
    assert found == {"docker.io": 1, "gcr.io": 1}


async def test_what_lies_further_ahead_than_its_interval_is_due(store: SqliteStore) -> None:
    far = {
        NGINX: NOW + 6 * HOUR,
        STATIC: NOW + 7 * HOUR,
        FIXED: NOW + 168 * HOUR,
        ImageRef.parse("nginx:1.27.4"): NOW + 169 * HOUR,
    }
    async with store.begin() as unit:
        await unit.track([tracked(image, not_before=at) for image, at in far.items()])
        await unit.bring_forward(PLAN, NOW)
        due = [await unit.due_tracked(r, NOW, limit=9) for r in ("docker.io", "gcr.io")]
    assert [str(each.image) for rows in due for each in rows] == [
        "docker.io/library/nginx:1.27.4",
        str(STATIC),
    ]


async def test_which_images_have_an_open_transfer(store: SqliteStore) -> None:
    async with store.begin() as unit:
        going = await unit.open_transfer(NGINX, NOW)
        over = await unit.open_transfer(STATIC, NOW)
        await unit.save_transfer(replace(over, ended=State.CANCELLED))
        assert await unit.open_transfers_of([NGINX, STATIC, FIXED]) == {NGINX: going}


async def asked(
    store: SqliteStore, person: Person, *, digest: str | None, at: datetime = NOW
) -> tuple[RequestId, TransferId]:
    """Open a request whose transfer has copied this digest."""
    async with store.begin() as unit:
        await unit.save_person(person)
        request = await unit.open_request(
            NewRequest(
                person=person.id,
                place=Place(GROUP),
                message=None,
                opened_at=at,
                confirmed_at=at,
            )
        )
        transfer = await unit.open_transfer(NGINX, at)
        await unit.link(request.id, [transfer.id])
        ended = Transfer(
            id=transfer.id,
            image=NGINX,
            opened_at=at,
            checked_at=at,
            digest=digest,
            ended=State.MIRRORED,
        )
        await unit.save_transfer(ended)
    return request.id, transfer.id


async def test_who_asked_lately_but_not_who_brought_this_digest_nor_the_bot_itself(
    store: SqliteStore,
) -> None:
    old, _ = await asked(store, WEI, digest=A, at=NOW - 100 * HOUR)
    first, transfer = await asked(store, WEI, digest=A)
    await asked(store, LI, digest=B)
    await asked(store, Person(BOT_ITSELF, "🤖"), digest=A)
    cancelled, _ = await asked(store, ANA, digest=A)
    none, _ = await asked(store, LI, digest=None)
    async with store.begin() as unit:
        request = await unit.request(cancelled)
        assert request is not None
        await unit.save_request(replace(request, cancelled_at=NOW))
        again = await unit.open_request(
            NewRequest(
                person=WEI.id, place=Place(GROUP), message=None, opened_at=NOW, confirmed_at=NOW
            )
        )
        await unit.link(again.id, [transfer])

        async def askers(since: datetime, limit: int) -> list[int]:
            found = await unit.recent_requests_for(NGINX, since=since, but_for=B, limit=limit)
            return [each.id for each in found]

        assert await askers(NOW - HOUR, 9) == [again.id, none, first]
        assert await askers(NOW - 999 * HOUR, 9) == [again.id, none, first, old]
        assert await askers(NOW - 999 * HOUR, 1) == [again.id]


def watch(person: Person, image: ImageRef, *, chat: ChatId = GROUP, hours: int = 0) -> Watch:
    return Watch(
        person=person.id,
        image=image,
        place=Place(chat, 5),
        message=MessageId("telegram:7"),
        since=NOW + hours * HOUR,
    )


async def test_a_person_watches_an_image_in_the_place_where_they_said_so_last(
    store: SqliteStore,
) -> None:
    async with store.begin() as unit:
        for person in (WEI, LI):
            await unit.save_person(person)
        await unit.save_watch(watch(WEI, NGINX))
        await unit.save_watch(watch(WEI, STATIC, hours=1))
        await unit.save_watch(watch(LI, NGINX, hours=2))
        await unit.save_watch(watch(WEI, NGINX, chat=ChatId(WEI.id)))
        assert await unit.watchers(NGINX, limit=9) == [
            watch(WEI, NGINX, chat=ChatId(WEI.id)),
            watch(LI, NGINX, hours=2),
        ]
        assert len(await unit.watchers(NGINX, limit=1)) == 1
        assert [each.image for each in await unit.watches_of(WEI.id)] == [STATIC, NGINX]
        assert await unit.drop_watch(WEI.id, NGINX)
        assert not await unit.drop_watch(WEI.id, NGINX)
        assert len(await unit.watches_of(WEI.id)) == 1


async def test_watches_move_with_their_chat(store: SqliteStore) -> None:
    async with store.begin() as unit:
        await unit.save_person(WEI)
        await unit.save_watch(watch(WEI, NGINX))
        await unit.move_chat(GROUP, ChatId("telegram:-1009"))
        (moved,) = await unit.watches_of(WEI.id)
    assert (moved.place, moved.message) == (Place(ChatId("telegram:-1009"), 5), None)


# -- what a tick costs --------------------------------------------------------------------


async def test_what_is_asked_at_each_round_goes_through_no_table_from_end_to_end(
    store: SqliteStore,
) -> None:
    """An old list holds ten thousand images, of which a tick reads only the few that are due."""
    with plans(database_of(store).connection) as found:
        async with store.begin() as unit:
            await unit.bring_forward(PLAN, NOW)
            await unit.checks_since(NOW - HOUR, NOW)
            await unit.due_tracked("docker.io", NOW, limit=20)
            await unit.next_check()
            await unit.updated_upstream(limit=200)
            await unit.arrived(limit=50)
            await unit.tracked_transfers()
            await unit.open_transfers_of([NGINX, STATIC])
            await unit.recent_requests_for(NGINX, since=NOW, but_for=A, limit=50)
            await unit.watchers(NGINX, limit=200)
            await unit.watches_of(WEI.id)
            await unit.is_tracked(NGINX)
    assert len(found) >= 12
    scans = [step for step in found if step.startswith("SCAN") and "USING" not in step]
    small = ("SCAN (subquery", "SCAN CONSTANT ROW")
    assert [step for step in scans if not step.startswith(small)] == []
    whole = [step for step in found if re.match(r"SCAN \w+ USING (COVERING )?INDEX", step)]
    partial = ("tracked_next", "tracked_updated", "tracked_arrived", "tracked_on_way")
    assert [step for step in whole if not step.endswith(partial)] == []
