"""A press decides what was shown: the images on the card, each at the digest shown there."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, POLICY, STATIC, WEI, World, digest_of, world

from bot.core.decision import Ground, Verdict
from bot.core.errors import TransientError
from bot.core.ids import ChatId, MessageId, Place, RequestId
from bot.core.image import ImageRef
from bot.core.transfer import State, Transfer
from bot.dialog.message import Text
from bot.engine.intake.context import Press

ROOMY = replace(POLICY, open_limit=200, daily_limit=400, request_limit=100)
OTHER = ImageRef.parse("gcr.io/distroless/base:nonroot")
TWO_LINES = 2


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, ROOMY) as here:
        yield here


def different(count: int) -> list[ImageRef]:
    """Return images that an admin has to approve, and that need a line each."""
    return [ImageRef.parse(f"gcr.io/team-{n}/service-{n}:v{n}-release") for n in range(count)]


async def ask(w: World, *images: ImageRef) -> None:
    await w.say(WEI, "/mirror " + " ".join(map(str, images)))
    await w.settle(2)
    if len(images) > 3:
        await w.press(WEI, "all:1")
    await w.settle(12)


async def transfers(w: World, number: int = 1) -> tuple[Transfer, ...]:
    async with w.store.begin() as unit:
        return await unit.transfers_of(RequestId(number))


async def in_state(w: World, state: State) -> list[str]:
    return [str(t.image) for t in await transfers(w) if t.state is state]


def shown(w: World, images: Sequence[ImageRef]) -> list[str]:
    """Return the images of which the newest card has a waiting line with the digest."""
    lines = [line for line in w.card.splitlines() if line.startswith("⏳")]
    return [
        str(image)
        for image in images
        if any(str(image) in line and digest_of(str(image))[:19] in line for line in lines)
    ]


# -- what is shown is what is decided ---------------------------------------------------------


async def test_a_press_approves_the_page_that_is_shown_and_no_image_more(w: World) -> None:
    images = different(42)
    w.upstream(*images)
    await ask(w, *images)
    page = shown(w, images)
    assert 8 < len(page) < 42
    assert await w.press(ANA, f"Approve these {len(page)}") == (
        f"#1: {len(page)} images approved. {42 - len(page)} more wait for a decision."
    )
    assert await in_state(w, State.WAITING) == [str(i) for i in images[len(page) :]]
    seen = list(page)
    while await in_state(w, State.WAITING):
        await w.settle(6)
        page = shown(w, images)
        assert page
        await w.press(ANA, "✅ Approve")
        seen += page
    assert seen == [str(image) for image in images]


async def test_images_that_wait_are_on_top_and_what_is_missing_does_not_hide_them(
    w: World,
) -> None:
    images = different(60)
    waiting = images[46:]
    w.upstream(*waiting)
    await ask(w, *images)
    assert shown(w, waiting) == [str(image) for image in waiting]
    lines = w.card.splitlines()
    assert all(line.startswith("⏳") for line in lines[1:15])
    assert "not mirrored" in w.card
    await w.press(ANA, "Approve these 14")
    assert await in_state(w, State.WAITING) == []


async def test_the_status_shows_what_waits_before_all_else(w: World) -> None:
    images = different(60)
    w.upstream(*images[46:])
    await ask(w, *images)
    await w.say(WEI, "/status #1")
    await w.settle(4)
    assert all(str(image) in w.last for image in images[46:])


async def test_the_status_of_a_long_request_folds_no_image_that_waits(w: World) -> None:
    images = different(60)
    w.upstream(*images)
    await ask(w, *images)
    await w.say(WEI, "/status #1")
    await w.settle(4)
    digests = [digest_of(str(image))[:19] for image in images]
    lines = [f"{image}</code> <code>{d}" for image, d in zip(images, digests, strict=True)]
    assert all(line in w.last for line in lines)


async def test_pages_are_turned_and_their_buttons_cover_what_they_show(w: World) -> None:
    images = different(42)
    w.upstream(*images)
    await ask(w, *images)
    first = shown(w, images)
    assert "on the other pages" in w.card
    assert await w.press(ANA, "Page 2 of") == "Page 2 of 3"
    await w.settle(4)
    second = shown(w, images)
    assert not set(first) & set(second)
    await w.press(ANA, f"Approve these {len(second)}")
    assert set(second).isdisjoint(await in_state(w, State.WAITING))
    assert set(first) <= set(await in_state(w, State.WAITING))


async def test_tags_that_follow_one_another_are_one_line_that_counts_as_shown(w: World) -> None:
    images = [ImageRef.parse(f"gcr.io/stefan/podinfo:6.8.{n}") for n in range(1, 41)]
    w.upstream(*images, STATIC)
    await ask(w, *images, STATIC)
    assert (
        "⏳ <code>gcr.io/stefan/podinfo</code>: <code>6.8.1</code> … <code>6.8.40</code>"
        " · 40 images · waits for an admin"
    ) in w.card
    assert await w.press(ANA, "Digests") == ""
    await w.settle(4)
    for image in (images[0], images[39]):
        assert f"<code>{image.tag}</code> <code>{digest_of(str(image))}</code>" in w.last
    await w.press(ANA, "Approve these")
    assert len(await in_state(w, State.WAITING)) in {0, 1}


async def test_a_substitute_is_approved_only_by_a_card_that_shows_it(w: World) -> None:
    w.registries.tagged["gcr.io/distroless/base"] = ("nonroot",)
    w.upstream(STATIC, OTHER)
    await w.say(WEI, f"/mirror {STATIC} gcr.io/distroless/base:nonrot")
    await w.settle(8)
    await w.press(WEI, "➡️")
    await w.lanes["registry_checks"].tick()  # the substitute waits, and no card shows it yet
    assert await in_state(w, State.WAITING) == [str(STATIC), str(OTHER)]
    answer = await w.press(ANA, "approve:1")
    assert answer == "#1: 1 image approved. 1 more waits for a decision."
    assert await in_state(w, State.WAITING) == [str(OTHER)]


async def test_an_image_that_changed_since_is_not_decided_and_is_named(w: World) -> None:
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    async with w.store.begin() as unit:
        second = (await unit.transfers_of(RequestId(1)))[1]
        await unit.save_transfer(replace(second, digest=digest_of("another")))
    assert await w.press(ANA, "approve:1") == (
        "#1: 1 image approved. Left out, since decided or changed before:"
        " gcr.io/distroless/base:nonroot. 1 more waits for a decision."
    )
    assert await in_state(w, State.WAITING) == [str(OTHER)]


async def test_a_decision_is_kept_with_the_digest_and_the_version_that_was_pressed(
    w: World,
) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("✅ Approve")[1].removeprefix("approve:")
    await w.press(ANA, "✅ Approve")
    async with w.store.begin() as unit:
        (decision,) = await unit.decisions_of("gcr.io", "distroless/static", limit=9)
    assert decision.verdict is Verdict.APPROVE
    assert decision.ground is Ground.PERSON
    assert (decision.person, decision.card) == (ANA.id, key)
    assert (decision.request, decision.digest) == (1, digest_of(str(STATIC)))


# -- versions ---------------------------------------------------------------------------------


def pressing(w: World, data: str, *, chat: ChatId = GROUP, message: str = "5000") -> Press:
    w.last_update += 1
    return Press(
        update=w.key,
        person=ANA,
        place=Place(chat),
        message=MessageId(f"telegram:{message}"),
        data=data,
    )


async def test_a_made_up_press_counts_nowhere(w: World) -> None:
    private = ChatId(ANA.id)
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("✅ Approve")[1]
    for press in (
        pressing(w, "approve:1"),
        pressing(w, "approve:1", message="77"),
        pressing(w, "approve:12345678"),
        pressing(w, key, chat=private),
    ):
        answer = await w.pressed(press)
        assert "approved" not in answer
    assert await in_state(w, State.WAITING) == [str(STATIC)]
    await w.pressed(pressing(w, key))
    assert await in_state(w, State.WAITING) == []


async def test_the_same_images_keep_their_key_and_old_versions_stay_valid(w: World) -> None:
    images = different(42)
    w.upstream(*images)
    await ask(w, *images)
    first, page = w.chat.button("✅ Approve")[1], shown(w, images)
    await w.press(ANA, "Page 2 of")
    await w.settle(4)
    assert w.chat.button("✅ Approve")[1] != first
    await w.press(ANA, "Page 1 of")
    await w.settle(4)
    assert w.chat.button("✅ Approve")[1] == first
    await w.press(ANA, "Page 2 of")
    await w.settle(4)
    await w.pressed(pressing(w, first))
    assert set(page).isdisjoint(await in_state(w, State.WAITING))


async def test_a_version_whose_answer_was_lost_stays_valid(w: World) -> None:
    w.upstream(STATIC)
    await w.say(WEI, f"/mirror {STATIC}")
    await w.lanes["registry_checks"].tick()
    sent: list[str] = []

    async def losing(
        place: Place, text: Text, *, reply_to: MessageId | None, key: str = ""
    ) -> MessageId:
        sent.extend(button.value for row in text.message.buttons for button in row)
        raise TransientError("Telegram did not answer")

    kept, w.chat.send = w.chat.send, losing  # type: ignore[method-assign]
    await w.lanes["chat"].tick()
    w.chat.send = kept  # type: ignore[method-assign]
    answer = await w.pressed(pressing(w, sent[0], message="4999"))
    assert answer == "#1: 1 image approved."


async def test_versions_end_with_their_request(w: World) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("✅ Approve")[1]
    await w.press(ANA, "❌ Reject")
    await w.settle(20)
    async with w.store.begin() as unit:
        assert await unit.card_version(key.removeprefix("approve:")) is None
    assert await w.pressed(pressing(w, key)) == "Already rejected by Ana."


async def test_a_version_is_stored_before_it_is_sent_and_again_after_a_restart(w: World) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("✅ Approve")[1]
    w.start()
    await w.settle(8)
    assert w.chat.button("✅ Approve")[1] == key


# -- refusals ---------------------------------------------------------------------------------


async def test_a_refused_press_refreshes_that_card_before_all_other_edits(w: World) -> None:
    """The card still shows buttons that the bot no longer knows, as after an upgrade."""
    images = different(30)
    w.upstream(*images)
    for image in images:
        await w.say(WEI, f"/mirror {image}")
    await w.settle(150)
    async with w.store.begin() as unit:
        request = await unit.request(RequestId(29))
    assert request is not None
    assert request.card is not None
    edited: list[MessageId] = []
    kept = w.chat.edit

    async def watched(place: Place, message: MessageId, text: object) -> None:
        edited.append(message)
        await kept(place, message, text)  # type: ignore[arg-type]

    w.chat.edit = watched  # type: ignore[method-assign, assignment]
    for other in range(1, 20):  # all their cards have to be edited
        await w.say(WEI, f"/cancel #{other}")
    number = str(request.card).removeprefix("telegram:")
    answer = await w.pressed(pressing(w, "approve:29", message=number))
    assert answer.startswith("The card of #29 had changed")
    await w.settle(8)
    assert edited[0] == request.card
    await w.press(ANA, "approve:29")
    assert [t.state for t in await transfers(w, 29)] == [State.APPROVED]


async def test_a_deleted_card_that_asks_for_a_decision_is_sent_anew(w: World) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    w.chat.deleted.add(MessageId("telegram:5000"))
    await w.pressed(pressing(w, "approve:1"))
    await w.settle(8)
    assert list(w.chat.messages) == ["telegram:5000", "telegram:5001"]
    await w.say(ANA, "/approve #1")
    assert await in_state(w, State.WAITING) == []


# -- commands ---------------------------------------------------------------------------------


async def test_a_typed_approval_names_what_it_approved(w: World) -> None:
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    await w.say(ANA, "/approve #1", chat=ChatId(ANA.id))
    await w.settle(4)
    answer = next(text for text in w.chat.texts if text.startswith("#1: 2 images approved."))
    for image in (STATIC, OTHER):
        assert f"<code>{image}</code> <code>{digest_of(str(image))[:19]}</code>" in answer
    assert "waits" not in answer


async def test_a_typed_rejection_names_a_run_by_its_ends(w: World) -> None:
    images = [ImageRef.parse(f"gcr.io/stefan/podinfo:6.8.{n}") for n in range(1, 5)]
    w.upstream(*images)
    await ask(w, *images)
    await w.say(ANA, "/reject #1 no")
    await w.settle(4)
    run = "<code>gcr.io/stefan/podinfo</code>: <code>6.8.1</code> … <code>6.8.4</code>"
    assert any(f"#1: 4 images rejected.\n{run}" in text for text in w.chat.texts)


@pytest.mark.parametrize("command", ["/approve #1", "/reject #1 no"])
async def test_a_typed_decision_is_refused_where_more_waits_than_the_card_showed(
    w: World, command: str
) -> None:
    w.registries.tagged["gcr.io/distroless/base"] = ("nonroot",)
    w.upstream(STATIC, OTHER)
    await w.say(WEI, f"/mirror {STATIC} gcr.io/distroless/base:nonrot")
    await w.settle(8)
    await w.press(WEI, "➡️")
    await w.lanes["registry_checks"].tick()
    await w.say(ANA, command)
    assert len(await in_state(w, State.WAITING)) == TWO_LINES
    await w.settle(8)
    refusal = next(text for text in w.chat.texts if text.startswith("Nothing was decided"))
    assert "gcr.io/distroless/base:nonroot" in refusal
    await w.say(ANA, command)
    assert await in_state(w, State.WAITING) == []


async def test_a_typed_approval_of_a_request_of_pages_is_refused(w: World) -> None:
    images = different(42)
    w.upstream(*images)
    await ask(w, *images)
    await w.say(ANA, "/approve #1")
    assert len(await in_state(w, State.WAITING)) == len(images)


# -- choosing, reasons and digests --------------------------------------------------------------


async def test_some_of_the_images_are_chosen(w: World) -> None:
    images = different(3)
    w.upstream(*images)
    await ask(w, *images)
    await w.press(ANA, "Choose")
    await w.settle(4)
    assert await w.press(ANA, "☑️ gcr.io/team-1") == "2 of 3 ticked"
    await w.settle(4)
    assert await w.press(ANA, "Approve these 2") == (
        "#1: 2 images approved. 1 more waits for a decision."
    )
    assert await in_state(w, State.WAITING) == [str(images[1])]
    await w.settle(6)
    assert "Approve these" not in str(w.chat.messages[MessageId("telegram:5000")].buttons)


async def test_the_choice_has_pages_and_a_way_back(w: World) -> None:
    images = different(12)
    w.upstream(*images)
    await ask(w, *images)
    await w.press(ANA, "Choose")
    await w.settle(4)
    assert len(shown(w, images)) == 8
    await w.press(ANA, "Page 2 of 2")
    await w.settle(4)
    await w.press(ANA, "pick:1:9")
    await w.settle(4)
    assert "Approve these 3" in str(w.chat.messages[MessageId("telegram:5000")].buttons)
    await w.press(ANA, "Back")
    await w.settle(4)
    assert len(shown(w, images)) == len(images)


async def test_without_a_tick_nothing_can_be_decided(w: World) -> None:
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    await w.press(ANA, "Choose")
    for number in (1, 2):
        await w.press(ANA, f"pick:1:{number}")
    await w.settle(4)
    buttons = w.chat.messages[MessageId("telegram:5000")].buttons
    assert buttons[-1] == ("↩️ Back",)
    assert "Approve" not in str(buttons)


async def test_full_digests_are_a_tap_away(w: World) -> None:
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    assert await w.press(LI, "Digests") == ""
    await w.settle(4)
    assert w.last.startswith("#1: the digests of what waits")
    assert w.last.count(digest_of(str(STATIC))) == 1


async def test_full_digests_are_a_tap_away_in_a_status_too(w: World) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    await w.say(LI, "/status #1")
    await w.settle(4)
    asked = w.chat.messages[[*w.chat.messages][-1]]
    assert [*asked.data] == ["🔎 Digests"]
    await w.press(LI, asked.data["🔎 Digests"])
    await w.settle(4)
    assert f"{STATIC}</code> <code>{digest_of(str(STATIC))}" in w.last
    await w.say(WEI, "/status #1", chat=ChatId(WEI.id))  # its card is in another chat
    await w.settle(4)
    assert not w.chat.messages[[*w.chat.messages][-1]].data


async def test_digests_count_as_commands(tmp_path: Path) -> None:
    async with world(tmp_path, replace(POLICY, minute_limit=2)) as w:
        w.upstream(STATIC)
        await ask(w, STATIC)
        answers = [await w.press(LI, "Digests") for _ in range(3)]
        assert [bool(re.match("That was fast|发得太快", each)) for each in answers] == [
            *(False, False),
            True,
        ]


async def test_a_rejection_gets_one_of_the_reasons_of_the_config(w: World) -> None:
    w.reasons = ("use our own base image", "not maintained upstream")
    w.start()
    w.upstream(STATIC)
    await ask(w, STATIC)
    assert await w.press(ANA, "❌ Reject") == "Choose a reason on the card."
    await w.settle(4)
    assert "Ana rejects 1 image. Why? Choose a reason" in w.card
    await w.press(ANA, "❌ not maintained upstream")
    (transfer,) = await transfers(w)
    assert (transfer.state, transfer.reason) == (State.REJECTED, "not maintained upstream")


async def test_a_rejection_can_be_taken_back_or_made_without_a_reason(w: World) -> None:
    w.reasons = ("use our own base image",)
    w.start()
    w.upstream(STATIC)
    await ask(w, STATIC)
    await w.press(ANA, "❌ Reject")
    await w.settle(4)
    await w.press(ANA, "Back")
    await w.settle(4)
    assert "Why?" not in w.card
    assert await in_state(w, State.WAITING) == [str(STATIC)]
    await w.press(ANA, "❌ Reject")
    await w.settle(4)
    await w.press(ANA, "Without a reason")
    (transfer,) = await transfers(w)
    assert (transfer.state, transfer.reason) == (State.REJECTED, "")


async def test_a_reply_to_the_card_rejects_what_it_shows_with_a_reason(w: World) -> None:
    images = different(3)
    w.upstream(*images)
    await ask(w, *images)
    await w.press(ANA, "Choose")
    await w.press(ANA, "pick:1:2")
    await w.settle(4)
    card = MessageId("telegram:5000")
    await w.say(ANA, "/reject use our own", replies_to=card)
    await w.settle(8)
    rejected = [(t.state, t.reason) for t in await transfers(w)]
    assert rejected[0] == rejected[2] == (State.REJECTED, "use our own")
    assert rejected[1] == (State.WAITING, "")
    assert any(text.startswith("#1: 2 images rejected.") for text in w.chat.texts)
    await w.say(ANA, "/reject", replies_to=card)
    assert await in_state(w, State.WAITING) == []
    await w.settle(8)
    await w.say(ANA, "/reject again", replies_to=card)
    await w.settle(4)
    assert any(text.startswith("Already rejected by Ana.") for text in w.chat.texts)


async def test_a_rejection_without_a_number_has_to_reply_to_a_card(w: World) -> None:
    for more in ({}, {"replies_to": MessageId("telegram:77")}):
        await w.say(ANA, "/reject use our own", **more)
        await w.settle(4)
        assert w.last == (
            "Like this: <code>/reject #41 [reason]</code> · reject a request\n"
            "Or send it as a reply to a card or a result of mine."
        )


async def test_a_tick_that_changes_while_a_reason_is_asked_ends_the_question(w: World) -> None:
    w.reasons = ("use our own base image",)
    w.start()
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    await w.press(ANA, "Choose")
    await w.press(ANA, "pick:1:1")
    await w.settle(4)
    await w.press(ANA, "❌ Reject")
    await w.settle(4)
    assert str(OTHER) in w.card
    assert str(STATIC) not in w.card
    await w.pressed(pressing(w, "pick:1:2"))
    await w.settle(4)
    assert "Why?" not in w.card
    assert "Approve" not in str(w.chat.messages[MessageId("telegram:5000")].buttons)


async def test_a_reason_is_not_asked_for_images_that_were_decided_meanwhile(w: World) -> None:
    w.reasons = ("use our own base image",)
    w.start()
    w.upstream(STATIC, OTHER)
    await ask(w, STATIC, OTHER)
    await w.say(LI, f"/mirror {OTHER}")
    await w.settle(6)
    await w.press(ANA, "Choose")
    await w.press(ANA, "pick:1:1")
    await w.settle(4)
    await w.press(ANA, "reason:1")
    await w.press(ANA, "approve:2")
    await w.settle(6)
    card = w.chat.messages[MessageId("telegram:5000")]
    assert "Why?" not in card.text
    assert "Approve" not in str(card.buttons)
    await w.press(ANA, "Back")
    await w.settle(4)
    await w.press(ANA, "approve:1")
    assert await in_state(w, State.WAITING) == []


async def test_a_reason_that_the_config_no_longer_has_rejects_nothing(w: World) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("❌ Reject")[1]
    assert "had changed" in await w.pressed(pressing(w, f"{key}:00000000"))
    assert await in_state(w, State.WAITING) == [str(STATIC)]


@pytest.mark.parametrize("data", ["show:1:0", "choose:1:0", "pick:1:1"])
async def test_what_only_opens_something_is_refused_on_a_card_that_asks_nothing(
    w: World, data: str
) -> None:
    w.upstream(STATIC)
    await ask(w, STATIC)
    key = w.chat.button("❌ Reject")[1].removeprefix("reject:")
    await w.press(ANA, "❌ Reject")
    for each in (data, f"reason:{key}", f"approve:{key}"):
        assert await w.pressed(pressing(w, each)) == "Already rejected by Ana."
    assert "no longer in use" in await w.pressed(pressing(w, data, chat=ChatId(ANA.id)))
    for each in ("digests:AAAAAAAA", "reason:AAAAAAAA"):
        assert "no longer in use" in await w.pressed(pressing(w, each, message="1"))
