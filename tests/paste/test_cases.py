"""Inputs as people send them, each with the right answer, and the table of how they are read.

The cases are in tests/paste/cases/, each above the images that are right. The answer to a case is
exact, asked back, wrong or dropped. README.md there has the format. A run of these tests prints the
table at its end: `pytest tests/paste/test_cases.py`.
"""

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest
from pasted import HOST

from bot.core.image import Target
from bot.paste import REWRITABLE, Finding, extract, extract_file, rewrite
from bot.paste.file_kind import scan

CASES = Path(__file__).parent / "cases"
TARGET = Target("h.example.com", "p")


class Verdict(StrEnum):
    EXACT = "exact"
    ASKED = "asked back"
    WRONG = "WRONG"
    """An image was taken that nobody named."""
    DROPPED = "DROPPED"
    """An image is missing, and nothing is said about it."""


@dataclass(frozen=True)
class Case:
    group: str
    title: str
    kind: str
    name: str
    text: str
    images: tuple[str, ...]
    asked: tuple[str, ...]
    must_ask: bool

    def finding(self) -> Finding:
        if self.name:
            return extract_file(self.text.encode(), target_host=HOST, name=self.name)
        return extract(self.text, target_host=HOST)

    def verdict(self) -> Verdict:
        """How the case is read. A right answer as a question counts as asked back."""
        finding = self.finding()
        found = {str(image) for image in finding.images}
        meant = {str(bad.correction.image) for bad in finding.bad if bad.correction is not None}
        nothing = not finding.images  # which is told as well
        asks = bool(finding.bad or finding.flaw or nothing) or not (self.name or finding.certain)
        if not found <= {*self.images, *self.asked}:
            return Verdict.WRONG
        if self.must_ask and not asks:
            return Verdict.WRONG
        if found == {*self.images} and {*self.asked} <= meant:
            return Verdict.EXACT
        is_told = finding.bad or finding.flaw or not (self.name or finding.certain)
        return Verdict.ASKED if is_told else Verdict.DROPPED


def cases() -> list[Case]:
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for block in re.split(r"^===== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            head, _, rest = block.partition("\n")
            title, kind, name = (part.strip() for part in head.split("|"))
            text, _, answer = rest.rpartition("\n-----\n")
            lines = answer.splitlines()
            images = tuple(line for line in lines if line and not line.startswith("?"))
            asked = tuple(line[1:].strip() for line in lines if line.startswith("? "))
            must_ask = any(line.startswith("?") for line in lines)
            case = Case(path.stem, title, kind, name, f"{text}\n", images, asked, must_ask)
            found.append(case)
    return found


def without_digest(name: str) -> str:
    """The name without the digest that a file may give besides a tag."""
    head, _, _ = name.partition("@")
    return head if ":" in head.rpartition("/")[2] else name


ALL = cases()
FILES = [case for case in ALL if case.name]


@pytest.mark.parametrize("case", ALL, ids=[f"{c.group}: {c.title}" for c in ALL])
def test_nothing_is_taken_that_was_not_named_and_nothing_dropped(
    case: Case, tally: Counter[str]
) -> None:
    verdict = case.verdict()
    tally[f"{case.group}, {case.kind}: {verdict}"] += 1
    assert verdict in {Verdict.EXACT, Verdict.ASKED}, case.finding()


def test_nearly_all_are_read_exactly() -> None:
    """Asking is never wrong, but it costs a person time."""
    counts = Counter(case.verdict() for case in ALL)
    assert counts[Verdict.EXACT] >= 0.9 * len(ALL), counts


@pytest.mark.parametrize("case", FILES, ids=[f"{c.group}: {c.title}" for c in FILES])
def test_a_returned_file_names_the_target_and_differs_by_nothing_else(case: Case) -> None:
    content = case.text.encode()
    before = extract_file(content, target_host="", name=case.name)
    back = rewrite(content, name=case.name, target=TARGET, images=before.images)
    if before.kind not in REWRITABLE:
        assert back.content == content
        return
    after = extract_file(back.content, target_host="", name=case.name)
    fixed = {fixed.image for fixed in back.fixed}  # at one of their places at least
    renamed = {i: without_digest(TARGET.name_of(i)) for i in before.images}
    found = {i if i in fixed else without_digest(str(i)) for i in after.images}
    assert found - {renamed[i] for i in fixed} == fixed | {
        name for image, name in renamed.items() if image not in fixed
    }
    spans = sorted((s.start, s.end) for m in scan(case.text, case.name).mentions for s in m.spans)
    pieces, position = [], 0
    for start, end in dict.fromkeys(spans):
        pieces.append(re.escape(case.text[position:start]))
        position = end
    pieces.append(re.escape(case.text[position:]))
    assert re.fullmatch("[^\\s\"']+".join(pieces), back.content.decode())
