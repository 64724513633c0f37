"""A browser, and two sandboxes to look at: one in English, one in Chinese."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from bot.dialog.language import Language
from bot.sandbox.world import open_sandbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Playwright's own is not downloaded."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a sandbox that nobody has used yet. Its parameter is the language."""
    with running(tmp_path, getattr(request, "param", Language.EN)) as address:
        yield address


@contextmanager
def running(data: Path, language: Language) -> Iterator[str]:
    """A sandbox in a thread of its own: Playwright's calls block the one that they are made in."""
    loop, address, stop = asyncio.new_event_loop(), "", asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        nonlocal address
        async with open_sandbox(port=0, data=data, language=language) as made:
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
