"""Keeping listed images fresh: scheduled checks, one dispatch, alarms, and who gets the news."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import (
    ANA,
    GROUP,
    LI,
    MALLORY,
    POLICY,
    WEI,
    World,
    decided_by_ana,
    digest_of,
    fresh_plan,
    world,
)

from bot.core.decision import Ground, Verdict
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.tag_class import TagClass
from bot.core.transfer import State
from bot.engine.lanes.fresh_updates import IMAGES_OPENED_TOGETHER
from bot.engine.ports.repository import ListFile

HOURS = 3600.0
PLAN = fresh_plan(version=24)
LATEST = ImageRef.parse("docker.io/library/nginx:latest")
REDIS = ImageRef.parse("docker.io/library/redis:7")
FIXED = ImageRef.parse("docker.io/library/nginx:1.27.3")
STATIC = ImageRef.parse("gcr.io/distroless/static:nonroot")
OLD, NEW, NEWER = (digest_of(name) for name in ("old", "new", "newer"))
LI_ALONE = ChatId(LI.id)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, POLICY, plan=PLAN) as made:
        yield made


def listed(w: World, *images: ImageRef, digest: str = OLD) -> None:
    """List these images, with the same digest at both sides."""
    w.repository.content = "".join(f"{image}\n" for image in images).encode()
    for image in images:
        w.registries.source[str(image)] = w.registries.target[str(image)] = digest


def move(w: World, *images: ImageRef, digest: str = NEW) -> None:
    for image in images:
        w.registries.source[str(image)] = digest


def arrive(w: World, *images: str, digest: str = NEW) -> None:
    """Let the run copy these images: by digest where a digest was named."""
    for text in images:
        image = ImageRef.parse(text)
        found = image.digest or digest
        w.registries.target[str(replace(image, digest=None))] = found
        w.repository.report(image, found)
    w.repository.finish()


async def pass_hours(w: World, hours: float) -> None:
    """Pass hour after hour with a few ticks each, then tick until nothing changes."""
    for _ in range(round(hours)):
        await w.settle(9, step=3)
        w.clock.pass_time(HOURS - 9)
    await w.settle(60, step=2)


def said(w: World, words: str) -> list[str]:
    return [text for text in w.chat.texts if words in text]


NEWS = "updated upstream, and our registry has it now"


async def test_a_tag_that_moves_is_dispatched_once_and_its_watcher_hears_both_digests(
    w: World,
) -> None:
    listed(w, LATEST, REDIS)
    await pass_hours(w, 7)
    assert w.repository.runs == []
    await w.say(WEI, "/watch nginx")
    move(w, LATEST)
    await pass_hours(w, 7)
    assert w.repository.dispatched == [(str(LATEST),)]
    assert not said(w, NEWS)
    arrive(w, str(LATEST))
    await w.settle(60)
    (news,) = said(w, NEWS)
    assert f"<code>{LATEST}</code>: <code>{OLD[:19]}</code> → <code>{NEW[:19]}</code>" in news
    await pass_hours(w, 13)
    assert len(w.repository.dispatched) == 1
    assert len(said(w, NEWS)) == 1
    assert w.repository.commits == []


async def test_all_that_moved_in_a_round_goes_with_one_dispatch_and_is_told_in_one_message(
    tmp_path: Path,
) -> None:
    many = [ImageRef.parse(f"docker.io/library/app:{n}") for n in range(60)]
    async with world(tmp_path, POLICY, plan=PLAN) as w:
        listed(w, *many)
        await pass_hours(w, 7)
        await w.say(WEI, f"/watch {many[0]}")
        await w.say(LI, f"/watch {many[7]}")
        move(w, *many)
        await pass_hours(w, 7)
        (names,) = w.repository.dispatched
        assert set(names) == set(map(str, many))
        arrive(w, *names)
        await w.settle(90)
        (news,) = said(w, "were updated upstream")
        assert str(many[0]) in news
        assert str(many[7]) in news
        assert "2 images" in news, "who watches two images is not told of sixty"


async def test_nothing_is_asked_of_github_and_the_registries_while_nothing_is_due(
    w: World,
) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    looks, reads = w.registries.looks, w.repository.reads
    assert looks == 1
    assert reads <= 4
    await w.settle(120)
    assert (w.registries.looks, w.repository.reads) == (looks, reads)


async def test_a_version_is_looked_at_seldom_a_digest_never_and_a_denied_image_neither(
    w: World,
) -> None:
    pinned = f"docker.io/library/nginx@{OLD}"
    evil = "docker.io/evil/miner:latest"
    foreign = "registry.example.com/app:latest"
    listed(w, LATEST, FIXED, *map(ImageRef.parse, (pinned, evil, foreign)))
    move(w, *map(ImageRef.parse, (evil, foreign)))
    await pass_hours(w, 49)
    looks = Counter(w.registries.looked_at)
    assert looks[str(LATEST)] == 8
    assert looks[str(FIXED)] == 2
    assert set(looks) == {str(LATEST), str(FIXED)}
    assert w.repository.dispatched == []


async def test_a_floating_tag_that_an_admin_let_in_is_asked_about_with_each_new_digest(
    w: World,
) -> None:
    listed(w, STATIC)
    await pass_hours(w, 7)
    move(w, STATIC)
    await pass_hours(w, 13)
    assert w.repository.dispatched == []
    assert len(said(w, "1 listed image differs from its source")) == 1
    await w.press(ANA, "approve:1")
    await w.settle(20)
    assert len(w.repository.dispatched) == 1
    arrive(w, *w.repository.dispatched[0])
    await pass_hours(w, 7)
    move(w, STATIC, digest=NEWER)
    await pass_hours(w, 7)
    assert len(said(w, "differs from its source")) == 2
    assert len(w.repository.dispatched) == 1


async def test_a_floating_tag_that_an_admin_keeps_fresh_needs_no_new_approval(w: World) -> None:
    listed(w, STATIC)
    await decided_by_ana(w, STATIC, OLD, Ground.KEPT)
    await pass_hours(w, 7)
    move(w, STATIC)
    await pass_hours(w, 7)
    assert len(w.repository.dispatched) == 1
    assert not w.chat.messages
    arrive(w, *w.repository.dispatched[0])
    await pass_hours(w, 7)
    await decided_by_ana(w, STATIC, NEW, Ground.KEPT, Verdict.DENY)
    move(w, STATIC, digest=NEWER)
    await pass_hours(w, 7)
    assert len(said(w, "1 listed image differs from its source")) == 1
    assert len(w.repository.dispatched) == 1


async def test_a_digest_that_was_rejected_before_is_neither_copied_nor_asked_about(
    w: World,
) -> None:
    listed(w, LATEST)
    await decided_by_ana(w, replace(LATEST, tag="1.28"), NEW, Ground.PERSON, Verdict.DENY)
    await pass_hours(w, 7)
    move(w, LATEST)
    await pass_hours(w, 13)
    assert w.repository.dispatched == []
    assert not w.chat.messages
    move(w, LATEST, digest=NEWER)
    await pass_hours(w, 7)
    assert len(w.repository.dispatched) == 1


async def test_a_version_that_an_admin_called_floating_follows_its_rule(w: World) -> None:
    listed(w, FIXED)
    await decided_by_ana(w, FIXED, OLD, Ground.FLOATS)
    await pass_hours(w, 25)
    move(w, FIXED)
    await pass_hours(w, 25)
    assert len(w.repository.dispatched) == 1


async def test_a_target_that_may_not_be_read_has_what_the_bot_copied_last(w: World) -> None:
    w.registries.source[str(FIXED)] = OLD
    await w.say(WEI, f"/mirror {FIXED}")
    await w.settle(10)
    arrive(w, str(FIXED), digest=OLD)
    await w.settle(20)
    w.registries.target[str(FIXED)] = RefusedError("403")
    move(w, FIXED)  # before the first check
    await pass_hours(w, 31)
    assert len(said(w, "1 listed image differs from its source")) == 1


# -- alarms -------------------------------------------------------------------------------


async def test_a_version_that_moved_is_an_alarm_and_copied_only_after_an_approval(
    w: World,
) -> None:
    listed(w, FIXED)
    await pass_hours(w, 25)
    await w.say(LI, f"/watch {FIXED}", chat=LI_ALONE)
    move(w, FIXED)
    await pass_hours(w, 25)
    (alarm,) = [
        m for m in w.chat.messages.values() if "1 listed image differs from its source" in m.text
    ]
    assert alarm.place.chat == GROUP
    assert f"<code>{OLD}</code> → <code>{NEW}</code>, waits for an admin" in alarm.text
    assert "A version tag should not change" in alarm.text
    assert alarm.buttons == (("✅ Approve", "❌ Reject"), ("✅ Approve: this tag floats",))
    assert w.repository.runs == []
    assert "Only an admin can do this." in await w.press(WEI, "approve:1")
    move(w, FIXED, digest=NEWER)  # once more, after the admin has checked
    assert await w.press(ANA, "approve:1") == "#1: 1 image approved."
    await w.settle(20)
    (block,) = w.repository.blocks
    assert f"Image: {FIXED}@{NEW}; approved p:" in block
    arrive(w, f"{FIXED}@{NEW}")
    await w.settle(60)
    assert said(w, "Done, 1 of 1")
    (news,) = said(w, "我们的镜像仓库已同步")
    assert f"<code>{OLD[:19]}</code> → <code>{NEW[:19]}</code>" in news
    await pass_hours(w, 25)
    assert len(said(w, "differs from its source")) == 2, "what it is by now is another alarm"


async def test_a_rejected_alarm_is_not_raised_again_for_that_digest(w: World) -> None:
    listed(w, FIXED)
    await pass_hours(w, 25)
    move(w, FIXED)
    await pass_hours(w, 25)
    await w.press(ANA, "reject:1")
    await pass_hours(w, 72)
    assert len(said(w, "differs from its source")) == 1
    assert w.repository.dispatched == []
    move(w, FIXED, digest=NEWER)
    await pass_hours(w, 25)
    assert len(said(w, "differs from its source")) == 2


async def test_versions_of_one_repository_are_one_alarm(w: World) -> None:
    versions = [ImageRef.parse(f"docker.io/library/nginx:1.27.{n}") for n in range(3)]
    other = ImageRef.parse("docker.io/library/redis:7.4.1")
    listed(w, *versions, other)
    await pass_hours(w, 25)
    move(w, *versions, other)
    await pass_hours(w, 25)
    assert len(said(w, "3 listed images differ from their sources")) == 1
    assert len(said(w, "1 listed image differs from its source")) == 1


async def test_nobody_gets_a_version_that_moved_by_asking_for_it_past_the_alarm(
    w: World,
) -> None:
    listed(w, FIXED)
    move(w, FIXED)
    await w.say(WEI, f"/mirror {FIXED}")
    await w.settle(20)
    assert "waits for an admin" in w.card
    assert "A version tag should not change" in w.card
    assert w.repository.dispatched == []


async def test_who_asks_in_private_for_a_version_that_moved_is_no_way_past_the_alarm(
    w: World,
) -> None:
    listed(w, FIXED)
    await pass_hours(w, 25)
    move(w, FIXED)
    await w.say(LI, f"/mirror {FIXED}", chat=LI_ALONE)
    await pass_hours(w, 25)
    (alarm,) = [m for m in w.chat.messages.values() if "differs from its source" in m.text]
    assert alarm.place.chat == GROUP
    await w.press(ANA, "reject:2")
    await pass_hours(w, 49)
    assert len(said(w, "differs from its source")) == 1
    async with w.store.begin() as unit:
        assert await unit.open_transfers() == []


# -- who gets the news --------------------------------------------------------------------


async def test_who_asked_for_the_image_is_told_each_chat_once(w: World) -> None:
    w.registries.source[str(LATEST)] = OLD
    w.repository.content = b""
    for person in (WEI, LI):
        await w.say(person, "/mirror nginx")
    await w.say(LI, "/mirror nginx", chat=LI_ALONE)
    await w.settle(8)
    arrive(w, str(LATEST), digest=OLD)
    await pass_hours(w, 7)
    move(w, LATEST)
    await pass_hours(w, 7)
    arrive(w, str(LATEST))
    await w.settle(60, step=2)
    assert len(said(w, NEWS)) == 1
    assert len(said(w, "我们的镜像仓库已同步")) == 1
    places = [m.place.chat for m in w.chat.messages.values() if NEWS in m.text]
    assert places == [GROUP]


async def test_who_has_brought_it_themselves_is_not_told_but_watchers_are(w: World) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    await w.say(LI, "/watch nginx", chat=LI_ALONE)
    move(w, LATEST)
    await w.say(WEI, "/mirror nginx")
    await w.settle(10)
    arrive(w, str(LATEST))
    await pass_hours(w, 7)
    assert not said(w, NEWS)
    assert len(said(w, "我们的镜像仓库已同步")) == 1
    assert len(w.repository.dispatched) == 1


async def test_who_may_no_longer_be_spoken_to_is_not_told(w: World) -> None:
    listed(w, LATEST)
    await w.say(MALLORY, "/watch nginx")
    await w.say(LI, "/watch nginx", chat=LI_ALONE)
    await pass_hours(w, 7)
    w.start(members=frozenset({WEI.id}))
    move(w, LATEST)
    await pass_hours(w, 7)
    arrive(w, str(LATEST))
    before = len(w.chat.messages)
    await w.settle(60, step=2)
    assert len(w.chat.messages) == before


async def test_a_chat_that_moved_is_told_under_its_new_id(w: World) -> None:
    new = ChatId("telegram:-1009")
    listed(w, LATEST)
    await pass_hours(w, 7)
    await w.say(WEI, "/watch nginx")
    await w.move(GROUP, new)
    move(w, LATEST)
    await pass_hours(w, 7)
    arrive(w, str(LATEST))
    await w.settle(60, step=2)
    assert [m.place.chat for m in w.chat.messages.values() if NEWS in m.text] == [new]


# -- other cases --------------------------------------------------------------------------


async def test_an_image_that_is_on_its_way_already_is_not_opened_twice(w: World) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    move(w, LATEST)
    w.repository.trouble["workflow"] = [TransientError("down")] * 10_000
    await w.say(WEI, "/mirror nginx")
    await pass_hours(w, 7)
    async with w.store.begin() as unit:
        assert [t.state for t in await unit.open_transfers()] == [State.APPROVED]


async def test_a_registry_that_asks_for_patience_is_left_alone_for_so_long(w: World) -> None:
    others = [ImageRef.parse(f"docker.io/library/app{n}:latest") for n in range(30)]
    listed(w, *others)
    for image in others:
        w.registries.source[str(image)] = TransientError("429", retry_after=5400)
    await w.settle(6 * HOURS, step=120)
    assert 2 <= w.registries.looks <= 10
    listed(w, *others)
    await pass_hours(w, 9)
    assert set(w.registries.looked_at) == set(map(str, others))


async def test_while_the_target_is_out_of_reach_nothing_is_said_nor_the_source_troubled(
    w: World,
) -> None:
    listed(w, LATEST, REDIS)
    await pass_hours(w, 7)
    await w.say(WEI, "/watch nginx")
    before = len(w.chat.messages)
    move(w, LATEST)
    for image in (LATEST, REDIS):
        w.registries.target[str(image)] = TransientError("no route")
    looks = w.registries.looks
    await pass_hours(w, 12)
    assert w.registries.looks == looks
    assert len(w.chat.messages) <= before + 1
    assert w.repository.dispatched == []
    for image in (LATEST, REDIS):
        w.registries.target[str(image)] = OLD
    await pass_hours(w, 1)
    assert w.repository.dispatched == [(str(LATEST),)]


async def test_a_target_that_may_not_be_read_is_taken_to_have_what_was_copied_last(
    w: World,
) -> None:
    listed(w, LATEST)
    w.registries.target[str(LATEST)] = RefusedError("no login")
    await pass_hours(w, 7)
    move(w, LATEST)
    await pass_hours(w, 7)
    w.repository.report(LATEST, NEW)
    w.repository.finish()
    await w.settle(60, step=2)
    await pass_hours(w, 13)
    assert w.repository.dispatched == [(str(LATEST),)]


async def test_a_source_that_refuses_or_a_defect_holds_up_no_other_image(w: World) -> None:
    broken = ImageRef.parse("docker.io/library/broken:1")
    locked = ImageRef.parse("docker.io/library/locked:1")
    listed(w, LATEST, broken, locked)
    w.registries.source[str(broken)] = ValueError("a defect of ours")
    w.registries.source[str(locked)] = RefusedError("unauthorized")
    move(w, LATEST)
    await pass_hours(w, 13)
    looks = Counter(w.registries.looked_at)
    assert w.repository.dispatched == [(str(LATEST),)]
    assert looks[str(locked)] == 2
    assert 2 <= looks[str(broken)] <= 24, "each quarter of an hour at most"


async def test_what_the_policy_denies_by_now_is_not_copied_even_if_it_was_seen_to_move(
    w: World,
) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    async with w.store.begin() as unit:
        (row,) = await unit.due_tracked("docker.io", w.clock() + timedelta(days=1), limit=9)
        await unit.save_tracked([replace(row, source=NEW, updated_at=w.clock())])
    w.policy = replace(POLICY, rules=(Rule("**", Verdict.DENY, "not any more"),))
    w.start()
    w.repository.trouble["read_list"] = [TransientError("down")]  # so it is not forgotten yet
    await w.settle(60)
    assert w.repository.dispatched == []
    async with w.store.begin() as unit:
        assert await unit.open_transfers() == []
        assert await unit.updated_upstream(limit=9) == []


async def test_more_than_a_dispatch_holds_goes_with_the_next_one(tmp_path: Path) -> None:
    many = [
        ImageRef.parse(f"docker.io/library/app:{n // 50}.{n % 50}")
        for n in range(IMAGES_OPENED_TOGETHER + 10)
    ]
    async with world(tmp_path, POLICY, plan=PLAN) as w:
        listed(w, *many)
        await pass_hours(w, 7)
        move(w, *many)
        w.clock.pass_time(7 * HOURS)
        await w.settle(60)
        first, second = w.repository.dispatched
        assert (len(first), len(second)) == (IMAGES_OPENED_TOGETHER, 10)
        assert set(first) | set(second) == set(map(str, many))


async def test_what_vanished_or_never_arrived_is_left_as_it_is(w: World) -> None:
    listed(w, LATEST, REDIS)
    await pass_hours(w, 7)
    del w.registries.source[str(LATEST)]
    del w.registries.target[str(REDIS)]
    await pass_hours(w, 13)
    assert w.repository.dispatched == []
    assert not w.chat.messages


async def test_an_image_that_left_the_list_is_forgotten(w: World) -> None:
    listed(w, LATEST, REDIS)
    await pass_hours(w, 7)
    listed(w, REDIS)
    move(w, LATEST)
    looks = Counter(w.registries.looked_at)[str(LATEST)]
    await pass_hours(w, 13)
    assert Counter(w.registries.looked_at)[str(LATEST)] <= looks + 1
    assert w.repository.dispatched == []
    async with w.store.begin() as unit:
        assert await unit.tracked_names() == {str(REDIS)}


async def test_a_list_that_is_gone_after_a_start_is_an_empty_one(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)

    async def gone() -> ListFile:
        return ListFile(b"", "")  # like the adapter: a missing file has no blob

    monkeypatch.setattr(w.repository, "read_list", gone)
    w.start()
    looks = w.registries.looks
    await pass_hours(w, 13)
    assert w.registries.looks == looks
    async with w.store.begin() as unit:
        assert await unit.tracked_names() == set()


async def test_nothing_is_opened_while_nobody_knows_what_the_list_holds(w: World) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    async with w.store.begin() as unit:
        (row,) = await unit.due_tracked("docker.io", w.clock() + timedelta(days=1), limit=9)
        await unit.save_tracked([replace(row, source=NEW, updated_at=w.clock())])
    w.repository.trouble["read_list"] = [TransientError("down")] * 10_000
    w.start()
    await w.settle(600, step=20)
    async with w.store.begin() as unit:
        assert await unit.open_transfers() == []
        assert len(await unit.updated_upstream(limit=9)) == 1
    w.repository.trouble.clear()
    await w.settle(600, step=20)
    assert w.repository.dispatched == [(str(LATEST),)]


async def test_a_list_that_cannot_be_read_stops_the_looks_and_is_asked_for_ever_less(
    w: World,
) -> None:
    listed(w, LATEST)
    w.repository.trouble["read_list"] = [TransientError("down")] * 10_000
    await w.settle(3600, step=5)
    assert w.registries.looks == 0
    assert w.repository.reads < 40
    w.repository.trouble["read_list"] = [RefusedError("no permission")]
    await pass_hours(w, 9)
    assert w.registries.looks >= 1


async def test_budgets_hold_for_each_registry_and_for_the_target(tmp_path: Path) -> None:
    images = [ImageRef.parse(f"docker.io/library/app{n}:latest") for n in range(100)]
    images += [ImageRef.parse(f"gcr.io/apps/app{n}:latest") for n in range(100)]
    short = {TagClass.FLOATING: timedelta(minutes=10), TagClass.VERSION: timedelta(hours=1)}
    plan = replace(PLAN, intervals=short, looks=40, budgets={"docker.io": 10})
    async with world(tmp_path, POLICY, plan=plan) as w:
        listed(w, *images)
        await w.settle(3500, step=50)
        looks = Counter(name.split("/")[0] for name in w.registries.looked_at)
        assert looks == {"docker.io": 10, "gcr.io": 30}
        await w.settle(3600 * 2, step=60)
        assert set(Counter(w.registries.looked_at).values()) <= {0, 1, 2}


async def test_a_copy_that_fails_is_tried_again_at_the_next_look_and_nobody_is_told(
    w: World,
) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    await w.say(WEI, "/watch nginx")
    move(w, LATEST)
    await pass_hours(w, 7)
    w.repository.report(LATEST, None, "manifest too large")
    w.repository.finish("failure")
    await w.settle(60)
    assert len(w.repository.dispatched) == 1
    await pass_hours(w, 7)
    assert len(w.repository.dispatched) == 2
    assert not said(w, NEWS)


async def test_a_clock_that_is_set_back_puts_no_look_off_for_long(w: World) -> None:
    listed(w, LATEST)
    await pass_hours(w, 7)
    looks = w.registries.looks
    w.clock.now -= timedelta(days=30)
    await w.settle(300)
    assert w.registries.looks > looks


async def test_a_restart_at_any_moment_ends_in_one_dispatch_and_one_message(w: World) -> None:
    listed(w, LATEST, FIXED)
    await pass_hours(w, 25)
    await w.say(WEI, "/watch nginx")
    move(w, LATEST, FIXED)
    w.clock.pass_time(24 * HOURS)
    for _ in range(40):
        w.start()
        await w.settle(1)
    arrive(w, str(LATEST))
    for _ in range(20):
        w.start()
        await w.settle(1)
    assert w.repository.dispatched == [(str(LATEST),)]
    assert len(said(w, NEWS)) == 1
    assert len(said(w, "differs from its source")) == 1


# -- /watch and /unwatch ------------------------------------------------------------------


async def test_watches_are_listed_limited_and_taken_back(tmp_path: Path) -> None:
    async with world(tmp_path, replace(POLICY, watch_limit=2), plan=PLAN) as w:
        listed(w, LATEST)
        await pass_hours(w, 1)
        await w.say(WEI, "/watch")
        await w.settle(2)
        assert w.last.startswith("You watch no image.")
        await w.say(WEI, "/watch nginx")
        await w.settle(2)
        words = "is updated upstream, I tell you here as soon as our registry has the new one."
        assert w.last == f"When <code>{LATEST}</code> {words}"
        await w.say(WEI, "/watch redis:7")
        await w.settle(2)
        assert "I have not seen this one there yet" in w.last
        await w.say(WEI, "/watch busybox")
        await w.settle(2)
        assert "you can watch 2 images" in w.last
        await w.say(WEI, "/watch nginx", chat=GROUP)
        await w.settle(2)
        assert w.last.startswith("When <code>"), "again, and perhaps elsewhere"
        await w.say(WEI, "/unwatch redis:7")
        await w.settle(2)
        assert w.last == "I stop telling you about <code>docker.io/library/redis:7</code>."
        await w.say(WEI, "/unwatch redis:7")
        await w.settle(2)
        assert w.last.startswith("You do not watch")
        await w.say(WEI, "/watch")
        await w.settle(2)
        assert w.last == f"You watch 1 image:\n<code>{LATEST}</code>"
        await w.say(LI, "/watch")
        await w.settle(2)
        assert w.last.startswith("You watch no image.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/watch NGINX", "Send: <code>/watch docker.io/library/nginx:latest</code>"),
        ("/unwatch NGINX", "Send: <code>/unwatch docker.io/library/nginx:latest</code>"),
        ("/watch evil/miner", "known to be harmful"),
        ("/watch nginx@" + OLD, "named by its digest, which never changes"),
        ("/unwatch", "Like this: <code>/unwatch IMAGE…</code>"),
    ],
)
async def test_what_cannot_be_watched_is_answered_with_why(
    w: World, text: str, answer: str
) -> None:
    await w.say(WEI, text)
    await w.settle(2)
    assert answer in w.last


async def test_an_admin_sees_how_many_images_are_kept_fresh_and_wait_for_a_look(w: World) -> None:
    listed(w, LATEST, FIXED)
    await pass_hours(w, 25)
    await w.say(ANA, "/status")
    await w.say(WEI, "/status")
    await w.settle(2)
    assert len(said(w, "Kept fresh: 2 images.")) == 1
    w.clock.pass_time(25 * HOURS)
    await w.say(ANA, "/status")
    await w.settle(2)
    assert "Kept fresh: 2 images, 2 due for a check." in w.last


async def test_where_nothing_is_kept_fresh_nobody_is_promised_anything(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.say(WEI, "/watch nginx")
        await w.settle(2)
        assert w.last.startswith("Images are not kept fresh here")
        async with w.store.begin() as unit:
            assert await unit.watches_of(WEI.id) == []


async def test_in_the_chat_of_an_alarm_its_arrival_is_said_once(w: World) -> None:
    listed(w, FIXED)
    await pass_hours(w, 25)
    await w.say(LI, f"/watch {FIXED}")
    move(w, FIXED)
    await pass_hours(w, 25)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    arrive(w, f"{FIXED}@{NEW}")
    await w.settle(200, step=2)
    assert len(said(w, "Done, 1 of 1")) == 1
    assert said(w, NEWS) == []
    (mention,) = said(w, "you watch this")
    assert mention.startswith('<a href="tg://user?id=1002">Li</a>: ')
    assert mention.endswith(f"our registry has it now: {FIXED}.")
