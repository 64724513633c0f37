"""The bot is added to a group, and is asked for ids in groups that it does not serve."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import GROUP, MALLORY, WEI, World, world

from bot.core.ids import ChatId, Person
from bot.engine.intake.context import Added

ELSEWHERE = ChatId("telegram:-77")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def add(
    w: World, person: Person, chat: ChatId, *, hears_all: bool = False, again: bool = False
) -> None:
    w.last_update += not again
    update = w.last_update
    await w.intake.added(Added(update=update, person=person, chat=chat, hears_all=hears_all))
    await w.settle(1)


async def test_a_group_that_is_served_hears_what_the_bot_is(w: World) -> None:
    await add(w, WEI, GROUP)
    await add(w, WEI, GROUP, again=True)
    assert w.last == (
        "I mirror the container images that you ask for. This chat's id is <code>-1001</code>, "
        "yours is <code>1001</code>.\n"
        "Ask for one with <code>/mirror</code>. In this group only commands that name me are sure "
        "to reach me, such as <code>/help@mirror_bot</code>."
    )
    assert len(w.chat.texts) == 1, "an update that is repeated changes nothing"
    await add(w, WEI, GROUP)
    assert len(w.chat.texts) == 1, "once an hour"


async def test_another_group_hears_its_id_and_whom_to_ask(w: World) -> None:
    await add(w, MALLORY, ELSEWHERE, hears_all=True)
    assert w.last == (
        "I mirror container images, but I do not serve this chat yet. Its id is "
        "<code>-77</code>, yours is <code>1004</code>.\n"
        "Ask the maintainer to add the chat's id to <code>telegram.chats</code> in my config."
    )


async def test_a_group_that_has_moved_is_served(w: World) -> None:
    await w.move(GROUP, ELSEWHERE)
    await add(w, WEI, ELSEWHERE, hears_all=True)
    assert w.last.endswith("Ask for one with <code>/mirror</code>.")


async def test_whoami_is_answered_in_any_group_ten_times_a_minute_in_all(w: World) -> None:
    for number in range(14):
        await w.say(MALLORY, "/whoami", chat=ChatId(f"telegram:-{70 + number % 3}"))
    await w.settle(20)
    assert len(w.chat.texts) == 10
    assert "Its id is <code>-70</code>, yours is <code>1004</code>." in w.chat.texts[0]
    await w.settle(60)
    await add(w, MALLORY, ELSEWHERE)
    await w.say(MALLORY, "/mirror nginx", chat=ChatId("telegram:-78"))
    await w.settle(2)
    assert len(w.chat.texts) == 12


async def test_added_to_many_groups_at_once_it_answers_a_few(w: World) -> None:
    for number in range(14):
        await add(w, MALLORY, ChatId(f"telegram:-{70 + number}"))
    assert len(w.chat.texts) == 10


async def test_a_private_chat_is_never_suggested_as_one_to_serve(w: World) -> None:
    await w.say(MALLORY, "/whoami", chat=ChatId(MALLORY.id))
    await w.settle(2)
    assert w.last == (
        "You are not on my list yet. Your id is <code>1004</code>.\n"
        "Ask the maintainer to add it to my config."
    )
