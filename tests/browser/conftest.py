"""A browser, and a sandbox of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sandbox_thread import chromium, running

from bot.dialog.language import Language


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = chromium(playwright)
        yield opened
        opened.close()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a sandbox that nobody has used yet. Its parameter is the language."""
    with running(tmp_path, getattr(request, "param", Language.EN)) as address:
        yield address
