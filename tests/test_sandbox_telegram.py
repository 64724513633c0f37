"""The sandbox's Bot API and chat API, driven by a real python-telegram-bot client over loopback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from telegram import Bot as TelegramBot
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
from telegram.request import HTTPXRequest

from bot.sandbox.chat import ChatWorld
from bot.sandbox.chat_api import chat_routes, http_error, page_route
from bot.sandbox.faults import Faults
from bot.sandbox.flood import FloodGate, Limit
from bot.sandbox.serve import served
from bot.sandbox.telegram import telegram_app

TOKEN = "7000000001:sandbox"
GROUP = -1_001_000_000_001
WEI, ANA, MALLORY = 1001, 1003, 1004


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A served sandbox chat, its bot, and people's own client."""

    bot: TelegramBot
    api: httpx.AsyncClient
    world: ChatWorld
    clock: Clock
    flood: FloodGate
    port: int

    async def say(self, who: str, text: str, **more: Any) -> int:
        answer = await self.api.post("/api/chat", json={"as": who, "text": text, **more})
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["id"]
        return number

    async def read(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.api.get("/api/chat")).json()["messages"]
        return messages

    async def press(self, who: str, message: int, button: str) -> dict[str, Any]:
        pressed = {"as": who, "message": message, "button": button}
        answer = await self.api.post("/api/press", json=pressed)
        return {"status": answer.status_code, **answer.json()}


def bot_at(port: int, token: str = TOKEN) -> TelegramBot:
    return TelegramBot(
        token,
        base_url=f"http://127.0.0.1:{port}/telegram/bot",
        base_file_url=f"http://127.0.0.1:{port}/telegram/file/bot",
        request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
        get_updates_request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
    )


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # RetryAfter warns of its old kind of number
    clock = Clock()
    world = ChatWorld(clock=clock)
    flood = FloodGate(clock, group=Limit(20, 60.0), overall=Limit(30, 1.0))
    telegram = telegram_app(world, token=TOKEN, flood=flood)
    app = Starlette(
        routes=[
            page_route,
            *chat_routes(world, Faults(), press_seconds=0.3),
            Mount("/telegram", telegram),
        ],
        exception_handlers={HTTPException: http_error},
    )
    async with (
        served(app) as port,
        bot_at(port) as bot,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as api,
    ):
        yield Place(bot, api, world, clock, flood, port)


def button(text: str = "Approve", data: str = "approve:1") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=data)]])


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
    assert len(await asyncio.wait_for(poll, 2)) == 1


async def test_a_second_poller_ends_the_first_with_a_conflict(place: Place) -> None:
    first = asyncio.create_task(place.bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    async with bot_at(place.port) as other:
        second = asyncio.create_task(other.get_updates(timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await asyncio.wait_for(first, 2)
        await place.say("wei", "/status")
        assert len(await asyncio.wait_for(second, 2)) == 1


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


async def test_a_press_brings_back_the_bots_answer(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button("✅ Approve"))
    pressing = asyncio.create_task(place.press("mallory", sent.message_id, "Approve"))
    (update,) = await place.bot.get_updates(timeout=5)
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


async def test_a_press_on_what_is_not_there_says_what_is(place: Place) -> None:
    sent = await place.bot.send_message(GROUP, "card", reply_markup=button())
    wrong = await place.press("ana", sent.message_id, "Reject")
    assert (wrong["status"], wrong["error"]) == (
        404,
        f"message {sent.message_id} has no button with 'Reject'; it has: Approve",
    )
    assert (await place.press("ana", 99, "Approve"))["status"] == 404


# Files, chats, commands, itself


async def test_a_document_goes_both_ways(place: Place) -> None:
    sent = await place.api.post(
        "/api/chat",
        data={"as": "wei", "text": "/mirror"},
        files={"document": ("compose.yml", b"image: nginx", "text/yaml")},
    )
    (update,) = await place.bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    assert (update.message.message_id, update.message.caption) == (sent.json()["id"], "/mirror")
    file = await place.bot.get_file(update.message.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"image: nginx"
    await place.bot.send_document(GROUP, b"table", filename="all.txt", caption="<b>all</b>")
    shown = (await place.read())[1]["document"]
    assert shown == {"name": "all.txt", "size": 5, "text": "table"}


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


async def test_a_reaction_shows_on_the_message(place: Place) -> None:
    number = await place.say("wei", "/help")
    await place.bot.set_message_reaction(GROUP, number, "👀")
    assert (await place.read())[0]["reactions"] == ["👀"]


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


# The API for people


async def test_what_people_type_is_shown_escaped(place: Place) -> None:
    await place.say("wei", "/mirror <script>alert(1)</script>")
    (shown,) = await place.read()
    assert shown["from"] == "wei"
    assert shown["html"] == "/mirror &lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"as": "bob", "text": "x"}, 404, "the people are: wei, li, ana, mallory"),
        ({"text": "x"}, 400, "as is missing"),
        ({"as": "wei"}, 400, "text is empty"),
        ({"as": "wei", "text": 5}, 400, "text must be a text"),
        ({"as": "wei", "text": "x" * 4097}, 400, "at most 4096"),
        ({"as": "wei", "text": "x", "reply_to": 99}, 404, "no message 99"),
        ({"as": "wei", "text": "x", "reply_to": "y"}, 400, "reply_to must be a whole number"),
        ({"as": "wei", "text": "x", "chat": 1003}, 404, "in no chat 1003"),
        ([], 400, "send a JSON object"),
    ],
)
async def test_mistakes_of_people_are_answered_with_words(
    place: Place, body: Any, status: int, words: str
) -> None:
    answer = await place.api.post("/api/chat", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_a_wrong_method_is_answered_in_json(place: Place) -> None:
    answer = await place.api.put("/api/chat", json={})
    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})


async def test_a_broken_surrogate_does_no_harm(place: Place) -> None:
    kind = {"Content-Type": "application/json"}
    text = b'{"as": "wei", "text": "/mirror \\ud800"}'
    answer = await place.api.post("/api/chat", content=text, headers=kind)
    assert answer.status_code == 200
    assert (await place.read())[0]["text"] == "/mirror \ufffd"


async def test_reading_can_be_narrowed_to_a_chat_and_to_what_is_new(place: Place) -> None:
    await place.say("wei", "one")
    await place.say("wei", "two")
    await place.say("wei", "alone", chat="private")
    new = await place.api.get("/api/chat", params={"chat": "group", "after": 1})
    assert [m["text"] for m in new.json()["messages"]] == ["two"]
    own = await place.api.get("/api/chat", params={"chat": "private", "as": "wei"})
    assert [m["text"] for m in own.json()["messages"]] == ["alone"]


async def test_the_page_is_whole_in_itself(place: Place) -> None:
    page = await place.api.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "src=" not in page.text.replace("img-src", "")
    assert "innerHTML" not in page.text


async def test_stopping_cuts_an_open_long_poll_at_once(caplog: pytest.LogCaptureFixture) -> None:
    world = ChatWorld()
    app = Starlette(routes=[Mount("/telegram", telegram_app(world, token=TOKEN))])
    async with httpx.AsyncClient(trust_env=False) as client:
        async with asyncio.timeout(3), served(app) as port:
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
