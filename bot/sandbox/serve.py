"""Serves an ASGI app on loopback, inside the running event loop.

uvicorn expects a process of its own. It takes over the signals, waits for open requests when it
stops, and cannot drop a connection without an answer. The sandbox needs the opposite of all three.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
_HANG_UP = "imageto.hang_up"
_STOP_SECONDS = 2.0


@asynccontextmanager
async def served(app: ASGIApp, *, port: int = 0) -> AsyncIterator[int]:
    """Serve `app` on 127.0.0.1 and yield the port. Port 0 takes any free one.

    The app's own lifespan is not run. The caller opens what the app needs.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            # As nginx. With uvicorn's 5 s, clients often reuse a connection that is just closing.
            timeout_keep_alive=75,
            server_header=False,
        )
    )
    with _bound(port) as sock:
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            await server.ready.wait()
            if not server.started:
                await serving
            yield sock.getsockname()[1]
        finally:
            server.stop.set()
            await serving


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of this request without sending any byte."""
    close: Callable[[], None] = scope["extensions"][_HANG_UP]
    close()
    # uvicorn answers 500 if the app returns before the disconnect is noticed.
    while (await receive())["type"] != "http.disconnect":
        pass


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the caller handles signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        finally:
            self.ready.set()

    async def main_loop(self) -> None:
        await self.stop.wait()  # uvicorn's own loop polls ten times a second

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close open connections at once, since a long poll could last another 50 s."""
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        running = set(self.server_state.tasks)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_STOP_SECONDS)
        for sock in sockets or []:
            sock.close()


class _Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # asyncio's own wider type
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            extensions: dict[str, Any] = scope.setdefault("extensions", {})
            extensions[_HANG_UP] = transport.close
            try:
                await inner(scope, receive, send)
            except asyncio.CancelledError:
                # Cancelled by `shutdown`. uvicorn would log it as a crash of the app.
                if not transport.is_closing():
                    raise

        self.app = app


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    # asyncio sets TCP_NODELAY only if the protocol is named. Nagle can cost 40 ms an answer.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
            sock.listen()
        except (OSError, OverflowError) as exc:
            raise OSError(
                f"port {port} on {HOST} cannot be used ({exc}): choose another one, or 0 for any"
            ) from exc
        yield sock
    finally:
        sock.close()
