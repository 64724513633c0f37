"""The answers of a failing service, in that service's own format and words.

middleware.py decides when they are sent. This module has no state.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

TICKS = 10
"""Pieces per second of a slow or an endless body."""
_PAGE = "<!doctype html><title>Gateway</title><h1>It works!</h1>"
_MIB = b" " * (1 << 20)
_REGISTRY_CODES = {
    401: "UNAUTHORIZED",
    403: "DENIED",
    404: "MANIFEST_UNKNOWN",
    429: "TOOMANYREQUESTS",
}
_HUB_SAYS = (
    "You have reached your pull rate limit. You may increase the limit by authenticating and "
    "upgrading: https://www.docker.com/increase-rate-limit"
)
_QUOTA_SAYS = (
    "adding 2.1 MiB of storage resource, which when updated to current usage of 8.3 MiB "
    "will exceed the configured upper limit of 10.0 MiB."
)
_NGINX_SAYS = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>\r\n"
REFUSALS: dict[str, tuple[int, str, str]] = {
    "login": (401, "UNAUTHORIZED", "authentication required"),
    "denied": (403, "DENIED", "requested access to the resource is denied"),
    "name-unknown": (404, "NAME_UNKNOWN", "repository name not known to registry"),
    "pull-limit": (429, "TOOMANYREQUESTS", _HUB_SAYS),
    "no-project": (401, "UNAUTHORIZED", "project docker.io not found"),
    "no-permission": (
        401,
        "UNAUTHORIZED",
        "unauthorized to access repository: docker.io/library/nginx, action: push",
    ),
    "quota": (
        403,
        "DENIED",
        _QUOTA_SAYS,
    ),
    "proxy-project": (403, "DENIED", "can not push artifact to a proxy project: docker.io"),
    "immutable": (
        412,
        "PRECONDITION",
        "Failed to process request due to 'library/nginx:1.27' configured as immutable.",
    ),
    "too-large": (413, "", _NGINX_SAYS),
}
"""Refusals of registries for "says WORDS": status, code and message.

login, denied and name-unknown are distribution's own words. pull-limit is Docker Hub's. The last
has no code, since it comes from an nginx in front of a registry. The rest is Harbor's.
"""
_BLOCKED = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content "
    "creation. Please retry your request again later."
)
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
GITHUB_REFUSALS: dict[str, tuple[int, str, dict[str, str]]] = {
    "permission": (
        403,
        "Resource not accessible by personal access token",
        {"X-Accepted-GitHub-Permissions": "contents=write"},
    ),
    "primary-limit": (
        403,
        "API rate limit exceeded for user ID 1001.",
        {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "+600"},
    ),
    "secondary-limit": (403, _SECONDARY, {"Retry-After": "90"}),
    "secondary-limit-429": (429, _SECONDARY, {"Retry-After": "90"}),
    "secondary-limit-silent": (403, _SECONDARY, {}),
    "secondary-limit-429-silent": (429, _SECONDARY, {}),
    "content-limit": (403, _BLOCKED, {}),
    "locked": (403, "Unable to create comment because issue is locked.", {}),
    "archived": (403, "Repository was archived so is read-only.", {}),
    "no-issues": (410, "Issues has been disabled in this repository.", {}),
    "too-long": (422, "Validation Failed: body is too long (maximum is 65536 characters)", {}),
}
"""Refusals of GitHub: status, message and headers. "+600" means 600 s from now in Unix time.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""


def answer(where: str, kind: str, word: str) -> Response:
    """Return the answer of the service at `where` for a fault of this kind and word."""
    match kind:
        case "garbage":
            return HTMLResponse(_PAGE)
        case "page":
            return HTMLResponse(_PAGE, status_code=int(word))
        case "malformed":
            return Response('{"ok": true, "result": [{"id": 1, "na', media_type="application/json")
        case "endless":
            return StreamingResponse(_trickle(), media_type="application/json")
        case "huge" | "packed":
            return _huge(int(word), packed=kind == "packed")
        case "retry-after":
            return too_many(where, int(word))
        case "says" if where == "github":
            return _github_refused(word)
        case "says":
            return _refused(word)
    status = int(word)
    return JSONResponse(_error(where, status, _phrase(status)), status_code=status)


async def _trickle() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(1 / TICKS)


def _huge(size: int, *, packed: bool) -> Response:
    """Return `size` MiB of blanks and a JSON object, which together are valid JSON."""
    headers = {"Content-Encoding": "gzip"} if packed else {}
    return StreamingResponse(
        _blanks(size, packed=packed), media_type="application/json", headers=headers
    )


async def _blanks(size: int, *, packed: bool) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(wbits=31)  # gzip's own frame
    for piece in [*[_MIB] * size, b'{"ok": true, "result": []}']:
        out = packer.compress(piece) if packed else piece
        if out:
            yield out
    if packed:
        yield packer.flush()


def _github_refused(words: str) -> Response:
    status, text, told = GITHUB_REFUSALS[words]
    headers = {
        name: str(int(time.time()) + int(value)) if value.startswith("+") else value
        for name, value in told.items()
    }
    return JSONResponse(_error("github", status, text), status_code=status, headers=headers)


def _refused(words: str) -> Response:
    status, code, text = REFUSALS[words]
    if not code:
        return HTMLResponse(text, status_code=status)
    body = {"errors": [{"code": code, "message": text, "detail": None}]}
    return JSONResponse(body, status_code=status)


def too_many(where: str, seconds: int) -> Response:
    """Return a 429 with Retry-After, in the words of the service at `where`."""
    text = f"{_phrase(429)}: retry after {seconds}"
    body = _error(where, 429, _HUB_SAYS if where == "source" else text)
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
