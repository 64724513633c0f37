"""The sandbox's API for people and tests: write, read, press buttons, arm faults.

Plain JSON, and for every mistake a 4xx with {"error": words}.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.chat import ChatWorld, UnknownError
from bot.sandbox.chat_values import Answer, ButtonKind, Chat, Document, Message
from bot.sandbox.faults import Faults, documentation

_PAGE = Path(__file__).with_name("page.html")
_PRESS_SECONDS = 10.0
_LARGEST_DOCUMENT = 50 << 20
_PREVIEW = 4000  # bytes of a document that are shown as text

Handler = Callable[[Request], Awaitable[Any]]


async def _page(_request: Request) -> Response:
    return FileResponse(_PAGE, media_type="text/html", headers={"Cache-Control": "no-store"})


page_route = Route("/", _page, methods=["GET"])


def chat_routes(
    world: ChatWorld, faults: Faults, *, press_seconds: float = _PRESS_SECONDS
) -> list[Route]:
    """The routes under /api; `press_seconds` bounds the wait for the bot's answer to a press."""
    api = _Api(world, faults, press_seconds)
    return [
        _route("/api/chat", api.say, "POST"),
        _route("/api/chat", api.read, "GET"),
        _route("/api/press", api.press, "POST"),
        _route("/api/faults", api.arm, "POST"),
        _route("/api/faults", api.explain, "GET"),
        _route("/api/faults", api.disarm, "DELETE"),
    ]


async def http_error(_request: Request, exc: Exception) -> Response:
    """For Starlette's exception_handlers: a wrong path or method is answered in JSON too."""
    if not isinstance(exc, HTTPException):
        raise exc
    return JSONResponse({"error": exc.detail}, status_code=exc.status_code)


class _Api:
    def __init__(self, world: ChatWorld, faults: Faults, press_seconds: float) -> None:
        self._world, self._faults, self._press_seconds = world, faults, press_seconds

    async def say(self, request: Request) -> Any:
        given = await _given(request)
        person = self._world.person(_text(given, "as"))
        chat = self._world.chat_of(person, _named(given))
        text = _text(given, "text", default="")
        edited = _number(given, "edit")
        if edited is not None:
            return {"id": self._world.rewrite(person, chat, edited, text).id}
        message = self._world.say(
            person,
            chat,
            text,
            reply_to=_number(given, "reply_to"),
            topic=_number(given, "topic"),
            document=await self._document(given),
        )
        return {"id": message.id}

    async def read(self, request: Request) -> Any:
        query = request.query_params
        messages = self._world.messages()
        if query.get("chat"):
            chat = self._chat_to_read(query["chat"], query.get("as", ""))
            messages = [message for message in messages if message.chat == chat]
        after = _number(query, "after")
        if after is not None:
            messages = [message for message in messages if message.id > after]
        return {"messages": [_shown(message) for message in messages]}

    async def press(self, request: Request) -> Any:
        given = await _given(request)
        person = self._world.person(_text(given, "as"))
        chat = self._world.chat_of(person, _named(given))
        number = _number(given, "message")
        if number is None:
            raise ValueError("message is missing: the id of the message with the button")
        button, press = self._world.press(person, chat, number, _text(given, "button"))
        if button.kind is not ButtonKind.CALLBACK:
            return {"answer": "", button.kind.value: button.value}
        try:
            answer = await asyncio.wait_for(asyncio.shield(press.answer), self._press_seconds)
        except TimeoutError:
            answer = Answer()
        return {"answer": answer.text, "alert": answer.alert}

    async def arm(self, request: Request) -> Any:
        given = await _given(request)
        times = _number(given, "times")
        self._faults.arm(
            where=_text(given, "where"),
            what=_text(given, "what"),
            times=1 if times is None else times,
            path=_text(given, "path", default=""),
        )
        return {"armed": self._faults.armed()}

    async def explain(self, _request: Request) -> Any:
        return {"armed": self._faults.armed()} | documentation()

    async def disarm(self, _request: Request) -> Any:
        self._faults.clear()
        return {"armed": []}

    def _chat_to_read(self, named: str, who: str) -> Chat:
        if who or named == "private":
            return self._world.chat_of(self._world.person(who), named)
        chats = {str(chat.id): chat for chat in self._world.chats.values()}
        chats["group"] = self._world.group
        if named not in chats:
            raise UnknownError(f"there is no chat {named!r}; there are: {', '.join(chats)}")
        return chats[named]

    async def _document(self, given: dict[str, Any]) -> Document | None:
        upload = given.get("document")
        if upload is None:
            return None
        if not isinstance(upload, UploadFile):
            raise ValueError("document must be a file: send the request as multipart/form-data")  # noqa: TRY004 - a person's mistake, not a programmer's
        content = await upload.read(_LARGEST_DOCUMENT + 1)
        if not content or len(content) > _LARGEST_DOCUMENT:
            raise ValueError("document is empty or larger than 50 MB")
        mime = upload.content_type or "application/octet-stream"
        return self._world.keep(upload.filename or "file", mime, content)


def _route(path: str, handler: Handler, method: str) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except UnknownError as exc:
            return JSONResponse({"error": str(exc)}, status_code=404)
        except ValueError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)
        finally:
            await request.close()  # the files it uploaded

    return Route(path, endpoint, methods=[method])


async def _given(request: Request) -> dict[str, Any]:
    """The fields of a JSON object or of a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        return dict(await request.form())
    try:
        given = await request.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError('send a JSON object, such as {"as": "wei", "text": "/help"}')  # noqa: TRY004 - a person's mistake, not a programmer's
    return given


def _text(given: dict[str, Any], key: str, *, default: str | None = None) -> str:
    value = given.get(key, default)
    if value is None:
        raise ValueError(f"{key} is missing")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text")  # noqa: TRY004 - a person's mistake, not a programmer's
    return value


def _number(given: Any, key: str) -> int | None:
    value = given.get(key)
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError as exc:
        raise ValueError(f"{key} must be a whole number") from exc


def _named(given: dict[str, Any]) -> str | int | None:
    value = given.get("chat")
    if value is not None and not isinstance(value, str | int):
        raise ValueError("chat must be group, private, or an id")
    return value


def _shown(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": message.id,
        "chat": message.chat.id,
        "from": message.sender.name if message.sender else "bot",
        "text": message.text,
        "html": message.html,
        "buttons": [
            [
                {"text": button.text, "kind": button.kind.value, "value": button.value}
                for button in row
            ]
            for row in message.keyboard
        ],
        "reply_to": message.reply_to,
        "edits": len(message.history),
        "history": list(message.history),
        "date": message.date,
        "topic": message.topic,
        "reactions": list(message.reactions),
    }
    if message.document is not None:
        shown["document"] = {
            "name": message.document.name,
            "size": len(message.document.content),
            "text": message.document.content[:_PREVIEW].decode(errors="replace"),
        }
    return shown
