"""What the sandbox's page costs who looks at it: its first paint, its news, and a long chat.

The page and its server are the real ones, in Debian's Chromium without a screen. There is no bot,
so that nothing else happens. An event counts from before it is asked for until its words are shown.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from report import Row, below
from sandbox_without_bot import WithoutBot, sandbox_without_bot

from bot.sandbox import world

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from sandbox_thread import chromium

PAINT: Final = 300
EVENT: Final = 200
FRAME: Final = 33.4
"""Milliseconds: two frames of a screen with 60 a second."""
WORDS: Final = """\
The sandbox's page in Chromium without a screen, at 390 by 844 pixels, each time in a fresh profile.
A first paint counts from the start of the navigation, as the browser tells it. An event counts from
before it is asked for until its words are in the page. The chat is scrolled from its end to its
start by 120 pixels a frame. Times are medians where nothing else is said."""
SCROLL: Final = """async () => {
  const log = document.querySelector("#log"), times = [];
  log.scrollTop = log.scrollHeight;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await new Promise((done) => {
    let before = performance.now();
    const step = (now) => {
      times.push(now - before);
      before = now;
      log.scrollTop -= 120;
      if (log.scrollTop > 0 && times.length < 2000) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  return times.slice(1);
}"""
SEEN: Final = """(words) => new Promise((done, failed) => {
  setTimeout(() => failed(new Error(`never seen: ${words}`)), 90_000);
  const now = () => performance.timeOrigin + performance.now();
  const look = () => document.body.textContent.includes(words) && done(now());
  const all = {childList: true, subtree: true, characterData: true};
  new MutationObserver(look).observe(document.body, all);
  look();
})"""


@dataclass(frozen=True)
class Plan:
    loads: int = 10
    events: int = 15
    messages: int = 1000


def measured() -> list[Row]:
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        found = rows(browser, Plan())
        browser.close()
    return found


def rows(browser: Browser, plan: Plan) -> list[Row]:
    """Measure the page: empty first, and then with a long chat."""
    with running() as place:
        made = Measured(place, plan)
        found = [*made.paints(browser, "an empty chat"), *made.news(browser, "an empty chat")]
        for number in range(plan.messages):
            made.say(f"message {number}: `docker.io/library/nginx:1.{number}` and some more words")
        what = f"{plan.messages:,} messages"
        found += [*made.paints(browser, what), *made.news(browser, what), *made.scroll(browser)]
    return found


@dataclass(frozen=True)
class Measured:
    place: WithoutBot
    plan: Plan

    def paints(self, browser: Browser, what: str) -> list[Row]:
        paints, whole = [], []
        for _ in range(self.plan.loads):
            with self.opened(browser) as page:
                paints.append(page.evaluate(FIRST))
                whole.append(page.evaluate("performance.now()"))
        told = f"longest {max(paints):.0f} ms, all messages there after {_median(whole):.0f} ms"
        return [
            below(f"first paint, {what}", round(_median(paints)), PAINT, " ms"),
            Row(f"… {what}", told),
        ]

    def news(self, browser: Browser, what: str) -> list[Row]:
        """How long each kind of event takes until it is on an open page."""
        kinds: dict[str, tuple[str, Callable[[str], object]]] = {
            "a message": ("journey", self.say),
            "a comment on an issue": ("issues", self.comment),
            "a commit": ("everything", self.commit),
        }
        found = []
        with self.opened(browser) as page:
            page.locator("#peek").click()
            for name, (tab, does) in kinds.items():
                page.locator(f"#tab-{tab}").click()
                if tab == "issues":
                    self.act("open", title=what, body="")
                    page.locator(".issue", has_text=what).click()
                times = [
                    self.one(page, does, f"{what} {name} {n}") for n in range(self.plan.events)
                ]
                shown = f"{name} → page, {what}"
                found.append(below(shown, round(_median(times)), EVENT, " ms"))
                found.append(Row(f"… {shown}", f"longest {max(times):.0f} ms"))
        return found

    def one(self, page: Page, does: Callable[[str], object], words: str) -> float:
        """Milliseconds. The page looks for the words while the event happens in a thread."""
        before: list[float] = []

        def happen() -> None:
            time.sleep(0.3)  # the page listens by then
            before.append(time.time() * 1000)
            does(words)

        thread = threading.Thread(target=happen)
        thread.start()
        seen = page.evaluate(SEEN, words)
        thread.join()
        return float(seen) - before[0]

    def scroll(self, browser: Browser) -> list[Row]:
        with self.opened(browser) as page:
            times = sorted(page.evaluate(SCROLL))
        what = f"{self.plan.messages:,} messages scrolled: a frame"
        late = times[int(len(times) * 0.95)]
        return [
            below(f"{what}, 95 of 100", round(late, 1), FRAME, " ms"),
            Row(f"… {what}", f"{_median(times):.1f} ms, longest {times[-1]:.0f} of {len(times)}"),
        ]

    @contextmanager
    def opened(self, browser: Browser) -> Iterator[Page]:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(self.place.place.address)
        page.locator("#log > div").last.wait_for()
        yield page
        context.close()

    def say(self, text: str) -> None:
        self.post("/api/chat", {"as": "wei", "text": text})

    def act(self, what: str, **given: Any) -> None:
        self.post("/api/issues", {"as": "wei", "do": what, **given})

    def comment(self, text: str) -> None:
        self.act("comment", issue=len(self.place.place.github.issues.seen().issues), body=text)

    def commit(self, text: str) -> None:
        github = self.place.place.github
        path = f"/github/repos/{world.REPOSITORY}/contents/{text.replace(' ', '-')}"
        data = {"message": text, "content": b64encode(b"-").decode()}
        self.post(path, data, {"Authorization": f"Bearer {github.token}"}, method="PUT")

    def post(
        self, path: str, body: object, more: dict[str, str] | None = None, *, method: str = "POST"
    ) -> None:
        head = {"Content-Type": "application/json", **(more or {})}
        address = f"{self.place.place.address}{path}"
        asked = urllib.request.Request(address, json.dumps(body).encode(), head, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(asked):  # noqa: S310 - loopback
            pass


FIRST: Final = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime"""


@contextmanager
def running() -> Iterator[WithoutBot]:
    """The sandbox in a thread of its own. Its page shows issues."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    places: list[WithoutBot] = []

    async def serve() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with sandbox_without_bot(Path(folder), everything=True) as place:
                places.append(place)
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
    yield places[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def _median(times: list[float]) -> float:
    return statistics.median(times)
