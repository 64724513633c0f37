"""A proxy on loopback in front of a registry that listens on a socket file.

Faults can be injected between it and the client. It streams both ways, keeps Host, and must not
change what passes.
"""

from collections.abc import AsyncIterator

import httpx
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "te"})
_BODY_HEADERS = frozenset({"content-length", "transfer-encoding"})
_BAD_GATEWAY = 502


class RegistryProxy:
    """An ASGI app that hands every request to the registry behind `client`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.changes = 0
        """How many manifests were written."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._forward(request)
        await response(scope, receive, send)

    async def _forward(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        has_body = not _BODY_HEADERS.isdisjoint(request.headers)
        passed = self._client.build_request(
            request.method,
            path,
            headers=_kept(request.headers.raw),
            content=_stream(request) if has_body else None,
        )
        try:
            answer = await self._client.send(passed, stream=True)
        except httpx.TransportError as error:
            return Response(f"the registry does not answer: {error}", _BAD_GATEWAY)
        except ClientDisconnect:  # during an upload: no client reads this answer
            return Response(status_code=_BAD_GATEWAY)
        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = _kept(answer.headers.raw)
        self.changes += request.method == "PUT" and "/manifests/" in path
        return response


async def _stream(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _kept(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower(), value)
        for name, value in headers
        if name.lower().decode("latin-1") not in _HOP_BY_HOP
    ]
