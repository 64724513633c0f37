"""The engine over fakes, from the chat's side: drafts, corrections, files, look-ups, languages.

test_engine.py follows a request from the message to the copy.
"""

import asyncio
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
    NGINX,
    STATIC,
    WEI,
    World,
    digest_of,
    world,
)

from bot.core.errors import RefusedError, TransientError
from bot.core.ids import ChatId, MessageId
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo
from bot.core.transfer import State
from bot.dialog.language import Language
from bot.engine.intake.context import Attachment

PRIVATE = ChatId(WEI.id)
BUTTON_UNKNOWN = "This button is no longer in use.\nUse a newer message of mine, or /status."
ALREADY_TAKEN = (
    "#1 already continues with another image.\nTo have this one too, send it with /mirror."
)
COMPOSE = b"""# the shop
services:
  web:
    image: nginx:1.27   # front
  cache:
    image: "redis:7"
"""
REDIS = ImageRef.parse("docker.io/library/redis:7")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


# -- drafts -----------------------------------------------------------------------------


async def test_more_than_three_images_are_shown_before_anything_is_done(w: World) -> None:
    images = [ImageRef.parse(f"nginx:{n}") for n in range(4)]
    w.upstream(*images)
    assert await w.say(WEI, "/mirror nginx:0, nginx:1，nginx:2、nginx:3")
    await w.settle(5)
    assert "4 images found. Mirror them?" in w.last
    assert w.registries.looks == 0
    assert await w.press(WEI, "Mirror all 4") == "On it: 4 images."
    await w.settle(10)
    assert len(w.chat.messages) == 1, "the draft's message becomes the card"
    w.copied(*images)
    await w.settle(10)
    assert w.last.startswith("Done, 4 of 4")


async def test_a_choice_is_made_by_tapping_and_only_what_is_ticked_goes(w: World) -> None:
    images = [ImageRef.parse(f"nginx:{n}") for n in range(10)]
    w.policy = replace(w.policy, request_limit=20, open_limit=20, daily_limit=20)
    w.start()
    w.upstream(*images)
    await w.say(WEI, "/mirror " + " ".join(f"nginx:{n}" for n in range(10)))
    await w.settle(2)
    assert await w.press(WEI, "Choose") == "Page 1 of 2"
    await w.settle(4)
    for number in range(8):
        assert await w.press(WEI, f"tick:1:{number}") == f"{9 - number} of 10 ticked"
    await w.settle(4)
    said = next(iter(w.chat.messages.values()))
    assert said.buttons[0] == ("⬜ nginx:0",)
    assert said.buttons[-2] == ("Page 2 of 2",)
    assert len(said.texts) <= 4, "taps that come close together are one edit"
    assert await w.press(WEI, "page:1:1") == "Page 2 of 2"
    await w.settle(4)
    assert said.buttons[0] == ("☑️ nginx:8",)
    assert await w.press(WEI, "tick:1:99") == "2 of 10 ticked"
    assert await w.press(WEI, "Mirror 2") == "On it: 2 images."
    assert (
        await w.press(WEI, "tick:1:0")
        == "#1 is already under way.\n/status #1 shows how far it is."
    )
    await w.settle(8)
    assert w.repository.content == (
        b"# images\ndocker.io/library/nginx:8\ndocker.io/library/nginx:9\n"
    )


