"""Two services beside each other: new files and the composition root are all that one needs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from engine.lines_service import HALL, LIMIT, LinesChat
from fakes import ANA, GROUP, NGINX, POLICY, STATIC, WEI, World, fresh_plan, world

from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.errors import TransientError
from bot.core.ids import ChatId, Person, PersonId, RequestId
from bot.core.image import ImageRef
from bot.core.people import People
from bot.core.policy import Policy, Rule
from bot.core.transfer import State

WEI_THERE = Person(PersonId("lines:21"), "wei")
ANA_THERE = Person(PersonId("lines:23"), "ana")
PEOPLE = People(((WEI.id, WEI_THERE.id), (ANA.id, ANA_THERE.id)))


def asking(**needs: object) -> Policy:
    needs = {"people": PEOPLE} | needs
    rule = Rule("gcr.io/**", Verdict.ASK, approvals=Approvals(**needs))  # type: ignore[arg-type]
    return replace(POLICY, rules=(rule, *POLICY.rules), people=PEOPLE)


def both(w: World) -> LinesChat:
    lines = LinesChat()
    w.others = {"lines": lines}
    w.chats, w.admins = {GROUP, HALL}, {ANA.id, ANA_THERE.id}
    w.approvals = (GROUP, HALL)
    start(w)
    return lines


def start(w: World) -> None:
    w.start(members=frozenset({WEI.id, WEI_THERE.id}))


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, asking()) as here:
        yield here


async def say_there(w: World, person: Person, text: str) -> None:
    await w.say(person, text, chat=HALL)


async def states(w: World, request: int = 1) -> list[State]:
    async with w.store.begin() as unit:
        return [each.state for each in await unit.transfers_of(RequestId(request))]


async def test_a_conversation_by_a_service_without_buttons_beside_one_by_telegram(
    w: World,
) -> None:
    lines = both(w)
    w.upstream(NGINX, STATIC)
    await w.say(WEI, "/mirror nginx:1.27")
    await say_there(w, WEI_THERE, f"/mirror {STATIC}")
    await w.settle(12)
    w.copied(NGINX)
    card = next(iter(lines.messages.values()))
    assert card.startswith("*#2*")
    assert f"`{STATIC}`" in card or str(STATIC) in card
    await say_there(w, ANA_THERE, lines.typed("approve"))
    await w.settle(20)
    w.copied(STATIC)
    await w.settle(60)
    assert any("harbor.example.com/gcr.io/distroless/static:nonroot" in m for m in said(lines))
    assert any(text.startswith("Done, 1 of 1") for text in w.chat.texts)
    assert not any("#2" in text and "Done" in text for text in w.chat.texts)


def said(lines: LinesChat) -> list[str]:
    return [*lines.messages.values()]


async def test_trouble_of_one_service_delays_no_message_of_the_other(w: World) -> None:
    lines = both(w)
    lines.trouble = [TransientError("no answer", retry_after=60)] * 9
    w.upstream(NGINX)
    await say_there(w, WEI_THERE, "/mirror nginx:1.27")
    await w.say(WEI, "/whoami")
    await w.settle(3)
    assert "1001" in w.last
    assert not lines.messages
    lines.trouble.clear()
    await w.settle(120)
    assert said(lines)


async def test_a_service_with_less_room_shows_fewer_images_at_once(w: World) -> None:
    lines = both(w)
    images = [ImageRef.parse(f"gcr.io/{'a' * 60}/{number}:1") for number in range(6)]
    w.upstream(*images)
    await say_there(w, WEI_THERE, "/mirror " + " ".join(map(str, images)))
    await w.settle(4)
    await say_there(w, WEI_THERE, "/mirror #1")
    await w.settle(20)
    shown = [image for image in images if str(image) in next(iter(lines.messages.values()))]
    assert 0 < len(shown) < len(images)
    await say_there(w, ANA_THERE, lines.typed("approve"))
    await w.settle(4)
    assert (await states(w)).count(State.WAITING) == len(images) - len(shown)
    assert max(map(len, lines.messages.values())) < 2 * LIMIT


@pytest.mark.parametrize("rejected", [False, True])
async def test_what_is_asked_by_one_service_is_decided_by_another(
    w: World, *, rejected: bool
) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await say_there(w, WEI_THERE, f"/mirror {STATIC}")
    await w.settle(12)
    assert any("#1" in text and str(STATIC) in text for text in w.chat.texts)
    await w.press(ANA, "❌ Reject" if rejected else "✅ Approve")
    await w.settle(20)
    assert await states(w) != [State.WAITING]
    over = [text for text in w.chat.texts if "nothing waits for a decision any more" in text]
    assert len(over) == 1
    assert "by Ana" in over[0]
    assert "Ana" in said(lines)[0] or rejected
    if rejected:
        assert any("by Ana" in message for message in said(lines))


async def test_what_is_asked_by_telegram_is_decided_by_the_other_service(w: World) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(12)
    assert any(str(STATIC) in message for message in said(lines))
    await say_there(w, ANA_THERE, lines.typed("approve"))
    await w.settle(20)
    assert await states(w) != [State.WAITING]
    assert any("nothing waits for a decision any more" in m and "ana" in m for m in said(lines))
    assert w.repository.commits


async def test_of_two_who_decide_at_once_one_decides_and_both_are_told(w: World) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(12)
    typed = lines.typed("reject")
    answer = await w.press(ANA, "✅ Approve")
    await say_there(w, ANA_THERE, typed)
    await w.settle(20)
    assert answer == "#1: 1 image approved."
    assert any("Already approved by Ana" in message for message in said(lines))
    async with w.store.begin() as unit:
        assert len(await unit.decisions_of("gcr.io", "distroless/static", limit=9)) == 1


async def test_what_was_asked_in_private_is_shown_in_no_group(w: World) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}", chat=ChatId(WEI.id))
    await w.settle(100)
    assert not lines.messages
    assert not [s for s in w.chat.messages.values() if s.place.chat == GROUP]
    await say_there(w, WEI_THERE, "/status 1")
    await w.settle(20)
    assert any("There is no request #1" in message for message in said(lines))


async def test_one_human_counts_once_for_two_approvals(tmp_path: Path) -> None:
    async with world(tmp_path, asking(count=2)) as w:
        lines = both(w)
        w.upstream(STATIC)
        await w.say(WEI, f"/mirror {STATIC}")
        await w.settle(12)
        await w.press(ANA, "✅ Approve")
        await say_there(w, ANA_THERE, lines.typed("approve"))
        await w.settle(20)
        assert await states(w) == [State.WAITING]


async def test_nobody_approves_by_another_name_what_they_asked_for(tmp_path: Path) -> None:
    async with world(tmp_path, asking(own=False)) as w:
        both(w)
        w.upstream(STATIC)
        await say_there(w, ANA_THERE, f"/mirror {STATIC}")
        await w.settle(12)
        await w.press(ANA, "✅ Approve")
        await w.settle(20)
        assert await states(w) == [State.WAITING]


async def test_limits_count_what_a_human_asked_by_all_names(w: World) -> None:
    lines = both(w)
    w.policy = replace(w.policy, open_limit=1)
    start(w)
    await w.say(WEI, f"/mirror {STATIC}")
    await say_there(w, WEI_THERE, f"/mirror {STATIC.registry}/distroless/base:1")
    await w.settle(12)
    assert await states(w, 2) == []
    assert any("1 image" in message for message in said(lines))


async def test_watches_and_follows_are_limited_by_what_a_human_has_by_all_names(
    tmp_path: Path,
) -> None:
    policy = replace(asking(), watch_limit=2)
    async with world(tmp_path, policy, plan=fresh_plan()) as w:
        lines = both(w)
        await w.say(WEI, "/watch nginx", chat=ChatId(WEI.id))
        await w.say(WEI, "/watch redis:7")
        await say_there(w, WEI_THERE, "/watch busybox:latest")
        await say_there(w, WEI_THERE, "/watch")
        await w.settle(20)
        assert any("watch 2 images" in message for message in said(lines)), said(lines)
        assert not any("nginx" in message for message in said(lines)), "it was said in private"
        await say_there(w, WEI_THERE, "/watch redis:7")
        await say_there(w, WEI_THERE, "/unwatch nginx")
        async with w.store.begin() as unit:
            assert await unit.watches_of(WEI.id) == []
            (kept,) = await unit.watches_of(WEI_THERE.id)
        assert str(kept.image) == "docker.io/library/redis:7"
        for image in ("nginx", "redis"):
            await w.say(WEI, f"/follow {image} ^1")
        await say_there(w, WEI_THERE, "/follow busybox ^1")
        async with w.store.begin() as unit:
            assert await unit.count_follows(WEI_THERE.id) == 0


async def test_a_human_has_one_name_in_what_was_decided(w: World) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await w.say(ANA, "/whoami")
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(12)
    await say_there(w, ANA_THERE, lines.typed("approve"))
    await w.settle(12)
    for command in (f"/history {STATIC}", f"/why {STATIC}"):
        await w.say(ANA, command)
        await w.settle(4)
        assert w.last.count("Ana approved") == 1
        assert "ana " not in w.last


async def test_a_person_cancels_by_one_name_what_they_asked_for_by_another(w: World) -> None:
    both(w)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(12)
    await say_there(w, WEI_THERE, "/cancel 1")
    await w.settle(4)
    assert await states(w) == [State.CANCELLED]


@pytest.mark.parametrize("announced", [False, True])
async def test_a_group_that_became_a_supergroup_goes_on_deciding_for_others(
    w: World, *, announced: bool
) -> None:
    both(w)
    other = ImageRef.parse(f"{STATIC.registry}/distroless/base:1")
    w.upstream(STATIC, other)
    new = ChatId("telegram:-1009")
    await say_there(w, WEI_THERE, f"/mirror {STATIC}")
    await w.settle(12)
    w.chat.moves[GROUP] = new
    if announced:
        await w.move(GROUP, new)
    else:  # what is sent there meets it
        await say_there(w, WEI_THERE, f"/mirror {other}")
    await w.settle(20)
    cards = [s for s in w.chat.messages.values() if s.place.chat == new]
    assert [s.text.count(str(STATIC)) for s in cards if "#1" in s.text] == [1]
    await w.press(ANA, "approve:1", chat=new)
    await w.settle(20)
    assert State.WAITING not in await states(w)
    (card,) = [s for s in w.chat.messages.values() if s.place.chat == new and "#1" in s.text]
    assert "nothing waits for a decision any more" in card.text


async def test_a_restart_between_the_cards_of_two_services_sends_none_twice(w: World) -> None:
    lines = both(w)
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    for _ in range(4):
        await w.settle(4)
        start(w)
    await w.settle(12)
    assert len([m for m in said(lines) if m.startswith("*#1*")]) == 1
