"""A sandbox in a thread of its own, and the browser that looks at it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from bot.dialog.language import Language
from bot.sandbox.world import open_sandbox


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium. Playwright's own is not downloaded."""
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])


@contextmanager
def running(data: Path, language: Language) -> Iterator[str]:
    """Yields the address. Playwright's calls block the thread that they are made in."""
    loop, address, stop = asyncio.new_event_loop(), "", asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        nonlocal address
        async with open_sandbox(port=0, data=data, language=language, everything=True) as made:
            address = made.address
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        assert address, "the sandbox did not start: its error stands above"
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
