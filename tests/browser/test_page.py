"""The sandbox's page as people use it: on phones and wide screens, by touch, mouse and keyboard."""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from bot.dialog.language import Language

expect.set_options(timeout=90_000)  # a condition to wait for, not a bar: the machine may be busy
SIZES = ((360, 740), (390, 844), (1280, 800))
ASKED = "gcr.io/distroless/static:nonroot"
LAST_STEP = re.compile("Step 5|第 5 步")
HEARD = """(id) => {
  window.heard = [];
  const says = document.querySelector(id);
  new MutationObserver(() => window.heard.push(says.textContent)).observe(says, {childList: true});
}"""
TARGETS = """() => [...document.querySelectorAll('button, select, summary, a, .people label')]
  .filter(each => each.checkVisibility() && !each.closest('.text, .markdown p'))
  .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 23.5).map(([html]) => html)"""


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int], **options: Any) -> Iterator[Page]:
    """The page in a fresh profile. Any message on the console fails the test."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=width < 900, **options
    )
    context.set_default_timeout(90_000)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    page.locator("#log > div").first.wait_for()
    yield page
    assert said == []
    context.close()


def post(address: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and no control is too small for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TARGETS) == []


def accessible(page: Page) -> None:
    found = Axe().run(page)
    serious = [v for v in found.response["violations"] if v["impact"] in {"serious", "critical"}]
    assert serious == [], found.generate_report()


def last_card(page: Page) -> Any:
    return page.locator(".message", has_text=ASKED).filter(has=page.locator(".quote")).first


@pytest.mark.parametrize("sandbox", list(Language), indirect=True, ids=str)
def test_the_guided_minute_is_played_on_phones_and_wide_screens(
    browser: Browser, sandbox: str
) -> None:
    """One visitor plays it. Others, on other screens and in the dark, see what came of it."""
    with opened(browser, sandbox, SIZES[0]) as page:
        guide = page.locator("#guide .main")
        guide.click()
        expect(last_card(page)).to_contain_text("⏳")
        fits(page)
        accessible(page)
        guide.click()
        page.locator(".buttons .wanted").tap()
        expect(page.locator("#guide .step", has_text=LAST_STEP)).to_be_visible()
        page.evaluate(HEARD, "#notice")
        guide.click()
        page.wait_for_function("window.heard.some((each) => each.includes('docker pull'))")
        expect(page.locator(".message").last).to_be_in_viewport()
    for size in SIZES:
        for scheme in ("light", "dark"):
            with opened(browser, sandbox, size, color_scheme=scheme) as page:
                see_what_came_of_it(page)


def see_what_came_of_it(page: Page) -> None:
    fits(page)
    accessible(page)
    if page.locator("#peek").is_visible():
        page.locator("#peek").click()
    expect(page.locator("#stations .done")).to_have_count(5)
    for station, shown in (
        ("decision", "Image: gcr.io"),
        ("commit", "Batch: "),
        ("run", "Job succeeded"),
        ("registry", "sha256:"),
    ):
        page.locator("#image").select_option(ASKED)
        page.locator(f"[data-station={station}] button").click()
        expect(page.locator("#detail")).to_contain_text(shown)
        fits(page)
    accessible(page)
    for tab in ("everything", "faults"):
        page.locator(f"#tab-{tab}").click()
        fits(page)
        accessible(page)


def test_all_of_it_works_by_keyboard_alone(browser: Browser, sandbox: str) -> None:
    with opened(browser, sandbox, SIZES[2]) as page:
        page.locator("#guide button").last.press("Enter")  # skipped
        text = page.locator("#text")
        text.fill("")
        text.press_sequentially("/mir")
        expect(page.locator("#commands li")).to_contain_text("/mirror")
        text.press("Tab")
        text.press_sequentially(ASKED)
        text.press("Enter")
        approve = page.locator(".buttons button", has_text="✅")
        expect(approve).to_be_visible()
        page.locator("#people input[value=wei]").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#people input[value=ana]")).to_be_checked()
        expect(approve).to_be_visible()
        approve.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".message", has_text="Done, 1 of 1")).to_be_visible()
        text.press("Escape")
        text.focus()
        page.keyboard.press("ArrowUp")  # ana has written nothing that she could edit
        expect(page.locator("#answering")).to_be_hidden()


def test_focus_stays_and_a_message_is_read_aloud_once(browser: Browser, sandbox: str) -> None:
    with opened(browser, sandbox, SIZES[2]) as page:
        page.locator("#guide button").last.click()
        page.evaluate(HEARD, "#heard")
        post(sandbox, "/api/chat", **{"as": "wei", "text": f"/mirror {ASKED}"})
        reject = page.locator(".buttons button", has_text="❌")
        expect(reject).to_be_visible()
        reject.focus()
        post(sandbox, "/api/chat", **{"as": "li", "text": "/mirror nginx:1.27"})
        expect(page.locator(".message", has_text="Done, 1 of 1")).to_be_visible()
        expect(page.locator(".message", has_text="#2 for Li")).to_contain_text("edited")
        assert page.evaluate("document.activeElement.textContent") == reject.inner_text()
        heard = "\n".join(page.evaluate("window.heard"))
        for said in ("#1 for Wei", "#2 for Li", "Done, 1 of 1"):
            assert heard.count(said) == 1, heard


def test_what_is_pasted_and_dropped_becomes_a_file(browser: Browser, sandbox: str) -> None:
    with opened(browser, sandbox, SIZES[1]) as page:
        page.locator("#guide button").last.click()
        page.evaluate(
            """() => {
              const given = new DataTransfer();
              given.items.add(new File(["services: {web: {image: 'nginx:1.27'}}"], "compose.yaml"));
              document.querySelector("#text").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: given, bubbles: true }));
            }"""
        )
        expect(page.locator("#attached")).to_contain_text("compose.yaml")
        page.locator("#text").fill("/mirror")
        page.locator("#send").tap()
        expect(page.locator(".buttons button", has_text="✅")).to_be_visible()
        fits(page)


HOSTILE = """### Images

