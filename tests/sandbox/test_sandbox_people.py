"""What people do in the sandbox's chats apart from writing, and what the bot receives of it."""

import pytest
from sandbox_fixture import ANA, GROUP, WEI, Place, button, place
from telegram import (
    MessageOriginChat,
    MessageOriginUser,
    ReplyParameters,
)
from telegram.constants import ChatID
from telegram.error import BadRequest, ChatMigrated

__all__ = ["place"]  # a fixture: pytest finds it by this name

TEAM, SUPERTEAM = -4001, -1_001_000_004_001

# Languages


@pytest.mark.parametrize(
    ("who", "language"), [("wei", "en"), ("li", "zh-hans"), ("ana", "en"), ("mallory", "en")]
)
async def test_a_persons_language_comes_with_messages_and_presses(
    place: Place, who: str, language: str
) -> None:
    card = await place.bot.send_message(GROUP, "card", reply_markup=button())
    await place.say(who, "/help")
    await place.press(who, card.message_id, "Approve")
    written, pressed = await place.bot.get_updates()
    assert written.effective_user is not None
    assert pressed.effective_user is not None
    assert written.effective_user.language_code == language
    assert pressed.effective_user.language_code == language


# Forwarding


async def test_a_forwarded_command_names_who_wrote_it_and_when(place: Place) -> None:
    number = await place.say("wei", "/mirror nginx")
    place.clock.now += 60
    await place.do("li", forward=number)
    written, forwarded = await place.received()
    origin = forwarded.forward_origin
    assert isinstance(origin, MessageOriginUser)
    assert (origin.sender_user.id, origin.date) == (WEI, written.date)
    assert (forwarded.text, forwarded.entities) == ("/mirror nginx", written.entities)
    assert forwarded.from_user is not None
    assert forwarded.from_user.username == "li"
    assert (await place.read())[1]["forwarded_from"] == "wei"


async def test_privacy_mode_holds_for_forwarded_messages(place: Place) -> None:
    number = await place.say("wei", "good morning")
    await place.do("li", forward=number)
    assert await place.received() == []


async def test_what_is_forwarded_twice_keeps_its_first_author(place: Place) -> None:
    number = await place.say("wei", "/help")
    again = await place.do("li", forward=number)
    await place.do("ana", forward=again["id"])
    assert [m.get("forwarded_from") for m in await place.read()] == [None, "wei", "wei"]


async def test_a_card_of_the_bot_is_forwarded_into_a_private_chat_without_its_buttons(
    place: Place,
) -> None:
    card = await place.bot.send_message(GROUP, "<b>card</b>", "HTML", reply_markup=button())
    await place.do("wei", forward=card.message_id, from_chat="group", chat="private")
    (message,) = await place.received()
    assert isinstance(message.forward_origin, MessageOriginUser)
    assert message.forward_origin.sender_user.id == place.bot.id
    assert (message.chat.id, message.text, message.reply_markup) == (WEI, "card", None)
    assert message.entities == card.entities


async def test_a_file_is_forwarded_with_its_caption(place: Place) -> None:
    number = await place.send_file("wei", "compose.yml", b"image: nginx", "/mirror")
    await place.do("li", forward=number)
    message = (await place.received())[1]
    assert message.document is not None
    assert (message.document.file_name, message.caption) == ("compose.yml", "/mirror")


async def test_a_person_forwards_only_from_chats_of_their_own(place: Place) -> None:
    number = await place.say("wei", "secret", chat="private")
    refused = await place.do("mallory", forward=number, from_chat=WEI)
    assert (refused["status"], "in no chat" in refused["error"]) == (404, True)


# Anonymous admins


async def test_an_anonymous_admin_has_the_face_of_the_group(place: Place) -> None:
    await place.say("ana", "/approve 1", anonymous=True)
    (message,) = await place.received()
    assert message.from_user is not None
    assert message.from_user.id == ChatID.ANONYMOUS_ADMIN
    assert (message.from_user.username, message.from_user.is_bot) == ("GroupAnonymousBot", True)
    assert message.sender_chat is not None
    assert message.sender_chat.id == GROUP
    (shown,) = await place.read()
    assert (shown["from"], shown["anonymous"]) == ("ana", True)


