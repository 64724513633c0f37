"""A tiny bench of the page, so that its tools keep working. No times are judged here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from playwright.sync_api import Browser
from sandbox_page import Plan, rows


def test_what_is_measured_becomes_rows(browser: Browser) -> None:
    found = [str(row) for row in rows(browser, Plan(loads=1, events=1, messages=40))]
    for what in ("first paint", "a message →", "a comment on an issue →", "a commit →", "scrolled"):
        assert any(what in row for row in found), what
