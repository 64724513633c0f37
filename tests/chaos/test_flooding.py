"""A person who writes without end blocks neither the chat nor the bot for the others."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from fakes import ANA, LI, MALLORY, NGINX, POLICY, STATIC, WEI, Clock, World, world
from sqlalchemy import select
from store_fixture import rows_of

from bot.adapters.store.schema import transfers
from bot.core.ids import ChatId, MessageId, Person, PersonId
from bot.core.image import ImageRef
from bot.core.request import PullFormat
from bot.engine.intake.rate_limit import (
    ANSWERS_TO_STRANGERS,
    PRESSES_PER_COMMAND,
    RATE_WINDOW,
    RateLimit,
    RateVerdict,
)

STRICT = replace(POLICY, minute_limit=10)
SPAM = (
    "/help",
    "/status",
    "/mirror",
    "/mirror x y z & nonsense",
    "/approve #1",
    "/whoami",
    "/lookup nginx:1.27",
    "/list",
    "/retry #999",
    "/mirror nginx:1.27 redis:7 busybox:1 alpine:3",
)


async def flood(w: World, who: Person, number: int, *, per_tick: int, **how: object) -> None:
    """Send this many messages, a few a second, while the bot works."""
    for position in range(number):
        await w.say(who, SPAM[position % len(SPAM)], **how)  # type: ignore[arg-type]
        if position % per_tick == per_tick - 1:
            await w.reconciler.tick()
            w.clock.pass_time(1)


@pytest.mark.parametrize(
    ("who", "how"),
    [(MALLORY, {}), (WEI, {}), (MALLORY, {"faceless": True})],
    ids=["a guest", "a member", "an anonymous admin"],
)
async def test_li_is_served_while_somebody_floods_the_group(
    who: Person, how: dict[str, object], tmp_path: Path, tally: Counter[str]
) -> None:
    async with world(tmp_path, STRICT) as w:
        w.upstream(NGINX)
        await flood(w, who, 120, per_tick=10, **how)
        message = await ask(w)
        tally["inputs"] += 120
        for _ in range(20):  # seconds
            await flood(w, who, 8, per_tick=8, **how)
            tally["inputs"] += 8
            if answered(w, message):
                break
        assert answered(w, message), [s.text for s in w.chat.messages.values()][-12:]


async def ask(w: World) -> MessageId:
    await w.say(LI, "/mirror docker.io/library/evil-or-not:1")
    return MessageId(f"telegram:{w.last_message}")


def answered(w: World, message: MessageId) -> bool:
    return any(said.reply_to == message for said in w.chat.messages.values())


@pytest.mark.parametrize("who", [MALLORY, WEI], ids=["a guest", "a member"])
async def test_a_flood_takes_no_more_than_its_part_of_what_may_be_said(
    who: Person, tmp_path: Path, tally: Counter[str]
) -> None:
    async with world(tmp_path, STRICT) as w:
        w.upstream(NGINX)
        await w.say(LI, "/whoami")
        await w.settle(120, step=10)
        before = len(w.chat.messages)
        await flood(w, who, 200, per_tick=10)
        tally["inputs"] += 200
        sent = len(w.chat.messages) - before
        assert sent <= (ANSWERS_TO_STRANGERS if who is MALLORY else 10 + 4)


async def test_a_member_who_is_too_fast_is_told_once_and_when_to_go_on(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        for _ in range(40):
            await w.say(WEI, "/whoami")
        await w.settle(5)
        told = [text for text in w.chat.texts if "10 commands a minute" in text]
        (line,) = told
        assert line.endswith("I ignore what you send in the next 60 s.")
        assert len(w.chat.texts) == 11
        w.clock.pass_time(60)
        await w.say(WEI, "/whoami")
        await w.settle(70, step=5)
        assert len(w.chat.texts) == 12


async def test_admins_are_never_too_fast(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        for _ in range(15):
            await w.say(ANA, "/whoami")
        await w.settle(5)
        assert len(w.chat.texts) == 15


async def test_strangers_do_not_use_up_one_anothers_patience_with_members(tmp_path: Path) -> None:
    """A hundred accounts get no further than one."""
    async with world(tmp_path, STRICT) as w:
        for number in range(100):
            await w.say(Person(PersonId(f"telegram:{5000 + number}"), f"M{number}", "en"), "/help")
        await w.say(WEI, "/whoami")
        await w.settle(3)
        assert len(w.chat.texts) == ANSWERS_TO_STRANGERS + 1
        assert "1001" in w.last


async def test_presses_that_begin_something_are_counted_with_commands(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        w.repository.content = b"".join(b"docker.io/a/b%d:1\n" % n for n in range(60))
        await w.say(WEI, "/list")
        await w.settle(3)
        answers = [await w.press(WEI, "list:1:") for _ in range(30)]
        assert answers[:9] == [""] * 9
        assert all("10 commands a minute" in answer for answer in answers[9:])
        async with w.store.begin() as unit:
            assert len(await unit.questions()) == 9


async def test_retries_by_a_button_are_counted_with_commands(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        await w.say(WEI, "/mirror gone:1")
        await w.settle(8)
        answers = list[str]()
        for _ in range(40):
            answers.append(await w.press(WEI, "retry:1"))
            await w.settle(1)
        assert sum("10 commands a minute" in answer for answer in answers) > 20
        async with w.store.begin() as unit:
            assert len(await rows_of(unit, select(transfers.c.id))) <= 15


async def test_a_draft_takes_many_presses_but_not_without_end(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        await w.say(WEI, "/mirror a/a:1 b/b:1 and then perhaps c/c:1")
        await w.settle(3)
        answers = [await w.press(WEI, "tick:1:0") for _ in range(200)]
        taken = [answer for answer in answers if "commands a minute" not in answer]
        assert len(taken) == 9 * PRESSES_PER_COMMAND
        assert "commands a minute" not in await w.press(ANA, "tick:1:0")


async def test_presses_of_one_member_do_not_hold_up_anothers_card(tmp_path: Path) -> None:
    roomy = replace(STRICT, open_limit=100, daily_limit=100)
    async with world(tmp_path, roomy) as w:
        old = [ImageRef.parse(f"nginx:{number}") for number in range(6)]
        w.upstream(STATIC, *old)
        for image in old:
            w.registries.target[str(image)] = w.registries.source[str(image)]
            await w.say(WEI, f"/mirror {image}")
        await w.settle(70)
        forms = cycle(f"form:{number}:{form}" for form in PullFormat for number in range(1, 7))

        async def flip(seconds: float) -> None:
            for _ in range(3):
                await w.press(WEI, next(forms))
            await w.settle(seconds, step=seconds)

        for _ in range(60):
            await flip(1)
        await w.say(LI, f"/mirror {STATIC}")
        began = w.clock()
        while not any("Approve" in str(said.buttons) for said in w.chat.messages.values()):
            await flip(0.5)
            assert w.clock() - began < timedelta(seconds=3)


async def test_what_is_passed_over_gets_no_sign_that_it_was_seen(tmp_path: Path) -> None:
    async with world(tmp_path, STRICT) as w:
        begun = [await w.say(WEI, "/lookup nginx:1") for _ in range(12)]
        assert begun == [True] * 10 + [False] * 2
        w.clock.pass_time(5)
        outside = ChatId("telegram:-5")
        assert not any([await w.say(MALLORY, "/mirror nginx", chat=outside) for _ in range(3)])


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    allowance, clock = RateLimit(), Clock()
    turns = [allowance.take(WEI.id, clock.now, most=2, update=number) for number in range(4)]
    quiet = RateVerdict.IGNORED
    assert turns == [RateVerdict.ALLOWED, RateVerdict.ALLOWED, RateVerdict.TOLD_ONCE, quiet]
    clock.now -= timedelta(days=1)
    assert allowance.take(WEI.id, clock.now, most=2, update=4) is RateVerdict.ALLOWED


def test_nothing_is_kept_of_those_who_have_gone() -> None:
    allowance, clock = RateLimit(), Clock()
    for number in range(1000):
        allowance.take(PersonId(f"telegram:{number}"), clock.now, most=1, update=2 * number)
        allowance.take(PersonId(f"telegram:{number}"), clock.now, most=1, update=2 * number + 1)
    clock.now += RATE_WINDOW
    allowance.take(WEI.id, clock.now, most=1, update=2000)
    assert len(allowance._heard) == 1
    assert not allowance._told
