"""Trouble on demand: what goes wrong, where, and how often.

People and tests arm faults; each server of the sandbox runs its requests through `Faulty`.
Nothing here knows what a request means: only its method, its path and the shape of the errors
of the service it was made to.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.serve import hang_up

PLACES = {
    "telegram": "the Bot API. getUpdates is spared unless path names it: "
    "its long poll would use up every fault",
    "github": "the REST API, also as the workflow uses it (statuses)",
    "actions": "the start of runs; only no-run",
    "source": "the registry that images come from",
    "target": "the registry that images go to",
}
KINDS = {
    "status NNN": "answers this error (400 to 599) as the service would word it; no effect",
    "delay SECONDS": "waits (at most 600), then does as asked",
    "lost": "does as asked, then closes the connection without a byte of an answer",
    "refused": "closes the connection at once; no effect",
    "retry-after SECONDS": "answers 429 and asks to wait so long; no effect",
    "garbage": "answers 200 with a page of HTML instead of JSON; no effect",
    "no-run": "where=actions: the next push or dispatch starts no run",
}
_NUMBERS = {"status": (400, 599), "delay": (0, 600), "retry-after": (0, 86_400)}
_PLAIN = {"lost", "refused", "garbage"}
_MOST_TIMES = 1_000_000
_REGISTRY_CODES = {
    401: "UNAUTHORIZED",
    403: "DENIED",
    404: "MANIFEST_UNKNOWN",
    429: "TOOMANYREQUESTS",
}


@dataclass(slots=True)
class Fault:
    where: str
    what: str  # as people write it: "status 502"
    times: int
    path: str

    @property
    def kind(self) -> str:
        return self.what.split()[0]

    @property
    def number(self) -> float:
        return float(self.what.split()[1])

    def hits(self, line: str) -> bool:
        """Whether it applies to a request of this "METHOD /path"."""
        if self.path:
            return self.path.casefold() in line.casefold()
        return self.where != "telegram" or not line.casefold().endswith("/getupdates")


class Faults:
    """What is armed. The oldest that fits comes first, and one request meets one fault."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, *, where: str, what: str, times: int = 1, path: str = "") -> None:
        """Make the next `times` requests fail; ValueError says what is wrong and what to write."""
        if where not in PLACES:
            raise ValueError(f"no place is called {where!r}; there are: {', '.join(PLACES)}")
        if not 1 <= times <= _MOST_TIMES:
            raise ValueError(f"times is {times}; it must be a number from 1 to {_MOST_TIMES}")
        self._armed.append(Fault(where=where, what=_checked(where, what), times=times, path=path))

    def take(self, where: str, what: str) -> bool:
        """Use up one fault that is not about a request: take("actions", "no-run")."""
        return self._first(lambda fault: fault.where == where and fault.what == what) is not None

    def take_for(self, where: str, line: str) -> Fault | None:
        """Use up one fault for a request of this "METHOD /path"."""
        return self._first(lambda fault: fault.where == where and fault.hits(line))

    def armed(self) -> list[dict[str, Any]]:
        return [
            {"where": fault.where, "what": fault.what, "times": fault.times, "path": fault.path}
            for fault in self._armed
        ]

    def clear(self) -> None:
        self._armed.clear()

    def _first(self, fits: Callable[[Fault], bool]) -> Fault | None:
        fault = next((fault for fault in self._armed if fits(fault)), None)
        if fault is None:
            return None
        fault.times -= 1
        if fault.times == 0:
            self._armed.remove(fault)
        return fault


def documentation() -> dict[str, Any]:
    """What GET /api/faults explains."""
    return {
        "how": "POST /api/faults with where, what, times (default 1: how many requests it hits) "
        "and path (only requests whose 'METHOD /path' contains it). The oldest that fits "
        "comes first; one request meets one fault. DELETE /api/faults disarms all.",
        "where": PLACES,
        "what": KINDS,
        "examples": [
            {"where": "telegram", "what": "status 502", "times": 3, "path": "sendMessage"},
            {"where": "github", "what": "lost", "path": "PATCH "},
            {"where": "actions", "what": "no-run"},
            {"where": "target", "what": "delay 5", "path": "HEAD /v2/"},
        ],
    }


class Faulty:
    """ASGI middleware: requests to `app` meet the faults armed for `where`."""

    def __init__(self, app: ASGIApp, faults: Faults, where: str) -> None:
        self._app, self._faults, self._where = app, faults, where

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http":
            fault = self._faults.take_for(self._where, f"{scope['method']} {scope['path']}")
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "delay":
            # The request has arrived whole: a client that gives up does not take it back.
            read = await _arrived(receive)
            await asyncio.sleep(fault.number)
            await self._app(scope, read, send)
        elif fault.kind == "lost":
            await self._app(scope, receive, _swallow)
            await hang_up(scope, receive)
        elif fault.kind == "refused":
            await hang_up(scope, receive)
        else:
            await _answer(fault)(scope, receive, send)


async def _arrived(receive: Receive) -> Receive:
    """Read the whole request now; what is returned gives it out again, then goes on."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _swallow(_message: Message) -> None:
    pass


def _answer(fault: Fault) -> Response:
    if fault.kind == "garbage":
        return HTMLResponse("<!doctype html><title>Gateway</title><h1>It works!</h1>")
    if fault.kind == "retry-after":
        return too_many(fault.where, int(fault.number))
    status = int(fault.number)
    return JSONResponse(_error(fault.where, status, _phrase(status)), status_code=status)


def too_many(where: str, seconds: int) -> Response:
    """429 with Retry-After, as the service at `where` words it."""
    body = _error(where, 429, f"{_phrase(429)}: retry after {seconds}")
    if where == "telegram":
        body["parameters"] = {"retry_after": seconds}
    return JSONResponse(body, status_code=429, headers={"Retry-After": str(seconds)})


def _error(where: str, status: int, text: str) -> dict[str, Any]:
    match where:
        case "telegram":
            return {"ok": False, "error_code": status, "description": text}
        case "github":
            return {"message": text, "documentation_url": "https://docs.github.com/rest"}
        case _:
            code = _REGISTRY_CODES.get(status, "UNKNOWN")
            return {"errors": [{"code": code, "message": text, "detail": None}]}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _checked(where: str, what: str) -> str:
    kind, *rest = what.split() or [""]
    if where == "actions" or kind == "no-run":
        if (where, [kind, *rest]) != ("actions", ["no-run"]):
            raise ValueError(f"{what!r} at {where}: no-run is for actions, and its only fault")
    elif kind in _NUMBERS:
        low, high = _NUMBERS[kind]
        if not _is_number(rest, whole=kind != "delay") or not low <= float(rest[0]) <= high:
            raise ValueError(f"{what!r}: write {kind} and a number from {low} to {high}")
    elif kind not in _PLAIN or rest:
        raise ValueError(f"no fault is called {what!r}; there are: {', '.join(KINDS)}")
    return " ".join([kind, *rest])


def _is_number(words: list[str], *, whole: bool) -> bool:
    if len(words) != 1 or not words[0].isascii():
        return False
    return words[0].replace("." if not whole else "", "", 1).isdigit()
