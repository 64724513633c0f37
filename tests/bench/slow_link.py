"""A slow link in front of a registry: a TCP proxy with a round trip and a bandwidth.

Usage: python slow_link.py HOST:PORT ROUND_TRIP_MS MEGABITS DOWN UP SECONDS (0: no limit). Prints
its own port. It is a process of its own, so that its CPU time is not charged to a contender. Each
direction waits for half of the round trip, and a new connection for a whole one, like TCP's
handshake. There is no slow start and no loss. Up to 8 MB of a connection can be on their way. Each
connection is cut after DOWN or UP bytes, and SECONDS after it was opened. SIGUSR1 prints what was
counted: connections, and bytes of both directions.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque

WINDOW = 8 << 20


class Line:
    """One direction of all connections together. It knows when the next bytes can be sent."""

    def __init__(self, delay: float, rate: float, most: int) -> None:
        self.delay, self.most, self.bytes = delay, most or 1 << 60, 0
        self._rate = rate
        self._free = 0.0

    def arrival(self, now: float, size: int) -> float:
        if self._rate:
            self._free = max(self._free, now) + size / self._rate
            return self._free + self.delay
        return now + self.delay


class End(asyncio.Protocol):
    """One end of a connection. What comes in goes out of `other` after the link's delay."""

    def __init__(self, line: Line, handshake: float = 0) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._open = self._loop.time() + handshake
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._left = line.most
        self._held = self.stuck = self._scheduled = False
        self.transport: asyncio.Transport | None = None
        self.other: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = data[: self._left]
        self._left -= len(data)
        self._line.bytes += len(data)
        if data:
            self._put(data)
        if not self._left:
            self.end()
        self._size += len(data)
        if self._size > WINDOW and self.transport and not self._held:
            self._held = True
            self.transport.pause_reading()

    def end(self) -> None:
        """Cut the connection when what is on its way has arrived."""
        for each in filter(None, (self, self.other)):
            each._put(b"")

    def abort(self) -> None:
        """Cut the connection at once."""
        for each in filter(None, (self, self.other)):
            if each.transport:
                each.transport.abort()

    def eof_received(self) -> bool:
        self._put(b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._put(b"")

    def pause_writing(self) -> None:
        if self.other:
            self.other.stuck = True

    def resume_writing(self) -> None:
        if self.other:
            self.other.stuck = False
            # Later: the transport that calls this must not be closed during the call.
            self._loop.call_soon(self.other.forward)

    def _put(self, data: bytes) -> None:
        sent = max(self._loop.time(), self._open)
        self._waiting.append((self._line.arrival(sent, len(data)), data))
        self.forward()

    def forward(self) -> None:
        """Send what is due. Nothing goes out before the other end is connected."""
        if self.other is None or self.other.transport is None:
            return
        now = self._loop.time()
        while self._waiting and not self.stuck and self._waiting[0][0] <= now:
            _, data = self._waiting.popleft()
            self._size -= len(data)
            self._send(self.other.transport, data)
        if self._held and self._size < WINDOW // 2 and self.transport:
            self._held = False
            self.transport.resume_reading()
        if self._waiting and not self.stuck and not self._scheduled:
            self._scheduled = True
            self._loop.call_at(self._waiting[0][0], self._due)

    def _due(self) -> None:
        self._scheduled = False
        self.forward()

    @staticmethod
    def _send(transport: asyncio.Transport, data: bytes) -> None:
        if transport.is_closing():
            return
        if data:
            transport.write(data)
        else:
            transport.close()


async def serve(place: tuple[str, int], down: Line, up: Line, seconds: float) -> None:
    round_trip = down.delay + up.delay
    loop = asyncio.get_running_loop()
    tasks, number = set(), 0

    def accepted() -> End:
        nonlocal number
        number += 1
        near = End(up, handshake=round_trip)
        if seconds:
            loop.call_later(seconds, near.abort)

        async def join() -> None:
            await asyncio.sleep(round_trip)
            far = End(down)
            near.other, far.other = far, near
            try:
                await loop.create_connection(lambda: far, *place)
            except OSError:
                if near.transport:
                    near.transport.abort()
                return
            near.forward()

        task = loop.create_task(join())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return near

    def told() -> None:
        counted = {"connections": number, "down": down.bytes, "up": up.bytes}
        sys.stdout.write(f"{json.dumps(counted)}\n")
        sys.stdout.flush()

    loop.add_signal_handler(signal.SIGUSR1, told)
    server = await loop.create_server(accepted, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # a network is not late because the runner is busy
    address, *numbers = sys.argv[1:]
    name, _, number = address.partition(":")
    milliseconds, megabits, most_down, most_up, seconds = map(float, numbers)
    down, up = (
        Line(milliseconds / 2000, megabits * 125_000, int(most)) for most in (most_down, most_up)
    )
    asyncio.run(serve((name, int(number)), down, up, seconds))
