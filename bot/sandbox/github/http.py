"""What all answers of the sandbox's GitHub share: errors, pages, ETags, rate headers.

The endpoints decide what an answer contains.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response]]

_RATE = 5000
_HOUR = 3600
_MOST_PER_PAGE = 100
_PER_PAGE = 30
_OK = 200
_NO_CONTENT = 204
_TOKEN_LIFE = timedelta(days=90)
_DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True, slots=True)
class ApiRefusal(Exception):  # noqa: N818 - GitHub's own word for it in the answer is message
    """A refusal, in GitHub's status and words."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()
    """What is wrong with which field, for a status of 422."""

    def answer(self) -> Response:
        body: dict[str, object] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        body |= {"documentation_url": _DOCUMENTATION, "status": str(self.status)}
        return JSONResponse(body, self.status, dict(self.headers))


def not_found() -> ApiRefusal:
    return ApiRefusal(404, "Not Found")


def invalid(message: str) -> ApiRefusal:
    return ApiRefusal(422, message)


def answer(data: object, status: int = _OK, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(data, status, dict(headers or {}))


def nothing() -> Response:
    return Response(status_code=_NO_CONTENT)


def root(request: Request) -> str:
    """Return the address of this API as the caller wrote it. PyGithub compares host and prefix."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def body(request: Request) -> dict[str, Any]:
    """Read the JSON object that was sent. Raises ApiRefusal."""
    try:
        data = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ApiRefusal(400, "Problems parsing JSON") from None
    if not isinstance(data, dict):
        raise ApiRefusal(400, "Body should be a JSON object")
    return data


def text_field(data: Mapping[str, Any], name: str) -> str:
    """Return a required text of the body. Raises ApiRefusal when it is missing."""
    value = data.get(name)
    if not isinstance(value, str):
        raise invalid(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    return value


@dataclass(frozen=True, slots=True)
class ListPage:
    """Which part of a list was asked for."""

    number: int
    size: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size

    def link(self, request: Request, *, more: bool) -> dict[str, str]:
        """Return the Link header as GitHub gives it."""
        address = f"{root(request)}{_path(request)}"
        query = request.url.include_query_params
        links = []
        for name, number, wanted in (
            ("prev", self.number - 1, self.number > 1),
            ("next", self.number + 1, more),
        ):
            if wanted:
                links.append(f'<{address}?{query(page=number).query}>; rel="{name}"')
        return {"Link": ", ".join(links)} if links else {}


def _path(request: Request) -> str:
    prefix = str(request.scope.get("root_path", ""))
    return request.url.path.removeprefix(prefix)


def page(request: Request) -> ListPage:
    return ListPage(
        max(1, _number(request, "page", 1)),
        min(_MOST_PER_PAGE, max(1, _number(request, "per_page", _PER_PAGE))),
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else default


def listed(request: Request, items: Sequence[object], *, key: str | None = None) -> Response:
    """Answer one page of a list, bare or under `key` with its total."""
    part = page(request)
    shown = items[part.start : part.start + part.size]
    link = part.link(request, more=len(items) > part.start + part.size)
    data = shown if key is None else {"total_count": len(items), key: shown}
    return answer(data, headers=link)


class RateHeaders:
    """Add the rate, the time and the token's last day to answers, and an ETag.

    Answers 304 to a caller with the same ETag.
    """

    def __init__(self) -> None:
        self._used = 0
        self._expires = datetime.now(UTC) + _TOKEN_LIFE

    def finish(self, request: Request, response: Response) -> Response:
        if request.method == "GET" and response.status_code == _OK:
            tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
            if request.headers.get("if-none-match") == tag:
                response = Response(status_code=304)
            response.headers["ETag"] = tag
        if response.status_code != 304:  # noqa: PLR2004 - a 304 costs nothing at GitHub
            self._used += 1
        response.headers.update(self._rate())
        return response

    def _rate(self) -> dict[str, str]:
        used = self._used % _RATE
        return {
            "X-RateLimit-Limit": str(_RATE),
            "X-RateLimit-Remaining": str(_RATE - used),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str((int(time.time()) // _HOUR + 1) * _HOUR),
            "X-RateLimit-Resource": "core",
            "Date": formatdate(usegmt=True),
            "GitHub-Authentication-Token-Expiration": f"{self._expires:%Y-%m-%d %H:%M:%S} UTC",
        }
