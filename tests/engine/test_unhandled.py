"""An unexpected error in one item, or in one answer of Telegram, stops nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import LI, NGINX, WEI, WORDS, World, plain, world
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram.error import TelegramError

from bot.adapters.telegram.chat import Menu, PollingBot, TelegramChat, set_menus
from bot.adapters.telegram.polling import CURSOR, Polling, StoredOffset
from bot.adapters.telegram.takeover import Takeover
from bot.adapters.telegram.transport import Bounds
from bot.core.errors import TransientError
from bot.core.ids import ChatId, MessageId, PersonId, Place, number_of
from bot.core.image import BadReference, Problem
from bot.dialog.message import Text
from bot.engine.lanes.files import FETCH_PERIOD
from bot.engine.lanes.lane import TickResult, attempt, guarded
from bot.engine.shutdown import Shutdown
from bot.sandbox.serve import served

BOUNDS = Bounds(size=100_000, poll=0)
COMPOSE = b"services:\n  web:\n    image: nginx:1.27\n"


# -- items of a lane ----------------------------------------------------------------------


@pytest.mark.parametrize("poison", [KeyError("x"), BadReference("x", Problem.BARE_ID)])
async def test_the_first_way_that_is_not_poisoned_is_taken(poison: Exception) -> None:
    async def poisoned() -> str:
        raise poison

    async def fine() -> str:
        return "fine"

    assert await attempt("an item", poisoned, fine) == "fine"
    assert await attempt("an item", poisoned) is None


def test_trouble_of_the_store_is_not_taken_for_poison() -> None:
    with pytest.raises(TransientError), guarded("an item"):
        raise TransientError("the database is full")


async def settled(w: World, seconds: float) -> None:
    """Let time pass. No tick may raise, since the lane would start at its first item again."""
    await w.settle(seconds, step=5)


async def test_a_message_whose_number_cannot_be_stored_silences_nobody(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        send, odd = w.chat.send, ["\ud800"]

        async def numbered(place: Place, text: Text, **how: Any) -> MessageId:
            number = await send(place, text, **how)
            return MessageId(f"telegram:{odd.pop()}") if odd else number

        w.chat.send = numbered  # type: ignore[method-assign]
        await w.say(WEI, "/mirror nginx:1.27")
        await settled(w, 10)
        await w.say(LI, "/help")
        await settled(w, 10)
        assert any(
            said.reply_to == f"telegram:{w.last_message}" for said in w.chat.messages.values()
        )
        assert "nginx:1.27" in w.card


async def test_what_can_never_be_stored_is_not_said_at_every_tick(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        send = w.chat.send

        async def numbered(place: Place, text: Text, **how: Any) -> MessageId:
            await send(place, text, **how)
            return MessageId("telegram:\ud800")

        w.chat.send = numbered  # type: ignore[method-assign]
        await w.say(WEI, "/mirror nginx:1.27")
        await w.settle(600, step=1)
        assert len(w.chat.messages) < 40


async def test_a_poisoned_file_stops_nobody_elses_and_is_given_up(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        fetch = w.chat.fetch

        async def fetched(file_id: str, *, limit: int) -> bytes:
            if file_id == "poisoned.yaml":
                raise TypeError("'>' not supported between instances of 'str' and 'int'")
            return await fetch(file_id, limit=limit)

        w.chat.fetch = fetched  # type: ignore[method-assign]
        await w.send(WEI, "poisoned.yaml", COMPOSE)
        await w.send(LI, "fine.yaml", COMPOSE)
        await settled(w, 10)
        async with w.store.begin() as unit:
            (unread,) = await unit.gatherings()
            assert [file.name for file in await unit.files(unread.request)] == ["poisoned.yaml"]
        assert any("docker.io/library/nginx:1.27" in text for text in w.chat.texts)
        await w.settle(2 * FETCH_PERIOD.total_seconds(), step=20)
        async with w.store.begin() as unit:
            assert await unit.gatherings() == []
        assert "poisoned.yaml" in w.last


async def test_a_poisoned_question_is_answered_with_that_and_the_next_one_properly(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX)
        w.registries.source["docker.io/library/poison:1"] = KeyError("digest")
        await w.say(WEI, "/lookup poison:1")
        asked = f"telegram:{w.last_message}"
        await w.say(LI, "/lookup nginx:1.27")
        await settled(w, 10)
        replies = {said.reply_to: said.text for said in w.chat.messages.values()}
        answered = MessageId(f"telegram:{w.last_message}")
        assert set(replies) == {asked, answered}
        assert "sha256:" in replies[answered]
        async with w.store.begin() as unit:
            assert await unit.questions() == []


async def test_a_question_that_cannot_even_be_refused_is_dropped(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.say(WEI, "/list")
        lane = w.lanes["questions"]

        async def broken(*_: object) -> bool:
            raise KeyError("no such row")

        lane._store_answer = broken  # type: ignore[attr-defined]
        assert await lane.tick() is TickResult.CHANGED
        assert await lane.tick() is TickResult.IDLE


# -- odd answers of Telegram ----------------------------------------------------------------


@dataclass
class Odd:
    """A fake Telegram that answers each method as the test says."""

    bot: PollingBot
    answers: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
async def odd(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Odd]:
    monkeypatch.setenv("NO_PROXY", "*")
    answers: dict[str, Any] = {}

    async def answer(request: Request) -> Response:
        told = answers.get(request.url.path.rpartition("/")[2], {})
        body = told.pop(0) if isinstance(told, list) else told
        return Response(body if isinstance(body, bytes) else json.dumps(body))

    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])])
    async with served(app) as port:
        bot = PollingBot("7000000001:sandbox", f"http://127.0.0.1:{port}", BOUNDS)
        yield Odd(bot, answers)
        await bot.shutdown()


MENU = Menu(None, [("mirror", "copy")], [("mirror", "copy")])


@pytest.mark.parametrize("body", [{}, {"ok": True}, [], 7, b"", b"[" * 50_000])
async def test_menus_that_are_answered_oddly_end_nothing(odd: Odd, body: object) -> None:
    odd.answers["setMyCommands"] = [body] * 9 if isinstance(body, list) else body
    await set_menus(
        odd.bot, menus=[MENU], chats=[ChatId("telegram:-1")], admin_ids=[PersonId("telegram:1")]
    )


def result(of: object) -> dict[str, object]:
    return {"ok": True, "result": of}


def message(number: object) -> dict[str, object]:
    return {"message_id": number, "date": 1, "chat": {"id": -1, "type": "group"}, "text": "/help"}


@pytest.mark.parametrize("number", [2**63, 2**70, 0, -5, "5", None, True, 5.0])
async def test_a_message_without_a_usable_number_is_trouble(odd: Odd, number: object) -> None:
    odd.answers["sendMessage"] = result(message(number))
    with pytest.raises(TransientError) as caught:
        await TelegramChat(odd.bot, WORDS).send(
            Place(ChatId("telegram:-1")), plain("x"), reply_to=None
        )
    assert caught.value.unclear


@pytest.mark.parametrize(
    "facts", [{"file_size": "12"}, {"file_size": -1}, {"file_size": [1]}, {"file_path": None}]
)
async def test_a_file_without_a_usable_size_or_path_is_trouble(
    odd: Odd, facts: dict[str, object]
) -> None:
    told = {"file_id": "x", "file_unique_id": "y", "file_size": 12, "file_path": "a/b"} | facts
    odd.answers |= {"getFile": result(told), "b": b"hello world!"}
    with pytest.raises(TransientError):
        await TelegramChat(odd.bot, WORDS).fetch("x", limit=1000)


async def test_a_chat_that_moves_to_no_usable_number_is_trouble(odd: Odd) -> None:
    odd.answers["sendMessage"] = {
        "ok": False,
        "error_code": 400,
        "description": "x",
        "parameters": {"migrate_to_chat_id": -(2**70)},
    }
    with pytest.raises(TransientError):
        await TelegramChat(odd.bot, WORDS).send(
            Place(ChatId("telegram:-1")), plain("x"), reply_to=None
        )


ODD_NUMBERS = [2**63, 2**63 - 1, 2**70, -1, "7", True, None]


@pytest.mark.parametrize("number", ODD_NUMBERS)
async def test_an_update_without_a_usable_number_is_left_out(
    odd: Odd, number: object, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"update_id": 7, "message": message(1)}
    odd.answers["getUpdates"] = result([{"update_id": number, "message": message(1)}, good])
    assert await odd.bot.raw_updates(1) == [good]
    assert "1 without a usable number were skipped" in caplog.text
    odd.answers["getUpdates"] = result([{"update_id": number}])
    with pytest.raises(TelegramError):  # it is delivered again at once, so the polling has to wait
        await odd.bot.raw_updates(1)


@asynccontextmanager
async def polling(w: World, bot: PollingBot) -> AsyncIterator[asyncio.Task[None]]:
    async def alive(_: float | None) -> None: ...

    turn = Takeover(settled=True, hold=bool)
    shutdown = Shutdown()
    lane = Polling(
        words=WORDS,
        bot=bot,
        receiver=w.intake,
        offset=StoredOffset(w.store),
        alive=alive,
        turn=turn,
    )
    task = asyncio.create_task(lane.run(shutdown))
    try:
        yield task
    finally:
        shutdown.request()
        await task


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await done():
            await asyncio.sleep(0.02)


def heard(update: int) -> dict[str, object]:
    of = {"from": {"id": number_of(WEI.id), "is_bot": False, "first_name": "Wei"}}
    return {"update_id": update, "message": message(update) | of}


async def test_polling_goes_on_after_an_update_that_is_none(odd: Odd, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        odd.answers["getUpdates"] = [result([heard(2**63)]), result([heard(7)])] + [
            result([]) for _ in range(5000)
        ]

        async def stored() -> bool:
            async with w.store.begin() as unit:
                return await unit.cursor(CURSOR) == 7

        async with polling(w, odd.bot) as task:
            await until(stored)
            assert not task.done()


async def test_polling_goes_on_after_an_update_that_cannot_be_passed_over(
    odd: Odd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as w:
        pass_over = w.intake.pass_over

        async def passed(update: int) -> None:
            if update == 7:
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            await pass_over(update)

        monkeypatch.setattr(w.intake, "pass_over", passed)
        odd.answers["getUpdates"] = [result([{"update_id": 7}, {"update_id": 8}])] + [
            result([]) for _ in range(5000)
        ]

        async def stored() -> bool:
            async with w.store.begin() as unit:
                return await unit.cursor(CURSOR) == 8

        async with polling(w, odd.bot) as task:
            await until(stored)
            assert not task.done()
