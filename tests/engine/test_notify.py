"""Admins who ask for it have in private what waits, with working buttons."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, time
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, WEI, FakeChat, Said, World, digest_of, world

from bot.adapters.store.private_cards import PrivateCardQueries
from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, Person, Place
from bot.core.image import ImageRef
from bot.core.private_cards import CARDS_OF_A_PERSON, PrivateCard, PrivateCards
from bot.core.quiet_hours import QuietHours
from bot.core.transfer import State
from bot.dialog.message import Text

MINE = ChatId(ANA.id)
OVER = "In <b>#1</b> nothing waits for a decision any more.\nAlready approved by Ana."


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.say(ANA, "/notify", chat=MINE)
        await made.settle(4)
        assert made.last.startswith("I show you here, too, what waits for a decision")
        yield made


async def ask(w: World, number: int = 1, person: Person = WEI, chat: ChatId = GROUP) -> ImageRef:
    image = ImageRef.parse(f"gcr.io/team/app:{number}")
    w.upstream(image)
    await w.say(person, f"/mirror {image}", chat=chat)
    return image


def cards(w: World, chat: ChatId = MINE) -> list[Said]:
    """Return the messages in a private chat that are cards, or were."""
    return [
        said
        for number, said in w.chat.messages.items()
        if said.place.chat == chat and "<b>#" in said.texts[0] and number not in w.chat.deleted
    ]


async def press(w: World, label: str, person: Person = ANA, chat: ChatId = MINE) -> str:
    """Press a button of the newest card of a chat."""
    card = cards(w, chat)[-1]
    number = next(number for number, said in w.chat.messages.items() if said is card)
    data = next(value for key, value in card.data.items() if label in key)
    w.chat.button = lambda _: (number, data)  # type: ignore[method-assign]
    return await w.press(person, data, chat=chat)


async def test_what_waits_in_a_group_is_shown_and_decided_in_private(w: World) -> None:
    image = await ask(w)
    await w.settle(8)
    (card,) = cards(w)
    (group,) = cards(w, GROUP)
    assert card.text == group.text
    assert card.buttons == group.buttons
    assert "approved" in await press(w, "Approve")
    await w.settle(8)
    assert card.text == OVER
    assert card.buttons == ()
    w.copied(image)
    await w.settle(20)
    assert len(cards(w)) == 1
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
    assert own.cards == {}


async def test_a_press_decides_what_was_shown_and_no_newer_digest(w: World) -> None:
    image = await ask(w)
    await w.settle(8)
    data = dict(cards(w)[0].data)
    async with w.store.begin() as unit:
        (transfer,) = await unit.open_transfers()
        await unit.save_transfer(replace(transfer, digest=digest_of("newer")))
    assert str(image)
    number = next(n for n, said in w.chat.messages.items() if said is cards(w)[0])
    old = next(value for key, value in data.items() if "Approve" in key)
    w.chat.button = lambda _: (number, old)  # type: ignore[method-assign]
    assert "had changed before that" in await w.press(ANA, old, chat=MINE)
    await w.settle(8)
    assert digest_of("newer")[7:15] in cards(w)[0].text
    assert "approved" in await press(w, "Approve")


async def test_what_is_decided_in_the_group_is_over_in_private_too(w: World) -> None:
    await ask(w)
    await w.settle(8)
    await press(w, "Reject", chat=GROUP)
    await w.settle(8)
    assert cards(w)[0].text.endswith("Already rejected by Ana.")


async def test_a_reply_to_the_card_decides_as_in_the_group(w: World) -> None:
    await ask(w)
    await w.settle(8)
    number = next(n for n, said in w.chat.messages.items() if said is cards(w)[0])
    buttons = tuple(cards(w)[0].data.values())
    more = {"replies_to": number, "quoted_buttons": buttons}
    await w.say(ANA, "/reject not ours", chat=MINE, **more)
    await w.settle(8)
    assert "not ours" in "\n".join(w.chat.texts)
    assert cards(w)[0].text.endswith("Already rejected by Ana.")


async def test_the_words_are_in_the_language_of_the_admin(w: World) -> None:
    w.admins = {LI.id}
    w.start()
    await w.say(LI, "/notify 开", chat=ChatId(LI.id))
    await ask(w)
    await w.settle(8)
    (card,) = cards(w, ChatId(LI.id))
    assert "请求同步" in card.text
    await press(w, "驳回", person=LI, chat=ChatId(LI.id))
    await w.settle(8)
    assert "Li" in card.text
    assert cards(w) == [], "Ana is no admin any more"


async def test_nobody_but_an_admin_gets_one_or_decides_on_one(w: World) -> None:
    await w.say(WEI, "/notify", chat=ChatId(WEI.id))
    await ask(w)
    await w.settle(8)
    assert cards(w, ChatId(WEI.id)) == []
    stolen = next(v for key, v in cards(w)[0].data.items() if "Approve" in key)
    w.chat.button = lambda _: (MessageId("telegram:1"), stolen)  # type: ignore[method-assign]
    assert "admin" in await w.press(WEI, stolen, chat=ChatId(WEI.id))
    async with w.store.begin() as unit:
        (transfer,) = await unit.open_transfers()
    assert transfer.approved_at is None


async def test_in_a_group_it_is_not_asked_for(w: World) -> None:
    await w.say(ANA, "/notify")
    await w.settle(4)
    assert w.last.startswith("Send that to me in private.")


async def test_it_ends_when_the_admin_says_so_and_the_cards_decide_still(w: World) -> None:
    await ask(w)
    await w.settle(8)
    await w.say(ANA, "/notify off", chat=MINE)
    await ask(w, 2)
    await w.settle(8)
    assert len(cards(w)) == 1
    assert "approved" in await press(w, "Approve")
    await w.say(ANA, "/notify", chat=MINE)
    await w.settle(8)
    assert len(cards(w)) == 2


async def test_a_person_who_blocked_the_bot_gets_no_more(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = FakeChat.send

    async def refused(
        self: FakeChat, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        if place.chat == MINE:
            raise RefusedError("Telegram: Forbidden: bot was blocked by the user")
        return await send(self, place, text, reply_to=reply_to)

    monkeypatch.setattr(FakeChat, "send", refused)
    await ask(w)
    await w.settle(8)
    async with w.store.begin() as unit:
        assert await unit.private_cards() == []


async def test_one_that_the_admin_deleted_is_not_sent_again(w: World) -> None:
    await ask(w)
    await w.settle(8)
    w.chat.deleted |= {n for n, said in w.chat.messages.items() if said is cards(w)[0]}
    await ask(w, 1, LI)
    w.clock.pass_time(300)
    await w.settle(60, step=2)
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
    assert len(own.cards) <= 2
    await press(w, "Reject", chat=GROUP)
    await w.settle(20)
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
    assert own.cards == {}


async def test_their_number_is_bounded_and_others_follow(w: World) -> None:
    w.policy = replace(w.policy, open_limit=99, daily_limit=99)
    w.start()
    for number in range(CARDS_OF_A_PERSON + 2):
        await ask(w, number)
    await w.settle(60, step=2)
    assert len(cards(w)) == CARDS_OF_A_PERSON
    await press(w, "Approve")
    await w.settle(30)
    assert len(cards(w)) == CARDS_OF_A_PERSON + 1


async def test_what_an_admin_asked_in_private_has_one_card_there(w: World) -> None:
    await ask(w, person=ANA, chat=MINE)
    await w.settle(20)
    assert len(cards(w)) == 1
    await ask(w, 2, chat=ChatId(WEI.id))
    await w.settle(20)
    assert len(cards(w)) == 2, "what Wei asks in private is an admin's to decide"


async def test_who_has_the_card_in_private_is_not_called_to_it_but_reminded(w: World) -> None:
    await ask(w, chat=ChatId(WEI.id))
    await w.settle(300, step=6)
    assert [
        said.place.chat for said in w.chat.messages.values() if "for an admin." in said.text
    ] == []
    await w.settle(68 * 3600, step=600)
    assert "expires at" in w.last
    assert w.last.startswith("#1 waits for an admin.")


async def test_a_card_on_which_nothing_is_ticked_is_still_open(w: World) -> None:
    await ask(w)
    await w.settle(8)
    async with w.store.begin() as unit:
        (request,) = await unit.open_requests()
        left_out = frozenset(t.id for t in await unit.transfers_of(request.id))
        await unit.save_request(replace(request, choosing=True, left_out=left_out))
    await w.settle(8)
    assert cards(w)[0].text == cards(w, GROUP)[0].text
    assert cards(w)[0].buttons == cards(w, GROUP)[0].buttons


async def test_a_reply_decides_nothing_that_only_the_card_in_the_group_shows(w: World) -> None:
    await ask(w)
    await w.settle(8)
    edit = w.chat.edit

    async def late(place: Place, message: MessageId, text: Text) -> None:
        if place.chat == GROUP:
            raise TransientError("later")
        await edit(place, message, text)

    w.chat.edit = late  # type: ignore[method-assign]
    async with w.store.begin() as unit:
        (request,) = await unit.open_requests()
        left_out = frozenset(t.id for t in await unit.transfers_of(request.id))
        await unit.save_request(replace(request, choosing=True, left_out=left_out))
    await w.settle(8)
    assert cards(w)[0].buttons != cards(w, GROUP)[0].buttons
    number = next(n for n, said in w.chat.messages.items() if said is cards(w)[0])
    buttons = tuple(cards(w)[0].data.values())
    await w.say(ANA, "/approve", chat=MINE, replies_to=number, quoted_buttons=buttons)
    async with w.store.begin() as unit:
        (transfer,) = await unit.open_transfers()
    assert transfer.approved_at is None


async def test_in_quiet_hours_none_is_sent(w: World) -> None:
    w.quiet = QuietHours(time(11, 0), time(12, 30), UTC)
    w.start()
    await ask(w)
    await w.settle(600, step=6)
    assert cards(w) == []
    await w.settle(1500, step=6)
    assert len(cards(w)) == 1


async def test_trouble_costs_a_wait_and_a_restart_nothing(w: World) -> None:
    await ask(w)
    await w.settle(8)
    w.start()
    await w.settle(30)
    assert len(cards(w)) == 1
    edit, left = w.chat.edit, [TransientError("later", retry_after=5), ChatMovedError(GROUP)]

    async def stumbling(place: Place, message: MessageId, text: Text) -> None:
        if place.chat == MINE and left:
            raise left.pop(0)
        await edit(place, message, text)

    w.chat.edit = stumbling  # type: ignore[method-assign]
    await press(w, "Approve", chat=GROUP)
    await w.settle(120, step=2)
    assert left == []
    assert cards(w)[0].text == OVER


async def test_an_answer_that_never_comes_does_not_fill_the_chat_nor_hold_up_others(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, send = list[Text](), FakeChat.send

    async def unheard(
        self: FakeChat, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        number = await send(self, place, text, reply_to=reply_to)
        if place.chat == MINE:
            sent.append(text)
            raise TransientError("Telegram did not answer in time", unclear=True)
        return number

    monkeypatch.setattr(FakeChat, "send", unheard)
    await ask(w)
    await w.settle(900, step=2)
    assert 2 <= len(sent) <= 12
    monkeypatch.setattr(FakeChat, "send", send)
    await ask(w, 2)
    await w.settle(8)
    assert cards(w)[-1].text.startswith("<b>#2")


async def test_what_was_sent_is_stored_before_anything_else_is_sent(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: PrivateCardQueries, __: PrivateCards) -> None:
        raise TransientError("the disk is full")

    await ask(w)
    await ask(w, 2)
    with monkeypatch.context() as broken:
        broken.setattr(PrivateCardQueries, "save_private_cards", full)
        with suppress(TransientError):
            await w.settle(20)
        assert len(cards(w)) == 1
    await w.settle(20)
    assert len(cards(w)) == 2


async def test_a_kill_right_after_a_card_was_sent_sends_it_twice_and_decides_once(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(w)
    send, killed = FakeChat.send, list[MessageId]()

    async def kill(
        self: FakeChat, place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        number = await send(self, place, text, reply_to=reply_to)
        if place.chat == MINE and not killed:
            killed.append(number)
            raise KeyboardInterrupt
        return number

    monkeypatch.setattr(FakeChat, "send", kill)
    with pytest.raises(KeyboardInterrupt):
        await w.settle(20)
    w.start()
    await w.settle(20)
    unknown, known = cards(w)
    data = next(value for key, value in unknown.data.items() if "Approve" in key)
    w.chat.button = lambda _: (killed[0], data)  # type: ignore[method-assign]
    assert "no longer in use" in await w.press(ANA, data, chat=MINE)
    assert "approved" in await press(w, "Approve")
    await w.settle(8)
    assert known.text == OVER


async def test_a_request_that_is_deleted_takes_its_card_along(w: World) -> None:
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
        await unit.save_private_cards(own.having(99, PrivateCard(None)))  # type: ignore[arg-type]
    await w.settle(8)
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
    assert own.cards == {}


async def test_who_is_forgotten_leaves_no_trace_here(w: World) -> None:
    async with w.store.begin() as unit:
        await unit.forget(ANA.id)
        assert await unit.private_cards() == []


async def test_a_command_in_private_decides_what_the_card_there_shows(w: World) -> None:
    image = await ask(w)
    await w.settle(8)
    assert len(cards(w)) == 1
    async with w.store.begin() as unit:
        (own,) = await unit.private_cards()
        (card,) = own.cards.values()
        request = await unit.request(next(iter(own.cards)))
        assert request is not None
        assert card.version == request.version != ""
        # The card of the group was edited since, and shows another digest.
        (waiting,) = await unit.transfers_of(request.id)
        await unit.save_transfer(replace(waiting, digest=digest_of("another")))
    await w.say(ANA, "/approve 1", chat=MINE)
    async with w.store.begin() as unit:
        (still,) = await unit.transfers_of(request.id)
    assert still.state is State.WAITING
    assert still.image == image
