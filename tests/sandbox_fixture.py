"""The sandbox's chat server alone: a bot, people and a clock, without the rest of the sandbox.

Test files import the fixture `place` by name. sandbox_process.py starts the whole sandbox.
"""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from telegram import Bot as TelegramBot
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.request import HTTPXRequest

from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.page_api import chat_routes, http_error
from bot.sandbox.page_files import page_routes
from bot.sandbox.serve import served
from bot.sandbox.telegram.flood import FloodGate, FloodLimit
from bot.sandbox.telegram.server import telegram_app
from bot.sandbox.telegram.state import TelegramState

TOKEN = "7000000001:sandbox"
GROUP = -1_001_000_000_001
WEI, ANA, MALLORY = 1001, 1003, 1004


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A running sandbox chat, its bot, and a client for what people do."""

    bot: TelegramBot
    api: httpx.AsyncClient
    world: TelegramState
    clock: Clock
    flood: FloodGate
    port: int

    async def say(self, who: str, text: str, **more: Any) -> int:
        answer = await self.api.post("/api/chat", json={"as": who, "text": text, **more})
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["id"]
        return number

    async def do(self, who: str, **what: Any) -> dict[str, Any]:
        """Do something else in the chat as a person. Return the answer and its status."""
        answer = await self.api.post("/api/chat", json={"as": who, **what})
        return {"status": answer.status_code, **answer.json()}

    async def send_file(
        self, who: str, name: str, content: bytes, caption: str = "", **more: str
    ) -> int:
        said = {"as": who, "text": caption, "document": document(name, content), **more}
        answer = await self.api.post("/api/chat", json=said)
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["id"]
        return number

    async def read(self, **chat: str) -> list[dict[str, Any]]:
        answer = await self.api.get("/api/chat", params=chat)
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    async def received(self) -> list[Message]:
        """Return the messages that the bot has not fetched yet, without edited ones."""
        return [update.message for update in await self.bot.get_updates() if update.message]

    async def press(self, who: str, message: int, button: str) -> dict[str, Any]:
        pressed = {"as": who, "message": message, "button": button}
        answer = await self.api.post("/api/press", json=pressed)
        return {"status": answer.status_code, **answer.json()}


def document(name: str, content: bytes, mime: str = "text/yaml") -> dict[str, str]:
    """A file as the sandbox's API takes it."""
    return {"name": name, "mime": mime, "content": base64.b64encode(content).decode()}


def bot_at(port: int, token: str = TOKEN) -> TelegramBot:
    return TelegramBot(
        token,
        base_url=f"http://127.0.0.1:{port}/telegram/bot",
        base_file_url=f"http://127.0.0.1:{port}/telegram/file/bot",
        request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
        get_updates_request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
    )


@pytest.fixture
async def place(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    """A chat server. Its parameter is how many seconds a press waits for the bot's answer."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # RetryAfter warns about numbers
    clock = Clock()
    world = TelegramState(clock=clock)
    flood = FloodGate(clock, group=FloodLimit(20, 60.0), overall=FloodLimit(30, 1.0))
    telegram = telegram_app(world, token=TOKEN, flood=flood)
    app = Starlette(
        routes=[
            *page_routes(world, language="en", marks={"world": lambda: 0}),
            *chat_routes(world, ArmedFaults(), press_seconds=getattr(request, "param", 0.3)),
            Mount("/telegram", telegram),
        ],
        exception_handlers={HTTPException: http_error},
    )
    async with (
        served(app) as port,
        bot_at(port) as bot,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as api,
    ):
        yield Place(bot, api, world, clock, flood, port)


def button(text: str = "Approve", data: str = "approve:1") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=data)]])
