"""A tiny load, so that the tools of `make load` keep working. No times are judged here."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from crowd import MINIATURE
from play import play


@pytest.mark.sweep
@pytest.mark.e2e
async def test_a_small_crowd_is_served_and_nothing_is_lost_or_told_twice() -> None:
    played = await play(MINIATURE)
    assert played.wrong == []
    assert played.too_many == 0
    assert played.nearest_commits >= 10
