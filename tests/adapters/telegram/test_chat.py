"""The Telegram adapter against the sandbox's Bot API server: sending, editing, polling."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from fakes import WORDS, plain
from sandbox_fixture import document
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from telegram.error import TelegramError

from bot.adapters.telegram.chat import (
    Menu,
    PollingBot,
    TelegramChat,
    ask_name,
    introduce,
    set_menus,
)
from bot.adapters.telegram.hearing import Hearing
from bot.adapters.telegram.polling import Polling
from bot.adapters.telegram.rendering import Rendered, TelegramWords
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.telegram.transport import Bounds
from bot.core.errors import ChatMovedError, RefusedError, TransientError
from bot.core.ids import ChatId, MessageId, PersonId, Place, UpdateKey, number_of
from bot.dialog.language import Language
from bot.dialog.message import ButtonKind, Message, Text
from bot.engine.intake.context import Added, Incoming, Press
from bot.engine.ports.chat import Document
from bot.engine.shutdown import Shutdown
from bot.sandbox.faults.middleware import ArmedFaults, FaultMiddleware
from bot.sandbox.page_api import chat_routes
from bot.sandbox.serve import served
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState

BOUNDS = Bounds(size=100_000)
TOKEN = "7000000001:sandbox"


@dataclass
class Inbox:
    """Takes updates in place of the intake. Each exception in `trouble` is raised once."""

    got: list[Incoming | Press] = field(default_factory=list)
    passed: list[UpdateKey] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    moves: list[tuple[ChatId, ChatId]] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)
    additions: list[Added] = field(default_factory=list)
    offset: int = 0

    async def receive(self, incoming: Incoming) -> bool:
        if self.trouble:
            raise self.trouble.pop(0)
        self.got.append(incoming)
        return incoming.text.startswith("/mirror")

    async def moved(self, update: UpdateKey, old: ChatId, new: ChatId) -> None:
        self.moves.append((old, new))

    async def added(self, added: Added) -> None:
        self.additions.append(added)

    async def press(self, press: Press) -> Text:
        self.got.append(press)
        return plain("answered")

    async def pass_over(self, update: UpdateKey) -> None:
        self.passed.append(update)

    async def read(self) -> int:
        return self.offset + 1

    async def save(self, following: int) -> None:
        self.offset = following - 1

    def excuse(self, incoming: Incoming) -> Text | None:
        return plain("later") if incoming.text.startswith("/") else None

    def excuse_press(self, press: Press) -> Text:
        return plain("press again")


@dataclass
class Site:
    world: TelegramState
    faults: ArmedFaults
    bot: PollingBot
    chat: TelegramChat
    api: httpx.AsyncClient
    port: int

    @property
    def place(self) -> Place:
        return Place(ChatId(f"telegram:{self.world.group.id}"))

    async def say(self, who: str, text: str, **more: object) -> int:
        answer = await self.api.post("/api/chat", json={"as": who, "text": text, **more})
        answer.raise_for_status()
        number: int = answer.json()["id"]
        return number

    async def change(self, **bot: object) -> None:
        """Let an admin change what the bot may do in the group."""
        answer = await self.api.post("/api/chat", json={"as": "ana", **bot})
        answer.raise_for_status()


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("bot.adapters.telegram.takeover.AGAIN", 0.1)
    monkeypatch.setattr("bot.adapters.telegram.polling.STORE_SECONDS", 0.2)
    world, faults = TelegramState(), ArmedFaults()
    app = Starlette(
        routes=[
            Mount(
                "/telegram",
                app=FaultMiddleware(telegram_app(world, token=TOKEN), faults, "telegram"),
            ),
            *chat_routes(world, faults, press_seconds=10),
        ]
    )
    async with (
        served(app) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as api,
    ):
        bot = PollingBot(TOKEN, f"http://127.0.0.1:{port}/telegram", BOUNDS)
        await bot.initialize()
        yield Site(world, faults, bot, TelegramChat(bot, WORDS), api, port)
        await bot.shutdown()


TEXT = plain("hello <x>", ("Approve", ButtonKind.CALLBACK, "approve:1"))


async def test_a_message_is_sent_as_a_reply_with_its_buttons_and_then_edited(site: Site) -> None:
    asked = await site.say("wei", "/mirror nginx")
    number = await site.chat.send(site.place, TEXT, reply_to=MessageId(f"telegram:{asked}"))
    await site.chat.edit(site.place, number, plain("bye"))
    shown = (await site.api.get("/api/chat")).json()["messages"][-1]
    assert (shown["text"], shown["reply_to"], shown["edits"]) == ("bye", asked, 1)
    assert shown["buttons"] == []


async def test_copy_and_link_buttons_are_what_they_say(site: Site) -> None:
    row = (("Copy", ButtonKind.COPY, "docker pull x"), ("Run", ButtonKind.URL, "https://x.example"))
    await site.chat.send(site.place, plain("x", *row), reply_to=None)
    shown = (await site.api.get("/api/chat")).json()["messages"][-1]
    assert [button["kind"] for button in shown["buttons"][0]] == ["copy", "url"]


async def test_an_edit_that_changes_nothing_is_a_success(site: Site) -> None:
    number = await site.chat.send(site.place, TEXT, reply_to=None)
    await site.chat.edit(site.place, number, TEXT)


async def test_a_message_is_deleted_and_one_that_is_gone_is_a_success(site: Site) -> None:
    number = await site.chat.send(site.place, TEXT, reply_to=None)
    await site.chat.delete(site.place, number)
    await site.chat.delete(site.place, number)
    asked = await site.say("wei", "/mirror nginx")
    with pytest.raises(RefusedError, match="can't be deleted"):
        await site.chat.delete(site.place, MessageId(f"telegram:{asked}"))


@pytest.mark.parametrize("what", ["status 413", "page 413", "page 414", "status 422"])
async def test_what_telegram_cannot_take_by_its_size_or_kind_is_refused(
    site: Site, what: str
) -> None:
    site.faults.arm(where="telegram", what=what, path="sendMessage")
    with pytest.raises(RefusedError):
        await site.chat.send(site.place, TEXT, reply_to=None)


ODD = ['{"ok":false,"error_code":500,"description":"x"}', '{"ok":true,"result":{}}', "[]", "7"]


@pytest.mark.parametrize("body", [*ODD, '{"ok":true,"result":[1]}', '{"ok":true,"result":"x"}'])
async def test_an_answer_of_another_shape_is_trouble_and_no_crash(body: str) -> None:
    async def odd(_: Request) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/{rest:path}", odd, methods=["GET", "POST"])])
    async with served(app) as port:
        bot = PollingBot(TOKEN, f"http://127.0.0.1:{port}", BOUNDS)
        chat = TelegramChat(bot, WORDS)
        place = Place(ChatId("telegram:-1"))
        for call in (
            chat.send(place, TEXT, reply_to=None),
            chat.send_file(place, Document("x", b"x"), TEXT, reply_to=None),
            chat.fetch("x", limit=10),
        ):
            with pytest.raises(TransientError) as caught:
                await call
            assert caught.value.unclear
        with pytest.raises(TelegramError):
            await bot.raw_updates(1)
        menu = Menu(None, [("mirror", "copy")], [("mirror", "copy")])
        await set_menus(
            bot, menus=[menu], chats=[ChatId("telegram:-1")], admin_ids=[PersonId("telegram:1")]
        )
        await bot.shutdown()


async def test_an_answer_to_a_deleted_message_still_comes(site: Site) -> None:
    assert await site.chat.send(site.place, TEXT, reply_to=MessageId("telegram:999"))


async def test_an_answer_to_a_deleted_topic_comes_in_the_open(site: Site) -> None:
    assert await site.chat.send(Place(site.place.chat, 99), TEXT, reply_to=None)
    shown = (await site.api.get("/api/chat")).json()["messages"][-1]
    assert shown["topic"] is None


async def test_what_belongs_into_a_closed_topic_comes_in_the_main_one(site: Site) -> None:
    asked = await site.say("wei", "/mirror nginx", topic=7)
    site.world.closed_topics.add((number_of(site.place.chat), 7))
    reply_to, topic = MessageId(f"telegram:{asked}"), Place(site.place.chat, 7)
    assert await site.chat.send(topic, TEXT, reply_to=reply_to)
    file = Document("compose.yaml", b"services: {}")
    await site.chat.send_file(topic, file, plain("here"), reply_to=reply_to)
    shown = (await site.api.get("/api/chat")).json()["messages"][-2:]
    assert [message["topic"] for message in shown] == [None, None]


class Unclosed(TelegramWords):
    def render(self, message: Message, language: Language) -> Rendered:
        return Rendered("<b>")


async def test_what_telegram_will_never_take_is_refused(site: Site) -> None:
    with pytest.raises(RefusedError, match="Can't parse entities"):
        await TelegramChat(site.bot, Unclosed()).send(site.place, TEXT, reply_to=None)
    with pytest.raises(RefusedError, match="not found"):
        await site.chat.edit(site.place, MessageId("telegram:999"), TEXT)
    with pytest.raises(RefusedError):
        await site.chat.send(Place(ChatId("telegram:-4")), TEXT, reply_to=None)


@pytest.mark.parametrize(
    ("what", "words", "retry_after"),
    [
        ("retry-after 9", "asks to wait", 9.0),
        ("status 429", "asks to wait", None),
        ("status 502", "in trouble: Bad Gateway", None),
        ("status 401", "does not accept the bot's token", 30.0),
        ("status 404", "does not accept the bot's token", 30.0),
        ("garbage", "cannot be read", None),
        ("malformed", "cannot be read", None),
        ("page 400", "cannot be read", None),
        ("page 403", "cannot be read", None),
        ("page 404", "cannot be read", None),
        ("huge 1", "cannot be read", None),
        ("packed 1", "cannot be read", None),
        ("lost", "out of reach", None),
        ("cut", "out of reach", None),
    ],
)
async def test_trouble_is_temporary_and_keeps_telegrams_wish(
    site: Site, what: str, words: str, retry_after: float | None
) -> None:
    site.faults.arm(where="telegram", what=what, path="sendMessage")
    with pytest.raises(TransientError, match=words) as caught:
        await site.chat.send(site.place, TEXT, reply_to=None)
    assert caught.value.retry_after == retry_after
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("what", ["delay 2", "endless"])
async def test_an_answer_that_does_not_come_in_time_is_temporary(site: Site, what: str) -> None:
    site.faults.arm(where="telegram", what=what, path="sendMessage")
    bot = PollingBot(TOKEN, f"http://127.0.0.1:{site.port}/telegram", Bounds(read=0.5, whole=1))
    with pytest.raises(TransientError, match="did not answer in time"):
        await TelegramChat(bot, WORDS).send(site.place, TEXT, reply_to=None)
    await bot.shutdown()


def _taken(inbox: Inbox) -> int:
    return sum(map(len, (inbox.got, inbox.passed, inbox.moves, inbox.additions)))


async def polled(
    site: Site,
    inbox: Inbox,
    count: int,
    *,
    together: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    hearing: Hearing | None = None,
) -> None:
    """Poll until the inbox has taken this many updates."""
    alive = 0

    async def beat(silence: float | None) -> None:
        nonlocal alive
        alive += 1

    polling = Polling(
        words=WORDS,
        bot=site.bot,
        receiver=inbox,
        offset=inbox,
        alive=beat,
        turn=Takeover(settled=True, hold=inbox.holds.append),
        hearing=hearing,
        together=together,
    )
    shutdown = Shutdown()
    task = asyncio.create_task(polling.run(shutdown))
    try:
        async with asyncio.timeout(90):
            while _taken(inbox) < count:
                await asyncio.sleep(0.02)
    finally:
        shutdown.request()  # the update that has begun is finished, with its answer
        await asyncio.wait({task})


async def test_a_command_arrives_with_who_where_and_what(site: Site) -> None:
    number = await site.say("wei", "/mirror nginx:1.27\nredis:7")
    inbox = Inbox()
    await polled(site, inbox, 1)
    (incoming,) = inbox.got
    assert isinstance(incoming, Incoming)
    assert incoming.person.id == PersonId("telegram:1001")
    assert incoming.place == site.place
    assert (incoming.message, incoming.text) == (
        f"telegram:{number}",
        "/mirror nginx:1.27\nredis:7",
    )


async def test_a_press_arrives_with_who_pressed_and_is_answered(site: Site) -> None:
    number = await site.chat.send(site.place, TEXT, reply_to=None)
    inbox = Inbox()
    press = {"as": "ana", "message": number_of(number), "button": "Approve"}
    answer = asyncio.create_task(site.api.post("/api/press", json=press))
    await polled(site, inbox, 1)
    assert isinstance(inbox.got[0], Press)
    assert (inbox.got[0].person.id, inbox.got[0].data) == ("telegram:1003", "approve:1")
    assert (await answer).json()["answer"] == "answered"


async def test_a_wrong_token_is_called_so_and_not_shown(site: Site) -> None:
    wrong = "7000000002:somebody-elses"
    bot = PollingBot(wrong, f"http://127.0.0.1:{site.port}/telegram")
    with pytest.raises(TransientError, match="does not accept the bot's token") as told:
        await ask_name(bot)
    assert wrong not in str(told.value)
    await bot.shutdown()


BOT = {"id": 4242, "is_bot": True, "first_name": "wei"}
WEI = {"id": 1001, "is_bot": False, "first_name": "wei"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group"}


@pytest.mark.parametrize(
    ("sender", "taken"),
    [
        ({"from": WEI}, 1),
        ({"from": BOT}, 0),
        ({"from": WEI, "sender_business_bot": BOT}, 0),
        ({"from": ANONYMOUS, "sender_chat": {"id": -1, "type": "supergroup"}}, 1),
        ({"from": ANONYMOUS}, 0),
    ],
)
async def test_another_bot_is_nobody(site: Site, sender: dict[str, object], taken: int) -> None:
    inbox = Inbox()
    polling = Polling(
        words=WORDS,
        bot=site.bot,
        receiver=inbox,
        offset=Inbox(),
        alive=lambda _: asyncio.sleep(0),
        turn=Takeover(settled=True, hold=bool),
    )
    chat = {"id": -1, "type": "supergroup"}
    message = {"message_id": 5, "date": 1, "chat": chat, "text": "/mirror nginx", **sender}
    await polling._handle({"update_id": 7, "message": message})
    assert (len(inbox.got), inbox.passed) == (taken, [] if taken else ["telegram:7"])


async def test_a_file_arrives_with_its_caption_or_with_the_reply_to_it(site: Site) -> None:
    content = b"services: {}"
    said = {"as": "wei", "text": "/mirror", "document": document("compose.yaml", content)}
    sent = await site.api.post("/api/chat", json=said)
    await site.say("li", "/mirror", reply_to=sent.json()["id"])
    inbox = Inbox()
    await polled(site, inbox, 2)
    with_file, reply = inbox.got
    assert isinstance(with_file, Incoming)
    assert isinstance(reply, Incoming)
    assert with_file.file is not None
    assert (with_file.file.name, with_file.file.size) == ("compose.yaml", len(content))
    assert reply.file is None
    assert reply.quoted_file == with_file.file
    assert await site.chat.fetch(with_file.file.file_id, limit=1000) == content
    with pytest.raises(RefusedError, match="12 bytes"):
        await site.chat.fetch(with_file.file.file_id, limit=11)
    with pytest.raises(RefusedError):
        await site.chat.fetch("nonsense", limit=11)


@pytest.mark.parametrize("what", ["garbage", "malformed", "short"])
async def test_a_file_that_is_not_what_was_announced_is_fetched_again(
    site: Site, what: str
) -> None:
    document = site.world.keep("a.yaml", "text/yaml", b"image: nginx:1.27\n" * 9)
    site.faults.arm(where="telegram", what=what, path="/file/")
    with pytest.raises(TransientError, match="cannot be read"):
        await site.chat.fetch(document.file_id, limit=1000)
    assert await site.chat.fetch(document.file_id, limit=1000) == document.content


async def test_a_reply_brings_the_text_it_answers(site: Site) -> None:
    first = await site.say("wei", "nginx:1.27 please")
    await site.say("wei", "/mirror", reply_to=first)
    inbox = Inbox()
    await polled(site, inbox, 1)
    assert isinstance(inbox.got[0], Incoming)
    assert inbox.got[0].quoted == "nginx:1.27 please"


async def test_a_file_is_sent_as_it_is_under_its_name_into_its_topic(site: Site) -> None:
    asked = await site.say("wei", "/mirror", topic=7)
    content = b"\xef\xbb\xbfa: 1\r\n"
    place = Place(site.place.chat, 7)
    await site.chat.send_file(
        place,
        Document("a b.yaml", content),
        plain("back"),
        reply_to=MessageId(f"telegram:{asked}"),
    )
    shown = (await site.api.get("/api/chat")).json()["messages"][-1]
    assert (shown["text"], shown["reply_to"], shown["topic"]) == ("back", asked, 7)
    assert shown["document"]["name"] == "a b.yaml"
    number = shown["document"]["number"]
    assert (await site.api.get(f"/api/document/{number}")).content == content


async def test_what_begins_is_acknowledged_by_a_reaction_and_the_rest_is_not(site: Site) -> None:
    number = await site.say("wei", "/mirror nginx")
    other = await site.say("wei", "/help")
    await polled(site, Inbox(), 2)
    shown = {m["id"]: m for m in (await site.api.get("/api/chat")).json()["messages"]}
    assert shown[number]["reactions"] == ["👀"]
    assert shown[other]["reactions"] == []


async def test_a_reaction_that_fails_holds_up_nothing(site: Site) -> None:
    site.faults.arm(where="telegram", what="status 400", path="setMessageReaction")
    await site.say("wei", "/mirror nginx")
    await site.say("wei", "/mirror redis")
    inbox = Inbox()
    await polled(site, inbox, 2)
    assert inbox.passed == []


async def test_a_group_that_becomes_a_supergroup_is_told_of_and_moved_from(site: Site) -> None:
    await site.api.post("/api/chat", json={"as": "ana", "chat": "team", "text": "/help"})
    old = ChatId(f"telegram:{site.world.team.id}")
    upgraded = await site.api.post("/api/chat", json={"as": "ana", "upgrade": True})
    new = ChatId(f"telegram:{upgraded.json()['chat']}")
    inbox = Inbox()
    await polled(site, inbox, 3)
    assert inbox.moves == [(old, new), (old, new)]
    with pytest.raises(ChatMovedError) as caught:
        await site.chat.send(Place(old), TEXT, reply_to=None)
    assert caught.value.chat == new


async def test_an_anonymous_admin_is_faceless(site: Site) -> None:
    await site.say("ana", "/approve #1", anonymous=True)
    inbox = Inbox()
    await polled(site, inbox, 1)
    assert isinstance(inbox.got[0], Incoming)
    assert inbox.got[0].faceless


async def test_an_update_that_could_not_be_stored_comes_again(site: Site) -> None:
    await site.say("wei", "/mirror nginx")
    inbox = Inbox(trouble=[TransientError("the database is locked")])
    await polled(site, inbox, 1)
    assert len(inbox.got) == 1
    assert inbox.passed == []


async def test_what_comes_at_once_is_stored_as_one_and_acknowledged_after_it(site: Site) -> None:
    messages = [await site.say("wei", f"/mirror nginx:{number}") for number in range(12)]
    inbox, stored = Inbox(), list[int]()

    @asynccontextmanager
    async def together() -> AsyncIterator[None]:
        before = len(inbox.got)
        yield
        assert not any(message.reactions for message in site.world.messages()[-12:][before:])
        stored.append(len(inbox.got) - before)

    await polled(site, inbox, 12, together=together)
    assert stored == [10, 2]
    shown = {message.id: message.reactions for message in site.world.messages()}
    assert all(shown[message] for message in messages)


async def test_what_cannot_be_stored_as_one_is_stored_one_by_one(site: Site) -> None:
    for number in range(3):
        await site.say("wei", f"/mirror nginx:{number}")
    inbox = Inbox()

    @asynccontextmanager
    async def together() -> AsyncIterator[None]:
        before = len(inbox.got), inbox.offset
        yield
        if len(inbox.got) > before[0] + 1:
            del inbox.got[before[0] :]
            inbox.offset = before[1]
            raise TransientError("the database is full")

    await polled(site, inbox, 3, together=together)
    assert [update.text for update in inbox.got if isinstance(update, Incoming)] == [
        f"/mirror nginx:{number}" for number in range(3)
    ]


async def test_a_chat_is_told_once_that_nothing_can_be_stored_and_then_served(site: Site) -> None:
    asked = [await site.say("wei", "/mirror nginx"), await site.say("li", "/mirror redis")]
    number = await site.chat.send(site.place, TEXT, reply_to=None)
    press = {"as": "ana", "message": number_of(number), "button": "Approve"}
    answer = asyncio.create_task(site.api.post("/api/press", json=press))
    inbox = Inbox(trouble=[TransientError("the database is full")] * 3)
    await polled(site, inbox, 3)
    assert (await answer).json()["answer"] == "press again"
    shown = (await site.api.get("/api/chat")).json()["messages"]
    assert [m["reply_to"] for m in shown if m["text"] == "later"] == [asked[0]]
    assert [update.update for update in inbox.got] == sorted(update.update for update in inbox.got)


async def test_an_excuse_that_cannot_be_said_is_left_out(site: Site) -> None:
    await site.say("wei", "/mirror nginx")
    site.faults.arm(where="telegram", what="status 502", path="sendMessage", times=9)
    inbox = Inbox(trouble=[TransientError("the database is locked")] * 2)
    await polled(site, inbox, 1)
    assert len(inbox.got) == 1


async def test_updates_that_telegram_numbers_anew_are_taken(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Telegram may choose new ids after a week: https://core.telegram.org/bots/api#update"""
    await site.say("wei", "/mirror nginx")
    inbox = Inbox(offset=2**40)
    await polled(site, inbox, 1)
    await site.say("wei", "/mirror redis")
    await polled(site, inbox, 2)
    assert [update.text for update in inbox.got if isinstance(update, Incoming)] == [
        "/mirror nginx",
        "/mirror redis",
    ]
    assert caplog.text.count("Telegram began a new series") == 1


