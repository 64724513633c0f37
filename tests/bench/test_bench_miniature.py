"""The bench in miniature, so that it does not rot. No times are judged here: `make bench` does."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from comparing import Measure, Result, compare
from contenders import SkopeoCopy, SkopeoSync
from own_images import big, distinct, publish
from picture import picture
from registry_fixture import registry
from sites import Link, Work, storage
from the_floor import Floor
from verdicts import COLUMNS, EVERYTHING, Found, bars, table


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """A single and an index, near and far."""
    with storage() as folder, registry(folder / "source") as source:
        recipes = big(unit=1000)
        images = publish(source.address, [recipes[0], recipes[-1]])
        works = [Work(EVERYTHING, Link(ms), images, images, added=images) for ms in (0.0, 20.0)]
        return compare(works, [SkopeoCopy(), SkopeoSync(), Floor()], source, folder, runs=1)


def test_each_way_copies_all_with_digest_and_platforms(results: list[Result]) -> None:
    assert [result.failed for result in results] == [""] * 6
    assert {(m.digests, m.platforms) for r in results for m in r.measures} == {(2, 2)}


def test_bytes_and_requests_are_those_of_the_images(results: list[Result]) -> None:
    images = results[0].work.images
    size = sum(size for _, _, size in distinct(images))
    for result in results:
        seen: Measure = result.measures[0]
        assert seen.target.taken == size, result.contender
        assert size < seen.source.sent < size + 20_000, result.contender
        assert seen.target.of("PUT manifest") == 5, result.contender  # an index of three


def test_the_line_is_as_long_as_it_says(results: list[Result]) -> None:
    near, far = results[:3], results[3:]
    for one, other in zip(near, far, strict=True):
        assert other.wall > one.wall + 0.1, one.contender  # of some ten round trips


def test_what_is_found_becomes_a_table_bars_and_a_picture(results: list[Result]) -> None:
    found = Found(results)
    lines = table(found)
    assert len(lines) == 6
    assert {len(line) for line in lines} == {len(COLUMNS)}
    said = {row.what: row.good for row in bars(found)}
    assert said["1. of the floor's time, 20 ms"] is None  # this workflow was not measured
    assert picture(results).count('class="floor" x=') == 2
