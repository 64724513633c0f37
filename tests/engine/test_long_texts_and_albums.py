"""One thing that a person sends and that arrives as several messages is read as one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, MALLORY, NGINX, STATIC, WEI, World, world

from bot.core.errors import RefusedError, TransientError
from bot.core.gathering import MOST_PARTS
from bot.core.ids import ChatId, Person, RequestId
from bot.core.image import ImageRef
from bot.core.transfer import State
from bot.engine.intake.context import Attachment
from bot.sandbox.telegram.client import cut

PRIVATE = ChatId(WEI.id)
IMAGES = [ImageRef.parse(f"gcr.io/team/image-{number:03}:1.0") for number in range(400)]
TEXT = "/mirror " + "\n".join(map(str, IMAGES))
PARTS = cut(TEXT)
FIRST, SECOND = (part.count("gcr.io") for part in PARTS[:2])
COMPOSE = b"services:\n  web:\n    image: nginx:1.27\n"
CACHE = b"services:\n  cache:\n    image: redis:7\n"
REDIS = ImageRef.parse("docker.io/library/redis:7")
ARRIVING = (
    "More of #1 is just arriving, so nothing was started.\nI show it again. Look at it, then press."
)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def drafted(w: World) -> list[tuple[ImageRef, ...]]:
    """Return the images of each draft."""
    async with w.store.begin() as unit:
        return [(await unit.draft(request.id)).images for request in await unit.open_drafts()]


async def send_album(
    w: World, who: Person, files: dict[str, bytes], *, caption_on: int = 0, **more: object
) -> None:
    for position, (name, content) in enumerate(files.items()):
        w.chat.files[name] = content
        text = "/mirror" if position == caption_on else ""
        file = Attachment(name, name, len(content), "album")
        await w.say(who, text, file=file, **more)  # type: ignore[arg-type]


# -- long texts -------------------------------------------------------------------------


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
async def test_the_parts_of_a_long_text_are_one_draft(w: World, chat: ChatId) -> None:
    assert len(PARTS) == 3
    begun = [await w.say(WEI, part, chat=chat, hears_all=True) for part in PARTS]
    assert begun == [True, False, False], "one message gets the reaction"
    await w.settle(4)
    assert await drafted(w) == [tuple(IMAGES)]
    (text,) = w.chat.texts
    assert "400 images found. Mirror them?" in text
    assert "⚠️" not in text


async def test_nothing_is_read_before_the_deadline_which_each_part_moves(w: World) -> None:
    for part in PARTS:
        await w.say(WEI, part, hears_all=True)
        await w.reconciler.tick()
        w.clock.pass_time(0.9)
        await w.reconciler.tick()
        assert w.chat.texts == []
    w.clock.pass_time(0.2)
    await w.settle(1)
    assert await drafted(w) == [tuple(IMAGES)]


async def test_a_long_text_that_is_whole_is_read_after_a_second(w: World) -> None:
    await w.say(WEI, PARTS[0], hears_all=True)
    await w.settle(3)
    assert len(w.chat.texts) == 1
    assert "⚠️" not in w.last


@pytest.mark.parametrize("press", ["all:1", "tick:1:0", "page:1:0"])
async def test_no_press_comes_between_two_parts(w: World, press: str) -> None:
    await w.say(WEI, PARTS[0], hears_all=True)
    await w.settle(3)
    w.clock.now = w.clock.now.replace(second=0)  # the service was slow, not the person
    await w.say(WEI, PARTS[1], sent_at=w.clock.now, hears_all=True)
    assert await w.press(ANA, press) == ARRIVING
    await w.say(WEI, "/mirror #1", sent_at=w.clock.now + timedelta(seconds=2))
    await w.settle(4)
    assert ARRIVING in w.chat.texts
    assert len((await drafted(w))[0]) > 200


async def test_a_part_that_is_late_joins_the_draft_that_was_shown(w: World) -> None:
    """As after a kill between two parts: Telegram tells when each was sent."""
    sent_at = w.clock.now
    await w.say(WEI, PARTS[0], hears_all=True, sent_at=sent_at)
    await w.settle(20)
    w.start()
    for part in PARTS[1:]:
        await w.say(WEI, part, hears_all=True, sent_at=sent_at)
    await w.settle(4)
    assert await drafted(w) == [tuple(IMAGES)]
    (said,) = w.chat.messages.values()
    assert "400 images found" in said.text, "the same card"


async def test_what_was_read_long_ago_or_is_confirmed_takes_no_more(w: World) -> None:
    sent_at = w.clock.now
    await w.say(WEI, PARTS[0], hears_all=True, sent_at=sent_at)
    await w.settle(150, step=2)
    await w.say(WEI, PARTS[1], chat=PRIVATE, sent_at=sent_at)
    await w.say(WEI, PARTS[1], hears_all=True, sent_at=sent_at)
    await w.settle(4)
    assert [len(images) for images in await drafted(w)] == [FIRST, SECOND]
    async with w.store.begin() as unit:
        for request in await unit.open_drafts():
            kept = await unit.files(request.id)
            assert [file.content for file in kept] == [] or request.id != 1


@pytest.mark.parametrize(
    ("who", "more"),
    [
        (LI, {}),
        (WEI, {"thread": 7}),
        (WEI, {"chat": PRIVATE}),
        (WEI, {"text": "/help " + "x" * 40}),
    ],
    ids=["another person", "another topic", "another chat", "a command"],
)
async def test_only_the_same_person_in_the_same_place_goes_on(
    w: World, who: Person, more: dict[str, object]
) -> None:
    await w.say(WEI, PARTS[0], hears_all=True)
    text = str(more.pop("text", PARTS[1]))
    await w.say(who, text, hears_all=True, **more)  # type: ignore[arg-type]
    await w.settle(4)
    assert len((await drafted(w))[0]) == FIRST


async def test_what_a_person_says_a_moment_later_is_no_part(w: World) -> None:
    await w.say(WEI, PARTS[0], hears_all=True)
    w.clock.pass_time(2)
    await w.say(WEI, "redis:7 would be nice too", hears_all=True)
    await w.settle(4)
    assert REDIS not in (await drafted(w))[0]


async def test_where_the_rest_cannot_arrive_the_draft_says_so(w: World) -> None:
    await w.say(WEI, PARTS[0])
    await w.settle(4)
    assert f"{FIRST} images found. Mirror them?" in w.last
    assert w.last.endswith(
        "⚠️ Telegram cuts a long text into several messages. If yours went on, the rest did not"
        " reach me.\nSend it as a file, or send it to me in a private chat."
    )


async def test_a_long_text_of_few_images_becomes_a_draft_too(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27\n" + "# what for\n" * 370)
    await w.settle(4)
    assert len(await drafted(w)) == 1
    assert "⚠️" in w.last
    assert w.registries.looks == 0


async def test_a_part_that_is_quoted_is_a_draft_that_says_so(w: World) -> None:
    await w.say(WEI, "/mirror", quoted=PARTS[1], hears_all=True)
    await w.settle(4)
    assert "⚠️ Telegram cuts a long text" in w.last
    await w.say(WEI, "/mirror", quoted=PARTS[1], chat=PRIVATE)
    await w.settle(4)
    assert w.last.endswith("did not reach me.\nSend it as a file.")


async def test_a_long_text_without_images_is_answered(w: World) -> None:
    await w.say(WEI, "/mirror " + "什么都没有" * 500, hears_all=True)
    await w.settle(4)
    assert w.last.startswith("I found no image in that.")
    assert await drafted(w) == []


# -- albums -----------------------------------------------------------------------------


@pytest.mark.parametrize("caption_on", [0, 1, 2])
@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
async def test_each_file_of_an_album_is_read_and_each_returned(
    w: World, chat: ChatId, caption_on: int
) -> None:
    w.upstream(NGINX, REDIS)
    album = {"web.yaml": COMPOSE, "cache.yaml": CACHE, "notes.txt": b"nothing here\n"}
    await send_album(w, WEI, album, caption_on=caption_on, chat=chat, hears_all=True)
    await w.settle(4)
    (text,) = w.chat.texts
    assert "2 images found in <code>web.yaml</code> and 2 more files. Mirror them?" in text
    assert "<code>notes.txt</code>: I found no image in this file" in text
    await w.press(WEI, "Mirror all 2", chat=chat)
    await w.settle(10)
    w.copied(NGINX, REDIS)
    await w.settle(20)
    assert [(file.name, b"harbor.example.com" in file.content) for file in w.chat.documents] == [
        ("web.yaml", True),
        ("cache.yaml", True),
    ]
    async with w.store.begin() as unit:
        assert await unit.files(1) == []  # type: ignore[arg-type]
        assert await unit.open_requests() == []


async def test_an_album_of_which_one_image_failed_returns_the_other_file(w: World) -> None:
    w.upstream(NGINX, REDIS)
    await send_album(w, WEI, {"web.yaml": COMPOSE, "cache.yaml": CACHE}, chat=PRIVATE)
    await w.settle(4)
    await w.press(WEI, "Mirror all 2", chat=PRIVATE)
    await w.settle(10)
    w.copied(NGINX)
    w.repository.report(REDIS, None, "target: exceeds the configured upper limit")
    await w.settle(20)
    assert [file.name for file in w.chat.documents] == ["web.yaml"]
    await w.press(WEI, "retry:1", chat=PRIVATE)
    await w.settle(15)
    w.copied(REDIS)
    await w.settle(20)
    assert [file.name for file in w.chat.documents] == ["web.yaml", "web.yaml", "cache.yaml"]


async def test_where_only_one_file_arrives_the_draft_says_so(w: World) -> None:
    w.chat.files["web.yaml"] = COMPOSE
    await w.say(WEI, "/mirror", file=Attachment("web.yaml", "web.yaml", 9, "album"))
    await w.settle(4)
    assert "1 image found in <code>web.yaml</code>. Mirror it?" in w.last
    assert "⚠️ You sent several files at once, and only this one reached me." in w.last


async def test_a_quoted_file_of_an_album_says_that_it_is_one_of_several(w: World) -> None:
    w.chat.files["web.yaml"] = COMPOSE
    file = Attachment("web.yaml", "web.yaml", 9, "album")
    await w.say(WEI, "/mirror", quoted_file=file, chat=PRIVATE)
    await w.settle(4)
    assert w.last.endswith("reached me.\nSend all of them together again.")


async def test_a_file_that_is_late_joins_its_album(w: World) -> None:
    await send_album(w, WEI, {"web.yaml": COMPOSE}, chat=PRIVATE)
    await w.settle(10)
    assert "1 image found" in w.last
    w.start()
    await send_album(w, WEI, {"cache.yaml": CACHE}, caption_on=9, chat=PRIVATE)
    await w.settle(4)
    assert await drafted(w) == [(NGINX, REDIS)]


async def test_files_of_an_album_that_nobody_wants_are_not_read(w: World) -> None:
    for who in (WEI, MALLORY):
        await send_album(w, who, {"web.yaml": COMPOSE}, caption_on=9, hears_all=True)
    w.chat.files["web.yaml"] = RefusedError("it was read")
    await w.say(LI, "/mirror", file=Attachment("own.yaml", "own.yaml", 9, "album"), hears_all=True)
    w.chat.files["own.yaml"] = CACHE
    await w.settle(4)
    assert await drafted(w) == [(REDIS,)], "neither Wei's file nor Mallory's"


async def test_an_unreadable_file_of_an_album_is_named(w: World) -> None:
    album: dict[str, bytes] = {"web.yaml": COMPOSE, "logo.png": b"\x89PNG\0\xff", "gone.yaml": b""}
    await send_album(w, WEI, album, chat=PRIVATE)
    w.chat.files["gone.yaml"] = RefusedError("gone")
    await w.settle(4)
    assert "<code>logo.png</code>: I could not read this file" in w.last
    assert "<code>gone.yaml</code>: I could not read this file" in w.last


async def test_an_album_without_images_is_answered_file_by_file(w: World) -> None:
    album: dict[str, bytes] = {"a.txt": b"nothing", "logo.png": b"\x89PNG\0\xff", "gone.yaml": b""}
    await send_album(w, WEI, album, chat=PRIVATE)
    w.chat.files["gone.yaml"] = RefusedError("gone")
    await w.settle(4)
    assert w.last == (
        "I found no image in <code>a.txt</code>.\n"
        "Send the images as text, such as <code>/mirror nginx:1.27</code>\n"
        "<code>logo.png</code> is not a text file that I can read.\n"
        "Send the images as text.\n"
        "I could not get <code>gone.yaml</code> from Telegram.\n"
        "Send it again."
    )


async def test_a_file_that_can_not_be_fetched_for_a_while_holds_up_its_album(w: World) -> None:
    await send_album(w, WEI, {"web.yaml": COMPOSE, "cache.yaml": CACHE}, chat=PRIVATE)
    w.chat.files["cache.yaml"] = [TransientError("busy"), CACHE]
    await w.settle(8)
    assert await drafted(w) == [(NGINX, REDIS)]


async def test_a_draft_that_is_dropped_while_it_arrives_is_gone(w: World) -> None:
    await send_album(w, WEI, {"web.yaml": COMPOSE}, chat=PRIVATE)
    await w.say(WEI, "/cancel #1", chat=PRIVATE)
    await w.settle(4)
    assert w.last == "#1: cancelled, nothing was started."
    async with w.store.begin() as unit:
        assert await unit.gatherings() == []
        assert await unit.files(1) == []  # type: ignore[arg-type]


# -- bounds -----------------------------------------------------------------------------


async def test_parts_that_never_end_are_bounded_and_the_person_is_told(w: World) -> None:
    await w.say(WEI, PARTS[0], hears_all=True)
    for number in range(MOST_PARTS + 20):
        part = f"gcr.io/many/image:{number}\n" * 200
        await w.say(WEI, part, hears_all=True)
    await w.settle(4)
    assert "⚠️ Your text goes on, but that is more than I take at once." in w.last
    async with w.store.begin() as unit:
        assert len(await unit.files(1)) == MOST_PARTS  # type: ignore[arg-type]
    assert len(w.chat.texts) == 1


async def test_plain_talk_in_a_group_is_nobodys_business(w: World) -> None:
    for who in (WEI, ANA, MALLORY):
        assert not await w.say(who, "nginx:1.27 is what we want", hears_all=True)
    await w.settle(4)
    assert w.chat.texts == []
    async with w.store.begin() as unit:
        assert not await unit.take(w.key, w.clock())  # it was handled
        assert await unit.people([WEI.id, ANA.id, MALLORY.id]) == {}


@pytest.mark.parametrize("chat", [ChatId(ANA.id), GROUP])
async def test_a_command_at_the_begin_of_a_further_part_is_not_obeyed(
    w: World, chat: ChatId
) -> None:
    """Whoever wrote the text that somebody pastes can choose where it is cut."""
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.say(ANA, PARTS[0], chat=chat, hears_all=True)
    await w.say(ANA, "/approve #1", chat=chat, hears_all=True)
    await w.settle(4)
    async with w.store.begin() as unit:
        (transfer,) = await unit.transfers_of(RequestId(1))
    assert transfer.state is State.WAITING
    assert [len(images) for images in await drafted(w)] == [FIRST]
    w.clock.pass_time(5)
    assert not await w.say(ANA, "/approve #1", chat=chat)
    async with w.store.begin() as unit:
        (transfer,) = await unit.transfers_of(RequestId(1))
    assert transfer.state is not State.WAITING
