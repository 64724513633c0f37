"""Fault injection: which requests fail, how, and how often.

People and tests arm faults. Each server of the sandbox runs its requests through `FaultMiddleware`.
This module decides by method and path alone. responses.py knows what the errors look like.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.faults.responses import GITHUB_REFUSALS, REFUSALS, TICKS, answer
from bot.sandbox.serve import hang_up

PLACES = {
    "telegram": "the Bot API. getUpdates is spared unless path names it: "
    "its long poll would use up every fault",
    "github": "the REST API, also as the workflow uses it (statuses)",
    "actions": "the start of runs; only no-run, billing and startup-failure",
    "source": "the registry that images come from",
    "target": "the registry that images go to",
}
KINDS = {
    "status NNN": "answers this error (400 to 599) as the service would word it; no effect",
    "delay SECONDS": "waits (at most 600), then does as asked",
    "lost": "does as asked, then closes the connection without a byte of an answer",
    "refused": "closes the connection at once; no effect",
    "unreachable": "where=source: the same for the bot alone, GitHub's runners reach it",
    "retry-after SECONDS": "answers 429 and asks to wait so long; no effect",
    "silent": "takes the request and never answers; no effect",
    "unanswered": "does as asked, then never answers",
    "garbage": "answers 200 with a page of HTML instead of JSON; no effect",
    "page NNN": "answers this error with a page of HTML, as a gateway in front would; no effect",
    "malformed": "answers 200 with JSON that breaks off; no effect",
    "endless": "answers 200 with a body that trickles and never ends; no effect",
    "huge MIB": "answers 200 with a JSON text of so many MiB; no effect",
    "packed MIB": "the same by gzip: a thousandth on the way, so many MiB when unpacked; no effect",
    "cut": "does as asked, then closes the connection in the middle of the answer's body",
    "short": "does as asked, but the answer's body ends after its first half, as if that were all",
    "lag SECONDS": "where=github: answers from how the issues stood so long ago (at most 60)",
    "slow BYTES": "does as asked; the answer's body trickles, so many bytes a second",
    "says WORDS": "where=source or target: refuses as registries do; no effect. WORDS is one of "
    + ", ".join(REFUSALS)
    + ". where=github: as GitHub does: "
    + ", ".join(GITHUB_REFUSALS),
    "no-run": "where=actions: the next push or dispatch starts no run",
    "billing": "where=actions: no runner takes the next run, since a payment has failed",
    "startup-failure": "where=actions: the next run ends at once, as with an invalid workflow file",
}
_NUMBERS = {
    "status": (400, 599),
    "page": (400, 599),
    "delay": (0, 600),
    "lag": (0, 60),
    "retry-after": (0, 86_400),
    "slow": (1, 10_000_000),
    "huge": (1, 1024),
    "packed": (1, 1024),
}
_SAYS: Mapping[str, Mapping[str, object]] = {
    "source": REFUSALS,
    "target": REFUSALS,
    "github": GITHUB_REFUSALS,
}
LAG = "imageto.lag"
"""The key of a request's scope with the seconds that its answer is behind."""
_SECONDS = {"delay", "lag"}
_OF_ACTIONS = ("no-run", "billing", "startup-failure")
_SILENT = {"silent", "unanswered"}
OF_THE_BOT = "unreachable"
BOT = "imageto-bot"
"""The bot's user agent. That of a run is another one."""
_PLAIN = {
    "lost",
    "refused",
    OF_THE_BOT,
    "garbage",
    "cut",
    "short",
    "malformed",
    "endless",
} | _SILENT
_BODY = {"cut", "short", "slow"}
_MOST_TIMES = 1_000_000


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
    def word(self) -> str:
        return self.what.partition(" ")[2]

    @property
    def number(self) -> float:
        return float(self.word)

    def hits(self, line: str, agent: str) -> bool:
        """Return whether it applies to a request of this "METHOD /path" by this user agent."""
        if self.what == OF_THE_BOT and agent != BOT:
            return False
        if self.path:
            return self.path.casefold() in line.casefold()
        return self.where != "telegram" or not line.casefold().endswith("/getupdates")


