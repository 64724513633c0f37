"""The sandbox's API for people and tests: write, read, press buttons, arm faults.

Answers are plain JSON. A mistake of the caller gets a 4xx with {"error": words}.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.faults.middleware import ArmedFaults, documentation
from bot.sandbox.telegram import client
from bot.sandbox.telegram.state import NotFoundError, TelegramState
from bot.sandbox.telegram.values import (
    ButtonKind,
    CallbackAnswer,
    ChatInfo,
    ChatMessage,
    MemberStatus,
    MessageOrigin,
    StoredDocument,
    User,
)
from bot.sandbox.walls import WALLS

_PRESS_SECONDS = 10.0
_LARGEST_DOCUMENT = 50 << 20
_PREVIEW = 4000  # bytes of a document that are shown as text

Handler = Callable[[Request], Awaitable[Any]]


def chat_routes(
    state: TelegramState, faults: ArmedFaults, *, press_seconds: float = _PRESS_SECONDS
) -> list[Route]:
    """Return the routes under /api. A press waits `press_seconds` at most for the bot's answer."""
    api = _Api(state, faults, press_seconds)
    return [
        _route("/api/chat", api.say, "POST"),
        _route("/api/chat", api.read, "GET"),
        Route("/api/document/{wanted}", api.download, methods=["GET"], middleware=WALLS),
        _route("/api/press", api.press, "POST"),
        _route("/api/faults", api.arm, "POST"),
        _route("/api/faults", api.explain, "GET"),
        _route("/api/faults", api.disarm, "DELETE"),
    ]


async def http_error(_request: Request, exc: Exception) -> Response:
    """Answer a wrong path or method in JSON. For Starlette's exception_handlers."""
    if not isinstance(exc, HTTPException):
        raise exc
    return JSONResponse({"error": exc.detail}, status_code=exc.status_code)