```yaml
services: {web: {image: registry.example.com/a/very/long/name/that/does/not/end:1.27.3-alpine}}
```
**Request \\#41** for @wei, `docker.io/library/nginx:1.27`
- waits for `/approve 41 7f3a`

| image | state |
|---|---|
| `nginx:1.27` | <img src=x onerror=alert(1)> |

[read](https://example.com/x) [evil](javascript:alert) <script>alert(1)</script> <!-- hid -->
<details><summary>Why</summary>

a rule &lt;b&gt; snake_case_word
</details>
"""
SHOWN = """() => {
  const body = document.querySelector('.post .markdown');
  const links = [...body.querySelectorAll('a')].map(each => each.getAttribute('href'));
  const count = (each) => body.querySelectorAll(each).length;
  const kinds = ['h5', 'pre', 'b', 'li', 'table', 'details'].map(count);
  return [links, kinds, count('script, img'), body.textContent];
}"""


@pytest.mark.parametrize("sandbox", list(Language), indirect=True, ids=str)
def test_an_issue_is_opened_decided_and_answered_beside_the_chat(
    browser: Browser, sandbox: str
) -> None:
    hostile = {"as": "mallory", "do": "open", "title": "Hostile", "body": HOSTILE}
    post(sandbox, "/api/issues", **hostile)
    with opened(browser, sandbox, SIZES[1], color_scheme="dark") as page:
        see_issues(page)
        page.locator("[data-key=i-new]").press("Enter")
        fits(page)
        accessible(page)
        page.locator("#field-title").fill("Two images")
        page.locator("#field-images").fill(f"redis:7\n{ASKED}")
        page.locator("#field-file").press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".about h2")).to_contain_text("Two images")
        approve = page.locator(".post .command", has_text="/approve")
        expect(approve).to_be_visible()
        fits(page)
        accessible(page)
        page.locator("#people label", has_text="Ana").tap()
        page.locator("#reply").fill("half a thou")
        someone = {"as": "li", "do": "comment", "issue": 2, "body": "Me, too."}
        said = post(sandbox, "/api/issues", **someone)["comment"]
        expect(page.locator(".post", has_text="Me, too.")).to_be_visible()
        assert page.evaluate("document.activeElement.id") == "reply"
        expect(page.locator("#reply")).to_have_value("half a thou")
        post(
            sandbox, "/api/issues", **{"as": "li", "do": "edit", "comment": said, "body": "Or not."}
        )
        expect(page.locator(".post", has_text="Or not.")).to_be_visible()
        approve.tap()
        page.locator("#reply").press("Control+Enter")
        expect(page.locator(".fence", has_text=f"/{ASKED}")).to_be_visible()
        page.locator("#tab-journey").click()
        page.locator("#image").select_option(ASKED)
        expect(page.locator("#stations .done")).to_have_count(5)
        page.locator("[data-station=registry] button").click()
        expect(page.locator("#detail")).to_contain_text("urn:imageto-bot:decision:v1")
        fits(page)
    for size in SIZES:
        with opened(browser, sandbox, size) as page:
            see_what_is_hostile(page)


def see_issues(page: Page) -> None:
    page.locator("#guide button").last.click()
    if page.locator("#peek").is_visible():
        page.locator("#peek").click()
    page.locator("#tab-issues").press("Enter")


def see_what_is_hostile(page: Page) -> None:
    see_issues(page)
    expect(page.locator(".issue")).to_have_count(2)
    fits(page)
    accessible(page)
    page.locator(".issue", has_text="Hostile").press("Enter")
    links, kinds, foreign, text = page.evaluate(SHOWN)
    assert links == ["https://example.com/x", None]
    assert (kinds, foreign) == ([1, 1, 2, 1, 1, 1], 0)
    assert "<img src=x onerror=alert(1)>" in text
    assert "a rule <b> snake_case_word" in text
    assert "hid" not in text
    fits(page)
    accessible(page)
    for key, state in (("i-close", "closed"), ("i-reopen", "open")):
        page.locator(f"[data-key={key}]").press("Enter")
        expect(page.locator(f".about .{state}")).to_be_visible()


def test_a_fault_is_armed_watched_and_disarmed(browser: Browser, sandbox: str) -> None:
    with opened(browser, sandbox, SIZES[2]) as page:
        page.locator("#guide button").last.click()
        page.locator("#tab-faults").click()
        page.locator("[data-key=telegram]").click()
        expect(page.locator(".fault", has_text="Telegram loses")).to_contain_text("armed")
        page.locator("#text").fill("/whoami")
        page.locator("#text").press("Enter")
        expect(page.locator(".fault", has_text="Telegram loses")).to_contain_text("happened")
        page.locator("[data-key=kill]").click()
        expect(page.locator(".fault", has_text="is killed")).to_contain_text("done")
        page.locator("#text").fill("/status")
        page.locator("#text").press("Enter")
        expect(page.locator(".message:not(.mine)").last).to_contain_text("Nothing of yours")
        page.locator("[data-key=reset]").click()
        expect(page.locator(".fault", has_text="Telegram loses").locator(".wait")).to_be_empty()