async def test_a_draft_is_its_owners_and_can_be_confirmed_by_command(w: World) -> None:
    await w.say(WEI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
    await w.settle(2)
    not_yours = "#1 belongs to somebody else.\nOnly the person who asked or an admin can do this."
    for data in ("all:1", "tick:1:0", "page:1:0", "drop:1"):
        assert await w.press(LI, data) == "#1 是别人的请求。\n只有本人或管理员能操作。"
    await w.say(LI, "/mirror #1")
    await w.settle(2)
    assert w.last == not_yours
    for number in range(4):
        await w.press(WEI, f"tick:1:{number}")
    assert await w.press(WEI, "all:1") == "Nothing is ticked in #1.\nTick at least one image."
    await w.press(WEI, "tick:1:2")
    await w.say(WEI, "/mirror #1")
    await w.settle(3)
    async with w.store.begin() as unit:
        assert [str(t.image) for t in await unit.transfers_of(1)] == ["docker.io/c/c:1"]  # type: ignore[arg-type]


async def test_the_status_of_a_draft_says_what_it_waits_for(w: World) -> None:
    await w.say(WEI, "/mirror nginx:0 nginx:1 nginx:2 nginx:3")
    await w.say(WEI, "/status #1")
    await w.settle(3)
    assert "#1 · a draft, waits for Wei to confirm it" in w.chat.texts
    await w.say(WEI, "/cancel #1")
    await w.say(WEI, "/status #1")
    await w.settle(3)
    assert w.last == "#1 was cancelled.\nAsk again with /mirror."


async def test_a_draft_can_be_dropped_and_is_given_up_after_a_day(w: World) -> None:
    for _ in range(2):
        await w.say(WEI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
        await w.settle(2)
    assert await w.press(WEI, "drop:1") == "#1: cancelled, nothing was started."
    assert await w.press(WEI, "drop:1") == "#1 was cancelled.\nAsk again with /mirror."
    assert await w.press(WEI, "all:1") == "#1 was cancelled.\nAsk again with /mirror."
    await w.settle(4)
    first, second = w.chat.messages.values()
    assert first.text.endswith("Cancelled.")
    assert first.buttons == ()
    w.clock.pass_time(timedelta(hours=25).total_seconds())
    await w.settle(4)
    assert second.text.endswith("so I dropped this draft.\nAsk again with /mirror.")
    async with w.store.begin() as unit:
        assert await unit.open_requests() == []


async def test_a_list_of_denied_images_needs_no_confirmation(w: World) -> None:
    await w.say(WEI, "/mirror " + " ".join(f"evil.example/a:{n}" for n in range(5)))
    await w.settle(2)
    assert "evil.example/a:0</code> · evil.example is not an allowed registry" in w.last
    assert w.last.endswith("Ask the maintainer to add others to my config.")


# -- corrections ------------------------------------------------------------------------


async def test_a_slip_with_one_likely_meaning_is_one_tap_away(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror Nginx:1.27")
    await w.settle(2)
    assert "Did you mean <code>docker.io/library/nginx:1.27</code>?" in w.last
    said = next(iter(w.chat.messages.values()))
    assert said.buttons == (("✅ Yes, mirror it", "✖️ Cancel"),)
    assert await w.press(WEI, "Yes, mirror it") == "On it: 1 image."
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    assert "░" in said.texts[1], "the same message goes on as the card"


async def test_good_images_beside_a_slip_wait_for_the_same_tap(w: World) -> None:
    await w.say(WEI, "/mirror redis:7 Nginx:1.27")
    await w.settle(2)
    assert "2 images found" in w.last
    assert "▫️ <code>docker.io/library/redis:7</code>" in w.last
    assert "<code>Nginx:1.27</code>: the repository has to be in lower case." in w.last


async def test_a_missing_tag_is_answered_with_the_nearest_that_exist(w: World) -> None:
    w.registries.tagged["docker.io/library/nginx"] = ("1.27", "1.26", "latest", "1.27-alpine")
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27.99")
    await w.settle(6)
    assert w.last.startswith("Not mirrored:")
    tell = w.chat.messages[MessageId("telegram:5001")]
    assert tell.buttons == (("➡️ nginx:1.27",), ("➡️ nginx:1.26",))
    assert "别人的请求" in await w.press(LI, "➡️ nginx:1.27")
    assert await w.press(WEI, "➡️ nginx:1.27") == "#1 continues: 1 image."
    assert await w.press(WEI, "meant:1:1:0") == ALREADY_TAKEN
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    assert "docker.io/library/nginx:1.27" in w.card


async def test_a_tag_is_taken_while_the_others_are_under_way(w: World) -> None:
    w.registries.tagged["docker.io/library/nginx"] = ("1.27",)
    w.upstream(NGINX, STATIC)
    await w.say(WEI, f"/mirror nginx:1.270 {STATIC}")
    await w.settle(8)
    said = next(iter(w.chat.messages.values()))
    assert said.buttons == (
        ("✅ Approve", "❌ Reject"),
        ("🔎 Digests",),
        ("➡️ nginx:1.27",),
    )
    await w.press(WEI, "➡️ nginx:1.27")
    await w.press(ANA, "Approve")
    await w.settle(12)
    w.copied(NGINX, STATIC)
    await w.settle(10)
    assert w.last.startswith("Done, 2 of 2")
    assert len(w.chat.messages) == 2


async def test_a_registry_that_lists_no_tags_leaves_the_plain_answer(w: World) -> None:
    w.registries.tagged["docker.io/library/nginx"] = TransientError("slow")
    await w.say(WEI, "/mirror nginx:1.27.99")
    await w.settle(6)
    assert "not found at the source (missing, or private)" in w.last
    assert w.chat.messages[MessageId("telegram:5001")].buttons == ()


async def test_a_wrong_repository_is_answered_with_a_similar_name(w: World) -> None:
    w.registries.tagged["docker.io/library/ngnix"] = RefusedError("no such repository")
    w.upstream(NGINX)
    await w.say(WEI, "/mirror ngnix:1.27")
    await w.settle(6)
    assert w.chat.messages[MessageId("telegram:5001")].buttons == (("➡️ nginx:1.27",),)
    await w.press(WEI, "➡️ nginx:1.27")
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")


async def test_a_wrong_repository_with_a_tag_that_the_right_one_lacks(w: World) -> None:
    w.registries.tagged["docker.io/library/nginx"] = ("1.27", "1.26")
    w.upstream(NGINX)
    await w.say(WEI, "/mirror ngnix:1.27.9")
    await w.settle(6)
    buttons = w.chat.messages[MessageId("telegram:5001")].buttons
    assert buttons == (("➡️ nginx:1.27",), ("➡️ nginx:1.26",))


async def test_the_default_tag_is_said(w: World) -> None:
    w.upstream(ImageRef.parse("nginx"), ImageRef.parse("redis"))
    await w.say(WEI, "/mirror nginx\nredis:latest")
    await w.settle(3)
    assert "No tag was given for nginx, so I took <code>latest</code>." in w.card


async def test_the_default_tag_is_said_before_a_file_is_confirmed(w: World) -> None:
    await w.send(WEI, "compose.yaml", COMPOSE.replace(b"nginx:1.27", b"nginx"))
    await w.settle(3)
    assert "No tag was given for nginx, so I took <code>latest</code>." in w.last


async def test_old_and_strange_buttons_are_answered(w: World) -> None:
    for data in ("meant:1:1:9", "all:77", "form:77:docker", "retry:77"):
        assert "There is no request" in await w.press(WEI, data)
    for data in ("", "no", "all", "all:x", "tick:1", "form:1:tar", "want:NGINX", "page:1:2:3"):
        assert await w.press(WEI, data) == BUTTON_UNKNOWN
    assert "You are not on my list yet" in await w.press(MALLORY, "all:1")


# -- files ------------------------------------------------------------------------------


async def test_a_file_is_listed_mirrored_and_given_back_rewritten(w: World) -> None:
    w.upstream(NGINX, REDIS)
    await w.send(WEI, "compose.yaml", COMPOSE)
    await w.settle(3)
    assert "2 images found in <code>compose.yaml</code>. Mirror them?" in w.last
    await w.press(WEI, "Mirror all 2")
    await w.settle(10)
    w.copied(NGINX, REDIS)
    await w.settle(10)
    assert w.chat.texts[1].startswith("Done, 2 of 2")
    assert w.last == "Your file for #1, with the images from our registry."
    (document,) = w.chat.documents
    assert document.name == "compose.yaml"
    assert document.content == COMPOSE.replace(
        b"nginx:1.27 ", b"harbor.example.com/docker.io/library/nginx:1.27 "
    ).replace(b"redis:7", b"harbor.example.com/docker.io/library/redis:7")
    async with w.store.begin() as unit:
        assert await unit.files(1) == []  # type: ignore[arg-type]
        assert await unit.open_requests() == []


async def test_the_file_comes_back_with_what_arrived_and_again_with_the_rest(w: World) -> None:
    w.upstream(NGINX, REDIS)
    await w.send(WEI, "compose.yaml", COMPOSE)
    await w.settle(3)
    await w.press(WEI, "Mirror all 2")
    await w.settle(10)
    w.copied(NGINX)
    w.repository.report(REDIS, None, "target: exceeds the configured upper limit")
    await w.settle(10)
    assert w.last.endswith("Unchanged, since not mirrored: redis:7")
    (document,) = w.chat.documents
    assert document.content.count(b"harbor.example.com") == 1
    await w.press(WEI, "Try again")
    await w.settle(15)
    w.copied(REDIS)
    await w.settle(15)
    assert w.last == "Your file for #1, with the images from our registry."
    assert w.chat.documents[1].content.count(b"harbor.example.com") == 2
    async with w.store.begin() as unit:
        assert await unit.files(1) == []  # type: ignore[arg-type]


async def test_what_was_corrected_and_confirmed_is_rewritten_too(w: World) -> None:
    w.upstream(NGINX)
    await w.send(WEI, "compose.yaml", b"services: {a: {image: 'Nginx:1.27'}}")
    await w.settle(3)
    await w.press(WEI, "Yes, mirror it")
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(15)
    assert w.chat.documents[0].content == (
        b"services: {a: {image: 'harbor.example.com/docker.io/library/nginx:1.27'}}"
    )
    assert w.last == "Your file for #1, with the images from our registry."


async def test_a_file_that_cannot_be_changed_is_said_to_be_so(w: World) -> None:
    w.upstream(NGINX)
    kustomization = b"images:\n- name: nginx\n  newTag: '1.27'\n"
    await w.send(WEI, "kustomization.yaml", kustomization)
    await w.settle(3)
    await w.press(WEI, "Mirror it")
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(15)
    assert w.chat.documents == []
    assert w.last.endswith("To be changed by hand: nginx:1.27 (L2)")


async def test_a_denied_image_stays_as_it_is_in_the_file_and_is_counted(w: World) -> None:
    w.upstream(NGINX)
    await w.send(WEI, "compose.yaml", COMPOSE.replace(b"redis:7", b"evil/redis:7"))
    await w.settle(3)
    await w.press(WEI, "Mirror all 2")
    await w.settle(10)
    w.copied(NGINX)
    await w.settle(15)
    assert "since not mirrored: evil/redis:7" in w.last
    assert b'"evil/redis:7"' in w.chat.documents[0].content


async def test_a_reply_to_a_message_or_to_a_file_takes_what_is_there(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror", quoted="please get us nginx:1.27".removeprefix("please get us "))
    await w.settle(3)
    assert "docker.io/library/nginx:1.27" in w.card
    w.chat.files["f"] = COMPOSE
    await w.say(WEI, "/mirror", quoted_file=Attachment("f", "a.yaml"))
    await w.settle(3)
    assert "2 images found in <code>a.yaml</code>" in w.last
    await w.say(WEI, "/mirror nginx:1.27", quoted="redis:7")
    await w.settle(3)
    assert "redis" not in w.card


@pytest.mark.parametrize("words", ["please", "同步一下，谢谢", "this one"])
async def test_words_that_name_no_image_leave_what_is_replied_to(w: World, words: str) -> None:
    w.upstream(NGINX)
    await w.say(WEI, f"/mirror {words}", quoted="nginx:1.27")
    await w.settle(3)
    assert "docker.io/library/nginx:1.27" in w.card
    w.chat.files["f"] = COMPOSE
    await w.say(WEI, f"/mirror {words}", quoted_file=Attachment("f", "a.yaml"))
    await w.settle(3)
    assert "2 images found in <code>a.yaml</code>" in w.last


async def test_images_in_the_caption_of_a_file_are_taken_beside_it(w: World) -> None:
    w.upstream(NGINX)
    w.chat.files["f"] = COMPOSE
    await w.say(WEI, "/mirror nginx:1.27", file=Attachment("f", "a.yaml", len(COMPOSE)))
    await w.settle(5)
    assert any("2 images found in <code>a.yaml</code>" in text for text in w.chat.texts)
    assert "1 image " in w.card


async def test_a_file_of_nothing_but_variables_is_told_which(w: World) -> None:
    await w.send(WEI, "compose.yaml", b"services: {a: {image: '${REGISTRY}/web:${TAG}'}}")
    await w.settle(3)
    assert "<code>${REGISTRY}/web:${TAG}</code>: it holds a variable" in w.last


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"services: {}\n", "I found no image in <code>a.yaml</code>."),
        (RefusedError("gone"), "I could not get <code>a.yaml</code> from Telegram."),
        (b"\x00\xff\xfe\x80", "<code>a.yaml</code> is not a text file that I can read."),
    ],
)
async def test_a_file_of_which_nothing_can_come_is_answered(
    w: World, content: bytes | Exception, words: str
) -> None:
    w.chat.files["f"] = content
    await w.say(WEI, "/mirror", file=Attachment("f", "a.yaml"))
    await w.settle(3)
    assert words in w.last
    async with w.store.begin() as unit:
        assert await unit.open_requests() == []


async def test_a_file_that_is_too_large_is_not_even_fetched(w: World) -> None:
    await w.say(WEI, "/mirror", file=Attachment("f", "a.yaml", 3 << 20))
    await w.settle(2)
    assert w.last.startswith("<code>a.yaml</code> is too large: I read files of up to 1 MiB.")


async def test_a_file_that_does_not_come_is_asked_for_again_and_then_given_up(w: World) -> None:
    w.chat.files["f"] = [TransientError("slow"), TransientError("slow"), COMPOSE]
    await w.say(WEI, "/mirror", file=Attachment("f", "a.yaml"))
    await w.settle(15)
    assert "2 images found" in w.last
    w.chat.files["f"] = TransientError("slow")
    await w.say(LI, "/mirror", file=Attachment("f", "b.yaml"))
    await w.settle(1000, step=5)
    assert "I could not get <code>b.yaml</code>" in w.last


async def test_a_draft_dropped_before_its_file_came_is_silent(w: World) -> None:
    w.chat.files["f"] = [TransientError("slow"), COMPOSE]
    await w.say(WEI, "/mirror", file=Attachment("f", "a.yaml"))
    await w.settle(1)
    await w.say(WEI, "/cancel #1")
    await w.settle(20)
    assert w.chat.texts == ["#1: cancelled, nothing was started."]


# -- results ----------------------------------------------------------------------------


async def done(w: World, *images: ImageRef) -> None:
    w.upstream(*images)
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(8)
    w.copied(*images)
    await w.settle(10)


async def test_the_pulls_can_be_copied_one_by_one_and_written_for_other_tools(w: World) -> None:
    await done(w, NGINX, REDIS)
    tell = w.chat.messages[MessageId("telegram:5001")]
    assert tell.buttons == (
        ("📋 nginx:1.27", "📋 redis:7"),
        ("📋 Copy all",),
        ("• docker", "containerd", "Kubernetes"),
    )
    assert await w.press(WEI, "Kubernetes") == "Written for Kubernetes."
    await w.settle(5)
    assert "image: harbor.example.com/docker.io/library/nginx:1.27" in tell.text
    assert "docker pull" not in tell.text
    await w.press(LI, "containerd")
    await w.settle(5)
    assert "ctr -n k8s.io images pull harbor.example.com/docker.io/library/redis:7" in tell.text
    assert tell.buttons[-1] == ("docker", "• containerd", "Kubernetes")
    assert len(w.chat.messages) == 2
    async with w.store.begin() as unit:
        assert await unit.open_requests() == []


async def test_a_passing_failure_waits_and_resumes_by_itself(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.repository.report(
        NGINX, None, "source: toomanyrequests: You have reached your pull rate limit"
    )
    w.repository.finish("failure")
    await w.settle(8)
    assert "the source limits how much we may pull for now" in w.card
    assert "I will try again at 12:" in w.card
    assert len(w.chat.messages) == 1, "nothing is over yet"
    await w.settle(16 * 60, step=5)
    assert [run.event for run in w.repository.runs] == ["push", "dispatch"]
    w.copied(NGINX)
    await w.settle(30)
    assert w.last.startswith("Done, 1 of 1")


async def test_what_a_run_puts_off_goes_on_for_a_day_by_itself(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    for _ in range(7):  # more often than a failure is tried again
        line = "source: too many requests: 3 of 100 pulls left at docker.io, waited 3 min, put off"
        w.repository.report(NGINX, None, line)
        w.repository.finish("failure")
        await w.settle(60, step=5)
        assert "Docker Hub's pull limit, goes on at " in w.card
        await w.settle(121 * 60, step=120)
    # The first copy that fails is tried again all the same.
    w.repository.report(NGINX, None, "source: dial tcp 10.0.0.1:443: connection refused")
    w.repository.finish("failure")
    await w.settle(60)
    w.copied(NGINX)
    await w.settle(30)
    assert w.last.startswith("Done, 1 of 1")


async def test_a_network_that_stays_down_is_a_failure_in_the_end(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    for number in range(5):
        await w.settle(1200, step=20)
        assert len(w.repository.runs) == number + 1
        w.repository.report(NGINX, None, "source: dial tcp 10.0.0.1:443: connection refused")
        w.repository.finish("failure")
    await w.settle(60)
    assert w.last.startswith("Not mirrored:")
    assert len(w.repository.runs) == 5


async def test_a_put_off_copy_can_be_called_off(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    w.repository.report(NGINX, None, "source: toomanyrequests")
    w.repository.finish("failure")
    await w.settle(8)
    await w.say(WEI, "/cancel #1")
    await w.settle(8)
    assert w.card.endswith("Cancelled.")


# -- the card ---------------------------------------------------------------------------


async def test_who_joins_a_transfer_is_told_so_and_both_get_the_answer(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(8)
    await w.say(LI, "/mirror nginx:1.27")
    await w.settle(4)
    assert "Already under way for #1 (Wei): nginx:1.27. You get an answer too." in w.card
    w.copied(NGINX)
    await w.settle(12)
    assert sum(text.startswith("Done, 1 of 1") for text in w.chat.texts) == 2
    assert w.repository.writes == 1


async def test_what_waits_says_how_many_go_before_it(w: World) -> None:
    w.upstream(NGINX, REDIS)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(6)
    await w.say(LI, "/mirror redis:7")
    await w.settle(5)
    assert "in the queue (1 image ahead of it)" in w.card


async def test_the_bar_goes_by_bytes_where_all_are_known(w: World) -> None:
    w.upstream(NGINX, REDIS)
    w.registries.shapes[str(NGINX)] = ImageInfo(("linux/amd64",), 90_000_000)
    w.registries.shapes[str(REDIS)] = ImageInfo(("linux/amd64",), 10_000_000)
    await w.say(WEI, "/mirror nginx:1.27 redis:7")
    await w.settle(8)
    w.repository.report(REDIS, digest_of(str(REDIS)))
    w.registries.target[str(REDIS)] = digest_of(str(REDIS))
    await w.settle(8)
    assert "▓▓▓▓▓░░░░░ 1 of 2" in w.card
    digest = digest_of(str(NGINX))[:19]
    assert f"1 platform, 90.0 MB · <code>{digest}</code> · copying" in w.card


async def test_a_registry_that_counts_pulls_is_not_asked_for_more_than_it_must(w: World) -> None:
    w.registries.limited = True
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27")
    await w.settle(4)
    assert "platforms" not in w.card
    await w.say(ANA, "/status")
    await w.settle(3)
    assert "docker.io: 40 of 100 requests left." in w.last


# -- look-ups ---------------------------------------------------------------------------


async def test_a_look_up_tells_what_is_there_and_whether_the_target_has_it(w: World) -> None:
    created = w.clock.now - timedelta(days=40)
    w.upstream(NGINX)
    w.registries.shapes[str(NGINX)] = ImageInfo(("linux/amd64", "linux/arm64"), 29_500_000, created)
    assert await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(2)
    assert w.last == (
        "🔎 <code>docker.io/library/nginx:1.27</code>\n"
        f"Digest: <code>{digest_of(str(NGINX))}</code>\n"
        "Platforms: linux/amd64, linux/arm64\n"
        "Size: 29.5 MB\n"
        "Built: 2026-01-20 12:00 UTC (40 days ago)\n"
        "Our registry does not have it."
    )
    assert await w.press(WEI, "Mirror it") == "On it."
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(3)
    assert "✅ Our registry has exactly the same:\n<code>docker pull harbor" in w.last
    w.registries.source[str(NGINX)] = digest_of("newer")
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(3)
    assert "♻️ Our registry holds another digest" in w.last


async def test_a_look_up_of_what_is_missing_denied_or_out_of_reach(w: World) -> None:
    w.registries.tagged["docker.io/library/nginx"] = ("1.27",)
    await w.say(WEI, "/lookup nginx:1.270")
    await w.settle(2)
    assert "Not found at the source" in w.last
    assert next(reversed(w.chat.messages.values())).buttons == (("➡️ nginx:1.27",),)
    assert not await w.say(WEI, "/lookup quay.example/a:1")
    await w.settle(2)
    assert "quay.example is not an allowed registry\nAllowed: docker.io, gcr.io." in w.last
    w.registries.source["docker.io/library/redis:7"] = TransientError("docker.io is slow")
    await w.say(WEI, "/lookup redis:7")
    await w.settle(60)
    assert w.last == "I could not look it up: docker.io is slow.\nTry again later."
    w.registries.source["docker.io/library/redis:7"] = RefusedError("docker.io says no")
    w.registries.target["docker.io/library/redis:7"] = RefusedError("no login")
    await w.say(WEI, "/lookup redis:7")
    await w.settle(3)
    assert "The source cannot be asked: docker.io says no" in w.last
    assert "I cannot read our registry right now." in w.last
    await w.say(WEI, "/lookup Redis:7")
    await w.say(WEI, "/lookup")
    await w.settle(3)
    assert "Did you mean <code>docker.io/library/redis:7</code>?" in w.chat.texts[-2]
    assert "/lookup IMAGE" in w.last


async def test_a_look_up_says_what_it_can_and_offers_what_a_button_can_hold(w: World) -> None:
    image = ImageRef.parse(f"docker.io/{'long/' * 12}name:1")
    w.upstream(image)
    w.registries.shapes[str(image)] = ImageInfo()
    await w.say(WEI, f"/lookup {image}")
    await w.settle(2)
    assert "Platforms" not in w.last
    assert "Size" not in w.last
    assert next(iter(w.chat.messages.values())).buttons == ()
    w.registries.shapes[str(image)] = RefusedError("no manifest")
    await w.say(WEI, f"/lookup {image}")
    await w.settle(2)
    assert "Digest: " in w.last


async def test_an_image_that_only_the_target_has_left_can_still_be_pulled(w: World) -> None:
    w.registries.target[str(NGINX)] = digest_of("old")
    await w.say(WEI, "/lookup nginx:1.27")
    await w.settle(2)
    assert "📦 Our registry still has it:" in w.last


async def test_the_list_is_filtered_and_paged(w: World) -> None:
    lines = [f"docker.io/library/nginx:{n}" for n in range(45)] + ["gcr.io/a/b:1"]
    w.repository.content = "\n".join(["# ours", *lines, "not an image!"]).encode()
    await w.say(WEI, "/list")
    await w.settle(2)
    assert w.last.startswith("image.list holds 46 images:\n<code>docker.io/library/nginx:0</code>")
    assert w.last.count("\n") == 20
    assert await w.press(LI, "Page 2 of 3") == ""
    await w.settle(4)
    assert len(w.chat.messages) == 1
    assert "nginx:20</code>" in w.last
    await w.say(WEI, "/list GCR")
    await w.settle(2)
    assert w.last == "image.list holds 1 image with “GCR” in it:\n<code>gcr.io/a/b:1</code>"
    await w.say(WEI, "/list nothing")
    await w.say(WEI, "/list " + "x" * 60)
    await w.settle(2)
    assert any("No image in image.list has “nothing” in its name." in text for text in w.chat.texts)
    assert any("/list [text]" in text for text in w.chat.texts)
    w.repository.content = b""
    await w.say(WEI, "/list")
    await w.settle(2)
    assert w.last == "image.list is empty.\nAdd to it with /mirror."


async def test_what_has_moved_at_its_source_is_told_and_asked_for_by_a_tap(w: World) -> None:
    w.repository.content = b"nginx:1.27\nredis:7.4.1\ngcr.io/some/static:1\nquay.io/a/gone:1\n"
    for name in ("docker.io/library/nginx:1.27", "docker.io/library/redis:7.4.1"):
        w.registries.source[name] = digest_of("new")
        w.registries.target[name] = digest_of("old")
    w.registries.source["gcr.io/some/static:1"] = digest_of("same")
    w.registries.target["gcr.io/some/static:1"] = digest_of("same")
    assert await w.say(WEI, "/outdated")
    await w.settle(2)
    assert w.last == (
        "2 images differ from their sources:\n"
        f"⚠️ <code>docker.io/library/redis:7.4.1</code>: <code>{digest_of('old')[:19]}</code> →"
        f" <code>{digest_of('new')[:19]}</code>. A version should not change: ask its publisher"
        " before you /mirror it again.\n"
        f"♻️ <code>docker.io/library/nginx:1.27</code>: <code>{digest_of('old')[:19]}</code> →"
        f" <code>{digest_of('new')[:19]}</code>\n"
        "1 image is no longer at its source (removed, or private). Our copy stays."
    )
    await w.press(WEI, "♻️ nginx:1.27")
    await w.settle(2)
    assert "nginx:1.27" in w.card
    w.registries.source["docker.io/library/redis:7.4.1"] = TransientError("docker.io is slow")
    await w.say(WEI, "/outdated redis")
    await w.settle(2)
    assert "1 image could not be compared: a registry did not answer" in w.last


async def test_a_registry_that_never_answers_keeps_no_question_open(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr("bot.engine.lanes.questions.COMPARE_SECONDS", 0.05)
    monkeypatch.setattr(w.registries, "source_digest", never)
    w.repository.content = b"nginx:1.27\n"
    await w.say(WEI, "/outdated")
    await w.settle(2)
    assert w.last.startswith("Nothing could be compared.\n1 image could not be compared")


async def test_a_list_that_cannot_be_read_is_answered_with_why(w: World) -> None:
    w.repository.trouble["read_list"] = [
        TransientError("GitHub is slow"),
        RefusedError("GitHub: no"),
    ]
    await w.say(WEI, "/list")
    await w.settle(5)
    assert w.last == "I could not read image.list: GitHub: no.\nTry again later."


async def test_an_admin_sees_the_queue_the_budgets_and_the_last_trouble(w: World) -> None:
    w.upstream(NGINX, STATIC)
    await w.say(WEI, f"/mirror nginx:1.27 {STATIC} redis:7")
    await w.settle(8)
    await w.say(WEI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
    await w.settle(2)
    await w.say(ANA, "/status")
    await w.settle(2)
    assert "Other people's requests:" in w.last
    assert "#2 · a draft, waits for Wei to confirm it" in w.last
    assert "All chats: 0 being looked up, 1 waiting for an admin, 0 in the queue, 1 being" in w.last
    assert "Last failure: <code>docker.io/library/redis:7</code>, not found" in w.last
    await w.say(WEI, "/status")
    await w.settle(2)
    assert "All chats" not in w.last


async def test_an_admin_of_an_idle_house_sees_just_what_is_left_to_spend(w: World) -> None:
    w.registries.limited = True
    await w.say(ANA, "/status")
    await w.settle(2)
    assert w.last == "docker.io: 40 of 100 requests left."


# -- places and languages ---------------------------------------------------------------


async def test_answers_stay_in_their_topic(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror nginx:1.27", thread=7)
    await w.say(WEI, "/lookup nginx:1.27", thread=8)
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(8)
    assert [said.place.thread for said in w.chat.messages.values()] == [7, 8, 7]


async def test_a_group_that_became_a_supergroup_keeps_its_cards_and_its_people(w: World) -> None:
    w.upstream(NGINX, STATIC)
    await w.say(WEI, f"/mirror {NGINX} {STATIC}")
    await w.settle(8)
    w.copied(NGINX)
    new = ChatId("telegram:-1009")
    w.chat.moves[GROUP] = new
    await w.press(ANA, "Approve")
    await w.settle(12)
    w.copied(STATIC)
    await w.settle(12)
    moved = [said for said in w.chat.messages.values() if said.place.chat == new]
    assert "2 of 2" in moved[0].text
    assert moved[0].reply_to is None, "numbers of the old group mean others now"
    assert any(said.text.startswith("Done, 2 of 2") for said in moved)
    await w.move(GROUP, new)
    await w.say(WEI, "/status", chat=new)
    await w.settle(2)
    assert "Nothing of yours" in w.last
    await w.say(WEI, "/status", chat=ChatId("telegram:-1010"))
    await w.settle(2)
    assert "I do not serve this chat yet." in w.last


async def test_a_group_is_answered_in_its_language_and_a_person_in_their_own(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, language=Language.ZH_CN) as w:
        w.upstream(NGINX)
        await w.say(WEI, "/mirror nginx:1.27")
        await w.settle(8)
        assert "个镜像" in w.card
        await w.say(WEI, "/help", chat=PRIVATE)
        await w.settle(2)
        assert w.last.startswith("I copy container images")
        await w.say(LI, "/help", chat=ChatId(LI.id))
        await w.settle(2)
        assert "镜像" in w.last
        assert "Only an admin can do this." in await w.press(WEI, "approve:AAAAAAAA")
        w.copied(NGINX)
        await w.settle(8)
        assert "docker pull" in w.last
        assert "镜像" in w.card


async def test_in_private_everything_goes_likewise(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/mirror Nginx:1.27", chat=PRIVATE)
    await w.settle(3)
    assert await w.press(WEI, "Yes, mirror it", chat=PRIVATE) == "On it: 1 image."
    await w.settle(8)
    w.copied(NGINX)
    await w.settle(8)
    assert w.last.startswith("Done, 1 of 1")
    assert await w.press(WEI, "containerd", chat=PRIVATE) == "Written for containerd."


async def test_only_what_begins_is_acknowledged(w: World) -> None:
    w.upstream(NGINX)
    assert await w.say(WEI, "/mirror nginx:1.27")
    assert await w.say(WEI, "/list")
    for text in ("/mirror", "/help", "hello", "/status", "/mirror evil/a:1"):
        assert not await w.say(WEI, text)
    assert not await w.say(MALLORY, "/mirror nginx:1.27")


async def test_thirty_requests_in_a_minute_are_all_answered_within_the_limits(w: World) -> None:
    w.policy = replace(w.policy, request_limit=60, open_limit=200, daily_limit=200)
    w.start()
    images = [ImageRef.parse(f"nginx:{n}") for n in range(30)]
    w.upstream(*images)
    times = count_messages(w)
    for image in images:
        await w.say(WEI, f"/mirror {image}")
        await w.settle(2)
        for run in range(len(w.repository.runs)):
            finish(w, run)
    for _ in range(300):
        await w.settle(1)
        for run in range(len(w.repository.runs)):
            finish(w, run)
    assert sum(text.startswith("Done, 1 of 1") for text in w.chat.texts) == 30
    for start in range(len(times) - 20):
        assert times[start + 20] - times[start] >= 60, "at most 20 messages a minute"


def count_messages(w: World) -> list[float]:
    """Record the time of each message and edit, in seconds."""
    times: list[float] = []
    stumble = w.chat.stumble

    def counted(place: object) -> None:
        times.append(w.clock.now.timestamp())
        stumble(place)  # type: ignore[arg-type]

    w.chat.stumble = counted  # type: ignore[method-assign]
    return times


def finish(w: World, run: int) -> None:
    """Let the run copy every image of the list and report it."""
    if w.repository.runs[run].run.is_finished:
        return
    for line in w.repository.content.decode().splitlines()[1:]:
        image = ImageRef.parse(line)
        w.registries.target[str(image)] = digest_of(str(image))
        w.repository.report(image, digest_of(str(image)), run=run)
    w.repository.finish(run=run)


async def test_sixty_images_fold_into_counts_and_name_what_failed(w: World) -> None:
    w.policy = replace(w.policy, request_limit=60, open_limit=200, daily_limit=200)
    w.start()
    name = "library/a-rather-long-name-of-an-image-for-a-test-of-folding"
    images = [ImageRef.parse(f"{name}:{n}") for n in range(60)]
    w.upstream(*images[:-1])
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(2)
    assert len(w.last) < 4096
    await w.press(WEI, "Mirror all 60")
    await w.settle(20)
    assert len(w.card) < 4096
    assert f"❌ <code>{images[-1]}</code>" in w.card
    assert "under way" in w.card
    w.copied(*images[:-1])
    await w.settle(30)
    assert all(len(text) < 4096 for text in w.chat.texts)
    assert w.last.startswith("Partly done, 59 of 60")
    async with w.store.begin() as unit:
        assert await unit.open_transfers() == []
        failed = await unit.last_failed()
    assert failed is not None
    assert failed.state is State.FAILED


async def test_a_name_forges_neither_the_head_of_a_card_nor_another_line(w: World) -> None:
    evil = replace(WEI, name="Li: 9 images  ▓▓▓▓▓▓▓▓▓▓ 9 of 9\n✅ all \u202edone\u200b")
    w.upstream(STATIC)
    await w.say(evil, f"/mirror {STATIC}")
    await w.settle(6)
    head, line, *_ = w.card.splitlines()
    assert head == "<b>#1</b> for Li 9 images 9 of 9 ✅ all done: 1 image  ░░░░░░░░░░ 0 of 1"
    assert line.startswith("⏳")
