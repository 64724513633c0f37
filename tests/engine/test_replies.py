"""A command in a reply to a card or a result means that request, and decides like a press."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, MALLORY, NGINX, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.ids import ChatId, MessageId, RequestId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer

OTHER = ImageRef.parse("gcr.io/team/other:1")
CARD = MessageId("telegram:5000")
ELSEWHERE = ChatId("telegram:-1002")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    policy = replace(POLICY, request_limit=60, open_limit=60, daily_limit=60)
    async with world(tmp_path, policy) as made:
        yield made


async def ask(w: World, *images: ImageRef) -> None:
    w.upstream(*images)
    await w.say(WEI, "/mirror " + "\n".join(map(str, images)))
    await w.settle(8)


async def transfers(w: World, number: int = 1) -> tuple[Transfer, ...]:
    async with w.store.begin() as unit:
        return await unit.transfers_of(RequestId(number))


async def states(w: World, number: int = 1) -> list[State]:
    return [transfer.state for transfer in await transfers(w, number)]


def buttons(w: World, card: MessageId = CARD) -> tuple[str, ...]:
    """Return what the buttons of a message carry now, as Telegram shows it in a reply."""
    return tuple(w.chat.messages[card].data.values())


async def test_a_reply_approves_what_the_card_shows(w: World) -> None:
    await ask(w, STATIC, OTHER)
    await w.say(ANA, "/approve", replies_to=CARD, quoted_buttons=buttons(w))
    assert await states(w) == [State.APPROVED, State.APPROVED]
    await w.settle(4)
    assert any(text.startswith("#1: 2 images approved.") for text in w.chat.texts)
    await w.say(ANA, "/approve", replies_to=CARD, quoted_buttons=buttons(w))
    await w.settle(4)
    assert any(text.startswith("Already approved by Ana.") for text in w.chat.texts)


async def test_a_reply_decides_only_what_that_version_of_the_card_showed(w: World) -> None:
    images = [ImageRef.parse(f"gcr.io/team-{number}/a-tool-of-the-team:1") for number in range(50)]
    await ask(w, *images)
    await w.press(WEI, "all:1")
    await w.settle(8)
    shown = buttons(w)
    await w.press(ANA, "show:1:1")
    await w.settle(4)
    assert buttons(w) != shown
    await w.say(ANA, "/approve", replies_to=CARD, quoted_buttons=shown)
    await w.settle(2)
    waiting = (await states(w)).count(State.WAITING)
    assert 0 < waiting < 50
    answer = next(text for text in w.chat.texts if "images approved." in text)
    assert answer.endswith(f"{waiting} more wait for a decision.")


async def test_what_changed_since_is_not_decided_but_named(w: World) -> None:
    await ask(w, STATIC, OTHER)
    shown = buttons(w)
    changed = (await transfers(w))[0]
    async with w.store.begin() as unit:
        await unit.save_transfer(replace(changed, digest=digest_of("another")))
    await w.say(ANA, "/reject not that one", replies_to=CARD, quoted_buttons=shown)
    await w.settle(4)
    assert await states(w) == [State.WAITING, State.REJECTED]
    answer = next(text for text in w.chat.texts if "1 image rejected." in text)
    assert "decided or changed before: gcr.io/distroless/static" in answer
    assert answer.endswith("1 more waits for a decision.")


async def test_the_key_of_another_request_on_the_card_decides_nothing(w: World) -> None:
    """As in a message that somebody made to look like a card."""
    await ask(w, STATIC)
    await w.say(LI, f"/mirror {OTHER}")
    w.upstream(OTHER)
    await w.settle(8)
    second = next(n for n, said in w.chat.messages.items() if "<b>#2</b>" in said.text)
    await w.say(ANA, "/approve", replies_to=second, quoted_buttons=buttons(w))
    assert await states(w) + await states(w, 2) == [State.WAITING, State.WAITING]
    await w.settle(4)
    assert any("#2 had changed" in text for text in w.chat.texts)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"replies_to": MessageId("telegram:77")},
        {"replies_to": CARD, "chat": ELSEWHERE},
        {"replies_to": CARD, "chat": ChatId(ANA.id)},
    ],
    ids=["no reply", "a message of another bot", "another group", "in private"],
)
@pytest.mark.parametrize("name", ["approve", "reject", "cancel", "retry"])
async def test_a_reply_to_anything_else_means_no_request(
    w: World, name: str, more: dict[str, object]
) -> None:
    w.chats = {GROUP, ELSEWHERE}
    w.start()
    await ask(w, STATIC)
    await w.say(ANA, f"/{name}", quoted_buttons=buttons(w), **more)  # type: ignore[arg-type]
    await w.settle(4)
    assert w.last.endswith("\nOr send it as a reply to a card or a result of mine.")
    assert await states(w) == [State.WAITING]


async def test_rights_are_those_of_the_command_with_a_number(w: World) -> None:
    await ask(w, STATIC)
    for who, text, words in (
        (WEI, "/approve", "Only an admin can do this."),
        (WEI, "/reject no", "Only an admin can do this."),
        (LI, "/cancel", "#1 belongs to somebody else."),
        (LI, "/retry", "#1 belongs to somebody else."),
        (MALLORY, "/cancel", "You are not on my list yet."),
        (MALLORY, "/status", "You are not on my list yet."),
    ):
        await w.say(who, text, replies_to=CARD, quoted_buttons=buttons(w))
        await w.settle(4)
        assert words in w.last, (who, text)
    assert await states(w) == [State.WAITING]


async def test_cancel_and_status_mean_the_card_that_they_reply_to(w: World) -> None:
    await ask(w, STATIC)
    await ask(w, OTHER)
    await w.say(LI, "/status", replies_to=CARD)
    await w.settle(4)
    assert "<b>#1</b> for Wei" in w.last
    assert str(OTHER) not in w.last
    await w.say(LI, "/status", replies_to=MessageId("telegram:77"))
    await w.settle(4)
    assert "Nothing of yours is under way here." in w.last
    await w.say(WEI, "/cancel", replies_to=CARD)
    assert await states(w) + await states(w, 2) == [State.CANCELLED, State.WAITING]


async def test_a_draft_is_dropped_in_a_reply_and_needs_no_decision(w: World) -> None:
    await w.say(WEI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
    await w.settle(4)
    await w.say(ANA, "/approve", replies_to=CARD)
    await w.settle(4)
    assert w.last == "#1 is a draft.\nWei has to confirm it first."
    await w.say(WEI, "/cancel", replies_to=CARD)
    await w.settle(4)
    assert "#1: cancelled, nothing was started." in w.chat.texts


async def test_retry_means_the_result_that_it_replies_to(w: World) -> None:
    w.upstream(NGINX)
    await w.say(WEI, f"/mirror {NGINX}")
    await w.settle(12)
    w.repository.report(NGINX, None, "target: exceeds the configured upper limit")
    w.repository.finish()
    await w.settle(12)
    result = next(n for n, said in w.chat.messages.items() if said.text.startswith("Not mirrored"))
    await w.say(WEI, "/retry", replies_to=result)
    await w.settle(12)
    w.copied(NGINX)
    await w.settle(12)
    assert w.last.startswith("Done, 1 of 1")