async def test_a_poison_update_is_passed_over_and_the_rest_is_handled(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox(trouble=[KeyError("date")])
    await site.say("wei", "/mirror poison")
    await site.say("wei", "/mirror nginx")
    await polled(site, inbox, 2)
    assert len(inbox.passed) == 1
    assert isinstance(inbox.got[0], Incoming)
    assert inbox.got[0].text == "/mirror nginx"
    assert "Unhandled exception in update" in caplog.text


async def test_what_is_forwarded_to_a_group_or_edited_starts_nothing(site: Site) -> None:
    number = await site.say("wei", "/mirror nginx")
    inbox = Inbox()
    await polled(site, inbox, 1)
    await site.say("wei", "", forward=number)
    person = site.world.people["wei"]
    site.world.rewrite(person, site.world.group, number, "/mirror redis")
    reply = await site.chat.send(site.place, TEXT, reply_to=None)
    await site.say("wei", "thank you", reply_to=number_of(reply))
    await polled(site, inbox, 3)
    assert [incoming.text for incoming in inbox.got] == ["/mirror nginx", "thank you"]
    assert len(inbox.passed) == 1


async def test_in_private_what_is_forwarded_is_taken_and_known_as_such(site: Site) -> None:
    number = await site.say("wei", "/mirror nginx")
    inbox = Inbox()
    await site.say("li", "", forward=number, from_chat="group", chat="private")
    await polled(site, inbox, 2)
    assert [(m.text, m.forwarded) for m in inbox.got if isinstance(m, Incoming)] == [
        ("/mirror nginx", False),
        ("/mirror nginx", True),
    ]


async def test_a_message_says_when_it_was_sent_and_of_which_album_it_is(site: Site) -> None:
    album = [document(name, b"x: y") for name in ("a.yaml", "b.yaml")]
    await site.say("wei", "/mirror", chat="private", documents=album)
    inbox = Inbox()
    await polled(site, inbox, 2)
    first, second = (m for m in inbox.got if isinstance(m, Incoming))
    assert first.file is not None
    assert second.file is not None
    assert (first.text, second.text) == ("/mirror", "")
    assert first.file.album == second.file.album != ""
    assert timedelta(0) <= second.sent_at - first.sent_at <= timedelta(seconds=1)
    assert first.hears_all


async def test_a_reply_says_what_the_buttons_of_the_card_carry(site: Site) -> None:
    row = (("Yes", ButtonKind.CALLBACK, "approve:k"), ("Copy", ButtonKind.COPY, "x"))
    card = await site.chat.send(site.place, plain("card", *row), reply_to=None)
    await site.say("ana", "/approve", reply_to=number_of(card))
    inbox = Inbox()
    await polled(site, inbox, 1)
    (reply,) = (m for m in inbox.got if isinstance(m, Incoming))
    assert (reply.replies_to, reply.quoted_buttons) == (card, ("approve:k",))


async def no_move(old: ChatId, new: ChatId) -> None:
    raise AssertionError((old, new))


async def test_the_bot_is_added_to_a_group_and_only_then(site: Site) -> None:
    inbox = Inbox()
    await site.change(bot="left")
    await site.change(bot="member")
    await site.change(bot="administrator")
    await polled(site, inbox, 3)
    (added,) = inbox.additions
    assert (added.chat, added.hears_all) == (site.place.chat, False)
    assert len(inbox.passed) == 2


async def test_a_group_that_moved_while_the_bot_was_away_is_learned_by_asking(site: Site) -> None:
    moves: list[tuple[ChatId, ChatId]] = []

    async def moved(old: ChatId, new: ChatId) -> None:
        moves.append((old, new))

    person = site.world.people["ana"]
    team = site.world.chat_of(person, "team")
    new = site.world.upgrade(person, team)
    old, unknown = ChatId(f"telegram:{team.id}"), ChatId("telegram:-77")
    await Hearing().ask(site.bot, [unknown, old], moved)
    assert moves == [(old, ChatId(f"telegram:{new.id}"))]


async def test_the_bot_hears_a_whole_group_while_it_is_an_admin_or_has_no_privacy_mode(
    site: Site,
) -> None:
    group = number_of(site.place.chat)
    hearing, inbox = Hearing(), Inbox()
    assert hearing.of(1001), "a private chat"
    assert not hearing.of(group)
    await site.change(bot="administrator")
    assert not hearing.of(group)
    await hearing.ask(site.bot, [site.place.chat], no_move)
    assert hearing.of(group)
    await site.change(bot="member")
    await hearing.ask(site.bot, [site.place.chat], no_move)
    assert not hearing.of(group)
    await site.change(privacy=False)
    await hearing.ask(site.bot, [site.place.chat], no_move)
    assert hearing.of(group)
    await site.change(privacy=True)
    await hearing.ask(site.bot, [site.place.chat], no_move)
    assert not hearing.of(group)
    await site.change(bot="administrator")
    await polled(site, inbox, 3, hearing=hearing)
    assert hearing.of(group), "Telegram told it, too"


@pytest.mark.parametrize(
    "what",
    [
        "status 502",
        "status 409",
        "retry-after 1",
        "garbage",
        "malformed",
        "huge 1",
        "refused",
    ],
)
async def test_polling_goes_on_after_trouble(site: Site, what: str) -> None:
    await site.say("wei", "/mirror nginx")
    site.faults.arm(where="telegram", what=what, path="getUpdates")
    inbox = Inbox()
    await polled(site, inbox, 1)
    assert len(inbox.got) == 1


async def test_the_name_is_asked_for_until_telegram_answers(site: Site) -> None:
    site.faults.arm(where="telegram", what="status 502", path="getMe")
    bot = PollingBot(TOKEN, f"http://127.0.0.1:{site.port}/telegram")
    assert await introduce(bot) == "imageto_bot"
    await bot.shutdown()


async def test_menus_are_set_for_members_and_admins(site: Site) -> None:
    await set_menus(
        site.bot,
        menus=[
            Menu(None, [("mirror", "copy")], [("mirror", "copy"), ("approve", "let it go")]),
            Menu("zh", [("mirror", "同步")], [("mirror", "同步"), ("approve", "批准")]),
        ],
        chats=[ChatId(f"telegram:{site.world.group.id}"), ChatId("telegram:-4")],
        admin_ids=[PersonId("telegram:1003")],
    )
    menus = site.world.commands
    assert {len(commands) for commands in menus.values()} == {1, 2}
    descriptions = {row["description"] for commands in menus.values() for row in commands}
    assert descriptions == {"copy", "let it go", "同步", "批准"}


async def test_a_long_absence_is_told_of_until_it_is_noted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may be full then, after the same outage."""
    times = iter([0.0, 10.0, 200_010.0, 200_020.0, 200_030.0])
    told: list[float | None] = []
    monkeypatch.setattr("bot.adapters.telegram.polling._since_boot", lambda: next(times))

    async def alive(silence: float | None) -> None:
        told.append(silence)
        if len(told) in (1, 3):
            raise TransientError("the database is full")

    polling = Polling(
        words=WORDS,
        bot=site.bot,
        receiver=Inbox(),
        offset=Inbox(),
        alive=alive,
        turn=Takeover(settled=True, hold=bool),
    )
    for _ in range(5):
        await polling._heard()
        await polling._last_beat()
    assert told == [None, None, 200_000.0, 200_000.0, 10.0]
