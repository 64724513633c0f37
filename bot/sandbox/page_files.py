"""Serves the page: its files, and the news that something has changed.

The page reads what it shows from the API. By server-sent events it learns when to read again.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.telegram.state import NotFoundError, TelegramState
from bot.sandbox.telegram.values import MemberStatus
from bot.sandbox.walls import WALLS

PAGE: Final = Path(__file__).parent / "page"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing of another site, and no script that stands in a message."""
LOOK_SECONDS: Final = 0.05
_KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

Mark = Callable[[], object]
"""Returns a value that is another one after something has changed."""


def page_routes(state: TelegramState, *, language: str, marks: Mapping[str, Mark]) -> list[Route]:
    """Return the routes of the page. `language` is that of the groups, and `marks` are by event.

    The page shows issues where there is a mark of them.
    """
    news = _News(state, marks)

    async def about(request: Request) -> Response:
        try:
            person = state.person(request.query_params.get("as", "wei"))
            chat = state.chat_of(person, request.query_params.get("chat"))
        except NotFoundError as error:
            return JSONResponse({"error": str(error)}, status_code=HTTPStatus.NOT_FOUND)
        is_admin = person.role is MemberStatus.ADMIN
        commands = _menu(state, chat.id, person.id if is_admin else None, person.language[:2])
        return JSONResponse(
            {"language": language, "commands": commands, "issues": "issues" in marks}
        )

    return [
        Route("/", _file("index.html"), methods=["GET"], middleware=WALLS),
        *(
            Route(f"/page/{path.name}", _file(path.name), methods=["GET"], middleware=WALLS)
            for path in sorted(PAGE.iterdir())
            if path.suffix in _KINDS and path.suffix != ".html"
        ),
        Route("/api/about", about, methods=["GET"], middleware=WALLS),
        Route("/api/events", news.follow, methods=["GET"], middleware=WALLS),
    ]


def _file(name: str) -> Callable[[Request], Response]:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    path = PAGE / name

    def answer(_request: Request) -> Response:
        return FileResponse(path, media_type=_KINDS[path.suffix], headers=headers)

    return answer


def _menu(
    state: TelegramState, chat: int, person: int | None, language: str
) -> list[dict[str, str]]:
    """Return the commands that Telegram would offer: the first list that there is.

    https://core.telegram.org/bots/api#determining-list-of-commands
    """
    scopes: list[dict[str, object]] = [{"type": "chat", "chat_id": person}] if person else []
    if person:
        scopes.insert(0, {"type": "chat_member", "chat_id": chat, "user_id": person})
    for scope in (*scopes, {"type": "default"}):
        for code in (language, ""):
            commands = state.commands.get(json.dumps([scope, code], sort_keys=True))
            if commands:
                return commands
    return []


class _News:
    def __init__(self, state: TelegramState, marks: Mapping[str, Mark]) -> None:
        self._state, self._marks = state, marks

    async def follow(self, _request: Request) -> Response:
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)

    async def _events(self) -> AsyncIterator[str]:
        """Yield `chat` after a message has changed, and others as their marks say."""
        before: dict[str, object] = {}
        while True:
            marks = {event: mark() for event, mark in self._marks.items()}
            now = {"chat": self._state.changes, **marks}
            for event, mark in now.items():
                if event not in before or mark != before[event]:
                    yield f"event: {event}\ndata:\n\n"
            before = now
            if self._state.changes == now["chat"]:  # else it changed while an event was sent
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._state.changed(), LOOK_SECONDS)
