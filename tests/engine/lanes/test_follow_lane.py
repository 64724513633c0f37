"""Chats are told of newer versions: once a day, with the digest that a press decides on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, POLICY, WEI, World, digest_of, world

from bot.core.decision import Ground
from bot.core.errors import RefusedError, TransientError
from bot.core.follow import Follow
from bot.core.ids import ChatId, PersonId
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo

DAY = 24 * 3600
NAME = "docker.io/library/nginx"
ASKED = "gcr.io/distroless/static"  # about which an admin is asked


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as here:
        yield here


def release(w: World, *tags: str, name: str = NAME) -> None:
    """Let the source have these tags besides those that it has."""
    before = w.registries.tagged.get(name, ())
    assert isinstance(before, tuple)
    w.registries.tagged[name] = (*before, *tags)
    for image in (ImageRef.parse(f"{name}:{tag}") for tag in tags):
        digest = w.registries.source[str(image)] = digest_of(str(image))
        w.registries.source[f"{name}@{digest}"] = digest


async def day(w: World, days: float = 1) -> None:
    """Let days pass, in steps that miss no minute that matters here."""
    await w.settle(days * DAY, step=1200)


def news(w: World) -> list[str]:
    return [text for text in w.chat.texts if "out:" in text]


async def following(w: World, text: str = "nginx 1.27.x", name: str = NAME) -> None:
    release(w, "1.27.2", "1.27.3", "1.27", "latest", name=name)
    await w.say(WEI, f"/follow {text}")
    await w.settle(5)


async def test_a_newer_version_is_told_once_and_mirrored_at_its_digest(w: World) -> None:
    w.registries.shapes[f"{NAME}:1.27.4"] = ImageInfo(("linux/amd64",), 71_200_000)
    await following(w)
    assert "1.27.3</code> is the newest in <code>1.27.x" in w.last
    await day(w)
    assert not news(w)
    release(w, "1.27.4")
    await day(w, 3)
    assert news(w) == [w.last]
    image = ImageRef.parse(f"{NAME}:1.27.4")
    assert f"{image}</code> is out · before: 1.27.3" in w.last
    assert digest_of(str(image))[:19] in w.last
    assert "71.2 MB" in w.last
    assert await w.press(ANA, "Mirror nginx 1.27.4") == "On it."
    await w.settle(20)
    transfer = await w.newest(image.at(digest_of(str(image))))
    assert (transfer.digest, transfer.state.value) == (digest_of(str(image)), "copying")
    assert await w.press(WEI, "Mirror nginx 1.27.4") == "Asked for already: #1"


async def test_a_member_asks_and_an_admin_approves_in_one_press(w: World) -> None:
    await following(w, f"{ASKED} ^1.27", ASKED)
    release(w, "1.27.4", "1.28.0", name=ASKED)
    await day(w)
    image = ImageRef.parse(f"{ASKED}:1.28.0")
    assert "1.27.4" not in w.last  # the newest of a range
    assert "only an admin" in (await w.press(WEI, "Approve static 1.28.0")).lower()
    assert await w.press(ANA, "Approve static 1.28.0") == "Approved. #1 shows how it goes."
    await w.settle(20)
    assert (await w.newest(image.at(digest_of(str(image))))).ground is Ground.PERSON
    release(w, "1.29.0", name=ASKED)
    await day(w)
    assert await w.press(WEI, "Ask for static 1.29.0") == "On it."
    await w.settle(3)
    later = ImageRef.parse(f"{ASKED}:1.29.0")
    assert (await w.newest(later.at(digest_of(str(later))))).state.value == "waiting"


async def test_what_was_updated_after_it_was_shown_is_asked_back(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    await day(w)
    image = ImageRef.parse(f"{NAME}:1.27.4")
    w.registries.source[str(image)] = digest_of("another")
    assert await w.press(ANA, "Mirror nginx 1.27.4") == "On it."
    await w.settle(20)
    assert "its tag names another digest at the source" in w.last
    assert not w.repository.runs


@pytest.mark.parametrize("trouble", [TransientError("down"), RefusedError("405")])
async def test_an_outage_is_no_news_and_loses_none(w: World, trouble: Exception) -> None:
    await following(w)
    listed = w.registries.tagged[NAME]
    w.registries.tagged[NAME] = trouble
    await day(w, 2)
    assert not news(w)
    assert w.registries.lists < 25
    w.registries.tagged[NAME] = listed
    release(w, "1.27.4", "1.27.5")
    await day(w, 2)
    assert len(news(w)) == 1
    assert "1.27.5" in w.last


async def test_a_tag_that_is_not_there_yet_is_told_later(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    image = f"{NAME}:1.27.4"
    digest = w.registries.source.pop(image)
    await day(w)
    w.registries.source[image] = TransientError("down")
    await day(w)
    assert not news(w)
    w.registries.source[image] = digest
    await day(w)
    assert len(news(w)) == 1


async def test_one_message_a_day_for_all_that_a_chat_follows(w: World) -> None:
    await following(w)
    await following(w, "nginx ~1.27")
    await following(w, "nginx 1.27.x-alpine")
    await following(w, f"{ASKED} ^1", ASKED)
    release(w, "1.27.4", "1.27.4-alpine")
    release(w, "1.28.0", name=ASKED)
    await day(w)
    assert len(news(w)) == 1
    assert "3 newer versions" in w.last
    release(w, "1.27.5")
    await day(w, 0.3)
    assert len(news(w)) == 1
    await day(w, 0.9)
    assert len(news(w)) == 2


@pytest.mark.parametrize("step", ["list", "news"])
async def test_a_restart_loses_and_repeats_nothing(w: World, step: str) -> None:
    await following(w)
    release(w, "1.27.4")
    for _ in range(288 if step == "list" else 2):
        await w.settle(300, step=100)
        w.start()
    await day(w)
    assert len(news(w)) == 1


async def test_a_clock_that_was_set_back_stops_nothing(w: World) -> None:
    await following(w)
    w.clock.pass_time(-40 * DAY)
    release(w, "1.27.4")
    await day(w, 2)
    assert len(news(w)) == 1


async def test_what_a_chat_follows_is_listed_and_ends(w: World) -> None:
    await w.say(WEI, "/follow")
    await w.settle(2)
    assert "follows nothing" in w.last
    await following(w)
    await following(w)  # the same again changes nothing
    await w.say(LI, "/follow redis:~7.2")
    await w.say(WEI, "/follow nginx 9.x")
    await w.settle(3)
    assert "no tag is surely the newest" in w.last
    await w.say(WEI, "/follow")
    await w.settle(2)
    for words in ("follows 3 ranges", "newest: <code>1.27.3", "lists no tags", "~7.2"):
        assert words in w.last
    await w.say(LI, "/unfollow nginx 9.x")
    await w.say(LI, "/unfollow nginx")
    await w.say(LI, "/unfollow nginx")
    await w.settle(3)
    assert "does not follow" in w.last
    release(w, "1.27.4")
    await day(w)
    assert not news(w)


REFUSED = (
    ("/follow nginx", "Which versions?"),
    ("/follow nginx latest", "/follow [IMAGE] [RANGE]"),
    ("/follow nginx (1|2)", "/follow [IMAGE] [RANGE]"),
    ("/follow evil.example.com/a 1.x", "evil.example.com"),
    ("/follow NGINX 1.x", "NGINX"),
    ("/unfollow", "/unfollow IMAGE"),
)


@pytest.mark.parametrize(("said", "answer"), REFUSED)
async def test_what_cannot_be_followed_is_said(w: World, said: str, answer: str) -> None:
    await w.say(WEI, said)
    await w.settle(2)
    assert answer in w.last


async def test_a_list_that_was_cut_off_says_nothing(w: World) -> None:
    w.registries.whole = False
    await following(w)
    assert "too long" in w.last


async def test_each_person_has_a_limit(w: World) -> None:
    for number in range(POLICY.watch_limit + 1):
        await w.say(WEI, f"/follow nginx {number}.x")
    await w.settle(240)
    assert any("A person can follow 50" in text for text in w.chat.texts)
    await w.say(LI, "/follow nginx 99.x")
    await w.settle(3)
    assert w.registries.lists < 10


def without(w: World, *people: PersonId) -> frozenset[PersonId]:
    return frozenset({WEI.id, LI.id} - set(people))


async def test_it_ends_with_the_rights_of_who_asked_for_it(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    w.start(without(w, WEI.id))
    await day(w, 2)
    assert not news(w)
    assert not await rows(w)


async def rows(w: World) -> Sequence[Follow]:
    async with w.store.begin() as unit:
        return await unit.follows_in(GROUP)


async def test_it_goes_along_when_a_group_becomes_a_supergroup(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    new = ChatId("telegram:-100200")
    await w.move(GROUP, new)
    await day(w)
    assert len(news(w)) == 1
    assert [said.place.chat for said in w.chat.messages.values()][-1] == new


async def test_a_press_of_another_chat_and_a_forged_one_do_nothing(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    await day(w)
    forged = {"Mirror nginx 1.27.4": "take:AAAAAAAA"}
    message = list(w.chat.messages.values())[-1]
    message.data.update(forged)
    assert "no longer" in await w.press(WEI, "Mirror nginx 1.27.4")


async def test_an_image_that_the_rules_deny_meanwhile_is_not_told(w: World) -> None:
    await following(w)
    release(w, "1.27.4")
    w.policy = replace(POLICY, registries=POLICY.registries - {"docker.io"})
    w.start()
    await day(w)
    assert not news(w)


async def test_a_file_that_comes_back_offers_to_follow_its_images(w: World) -> None:
    kept, floating = ImageRef.parse("nginx:1.27.3-alpine"), ImageRef.parse("redis:latest")
    w.upstream(kept, floating)
    file = b"services:\n  a:\n    image: nginx:1.27.3-alpine\n  b:\n    image: redis:latest\n"
    await w.send(WEI, "compose.yaml", file)
    await w.settle(5)
    await w.press(WEI, "Mirror")
    await w.settle(20)
    w.copied(kept, floating)
    await w.settle(30)
    assert "1 image" in await w.press(ANA, "Follow newer versions")
    assert [(each.name, each.range) for each in await rows(w)] == [(NAME, "^1.27.3-alpine")]
    assert "1 image" in await w.press(ANA, "Follow newer versions")
    assert len(await rows(w)) == 1


async def test_the_offer_of_another_chat_is_refused(w: World) -> None:
    await following(w)
    list(w.chat.messages.values())[-1].data["Follow"] = "follow:77"
    assert "no longer" in await w.press(WEI, "Follow")