class ArmedFaults:
    """The armed faults. A request gets one fault at most: the oldest that applies."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, *, where: str, what: str, times: int = 1, path: str = "") -> None:
        """Make the next `times` requests fail. Raises ValueError with the allowed values."""
        if where not in PLACES:
            raise ValueError(f"no place is called {where!r}; there are: {', '.join(PLACES)}")
        if not 1 <= times <= _MOST_TIMES:
            raise ValueError(f"times is {times}; it must be a number from 1 to {_MOST_TIMES}")
        self._armed.append(Fault(where=where, what=_checked(where, what), times=times, path=path))

    def take(self, where: str, what: str) -> bool:
        """Use up one fault that is not about a request, such as take("actions", "no-run")."""
        return self._first(lambda fault: fault.where == where and fault.what == what) is not None

    def take_for(self, where: str, line: str, agent: str) -> Fault | None:
        """Use up one fault for a request of this "METHOD /path" by this user agent."""
        return self._first(lambda fault: fault.where == where and fault.hits(line, agent))

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
    """Return the help text of GET /api/faults."""
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
            {"where": "target", "what": "says quota", "times": 50, "path": "/manifests/"},
            {"where": "source", "what": "cut", "times": 50, "path": "/blobs/"},
        ],
    }


class FaultMiddleware:
    """ASGI middleware that applies the faults armed for `where` to requests to `app`."""

    def __init__(self, app: ASGIApp, faults: ArmedFaults, where: str) -> None:
        self._app, self._faults, self._where = app, faults, where

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http":
            agent = Headers(scope=scope).get("user-agent", "")
            line = f"{scope['method']} {scope['path']}"
            fault = self._faults.take_for(self._where, line, agent)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "delay":
            # Read all of it first, so that the effect stays when the client gives up.
            read = await _arrived(receive)
            await asyncio.sleep(fault.number)
            await self._app(scope, read, send)
        elif fault.kind == "lag":
            await self._app({**scope, LAG: fault.number}, receive, send)
        elif fault.kind == "lost":
            await self._app(scope, receive, _swallow)
            await hang_up(scope, receive)
        elif fault.kind in {"refused", OF_THE_BOT}:
            await hang_up(scope, receive)
        elif fault.kind in _SILENT:
            await self._unanswered(fault, scope, receive)
        elif fault.kind in _BODY:
            await self._damaged(fault, scope, receive, send)
        else:
            await _drained(receive)  # a client reads no answer in the middle of an upload
            # The answer to a HEAD has no body that could be endless.
            bare = scope["method"] == "HEAD" and fault.kind == "endless"
            kind = "malformed" if bare else fault.kind
            await answer(fault.where, kind, fault.word)(scope, receive, send)

    async def _unanswered(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        read = await _arrived(receive)
        if fault.kind == "unanswered":
            await self._app(scope, read, _swallow)
        await _gone(receive)

    async def _damaged(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "slow":
            await self._app(scope, receive, _slowed(send, fault.number))
            return
        await self._app(scope, receive, _Half(send, announced=fault.kind == "short"))
        if fault.kind == "cut":
            await hang_up(scope, receive)


async def _arrived(receive: Receive) -> Receive:
    """Read the whole request now. Return a receive that replays it and then continues."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _drained(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _gone(receive: Receive) -> None:
    """Wait until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _swallow(_message: Message) -> None:
    pass


class _Half:
    """A send that passes half of a body. If `announced`, it halves Content-Length too."""

    def __init__(self, send: Send, *, announced: bool) -> None:
        self._send, self._announced = send, announced
        self._left: int | None = None
        self._over = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(self._start(message))
        elif not self._over:
            await self._piece(message.get("body", b""), more=message.get("more_body", False))

    def _start(self, message: Message) -> Message:
        headers = [(name, self._halved(name, value)) for name, value in message.get("headers", ())]
        return {**message, "headers": headers}

    def _halved(self, name: bytes, value: bytes) -> bytes:
        if name != b"content-length":
            return value
        self._left = int(value) // 2
        return str(self._left).encode() if self._announced else value

    async def _piece(self, body: bytes, *, more: bool) -> None:
        if self._left is None:
            self._left = len(body) // 2
        piece = body[: self._left]
        self._left -= len(piece)
        self._over = self._left == 0 or not more
        more = not (self._announced and self._over)
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})


def _slowed(send: Send, rate: float) -> Send:
    """Return a send that passes `rate` bytes per second at most."""
    size = max(1, int(rate / TICKS))

    async def slowly(message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > size:
            await send({"type": "http.response.body", "body": body[:size], "more_body": True})
            body = body[size:]
            await asyncio.sleep(size / rate)
        await send({**message, "body": body} if body else message)

    return slowly


def _checked(where: str, what: str) -> str:
    kind, *rest = what.split() or [""]
    if where == "actions" or kind in _OF_ACTIONS:
        if where != "actions" or what not in _OF_ACTIONS:
            raise ValueError(f"{what!r} at {where}: {', '.join(_OF_ACTIONS)} are for actions alone")
    elif kind == "says":
        known = _SAYS.get(where, {})
        if len(rest) != 1 or rest[0] not in known:
            words, own = ", ".join(REFUSALS), ", ".join(GITHUB_REFUSALS)
            raise ValueError(
                f"{what!r} at {where}: a source or a target says one of: {words}; github: {own}"
            )
    elif kind in _NUMBERS:
        low, high = _NUMBERS[kind]
        if not _is_number(rest, whole=kind not in _SECONDS) or not low <= float(rest[0]) <= high:
            raise ValueError(f"{what!r}: write {kind} and a number from {low} to {high}")
    elif kind not in _PLAIN or rest:
        raise ValueError(f"no fault is called {what!r}; there are: {', '.join(KINDS)}")
    return " ".join([kind, *rest])


def _is_number(words: list[str], *, whole: bool) -> bool:
    if len(words) != 1 or not words[0].isascii():
        return False
    return words[0].replace("." if not whole else "", "", 1).isdigit()
