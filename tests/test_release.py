"""The version stands in one place, and the changelog has its form."""

import re
from pathlib import Path

from bot import __version__

ROOT = Path(__file__).parents[1]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
VERSIONED = re.compile(r"\d+\.\d+\.\d+")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_version_stands_in_one_place() -> None:
    assert VERSIONED.fullmatch(__version__)
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert 'dynamic = ["version"]' in pyproject
    assert not re.search(r"^version\s*=", pyproject, re.MULTILINE)
    for name in ("Dockerfile", "deploy/compose.yaml", "deploy/imageto-bot.service"):
        assert __version__ not in (ROOT / name).read_text(), name


def test_the_changelog_has_the_form_that_a_release_looks_for() -> None:
    heads = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}", head) for head in heads[1:]
    ]
    assert all(released)
    numbers = [tuple(map(int, found[1].split("."))) for found in released if found]
    assert numbers == sorted(numbers, reverse=True)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS
    if numbers:  # a version that is released has its notes
        assert ".".join(map(str, numbers[0])) == __version__
