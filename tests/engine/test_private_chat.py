"""In a private chat no command is needed. Unknown commands get one line."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, MALLORY, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.errors import TransientError
from bot.core.fresh import FreshPlan
from bot.core.ids import ChatId
from bot.core.image import ImageRef
from bot.core.tag_class import TagClass
from bot.engine.intake.admission import QUESTIONS_OF_A_PERSON
from bot.engine.intake.context import Attachment

PRIVATE = ChatId(WEI.id)
REDIS = ImageRef.parse("docker.io/library/redis:7")
COMPOSE = b"services:\n  web:\n    image: nginx:1.27\n"
PLAN = FreshPlan(
    intervals={TagClass.FLOATING: timedelta(hours=6), TagClass.VERSION: timedelta(hours=168)},
    looks=600,
    budgets={},
    alarms=GROUP,
)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, plan=PLAN) as made:
        yield made


# -- texts and files without a command --------------------------------------------------


async def test_a_text_is_taken_as_mirror_takes_it_but_never_without_asking(w: World) -> None:
    w.upstream(NGINX)
    assert await w.say(WEI, "nginx:1.27", chat=PRIVATE)
    await w.settle(4)
    assert w.last.startswith("<b>#1</b> for Wei: 1 image found. Mirror it?")
    assert w.registries.looks == 0
    await w.press(WEI, "Mirror it", chat=PRIVATE)
    await w.settle(12)
    w.copied(NGINX)
    await w.settle(12)
    assert w.last.startswith("Done, 1 of 1")


@pytest.mark.parametrize("text", ["/mirror nginx:1.27", "nginx:1.27", "docker pull nginx:1.27"])
async def test_what_is_forwarded_is_taken_as_a_text_and_never_as_a_command(
    w: World, text: str
) -> None:
    await w.say(WEI, text, chat=PRIVATE, forwarded=True)
    await w.settle(4)
    assert "1 image found. Mirror it?" in w.last


async def test_a_forwarded_command_of_an_admin_does_nothing(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.say(ANA, "/approve #1", chat=ChatId(ANA.id), forwarded=True)
    await w.settle(4)
    assert w.last.startswith("I found no image in that.")
    assert "waits for an admin" in w.card


async def test_a_file_without_a_caption_is_read(w: World) -> None:
    w.chat.files["f"] = COMPOSE
    assert await w.say(WEI, "", chat=PRIVATE, file=Attachment("f", "compose.yaml", 9))
    await w.settle(4)
    assert "1 image found in <code>compose.yaml</code>. Mirror it?" in w.last


async def test_what_names_no_image_gets_one_answer(w: World) -> None:
    assert not await w.say(WEI, "thank you!", chat=PRIVATE)
    await w.settle(4)
    assert w.chat.texts == [
        "I found no image in that.\nSend it like this: <code>/mirror nginx:1.27</code>"
    ]


async def test_an_answer_to_the_bot_is_no_request_for_what_it_quotes(w: World) -> None:
    await w.say(WEI, "thank you!", chat=PRIVATE, quoted="docker pull harbor.example.com/x/y:1")
    await w.settle(4)
    assert w.last.startswith("I found no image in that.")


async def test_strangers_are_told_once_where_they_are(w: World) -> None:
    for _ in range(3):
        await w.say(MALLORY, "hello?", chat=ChatId(MALLORY.id))
    await w.settle(4)
    (text,) = w.chat.texts
    assert text.startswith("You are not on my list yet.")


async def test_who_writes_too_fast_is_told_once(tmp_path: Path) -> None:
    async with world(tmp_path, replace(POLICY, minute_limit=3)) as w:
        for number in range(9):
            await w.say(WEI, f"nginx:{number}", chat=PRIVATE)
        await w.settle(20)
        assert sum("I take 3 commands a minute" in text for text in w.chat.texts) == 1
        async with w.store.begin() as unit:
            assert len(await unit.open_drafts()) == 3


async def test_while_nothing_can_be_stored_a_text_is_excused_in_private_alone(w: World) -> None:
    kept: list[object] = []
    for chat in (PRIVATE, GROUP):
        receive = w.intake.receive

        async def excused(incoming: object) -> bool:
            kept.append(w.intake.excuse(incoming))  # type: ignore[arg-type]
            raise TransientError("full")

        w.intake.receive = excused  # type: ignore[method-assign,assignment]
        with pytest.raises(TransientError):
            await w.say(WEI, "nginx:1.27", chat=chat)
        w.intake.receive = receive  # type: ignore[method-assign]
    in_private, in_group = kept
    assert in_private is not None
    assert in_group is None


# -- commands that are not known --------------------------------------------------------


@pytest.mark.parametrize("text", ["/foo", "/foo@mirror_bot nginx:1.27"])
async def test_an_unknown_command_gets_one_line_in_private(w: World, text: str) -> None:
    assert not await w.say(WEI, text, chat=PRIVATE)
    await w.settle(4)
    assert w.chat.texts == ["I do not know <code>/foo</code>.\n/help lists what I understand."]


async def test_in_a_group_it_is_answered_only_if_it_names_the_bot(w: World) -> None:
    await w.say(WEI, "/foo")
    await w.say(WEI, "/foo@other_bot")
    await w.settle(4)
    assert w.chat.texts == []
    await w.say(WEI, "/foo@mirror_bot")
    await w.settle(4)
    assert w.last.startswith("I do not know <code>/foo</code>.")


# -- several images ---------------------------------------------------------------------


async def test_lookup_answers_for_each_image(w: World) -> None:
    w.upstream(NGINX, REDIS)
    assert await w.say(WEI, "/lookup nginx:1.27 redis:7")
    await w.settle(6)
    assert [text.splitlines()[0] for text in w.chat.texts] == [
        "🔎 <code>docker.io/library/nginx:1.27</code>",
        "🔎 <code>docker.io/library/redis:7</code>",
    ]


async def test_lookup_names_what_it_does_not_look_up(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, "/lookup nginx:1.27 evil/miner:1 REDIS:7")
    await w.settle(6)
    texts = "\n".join(w.chat.texts)
    assert "docker.io/evil/miner:1" in texts
    assert "known to be harmful" in texts
    assert "<code>REDIS:7</code>: the repository has to be in lower case" in texts
    assert "🔎 <code>docker.io/library/nginx:1.27</code>" in texts


async def test_each_lookup_counts_and_too_many_are_refused_as_a_whole(w: World) -> None:
    most = " ".join(f"a/a:{number}" for number in range(QUESTIONS_OF_A_PERSON))
    await w.say(WEI, f"/lookup {most} b/b:1")
    async with w.store.begin() as unit:
        assert await unit.count_questions(WEI.id) == 0
    await w.say(WEI, f"/lookup {most}")
    async with w.store.begin() as unit:
        assert await unit.count_questions(WEI.id) == QUESTIONS_OF_A_PERSON
    await w.settle(2)
    assert w.chat.texts[0] == (
        "I look up at most 10 images at a time.\nAsk for fewer of them, or wait for my answers."
    )


async def test_watch_answers_with_a_line_for_each_image_and_each_counts(w: World) -> None:
    w.policy = replace(w.policy, watch_limit=2)
    w.start()
    await w.say(WEI, f"/watch nginx:1.27 redis:7@{digest_of('x')} redis:7 {STATIC}")
    await w.settle(4)
    lines = w.last.splitlines()
    assert [line for line in lines if line.startswith("When <code>")] == [
        f"When <code>{image}</code> is updated upstream, I tell you here as soon as our registry"
        " has the new one."
        for image in (NGINX, REDIS)
    ]
    assert sum("is named by its digest" in line for line in lines) == 1
    assert any(line.startswith(f"<code>{STATIC}</code>: you can watch 2 images") for line in lines)
    await w.say(LI, "/watch nginx:1.27")
    await w.say(WEI, f"/unwatch nginx:1.27 {STATIC}")
    await w.settle(4)
    assert w.last.splitlines()[:2] == [
        "I stop telling you about <code>docker.io/library/nginx:1.27</code>.",
        f"You do not watch <code>{STATIC}</code>.",
    ]