async def test_a_press_of_an_admin_who_wrote_anonymously_shows_who_it_is(place: Place) -> None:
    card = await place.bot.send_message(GROUP, "card", reply_markup=button())
    await place.say("ana", "hello", anonymous=True)
    await place.press("ana", card.message_id, "Approve")
    (update,) = await place.bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.from_user.id == ANA


async def test_what_an_anonymous_admin_wrote_is_forwarded_as_the_groups(place: Place) -> None:
    number = await place.say("ana", "/help", anonymous=True)
    await place.do("wei", forward=number)
    origin = (await place.received())[1].forward_origin
    assert isinstance(origin, MessageOriginChat)
    assert origin.sender_chat.id == GROUP
    assert (await place.read())[1]["forwarded_from"] == "Images"


@pytest.mark.parametrize(("who", "chat"), [("wei", "group"), ("ana", "private"), ("ana", "team")])
async def test_only_admins_of_a_supergroup_are_anonymous(place: Place, who: str, chat: str) -> None:
    refused = await place.do(who, text="/help", anonymous=True, chat=chat)
    assert (refused["status"], await place.read()) == (400, [])


# Deleting


async def test_the_bot_does_not_learn_that_a_person_deleted_a_message(place: Place) -> None:
    number = await place.say("wei", "/mirror nginx")
    (update,) = await place.bot.get_updates()
    assert await place.do("wei", delete=number) == {"status": 200, "id": number}
    assert await place.read() == []
    assert await place.bot.get_updates(offset=update.update_id + 1) == ()
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await place.bot.send_message(GROUP, "done", reply_parameters=ReplyParameters(number))
    alone = ReplyParameters(number, allow_sending_without_reply=True)
    sent = await place.bot.send_message(GROUP, "done", reply_parameters=alone)
    assert sent.reply_to_message is None


async def test_a_reply_whose_question_is_gone_is_edited_all_the_same(place: Place) -> None:
    number = await place.say("wei", "/mirror nginx")
    reply = ReplyParameters(number)
    card = await place.bot.send_message(GROUP, "one", reply_parameters=reply, reply_markup=button())
    await place.do("wei", delete=number)
    edited = await place.bot.edit_message_text("two", GROUP, card.message_id)
    assert not isinstance(edited, bool)
    assert edited.reply_to_message is None
    assert (await place.read())[0]["reply_to"] == number


async def test_people_delete_their_own_and_admins_any_message(place: Place) -> None:
    number = await place.say("wei", "hello")
    refused = await place.do("li", delete=number)
    assert (refused["status"], refused["error"]) == (400, f"message {number} is not li's own")
    assert (await place.do("ana", delete=number))["status"] == 200
    assert (await place.do("ana", delete=number))["status"] == 404


async def test_a_person_deletes_the_bots_message_in_private(place: Place) -> None:
    await place.say("wei", "/start", chat="private")
    sent = await place.bot.send_message(WEI, "hello", reply_markup=button())
    await place.do("wei", delete=sent.message_id, chat="private")
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await place.bot.edit_message_text("x", WEI, sent.message_id)


# A group becomes a supergroup


async def test_the_team_is_a_plain_group(place: Place) -> None:
    await place.say("wei", "/help", chat="team")
    (message,) = await place.received()
    assert (message.chat.id, message.chat.type, message.chat.title) == (TEAM, "group", "Team")
    sent = await place.bot.send_message(TEAM, "hello")
    assert sent.chat.id == TEAM
    assert [m["text"] for m in await place.read(chat="team")] == ["/help", "hello"]
    assert [m["chat"] for m in await place.read(chat=str(TEAM))] == [TEAM, TEAM]


async def test_the_limit_of_a_group_is_counted_for_each_group(place: Place) -> None:
    place.flood.on = True
    for _ in range(20):
        await place.bot.send_message(TEAM, "x")
    await place.bot.send_message(GROUP, "x")


