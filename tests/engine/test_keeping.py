"""An admin keeps a tag fresh, or calls it floating, on an alarm. /unkeep takes both back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, STATIC, WEI, World, digest_of, fresh_plan, world

from bot.core.decision import Ground
from bot.core.errors import TransientError
from bot.core.ids import ChatId, Place
from bot.core.image import ImageRef
from bot.core.transfer import State
from bot.engine.intake.context import Press

HOUR = timedelta(hours=1)
PLAN = fresh_plan(version=6)
VERSION = ImageRef.parse("docker.io/library/nginx:1.27.3")
BITNAMI = ImageRef.parse("docker.io/bitnami/nginx:1.27")
OTHER = ChatId("telegram:-1002")
PRIVATE = ChatId(ANA.id)
ALARM = "differs from its source"


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, plan=PLAN) as made:
        yield made


async def listed(w: World, *images: ImageRef) -> None:
    """List images, check them, and update them at the source."""
    w.repository.content = "".join(f"{image}\n" for image in images).encode()
    for image in images:
        w.registries.source[str(image)] = w.registries.target[str(image)] = digest_of("0")
    await hours(w, 7)
    await update(w, "1", *images)


async def update(w: World, what: str, *images: ImageRef) -> None:
    for image in images:
        w.registries.source[str(image)] = digest_of(what)
    await hours(w, 7)


async def hours(w: World, count: int) -> None:
    await w.settle(8, step=8)
    w.clock.pass_time(count * 3600)
    await w.settle(160, step=8)


async def arrive(w: World) -> None:
    """Let the run copy what it was last asked for."""
    await w.settle(20)
    for run in w.repository.dispatched[-1]:
        image = ImageRef.parse(run)
        name = f"{image.registry}/{image.repository}:{image.tag}"
        digest = image.digest or w.registries.source[name]
        assert isinstance(digest, str)
        w.registries.target[name] = digest
        w.repository.report(image, digest)
    w.repository.finish()
    await w.settle(60)


async def test_what_is_kept_no_more_is_not_copied_even_after_the_look(w: World) -> None:
    await listed(w, STATIC)
    await w.press(ANA, "Approve and keep fresh")
    await arrive(w)
    w.repository.trouble["workflow"] = [TransientError("down")] * 10_000
    await update(w, "2", STATIC)
    async with w.store.begin() as unit:
        assert [t.state for t in await unit.open_transfers()] == [State.APPROVED]
    await w.say(ANA, f"/unkeep {STATIC}")
    w.repository.trouble.clear()
    await hours(w, 1)
    assert len(w.repository.dispatched) == 1
    async with w.store.begin() as unit:
        assert [t.state for t in await unit.open_transfers()] == [State.WAITING]


async def status_says(w: World, image: ImageRef, words: str) -> None:
    await w.say(ANA, f"/status {image}")
    await w.settle(5)
    assert words in w.last


def alarms(w: World) -> int:
    return sum(ALARM in text for text in w.chat.texts)


def labels(w: World) -> list[str]:
    alarm = [m for m in w.chat.messages.values() if ALARM in m.text][-1]
    return [label for row in alarm.buttons for label in row]


async def test_a_tag_is_kept_fresh_until_that_is_taken_back(w: World) -> None:
    await listed(w, STATIC)
    assert labels(w)[:3] == ["✅ Approve", "❌ Reject", "✅ Approve and keep fresh"]
    assert await w.press(WEI, "Approve and keep fresh") != ""
    answer = await w.press(ANA, "Approve and keep fresh")
    assert answer == (
        "#1: 1 image approved. New digests need no approval from now on. /unkeep ends that."
    )
    await arrive(w)
    await update(w, "2", STATIC)
    assert (alarms(w), len(w.repository.dispatched)) == (1, 2)
    await arrive(w)
    async with w.store.begin() as unit:
        newest, *_ = await unit.decisions_of("gcr.io", "distroless/static", limit=1)
    assert (newest.digest, newest.ground, newest.person) == (
        digest_of("2"),
        Ground.REFRESHED,
        ANA.id,
    )
    await status_says(w, STATIC, "Kept fresh by Ana: new digests need no approval.")
    await w.say(WEI, f"/unkeep {STATIC}")
    await w.settle(5)
    assert "Only an admin" in w.last
    await w.say(ANA, f"/unkeep {STATIC}")
    await w.settle(5)
    assert f"New digests of <code>{STATIC}</code> are decided by the rules again." in w.last
    await update(w, "3", STATIC)
    assert (alarms(w), len(w.repository.dispatched)) == (2, 2)
    await w.say(ANA, f"/unkeep {STATIC}")
    await w.settle(5)
    assert "No admin keeps" in w.last


async def test_a_version_that_floats_follows_its_rule_until_that_is_taken_back(w: World) -> None:
    await listed(w, VERSION)
    assert labels(w)[:3] == ["✅ Approve", "❌ Reject", "✅ Approve: this tag floats"]
    answer = await w.press(ANA, "this tag floats")
    assert "The tag floats from now on" in answer
    await arrive(w)
    await update(w, "2", VERSION)
    assert (alarms(w), len(w.repository.dispatched)) == (1, 2)
    await arrive(w)
    await status_says(w, VERSION, "Its tag floats, as Ana said.")
    await w.say(ANA, f"/unkeep {VERSION}")
    await update(w, "3", VERSION)
    assert (alarms(w), len(w.repository.dispatched)) == (2, 2)


async def test_several_tags_are_kept_by_one_press(w: World) -> None:
    images = [BITNAMI, ImageRef.parse("docker.io/bitnami/nginx:1.28")]
    await listed(w, *images)
    assert "✅ Approve these 2 and keep them fresh" in labels_of(w)
    await w.press(ANA, "keep them fresh")
    await arrive(w)
    before = len(w.repository.dispatched)
    await update(w, "2", *images)
    assert len(w.repository.dispatched) == before + 1


def labels_of(w: World) -> list[str]:
    return [label for m in w.chat.messages.values() for row in m.buttons for label in row]


async def test_requests_of_people_and_mixed_alarms_have_no_such_button(w: World) -> None:
    mixed = [BITNAMI, ImageRef.parse("docker.io/bitnami/nginx:1.27.3")]
    await listed(w, *mixed)
    w.upstream(ImageRef.parse("gcr.io/a/b:1"))
    await w.say(WEI, "/mirror gcr.io/a/b:1")
    await w.settle(10)
    assert not any("fresh" in label or "float" in label for label in labels_of(w))


async def kept(w: World, *images: ImageRef) -> None:
    """The admin keeps these tags fresh, on the card after an upgrade."""
    await listed(w, *images)
    w.upgrade()
    await w.settle(20, step=2)
    await w.press(ANA, "fresh")
    await w.settle(20, step=2)


NINE = tuple(ImageRef.parse(f"bitnami/app{n}:1.{n}") for n in range(9))


async def test_all_that_is_kept_fresh_is_listed_with_who_and_since_when(w: World) -> None:
    await listed(w, STATIC, VERSION)
    await w.press(ANA, "Approve and keep fresh")
    await w.press(ANA, "this tag floats")
    await w.say(ANA, "/unkeep")
    await w.settle(5)
    day = f"{w.clock():%H}"
    head, floats, keeps = w.last.splitlines()
    assert head.startswith("2 tags of this chat are kept fresh or marked as floating.")
    assert f"🌊 <code>{VERSION}</code> · marked as floating by Ana since {day}" in floats
    assert f"🌱 <code>{STATIC}</code> · kept fresh by Ana since {day}" in keeps
    await w.say(WEI, "/unkeep")
    await w.settle(5)
    assert "Only an admin" in w.last


async def test_the_list_has_pages_and_a_press_takes_one_tag_back(w: World) -> None:
    await kept(w, *NINE)
    await w.say(ANA, "/unkeep", chat=PRIVATE)
    await w.settle(5)
    message = [*w.chat.messages][-1]
    said = w.chat.messages[message]
    assert "9 tags are kept fresh" in said.text
    assert str(NINE[8]) not in said.text
    old = said.data["✖️ bitnami/app3:1.3"]
    assert await w.press(ANA, "Page 2 of 2", chat=PRIVATE) == ""
    await w.settle(5)
    assert str(NINE[8]) in said.text
    assert await w.press(WEI, "✖️ bitnami/app8:1.8") != ""
    answer = await w.press(ANA, "✖️ bitnami/app8:1.8", chat=PRIVATE)
    assert answer == f"New digests of {NINE[8]} are decided by the rules again."
    await w.settle(5)
    assert "8 tags are kept fresh" in said.text  # and the page before, since this one is gone
    assert str(NINE[0]) in said.text
    assert await w.press(ANA, old, chat=PRIVATE) != ""
    assert await w.press(ANA, old, chat=PRIVATE) == "That has ended already."
    await w.say(ANA, f"/status {NINE[3]}")
    await w.settle(5)
    assert "Kept fresh by" not in w.last


async def test_a_group_learns_of_nothing_that_was_asked_elsewhere(w: World) -> None:
    await kept(w, STATIC)
    w.chats.add(OTHER)
    w.start()
    await w.say(ANA, "/unkeep", chat=OTHER)
    await w.settle(5)
    assert "No tag of this chat is kept fresh or marked as floating" in w.last
    await w.say(ANA, "/unkeep", chat=PRIVATE)
    await w.settle(5)
    assert str(STATIC) in w.last


async def test_what_is_taken_back_in_one_chat_stands_in_no_other(w: World) -> None:
    await kept(w, STATIC)
    w.chats.add(OTHER)
    w.start()
    w.upstream(BITNAMI)
    await w.say(WEI, f"/mirror {BITNAMI}", chat=OTHER)
    await w.settle(10)
    async with w.store.begin() as unit:
        (request,) = [r for r in await unit.open_requests() if r.place.chat == OTHER]
        (transfer,) = await unit.transfers_of(request.id)
        (made,) = await unit.decisions_on_tags()
        later = replace(made, request=None, transfer=transfer.id, at=w.clock())
        await unit.keep_decision(later)
    w.clock.pass_time(60)
    await w.say(ANA, f"/unkeep {STATIC}", chat=OTHER)
    await w.say(ANA, "/unkeep")
    await w.settle(5)
    assert any(
        text.startswith("No tag of this chat is kept fresh or marked as floating")
        for text in w.chat.texts
    )


async def test_what_too_few_admins_keep_is_told(w: World) -> None:
    await kept(w, STATIC)
    w.admins = {LI.id}
    w.start()
    await w.say(LI, "/unkeep")
    await w.settle(5)
    assert f"💤 <code>{STATIC}</code> · kept fresh by Ana" in w.last
    assert "its rule wants more admins" in w.last


async def test_a_forged_press_turns_no_card_into_the_list(w: World) -> None:
    await kept(w, STATIC)
    await w.say(WEI, f"/mirror {BITNAMI}")
    w.upstream(BITNAMI)
    await w.settle(10)
    card = w.chat.button("Approve")[0]
    w.last_update += 1
    forged = Press(update=w.key, person=ANA, place=Place(GROUP), message=card, data="kept:0")
    assert "no longer in use" in await w.pressed(forged)
