"""The sandbox's Bot API, driven by a real python-telegram-bot client over loopback."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sandbox_fixture import (
    ANA,
    GROUP,
    MALLORY,
    TOKEN,
    WEI,
    Place,
    bot_at,
    button,
    place,
)
from starlette.applications import Starlette
from starlette.routing import Mount
from telegram import (
    BotCommand,
    BotCommandScopeChat,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter

from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState

__all__ = ["place"]  # a fixture: pytest finds it by this name


# Updates


async def test_a_command_in_the_group_reaches_the_bot_with_its_entity(place: Place) -> None:
    number = await place.say("wei", "/mirror nginx:1.27")
    (update,) = await place.bot.get_updates()
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.message_id == number
    assert update.message.from_user.id == WEI
    assert update.message.chat.id == GROUP
    assert update.message.parse_entities() == {update.message.entities[0]: "/mirror"}


async def test_an_update_is_delivered_again_until_a_higher_offset_confirms_it(place: Place) -> None:
    await place.say("wei", "/status")
    await place.say("li", "/help")
    first = await place.bot.get_updates()
    assert [u.update_id for u in await place.bot.get_updates()] == [u.update_id for u in first]
    (left,) = await place.bot.get_updates(offset=first[1].update_id)
    assert left.update_id == first[1].update_id
    assert await place.bot.get_updates(offset=left.update_id + 1) == ()


async def test_a_negative_offset_forgets_the_older_updates(place: Place) -> None:
    for _ in range(3):
        await place.say("wei", "/status")
    (last,) = await place.bot.get_updates(offset=-1)
    assert await place.bot.get_updates(offset=0) == (last,)


async def test_an_offset_out_of_range_falls_back_to_the_head(place: Place) -> None:
    await place.say("wei", "/status")
    assert len(await place.bot.get_updates(offset=2_000_000_000)) == 1


async def test_the_limit_bounds_one_answer(place: Place) -> None:
    await place.say("wei", "/status")
    await place.say("wei", "/help")
    assert len(await place.bot.get_updates(limit=1)) == 1


async def test_a_long_poll_ends_as_soon_as_somebody_writes(place: Place) -> None:
    poll = asyncio.create_task(place.bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    await place.say("wei", "/status")
    assert len(await asyncio.wait_for(poll, 90)) == 1


async def test_a_second_poller_ends_the_first_with_a_conflict(place: Place) -> None:
    first = asyncio.create_task(place.bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    async with bot_at(place.port) as other:
        second = asyncio.create_task(other.get_updates(timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await asyncio.wait_for(first, 90)
        await place.say("wei", "/status")
        assert len(await asyncio.wait_for(second, 90)) == 1


async def test_message_updates_live_for_a_day_and_presses_for_150_seconds(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button())
    await place.say("wei", "/status")
    await place.press("ana", sent.message_id, "Approve")
    place.clock.now += 151
    assert [u.callback_query for u in await place.bot.get_updates()] == [None]
    place.clock.now += 86_400
    assert await place.bot.get_updates() == ()


async def test_unwanted_kinds_of_updates_are_not_queued(place: Place) -> None:
    await place.bot.get_updates(allowed_updates=["callback_query"])
    await place.say("wei", "/status")
    await place.bot.get_updates(allowed_updates=[])
    await place.say("wei", "/help")
    (update,) = await place.bot.get_updates()
    assert update.message is not None
    assert update.message.text == "/help"


async def test_dropping_pending_updates_forgets_them(place: Place) -> None:
    await place.say("wei", "/status")
    await place.bot.delete_webhook(drop_pending_updates=True)
    assert await place.bot.get_updates() == ()


@pytest.mark.parametrize("text", ["good morning", "/mirror@other_bot nginx", "see /status"])
async def test_privacy_mode_hides_other_group_messages(place: Place, text: str) -> None:
    await place.say("wei", text)
    assert await place.bot.get_updates() == ()


@pytest.mark.parametrize("text", ["/mirror@imageto_bot nginx", "/mirror\nnginx"])
async def test_commands_for_this_bot_get_through(place: Place, text: str) -> None:
    await place.say("wei", text)
    assert len(await place.bot.get_updates()) == 1


async def test_a_reply_to_the_bot_gets_through_with_what_it_answers(place: Place) -> None:
    card = await place.bot.send_message(GROUP, "card")
    await place.say("wei", "thanks", reply_to=card.message_id)
    (update,) = await place.bot.get_updates()
    assert update.message is not None
    assert update.message.reply_to_message is not None
    assert update.message.reply_to_message.message_id == card.message_id


async def test_everything_in_a_private_chat_gets_through(place: Place) -> None:
    await place.say("wei", "hello", chat="private")
    (update,) = await place.bot.get_updates()
    assert update.effective_chat is not None
    assert update.effective_chat.type == "private"


async def test_an_edited_command_arrives_as_an_edited_message(place: Place) -> None:
    number = await place.say("wei", "/mirror ngnix")
    await place.say("wei", "/mirror nginx", edit=number)
    _, update = await place.bot.get_updates()
    assert update.edited_message is not None
    assert update.edited_message.text == "/mirror nginx"


# Sending and editing


async def test_html_becomes_text_and_entities_in_utf16_units(place: Place) -> None:
    sent = await place.bot.send_message(
        GROUP, '😀 <b>bold <i>both</i></b> <a href="http://127.0.0.1/x">&lt;run&gt;</a>', "HTML"
    )
    assert sent.text == "😀 bold both <run>"
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [
        ("bold", 3, 9),
        ("italic", 8, 4),
        ("text_link", 13, 5),
    ]


async def test_a_code_block_keeps_its_language(place: Place) -> None:
    text = '<pre><code class="language-sh">docker pull x</code></pre>'
    sent = await place.bot.send_message(GROUP, text, ParseMode.HTML)
    assert [(e.type, e.language) for e in sent.entities] == [("pre", "sh")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a < b", 'unsupported start tag "" at byte offset 2'),
        ("é<x>", 'unsupported start tag "x" at byte offset 2'),
        ("<b>open", 'can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</b></i>", 'expected "</i>", found "</b>"'),
        ("x</b>", "unexpected end tag at byte offset 1"),
        ("<b", "unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'must have class "tg-spoiler"'),
    ],
)
async def test_bad_html_is_refused(place: Place, text: str, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await place.bot.send_message(GROUP, text, ParseMode.HTML)
    assert refused.value.message.casefold().startswith("can't parse entities: ")
    assert words.casefold() in refused.value.message.casefold()
    assert await place.read() == []


async def test_4096_characters_count_after_parsing(place: Place) -> None:
    await place.bot.send_message(GROUP, f"<b>{'&lt;' * 4096}</b>", ParseMode.HTML)
    with pytest.raises(BadRequest, match="Message is too long"):
        await place.bot.send_message(GROUP, "😀" * 2049)


@pytest.mark.parametrize("text", [" ", "<b> </b>"])
async def test_an_empty_text_is_refused(place: Place, text: str) -> None:
    with pytest.raises(BadRequest, match="Message text is empty"):
        await place.bot.send_message(GROUP, text, ParseMode.HTML)


@pytest.mark.parametrize("data", ["x" * 65, "é" * 33])
async def test_button_data_over_64_bytes_is_refused(place: Place, data: str) -> None:
    with pytest.raises(BadRequest, match=r"(?i)button_data_invalid"):
        await place.bot.send_message(GROUP, "card", reply_markup=button(data=data))
    await place.bot.send_message(GROUP, "card", reply_markup=button(data="x" * 64))


async def test_all_three_kinds_of_buttons_are_shown(place: Place) -> None:
    row = [
        InlineKeyboardButton("Approve", callback_data="a:1"),
        InlineKeyboardButton("Copy", copy_text=CopyTextButton("docker pull x")),
        InlineKeyboardButton("Run", url="http://127.0.0.1:1/run"),
    ]
    sent = await place.bot.send_message(GROUP, "card", reply_markup=InlineKeyboardMarkup([row]))
    assert sent.reply_markup == InlineKeyboardMarkup([row])
    (shown,) = await place.read()
    assert shown["buttons"] == [
        [
            {"text": "Approve", "kind": "callback", "value": "a:1"},
            {"text": "Copy", "kind": "copy", "value": "docker pull x"},
            {"text": "Run", "kind": "url", "value": "http://127.0.0.1:1/run"},
        ]
    ]


def keyboard(*rows: int) -> InlineKeyboardMarkup:
    """Return a keyboard with this many buttons in each row."""
    names = [[f"{row}-{number}" for number in range(count)] for row, count in enumerate(rows)]
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(name, callback_data=name) for name in row] for row in names]
    )


async def test_a_message_holds_100_buttons_and_a_row_8(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=keyboard(*[8] * 12, 4))
    assert sum(len(row) for row in (await place.read())[0]["buttons"]) == 100
    for rows in ([8] * 12 + [5], [9]):
        with pytest.raises(BadRequest, match=r"(?i)reply_markup_too_long"):
            await place.bot.edit_message_reply_markup(
                GROUP, sent.message_id, reply_markup=keyboard(*rows)
            )


async def test_the_text_of_a_button_is_shown_in_full(place: Place) -> None:
    text = "Did you mean docker.io/library/nginx:1.27? " * 3 + "end"
    await place.bot.send_message(GROUP, "card", reply_markup=button(text))
    assert (await place.read())[0]["buttons"][0][0]["text"] == text


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({}, "text buttons are unallowed"),
        ({"callback_data": "a", "url": "http://127.0.0.1/"}, "exactly one action"),
        ({"callback_data": "a", "copy_text": {"text": "b"}}, "exactly one action"),
        ({"callback_data": ""}, "button_data_invalid"),
        ({"copy_text": {"text": ""}}, "button_copy_text_invalid"),
        ({"copy_text": {"text": "x" * 257}}, "button_copy_text_invalid"),
        ({"url": "nonsense"}, "wrong http url"),
    ],
)
async def test_a_button_needs_exactly_one_action_that_is_possible(
    place: Place, action: dict[str, Any], words: str
) -> None:
    body = {
        "chat_id": GROUP,
        "text": "card",
        "reply_markup": {"inline_keyboard": [[{"text": "go", **action}]]},
    }
    answer = await place.api.post(f"/telegram/bot{TOKEN}/sendMessage", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["description"].casefold()
    assert await place.read() == []


async def test_a_copy_button_holds_256_characters(place: Place) -> None:
    copying = InlineKeyboardButton("Copy", copy_text=CopyTextButton("é" * 256))
    markup = InlineKeyboardMarkup([[copying]])
    await place.bot.send_message(GROUP, "card", reply_markup=markup)
    assert (await place.read())[0]["buttons"][0][0]["value"] == "é" * 256


async def test_a_reply_to_a_missing_message_is_refused_unless_it_may_stand_alone(
    place: Place,
) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await place.bot.send_message(GROUP, "x", reply_parameters=ReplyParameters(99))
    alone = ReplyParameters(99, allow_sending_without_reply=True)
    assert (await place.bot.send_message(GROUP, "x", reply_parameters=alone)).text == "x"


async def test_a_reply_carries_what_it_answers(place: Place) -> None:
    number = await place.say("wei", "/help")
    sent = await place.bot.send_message(GROUP, "x", reply_parameters=ReplyParameters(number))
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == number
    assert (await place.read())[1]["reply_to"] == number


async def test_an_edit_keeps_the_message_and_counts(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "checking", reply_markup=button())
    edited = await place.bot.edit_message_text("<b>done</b>", GROUP, sent.message_id, None, "HTML")
    assert not isinstance(edited, bool)
    assert edited.message_id == sent.message_id
    (shown,) = await place.read()
    assert (shown["text"], shown["html"], shown["edits"]) == ("done", "<b>done</b>", 1)
    assert (shown["history"], shown["buttons"]) == (["checking"], [])


async def test_an_edit_that_changes_nothing_is_refused(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "<b>x</b>", "HTML", reply_markup=button())
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await place.bot.edit_message_text(
            "<strong>x</strong>", GROUP, sent.message_id, None, "HTML", reply_markup=button()
        )
    with pytest.raises(BadRequest, match="not modified"):
        await place.bot.edit_message_reply_markup(GROUP, sent.message_id, reply_markup=button())
    await place.bot.edit_message_reply_markup(GROUP, sent.message_id)


async def test_only_the_bots_own_messages_can_be_edited(place: Place) -> None:
    number = await place.say("wei", "/help")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await place.bot.edit_message_text("x", GROUP, number)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await place.bot.edit_message_text("x", GROUP, number + 1)


async def test_a_deleted_message_is_gone(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "x")
    await place.bot.delete_message(GROUP, sent.message_id)
    assert await place.read() == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await place.bot.delete_message(GROUP, sent.message_id)


async def test_after_48_hours_a_message_cannot_be_deleted(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "hello")
    place.clock.now += 48 * 3600 + 60
    with pytest.raises(BadRequest, match="can't be deleted"):
        await place.bot.delete_message(GROUP, sent.message_id)
    await place.bot.edit_message_text("over", GROUP, sent.message_id)


async def test_an_unknown_chat_and_a_person_who_never_wrote_are_refused(place: Place) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await place.bot.send_message(5, "x")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await place.bot.send_message(WEI, "x")


async def test_an_answer_stays_in_its_topic(place: Place) -> None:
    number = await place.say("wei", "/help", topic=7)
    sent = await place.bot.send_message(GROUP, "x", reply_parameters=ReplyParameters(number))
    assert (sent.message_thread_id, sent.is_topic_message) == (7, True)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await place.bot.send_message(GROUP, "x", message_thread_id=8)


async def test_a_message_in_a_topic_answers_the_one_that_opened_the_topic(place: Place) -> None:
    await place.say("wei", "/help", topic=7)
    (message,) = await place.received()
    opening = message.reply_to_message
    assert opening is not None
    assert (opening.message_id, opening.text) == (7, None)
    assert opening.forum_topic_created is not None


async def test_a_chain_of_replies_has_a_thread_that_is_no_topic(place: Place) -> None:
    first = await place.say("wei", "/help")
    second = await place.say("li", "/help", reply_to=first)
    await place.say("wei", "/status", reply_to=second)
    last = (await place.received())[-1]
    assert (last.message_thread_id, last.is_topic_message) == (first, None)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await place.bot.send_message(GROUP, "x", message_thread_id=first)


async def test_sends_and_edits_share_the_limit_of_a_group(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "0")
    for text in range(1, 20):
        await place.bot.edit_message_text(str(text), GROUP, sent.message_id)
    with pytest.raises(RetryAfter) as refused:
        await place.bot.send_message(GROUP, "one more")
    assert refused.value.retry_after == timedelta(seconds=60)
    place.clock.now += 60
    await place.bot.send_message(GROUP, "one more")


async def test_the_overall_limit_holds_for_private_chats_and_can_be_switched_off(
    place: Place,
) -> None:
    await place.say("wei", "/start", chat="private")
    for _ in range(30):
        await place.bot.send_message(WEI, "x")
    with pytest.raises(RetryAfter):
        await place.bot.send_message(WEI, "x")
    place.flood.on = False
    await place.bot.send_message(WEI, "x")


# Buttons


@pytest.mark.parametrize("place", [90.0], indirect=True)
async def test_a_press_brings_back_the_bots_answer(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button("✅ Approve"))
    pressing = asyncio.create_task(place.press("mallory", sent.message_id, "Approve"))
    (update,) = await place.bot.get_updates(timeout=20)
    assert update.callback_query is not None
    assert update.callback_query.data == "approve:1"
    assert update.callback_query.from_user.id == MALLORY
    assert update.callback_query.message is not None
    assert update.callback_query.message.message_id == sent.message_id
    await place.bot.answer_callback_query(update.callback_query.id, "Only admins", show_alert=True)
    assert await pressing == {"status": 200, "answer": "Only admins", "alert": True}


async def test_a_press_that_nobody_answers_ends_empty(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button())
    assert (await place.press("ana", sent.message_id, "Approve"))["answer"] == ""


async def test_a_query_is_answered_once_and_within_150_seconds(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button())
    await place.press("ana", sent.message_id, "Approve")
    await place.press("ana", sent.message_id, "Approve")
    first, second = [u.callback_query for u in await place.bot.get_updates()]
    assert first is not None
    assert second is not None
    await first.answer("yes")
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
        await first.answer("again")
    place.clock.now += 150
    with pytest.raises(BadRequest, match=r"(?i)query ID is invalid"):
        await second.answer("late")


async def test_a_callback_answer_over_200_characters_is_refused(place: Place) -> None:
    with pytest.raises(BadRequest, match=r"(?i)message_too_long"):
        await place.bot.answer_callback_query("1", "x" * 201)


async def test_of_buttons_that_look_alike_the_exact_one_is_pressed(place: Place) -> None:
    names = {"nginx:1.27": "a", "nginx:1.2": "b"}
    rows = [[InlineKeyboardButton(name, callback_data=data)] for name, data in names.items()]
    rows += [[InlineKeyboardButton("same", callback_data=data)] for data in "cd"]
    sent = await place.bot.send_message(GROUP, "x", reply_markup=InlineKeyboardMarkup(rows))
    await place.press("wei", sent.message_id, "nginx:1.2")
    await place.press("wei", sent.message_id, "NGINX")
    same = {"as": "wei", "message": sent.message_id, "button": "same", "value": "d"}
    await place.api.post("/api/press", json=same)
    pressed = [update.callback_query for update in await place.bot.get_updates()]
    assert [query.data for query in pressed if query] == ["b", "a", "d"]


async def test_a_press_on_what_is_not_there_says_what_is(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button())
    wrong = await place.press("ana", sent.message_id, "Reject")
    assert (wrong["status"], wrong["error"]) == (
        404,
        f"message {sent.message_id} has no button with 'Reject'; it has: Approve",
    )
    assert (await place.press("ana", 99, "Approve"))["status"] == 404


# Chats, commands, the bot itself


async def test_members_and_admins_are_told_apart(place: Place) -> None:
    assert (await place.bot.get_chat_member(GROUP, ANA)).status == "administrator"
    assert (await place.bot.get_chat_member(GROUP, MALLORY)).status == "member"
    assert [m.user.id for m in await place.bot.get_chat_administrators(GROUP)] == [ANA]
    assert (await place.bot.get_chat(GROUP)).title == "Images"


async def test_command_menus_are_kept_per_scope(place: Place) -> None:
    await place.bot.set_my_commands([BotCommand("mirror", "ask for images")])
    scope = BotCommandScopeChat(GROUP)
    await place.bot.set_my_commands([BotCommand("approve", "say yes")], scope=scope)
    assert [c.command for c in await place.bot.get_my_commands()] == ["mirror"]
    assert [c.command for c in await place.bot.get_my_commands(scope=scope)] == ["approve"]
    with pytest.raises(BadRequest, match=r"(?i)bot_command_invalid"):
        await place.bot.set_my_commands([BotCommand("Mirror", "ask")])


async def test_command_menus_are_kept_per_language(place: Place) -> None:
    await place.bot.set_my_commands([BotCommand("mirror", "ask for images")])
    await place.bot.set_my_commands([BotCommand("mirror", "搬运镜像")], language_code="zh")
    scope = BotCommandScopeChat(GROUP)
    await place.bot.set_my_commands([BotCommand("help", "帮助")], scope=scope, language_code="zh")
    assert [c.description for c in await place.bot.get_my_commands()] == ["ask for images"]
    chinese = await place.bot.get_my_commands(language_code="zh")
    assert [c.description for c in chinese] == ["搬运镜像"]
    await place.bot.delete_my_commands(language_code="zh")
    assert await place.bot.get_my_commands(language_code="zh") == ()
    assert len(await place.bot.get_my_commands(scope=scope, language_code="zh")) == 1


@pytest.mark.parametrize("language", ["zh-hans", "ZH", "zho"])
async def test_a_menu_has_a_language_of_two_letters(place: Place, language: str) -> None:
    with pytest.raises(BadRequest, match="Invalid language code specified"):
        await place.bot.set_my_commands([BotCommand("mirror", "x")], language_code=language)


async def test_a_menu_for_an_unknown_chat_is_refused(place: Place) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await place.bot.set_my_commands([BotCommand("a", "b")], scope=BotCommandScopeChat(-4))


async def test_a_reaction_shows_on_the_message_and_can_be_taken_back(place: Place) -> None:
    number = await place.say("wei", "/help")
    await place.bot.set_message_reaction(GROUP, number, "👀")
    assert (await place.read())[0]["reactions"] == ["👀"]
    await place.bot.set_message_reaction(GROUP, number)
    (shown,) = await place.read()
    assert (shown["reactions"], shown["edits"]) == ([], 0)


@pytest.mark.parametrize("reaction", ["✅", "x", ["👀", "👍"]])
async def test_a_reaction_that_telegram_does_not_know_is_refused(
    place: Place, reaction: Any
) -> None:
    number = await place.say("wei", "/help")
    with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
        await place.bot.set_message_reaction(GROUP, number, reaction)


async def test_reactions_do_not_count_for_the_limit_of_a_group(place: Place) -> None:
    number = await place.say("wei", "/help")
    for _ in range(20):
        await place.bot.set_message_reaction(GROUP, number, "👀")
    sent = await place.bot.send_message(GROUP, "card")
    for text in range(1, 20):
        await place.bot.edit_message_text(str(text), GROUP, sent.message_id)
    await place.bot.set_message_reaction(GROUP, number, "👍")
    with pytest.raises(RetryAfter):
        await place.bot.send_message(GROUP, "one more")


async def test_the_bot_knows_itself(place: Place) -> None:
    me = await place.bot.get_me()
    assert (me.id, me.username, me.is_bot) == (7_000_000_001, "imageto_bot", True)


async def test_a_wrong_token_is_unauthorized(place: Place) -> None:
    with pytest.raises(InvalidToken):
        async with bot_at(place.port, "1:wrong"):
            pass
    answer = await place.api.get("/telegram/bot1:wrong/getMe")
    assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_an_unknown_method_is_not_found(place: Place) -> None:
    answer = await place.api.post(f"/telegram/bot{TOKEN}/sendSticker", json={})
    assert answer.status_code == 404
    assert answer.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


@pytest.mark.parametrize(
    "body", ["{", "[]", json.dumps({"chat_id": GROUP, "text": 1, "reply_markup": "{"})]
)
async def test_a_malformed_request_is_a_bad_request(place: Place, body: str) -> None:
    kind = {"Content-Type": "application/json"}
    url = f"/telegram/bot{TOKEN}/sendMessage"
    answer = await place.api.post(url, content=body, headers=kind)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


async def test_stopping_cuts_an_open_long_poll_at_once(caplog: pytest.LogCaptureFixture) -> None:
    world = TelegramState()
    app = Starlette(routes=[Mount("/telegram", telegram_app(world, token=TOKEN))])
    async with httpx.AsyncClient(trust_env=False) as client:
        async with asyncio.timeout(90), served(app) as port:
            url = f"http://127.0.0.1:{port}/telegram/bot{TOKEN}/getUpdates"
            poll = asyncio.create_task(client.get(url, params={"timeout": 50}, timeout=60))
            await asyncio.sleep(0.1)
        with pytest.raises(httpx.TransportError):
            await poll
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_a_port_in_use_is_said_in_words() -> None:
    async with served(Starlette()) as port:
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 cannot be used"):
            async with served(Starlette(), port=port):
                pass