async def test_an_upgrade_tells_the_bot_in_both_chats(place: Place) -> None:
    await place.say("wei", "good morning", chat="team")
    assert await place.do("ana", upgrade=True) == {"status": 200, "chat": SUPERTEAM}
    leaving, arriving = await place.received()
    assert (leaving.chat.id, leaving.migrate_to_chat_id) == (TEAM, SUPERTEAM)
    assert leaving.from_user is not None
    assert (leaving.from_user.id, leaving.text) == (ANA, None)
    assert (arriving.chat.id, arriving.migrate_from_chat_id) == (SUPERTEAM, TEAM)
    assert arriving.from_user is not None
    assert (arriving.from_user.id, arriving.message_id) == (ChatID.ANONYMOUS_ADMIN, 1)
    assert arriving.chat.type == "supergroup"


async def test_every_call_for_a_group_that_is_no_more_names_the_new_one(place: Place) -> None:
    card = await place.bot.send_message(TEAM, "card", reply_markup=button())
    number = await place.say("wei", "/help", chat="team")
    await place.do("ana", upgrade=True)
    calls = [
        place.bot.send_message(TEAM, "x"),
        place.bot.send_document(TEAM, b"x"),
        place.bot.edit_message_text("x", TEAM, card.message_id),
        place.bot.edit_message_reply_markup(TEAM, card.message_id),
        place.bot.delete_message(TEAM, card.message_id),
        place.bot.set_message_reaction(TEAM, number, "👀"),
        place.bot.get_chat(TEAM),
    ]
    for call in calls:
        with pytest.raises(ChatMigrated) as moved:
            await call
        assert moved.value.new_chat_id == SUPERTEAM
    sent = await place.bot.send_message(SUPERTEAM, "card")
    assert sent.message_id == 2


async def test_the_team_is_read_with_what_was_before_the_upgrade(place: Place) -> None:
    await place.say("wei", "before", chat="team")
    await place.do("ana", upgrade=True)
    await place.say("wei", "after", chat="team")
    shown = await place.read(chat="team")
    assert [(m["chat"], m["text"]) for m in shown] == [
        (TEAM, "before"),
        (TEAM, ""),
        (SUPERTEAM, ""),
        (SUPERTEAM, "after"),
    ]
    assert shown[1]["migrate_to_chat_id"] == SUPERTEAM
    assert shown[2]["migrate_from_chat_id"] == TEAM
    assert [m["text"] for m in await place.read(chat=str(SUPERTEAM))] == ["", "after"]
    assert [m["text"] for m in await place.read(chat=str(TEAM))] == ["before", ""]


async def test_nobody_writes_or_presses_in_the_group_that_is_no_more(place: Place) -> None:
    card = await place.bot.send_message(TEAM, "card", reply_markup=button())
    await place.do("ana", upgrade=True)
    refused = await place.do("wei", text="/help", chat=TEAM)
    assert (refused["status"], f"became the supergroup {SUPERTEAM}" in refused["error"]) == (
        400,
        True,
    )
    pressed = {"as": "ana", "chat": TEAM, "message": card.message_id, "button": "Approve"}
    assert (await place.api.post("/api/press", json=pressed)).status_code == 400


@pytest.mark.parametrize(("who", "chat"), [("wei", "team"), ("ana", "group"), ("ana", "private")])
async def test_only_an_admin_upgrades_and_only_a_plain_group(
    place: Place, who: str, chat: str
) -> None:
    assert (await place.do(who, upgrade=True, chat=chat))["status"] == 400


async def test_an_upgrade_happens_once_and_its_messages_stay_as_they_are(place: Place) -> None:
    await place.do("ana", upgrade=True)
    assert (await place.do("ana", upgrade=True))["status"] == 400
    assert (await place.do("ana", edit=1, text="x", chat="team"))["status"] == 400
    assert (await place.do("wei", forward=1, chat="team"))["status"] == 400
