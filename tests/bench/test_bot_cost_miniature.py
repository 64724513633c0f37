"""A tiny bench of the bot, so that its tools keep working. No times are judged here."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "load"))

from bot_cost import Cost, Measured, costs, rows
from bot_list import milliseconds
from bot_picture import picture
from bot_requests import Plan, requests
from bot_starts import starts
from crowd import MINIATURE, Size
from meter import Calls, Sample
from pastes import KINDS
from pastes import rows as read
from play import Played

FEW = Size(people=10, requests=0, images=0, seconds=0, groups=0)


def burst() -> Played:
    """Made up. test_load_miniature.py runs a real one."""
    seen = Sample(rss=100.0, peak=100.0, files=20, processor=1.0)
    return Played(MINIATURE, 10.0, [0.01], [5.0], 0, Calls(), seen, load=1.0, runs=1, warnings=[])


@pytest.mark.sweep
@pytest.mark.e2e
async def test_what_is_measured_becomes_rows_and_a_picture() -> None:
    found = Measured(
        await starts(1, 1000),
        await requests(Plan(runs=(0.5,), calm=3, at_once=5, idle=1), FEW),
        burst(),
        milliseconds(1, lines=100),
        milliseconds(100, lines=100),
    )
    alone = found.single.alone[0]
    assert alone.calls["PUT /contents/image.list"] == 1
    assert alone.unchanged >= 1  # the list was read twice
    assert alone.answer >= 0  # the bot may read the last status before the run ends
    assert found.single.idle == {}
    assert min(found.single.calm) > 0
    new, used = found.starts.new[0], found.starts.used[0]
    assert new.whole > new.asking > 0
    assert new.taking > new.asking
    assert used.taking == used.asking > 0
    said = {row.what: row.good for row in rows(found)}
    assert said["GitHub calls in an idle minute"] is True
    assert said["one request alone: GitHub calls"] is None
    assert picture(costs(found)).count("<rect class=") == len(costs(found)) + 1


def test_what_costs_more_than_is_allowed_misses_its_bar_and_is_drawn_as_such() -> None:
    good, bad = Cost("calls", 3, 3), Cost("time", 2, 2, " s", up_to=False)
    assert (good.row().good, bad.row().good) == (True, False)
    assert str(bad.row()) == "| time | 2 s | under 2 s | **no** |"
    assert picture([good]).count('class="over"') == 0
    assert picture([good, bad, Cost("calls", 1, 0)]).count('class="over"') == 2


def test_every_kind_of_paste_is_measured() -> None:
    assert len(read(2000)) == len(KINDS) + 1
