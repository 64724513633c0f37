"""/list unused: what clusters run beside image.list. What is missing becomes a draft."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, TARGET, WEI, World, world

from bot.core.draft import DRAFTS_OF_A_PERSON
from bot.core.errors import TransientError
from bot.core.ids import ChatId
from bot.core.running import CLUSTERS_KEPT
from bot.engine.intake.admission import QUESTIONS_OF_A_PERSON
from bot.engine.intake.context import Attachment

LISTED = b"nginx:1.27\nnginx:1.26\nredis:7\nquay.io/a/b:1 # old\n"
PODS = f"""\
{TARGET.host}/docker.io/library/nginx:1.27
docker.io/library/redis:7
gcr.io/distroless/static:nonroot
"""
OTHER = ChatId("telegram:-1002")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.repository.content = LISTED
        made.chats.add(OTHER)
        made.start()
        yield made


async def test_unused_is_told_missing_is_offered_and_nothing_is_deleted(w: World) -> None:
    await w.say(WEI, f"/list unused prod\n{PODS}")
    await w.settle(8)
    answer, card = w.chat.texts
    assert answer.startswith("2 of 4 images in image.list are in use nowhere:")
    assert "prod (12:00 UTC, 3 images)" in answer
    assert "<code>docker.io/library/nginx</code> (1): 1.26\n" in answer
    assert "/remove" in answer
    assert "1 image is in use and new to image.list" in answer
    assert "gcr.io/distroless/static:nonroot" in card
    assert w.repository.content == LISTED
    async with w.store.begin() as unit:
        (draft,) = await unit.open_drafts()
        assert draft.is_draft


async def test_several_clusters_count_together_each_by_its_name_and_chat(w: World) -> None:
    await w.say(WEI, "/list unused")
    await w.settle(4)
    assert "I do not know what your clusters use." in w.last
    await w.say(WEI, "/list unused prod\nnginx:1.27")
    await w.say(WEI, "/list unused test\nnginx:1.26\nquay.io/a/b:1\nredis:7")
    await w.settle(8)
    assert w.last.startswith("All 4 images in image.list are in use.")
    assert "/remove" not in w.last
    await w.say(WEI, "/list unused test\nnginx:1.26")
    await w.say(ANA, "/list unused", chat=OTHER)
    await w.settle(8)
    found = {said.place.chat: said.text for said in w.chat.messages.values()}
    assert found[GROUP].startswith("2 of 4 images")
    assert "I do not know" in found[OTHER]
    for number in range(CLUSTERS_KEPT + 3):
        w.clock.pass_time(1)
        await w.say(WEI, f"/list unused c{number}\nnginx:1.27")
        await w.settle(1)
    async with w.store.begin() as unit:
        kept = {each.name for each in await unit.running(GROUP)}
    assert len(kept) == CLUSTERS_KEPT
    assert "prod" not in kept
    assert f"c{CLUSTERS_KEPT + 2}" in kept


async def test_a_file_and_what_is_replied_to_count_as_a_pasted_list(w: World) -> None:
    w.chat.files["pods"] = [TransientError("502"), PODS.encode(), PODS.encode()]
    file = Attachment("pods", "pods.txt", len(PODS))
    await w.say(WEI, "/list unused prod", file=file)
    w.start()
    await w.settle(20)
    assert any("2 of 4 images" in text for text in w.chat.texts)
    await w.say(LI, "/list unused prod", quoted="redis:7\nnginx:1.27\nnginx:1.26")
    await w.settle(4)
    assert "1 of 4 images" in w.last
    await w.say(LI, "/list unused", quoted_file=file)
    await w.settle(4)
    assert "cluster (" in [text for text in w.chat.texts if "of 4" in text][-1]
    w.chat.files["pods"] = b"\0\xff"
    await w.say(LI, "/list unused", file=file)
    await w.settle(4)
    assert "pods.txt" in w.last
    w.chat.files["pods"] = b"nothing here\n"
    await w.say(LI, "/list unused", file=file)
    await w.settle(4)
    large = replace(file, size=9_999_999)
    await w.say(LI, "/list unused", file=large)
    await w.say(LI, "/list unused x\n!!")
    await w.settle(4)
    assert len(w.chat.texts) >= 6


async def test_drafts_and_questions_of_one_person_are_bounded(w: World) -> None:
    for number in range(22):
        await w.say(WEI, f"/list unused\nquay.io/a/c:{number}")
        await w.settle(2)
    await w.settle(400, step=8)
    assert any("drafts that wait for you" in text for text in w.chat.texts)
    async with w.store.begin() as unit:
        assert len(await unit.open_drafts()) == DRAFTS_OF_A_PERSON
    for _ in range(QUESTIONS_OF_A_PERSON + 2):
        await w.say(LI, "/list unused")
    async with w.store.begin() as unit:
        assert await unit.count_questions(LI.id) == QUESTIONS_OF_A_PERSON
