"""After an upgrade, one card per chat offers to keep fresh what was kept without a question."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.approvals import Approvals
from bot.core.decision import Ground, Verdict
from bot.core.fresh import OFFERED_FOR, OFFERS_PER_CARD, FreshPlan
from bot.core.ids import ChatId, Person, PersonId
from bot.core.image import ImageRef
from bot.core.policy import Policy, Rule
from bot.core.tag_class import TagClass
from bot.core.transfer import State

HOUR = timedelta(hours=1)
OTHER = ChatId("telegram:-1002")
BO = Person(PersonId("telegram:1004"), "Bo", "en")
PLAN = FreshPlan(
    intervals={TagClass.FLOATING: 6 * HOUR, TagClass.VERSION: 6 * HOUR},
    looks=600,
    budgets={},
    alarms=GROUP,
)
BITNAMI = ImageRef.parse("docker.io/bitnami/nginx:1.27")
VERSION = ImageRef.parse("docker.io/bitnami/nginx:1.27.3")
OFFER = "kept fresh without a question"
ALARM = "differs from its source"


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, plan=PLAN) as made:
        made.chats.add(OTHER)
        made.start()
        yield made


async def upgraded(w: World, *images: ImageRef) -> None:
    """A list that was kept fresh, and then a start with nothing but the facts of before."""
    w.repository.content = "".join(f"{image}\n" for image in images).encode()
    w.start()
    await w.settle(8)  # the list is read anew
    for image in images:
        w.registries.source[str(image)] = w.registries.target[str(image)] = digest_of("0")
    await hours(w, 7)
    w.upgrade()
    await w.settle(64, step=8)


async def hours(w: World, count: int) -> None:
    w.clock.pass_time(count * 3600)
    await w.settle(160, step=8)


async def update(w: World, what: str, *images: ImageRef) -> None:
    for image in images:
        w.registries.source[str(image)] = digest_of(what)
    await hours(w, 7)


def said(w: World, words: str) -> list[str]:
    return [text for text in w.chat.texts if words in text]


def offers(w: World) -> list[str]:
    return said(w, OFFER)


async def test_one_card_lists_what_was_kept_fresh_and_one_press_keeps_it(w: World) -> None:
    await upgraded(w, STATIC, BITNAMI, VERSION, NGINX)
    (card,) = offers(w)
    assert "2 listed images were kept fresh" in card
    assert str(STATIC) in card
    assert str(BITNAMI) in card
    assert str(VERSION) not in card  # a version is an alarm of its own
    assert str(NGINX) not in card  # its rule approves
    assert digest_of("0")[:19] in card
    await update(w, "1", STATIC)
    assert (said(w, ALARM), w.repository.dispatched) == ([], [])
    assert "Only an admin" in await w.press(WEI, "Keep all fresh")
    answer = await w.press(ANA, "Keep all fresh")
    assert answer == "#1: 2 images are kept fresh. /unkeep ends that."
    await w.settle(64, step=8)
    assert w.repository.dispatched  # what was held goes on at once
    async with w.store.begin() as unit:
        first, second = (await unit.decisions_on_tags())[:2]
    for decision, image in ((first, BITNAMI), (second, STATIC)):
        assert (decision.image, decision.digest) == (image, digest_of("0"))
        assert (decision.ground, decision.verdict) == (Ground.KEPT, Verdict.APPROVE)
        assert (decision.person, decision.request, bool(decision.card)) == (ANA.id, 1, True)
    assert "kept fresh by Ana" in offers(w)[0]
    assert not said(w, "Done")


async def test_it_is_offered_once_and_a_restart_repeats_nothing(w: World) -> None:
    await upgraded(w, STATIC, BITNAMI)
    w.start()
    await hours(w, 2)
    assert len(offers(w)) == 1
    await w.press(ANA, "Keep all fresh")
    w.start()
    await hours(w, 2)
    assert len(offers(w)) == 1
    assert await w.press(ANA, "approve:1") == "Already answered by Ana."


async def test_each_chat_gets_what_was_asked_there_and_nothing_of_private_chats(w: World) -> None:
    for image, person, chat in ((STATIC, LI, OTHER), (BITNAMI, WEI, ChatId(str(WEI.id)))):
        w.upstream(image)
        await w.say(person, f"/mirror {image}", chat=chat)
        await w.settle(10)
    await upgraded(w, STATIC, BITNAMI)
    told = {m.place.chat: m.text for m in w.chat.messages.values() if OFFER in m.text}
    assert set(told) == {GROUP, OTHER}
    assert str(STATIC) in told[OTHER]
    assert str(BITNAMI) in told[GROUP]


async def test_asking_each_time_raises_the_alarm_that_was_held(w: World) -> None:
    await upgraded(w, STATIC)
    await update(w, "1", STATIC)
    assert await w.press(ANA, "Ask each time") == ("#1: I ask about each new digest of 1 image.")
    await w.settle(64, step=8)
    (alarm,) = said(w, ALARM)
    assert digest_of("1") in alarm
    assert "Ana wants to be asked about each new digest" in offers(w)[0]
    async with w.store.begin() as unit:  # the digest that is there was not rejected
        (decision,) = await unit.decisions_on_tags()
    assert (decision.verdict, decision.ground) == (Verdict.DENY, Ground.KEPT)


async def test_after_a_week_without_an_answer_each_update_asks(w: World) -> None:
    await upgraded(w, STATIC)
    await update(w, "1", STATIC)
    assert not said(w, ALARM)
    await hours(w, int(OFFERED_FOR / HOUR))
    assert "nobody answered, so I ask about each new digest" in offers(w)[0]
    assert said(w, ALARM)
    await w.say(ANA, "/retry #1")
    await w.settle(5)
    assert "There is nothing in #1 to retry" in w.last


async def test_people_who_ask_meanwhile_are_served_as_ever(w: World) -> None:
    await upgraded(w, STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(20)
    assert "Was already there" in w.last
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(20)
    await w.say(ANA, "/approve #3")
    await w.settle(20)
    async with w.store.begin() as unit:
        assert [t.state for t in await unit.transfers_of(1)] == [State.WAITING]  # type: ignore[arg-type]
        assert (await unit.transfers_of(3))[0].approved_by == ANA.id  # type: ignore[arg-type]
    await w.say(ANA, "/approve #1")
    await w.settle(20)
    assert "1 image is kept fresh" in w.last


async def test_some_are_chosen_and_the_others_wait(w: World) -> None:
    await upgraded(w, STATIC, BITNAMI)
    await w.press(ANA, "Choose")
    await w.settle(5)
    await w.press(ANA, "distroless/static")
    await w.settle(5)
    assert await w.press(ANA, "Keep 1 fresh") == (
        "#1: 1 image is kept fresh. /unkeep ends that. 1 more waits for a decision."
    )
    await w.settle(5)
    (card,) = offers(w)
    assert "kept fresh by Ana" in card
    (offer,) = (said for said in w.chat.messages.values() if said.text == card)
    assert "🌱 Keep it fresh" in offer.data


async def test_it_needs_as_many_admins_as_its_rule_asks_for(tmp_path: Path) -> None:
    rules = (Rule("gcr.io/**", Verdict.ASK, approvals=Approvals(count=2)),)
    async with world(tmp_path, Policy(**_fields(POLICY, rules=rules)), plan=PLAN) as w:
        w.admins = {ANA.id, BO.id}
        w.start()
        await upgraded(w, STATIC)
        first = await w.press(ANA, "Keep it fresh")
        assert "One more admin has to approve" in first
        assert "You have approved" in await w.press(ANA, "Keep it fresh")
        await w.settle(5)
        assert "1 of 2: Ana" in offers(w)[0]
        assert "1 image is kept fresh" in await w.press(BO, "Keep it fresh")


async def test_what_a_rule_denies_by_now_is_not_kept(w: World) -> None:
    await upgraded(w, STATIC)
    w.policy = Policy(**_fields(w.policy, registries=frozenset({"docker.io"})))
    w.start()
    assert "does not allow" in await w.press(ANA, "Keep it fresh")
    await w.settle(20)
    assert "not allowed by the policy" in offers(w)[0]


async def test_many_images_have_several_cards(w: World) -> None:
    names = [ImageRef.parse(f"gcr.io/a/b{n}:1.{n % 50}") for n in range(OFFERS_PER_CARD + 1)]
    await upgraded(w, *names)
    assert [f"{OFFERS_PER_CARD} listed images" in card for card in offers(w)] == [True, False]


async def test_a_new_installation_is_offered_nothing(w: World) -> None:
    w.repository.content = f"{STATIC}\n".encode()
    w.registries.source[str(STATIC)] = w.registries.target[str(STATIC)] = digest_of("0")
    await hours(w, 7)
    assert offers(w) == []


def _fields(policy: Policy, **changed: object) -> dict[str, object]:
    names = policy.__dataclass_fields__
    return {name: getattr(policy, name) for name in names} | changed
