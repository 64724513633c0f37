"""Keeps pages of other sites out of the sandbox's API, though the same browser can reach it.

A browser sends simple forms anywhere without asking, but JSON only after a preflight request, which
nobody answers here. It names the site that a request comes from. A name that somebody points at
127.0.0.1 (DNS rebinding) stands in `Host`.
https://fetch.spec.whatwg.org/#cors-safelisted-request-header
"""

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class _Walls:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(Request(scope))
        await (refusal or self._app)(scope, receive, send)


WALLS = [Middleware(_Walls)]
"""For Starlette's routes."""


def _refusal(request: Request) -> JSONResponse | None:
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not _is_loopback(host):
        return _error(HTTPStatus.FORBIDDEN, "open the sandbox as 127.0.0.1 or localhost")
    if origin is not None and origin != f"http://{host}":
        return _error(HTTPStatus.FORBIDDEN, "pages of other sites may not use the sandbox")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        return _error(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON with Content-Type: application/json"
        )
    return None


def _is_loopback(host: str) -> bool:
    """Whether `Host`, with or without a port, is an address of this machine or `localhost`."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _error(status: HTTPStatus, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status_code=status)
