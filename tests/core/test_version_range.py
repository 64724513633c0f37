"""Ranges of versions on lists of tags in the shapes of real repositories: never a wrong answer."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.version_range import parse_range

LISTS = Path(__file__).with_name("tag_lists.txt")
_BRACES = re.compile(r"([^{}]*)\{((?:[^{}]|\{[^{}]*\})*)\}(.*)")
"""The last braces have at most one level in them."""


def expanded(text: str) -> list[str]:
    found = _BRACES.fullmatch(text)
    if found is None:
        return [text]
    before, inner, after = found.groups()
    numbers = re.fullmatch(r"([0-9]+)\.\.([0-9]+)", inner)
    if numbers:
        choices = [str(each) for each in range(int(numbers[1]), int(numbers[2]) + 1)]
    else:
        choices = re.split(r",(?![^{]*\})", inner)
    inside = chain.from_iterable(expanded(choice) for choice in choices)
    ends = expanded(after)
    return [before + middle + end for middle in inside for end in ends]


def lists() -> Iterator[tuple[str, list[str], list[tuple[str, str]]]]:
    for block in LISTS.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("# {")]
        if not any(line.startswith("?") for line in lines):
            continue
        name, *rest = lines
        tags = [t for line in rest if line[0] != "?" for w in line.split() for t in expanded(w)]
        cases = [tuple(line[2:].split(" = ")) for line in rest if line[0] == "?"]
        yield name[2:], tags, cases  # type: ignore[misc]


def test_the_newest_tag_of_a_range_is_right_or_none() -> None:
    """Print how many are right, and which are not answered. Run with -s to see it."""
    right, silent, wrong = 0, [], []
    for name, tags, cases in lists():
        for text, expected in cases:
            wanted = parse_range(text)
            assert wanted is not None, f"{name}: {text}"
            found = wanted.newest(reversed(tags))
            assert found == wanted.newest(tags), f"{name}: {text}: the order of the list counts"
            if (found or "none") == expected:
                right += 1
            elif found is None:
                silent.append(f"{name}: {text}: none, and not {expected}")
            else:
                wrong.append(f"{name}: {text}: {found}, and not {expected}")
    print(f"right {right}, none {len(silent)}, wrong {len(wrong)}", *silent, *wrong, sep="\n")  # noqa: T201 - the counts
    assert not wrong
    assert right + len(silent) >= 200
    assert len(silent) <= 5


REFUSED = r"""
latest
nginx
alpine
1.27.4-1
1.x.4
^
>=
>= <2
^1-alpine ^2-slim
^1 || ^2
1 - 2
/1.*/
(1|2).x
[12].x
1.27.**
*-*-*-*-*-*-*
.*
-*
1.27.4?
>=1 <2 >3 <4
~>1
!1.2
nginx*/x
^1.27.x-alpïne
^1..2
stable-latest
"""


@pytest.mark.parametrize("text", ["", *REFUSED.split("\n"), "1." * 40])
def test_what_is_no_range_is_refused(text: str) -> None:
    assert parse_range(text) is None


def test_blanks_and_commas_do_not_count() -> None:
    assert parse_range(" >= 1.2,  < 2 ") == parse_range(">=1.2 <2")


NEWER = (
    ("^1", "1.28.0", "1.27.9", True),
    ("^1", "1.27.9", "1.28.0", False),
    ("^1", "1.27.9", "1.27.9", False),
    ("^1", "1.21.1", "1.21", True),
    ("^1", "1.28.0", "stable", False),
    ("^1.0-rc.1", "1.0.0", "1.0.0-rc.2", True),
    ("^1.0-rc.1", "1.0.0-rc.10", "1.0.0-rc.9", True),
    ("noble-*", "noble-20240801", "noble-20240605", True),
    ("noble-*", "noble-20240801", "jammy-20240605", False),
)


@pytest.mark.parametrize(("text", "tag", "than", "expected"), NEWER)
def test_a_tag_is_newer_than_another(text: str, tag: str, than: str, expected: object) -> None:
    wanted = parse_range(text)
    assert wanted is not None
    assert wanted.is_newer(tag, than) is expected


def test_the_longest_list_is_read() -> None:
    wanted = parse_range("^7-alpine")
    assert wanted is not None
    tags = [f"{a}.{b}.{c}{v}" for a in range(8) for b in range(50) for c in range(60)
            for v in ("", "-alpine", "-slim", "-r1")]  # fmt: skip
    assert wanted.newest(tags) == "7.49.59-alpine"


@given(st.text("v1209.-_xrcabg*", max_size=24), st.lists(st.text("v1209.-_rcabg", max_size=12)))
def test_no_range_and_no_list_raises(text: str, tags: list[str]) -> None:
    wanted = parse_range(text)
    if wanted is not None:
        found = wanted.newest(tags)
        assert found is None or found in tags