class _Api:
    def __init__(self, state: TelegramState, faults: ArmedFaults, press_seconds: float) -> None:
        self._state, self._faults, self._press_seconds = state, faults, press_seconds

    async def say(self, request: Request) -> Any:
        given = await _given(request)
        person = self._state.person(_text(given, "as"))
        upgrade = _flag(given, "upgrade")
        chat = self._state.chat_of(person, _named(given) or ("team" if upgrade else None))
        if upgrade:
            return {"chat": self._state.upgrade(person, chat).id}
        deleted = _number(given, "delete")
        if deleted is not None:
            self._state.take_away(person, chat, deleted)
            return {"id": deleted}
        edited = _number(given, "edit")
        if edited is not None:
            return {
                "id": self._state.rewrite(person, chat, edited, _text(given, "text", default="")).id
            }
        if "bot" in given or "privacy" in given:
            return self._changed_bot(person, chat, given)
        sent = [message.id for message in self._said(person, chat, given)]
        return {"id": sent[0], "ids": sent}

    def _changed_bot(self, person: User, chat: ChatInfo, given: dict[str, Any]) -> Any:
        """Make the bot an admin or a member, or turn its privacy mode on or off."""
        if "privacy" in given:
            self._state.privacy_mode = _flag(given, "privacy")
        if "bot" in given:
            self._state.promote(person, chat, MemberStatus(_text(given, "bot")))
        return {"bot": self._state.bot_role(chat), "privacy": self._state.privacy_mode}

    def _said(self, person: User, chat: ChatInfo, given: dict[str, Any]) -> list[ChatMessage]:
        topic, anonymous = _number(given, "topic"), _flag(given, "anonymous")
        forwarded = _number(given, "forward")
        if forwarded is not None:
            source = (
                self._state.chat_of(person, _named(given, "from_chat"))
                if given.get("from_chat")
                else chat
            )
            message = self._state.existing(source, forwarded)
            return [self._state.forward(person, chat, message, topic=topic, anonymous=anonymous)]
        return client.send(
            self._state,
            person,
            chat,
            _text(given, "text", default=""),
            self._documents(given),
            caption_on=_number(given, "caption_on") or 0,
            reply_to=_number(given, "reply_to"),
            topic=topic,
            anonymous=anonymous,
        )

    async def read(self, request: Request) -> Any:
        query = request.query_params
        messages = self._state.messages()
        if query.get("chat"):
            wanted = self._chats_to_read(query["chat"], query.get("as", ""))
            messages = [message for message in messages if message.chat in wanted]
        after = _number(query, "after")
        if after is not None:
            messages = [message for message in messages if message.id > after]
        return {"messages": [_shown(message) for message in messages]}

    async def press(self, request: Request) -> Any:
        given = await _given(request)
        person = self._state.person(_text(given, "as"))
        chat = self._state.chat_of(person, _named(given))
        number = _number(given, "message")
        if number is None:
            raise ValueError("message is missing: the id of the message with the button")
        named, value = _text(given, "button"), _text(given, "value", default="")
        button, press = self._state.press(person, chat, number, named, value=value)
        if button.kind is not ButtonKind.CALLBACK:
            return {"answer": "", button.kind.value: button.value}
        try:
            answer = await asyncio.wait_for(asyncio.shield(press.answer), self._press_seconds)
        except TimeoutError:
            answer = CallbackAnswer()
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

    async def download(self, request: Request) -> Response:
        """Answer a document by its number or file_id, as a download that no browser renders."""
        wanted = request.path_params["wanted"]
        for document in self._state.documents():
            if wanted in {str(document.number), document.file_id}:
                name = quote(document.name.encode(errors="replace"), safe="")
                return Response(
                    document.content,
                    media_type="application/octet-stream",
                    headers={
                        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                        "X-Content-Type-Options": "nosniff",
                    },
                )
        return JSONResponse({"error": f"there is no document {wanted!r}"}, status_code=404)

    def _chats_to_read(self, named: str, who: str) -> list[ChatInfo]:
        """Return the chat of this name. The team comes with the plain group that it was before."""
        if named == "team":
            return self._state.teams
        if named == "private":
            return [self._state.chat_of(self._state.person(who), named)]
        chats = {str(chat.id): chat for chat in self._state.chats.values()}
        chats["group"] = self._state.group
        chat = chats.get(named)
        if chat is None or (who and chat.person not in {None, self._state.person(who)}):
            raise NotFoundError(f"there is no chat {named!r}; there are: team, {', '.join(chats)}")
        return [chat]

    def _documents(self, given: dict[str, Any]) -> list[StoredDocument]:
        uploads = given.get("documents", [])
        if not isinstance(uploads, list):
            raise ValueError("documents must be a list: an album")  # noqa: TRY004 - a person's mistake, not a programmer's
        if given.get("document") is not None:
            uploads = [given["document"], *uploads]
        return [self._document(upload) for upload in uploads]

    def _document(self, upload: object) -> StoredDocument:
        if not isinstance(upload, dict):
            raise ValueError('document must be {"name": …, "content": … in base64}')  # noqa: TRY004 - a person's mistake, not a programmer's
        try:
            content = base64.b64decode(_text(upload, "content"), validate=True)
        except binascii.Error as exc:
            raise ValueError("document.content must be base64") from exc
        if not content or len(content) > _LARGEST_DOCUMENT:
            raise ValueError("document is empty or larger than 50 MB")
        mime = _text(upload, "mime", default="") or "application/octet-stream"
        return self._state.keep(_text(upload, "name", default="") or "file", mime, content)


def _route(path: str, handler: Handler, method: str) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except NotFoundError as exc:
            return JSONResponse({"error": str(exc)}, status_code=404)
        except ValueError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)

    return Route(path, endpoint, methods=[method], middleware=WALLS)


async def _given(request: Request) -> dict[str, Any]:
    """Read the fields of a JSON object."""
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


def _flag(given: dict[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if value not in (True, False, "true", "false"):
        raise ValueError(f"{key} must be true or false")
    return value in (True, "true")


def _named(given: dict[str, Any], key: str = "chat") -> str | int | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str | int):
        raise ValueError(f"{key} must be group, team, private, or an id")
    return value


def _shown(message: ChatMessage) -> dict[str, Any]:
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
        "anonymous": message.anonymous,
        "album": message.album,
    }
    if message.origin is not None:
        shown["forwarded_from"] = _author(message.origin)
    if message.upgrade is not None:
        shown[message.upgrade.direction] = message.upgrade.id
    if message.document is not None:
        shown["document"] = _shown_document(message.document)
    return shown


def _author(origin: MessageOrigin) -> str:
    if origin.chat is not None:
        return origin.chat.title
    return origin.sender.name if origin.sender else "bot"


def _shown_document(document: StoredDocument) -> dict[str, Any]:
    return {
        "number": document.number,
        "name": document.name,
        "size": len(document.content),
        "mime": document.mime,
        "text": document.content[:_PREVIEW].decode(errors="replace"),
    }
