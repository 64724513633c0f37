"""`make pictures`: take the pictures of the documents from the sandbox's page, in both languages.

The conversation is played, not staged: the images on it were copied by a run, and verified.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 - as the next
from sandbox_thread import chromium, running  # noqa: E402 - found by the line above

from bot.dialog.language import Language  # noqa: E402 - as above

PICTURES: Final = ROOT / "docs" / "pictures"
PHONE: Final = {"width": 390, "height": 900}
SCREEN: Final = {"width": 1280, "height": 800}
ASKED: Final = "/mirror redis:7 gcr.io/distroless/static:nonroot"


def take(browser: Browser, language: Language) -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), language) as address:
        page = opened(browser, address, PHONE)
        page.locator("#guide button").last.click()
        page.locator("#text").fill(ASKED)
        page.locator("#send").click()
        page.locator(".buttons button", has_text="✅").wait_for()
        page.locator("#people label", has_text="Ana").click()
        page.locator(".buttons button", has_text="✅").click()
        page.locator(".buttons button", has_text="📋").first.wait_for(timeout=90_000)
        page.locator("#stations .done").nth(4).wait_for(state="attached", timeout=90_000)
        page.locator("#notice:empty").wait_for(state="attached")
        page.locator("#people label", has_text="Wei").click()
        shoot(page, f"conversation.{language}")
        page.set_viewport_size(SCREEN)
        page.locator("[data-station=commit] button").click()
        page.locator("#detail", has_text=re.compile("Batch: ")).wait_for()
        shoot(page, f"sandbox.{language}")
        page.context.close()


def opened(browser: Browser, address: str, size: dict[str, int]) -> Page:
    context = browser.new_context(viewport=size, device_scale_factor=2)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.locator("#guide").wait_for()
    return page


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(500)
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for each in Language:
            take(browser, each)
