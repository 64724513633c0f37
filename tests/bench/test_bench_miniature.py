"""A tiny bench, so that the tools of `make bench` keep working. No times are judged here."""

import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import over_tls
import tls_rows
from comparing import Result, compare
from contenders import SkopeoCopy, SkopeoSync
from measuring import NotDoneError, Spending
from own_images import big, distinct, publish
from picture import picture
from registry_fixture import registry
from sites import Link, Work, counted, line, storage
from the_floor import Floor
from verdicts import COLUMNS, EVERYTHING, NOTHING, WORKFLOW, Found, bars, table


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """A single image and an index of three platforms."""
    with storage() as folder, registry(folder / "source") as source:
        recipes = big(unit=1000)
        images = publish(source.data, [recipes[0], recipes[-1]])
        work = Work(EVERYTHING, Link(), images, images, added=images)
        return compare([work], [SkopeoCopy(), SkopeoSync(), Floor()], source, folder, runs=1)


def test_each_way_copies_all_with_digest_and_platforms(results: list[Result]) -> None:
    assert [result.failed for result in results] == [""] * 3
    assert {(m.digests, m.platforms) for r in results for m in r.measures} == {(2, 2)}


def test_bytes_and_requests_are_those_of_the_images(results: list[Result]) -> None:
    size = sum(size for _, _, size in distinct(results[0].work.images))
    for result in results:
        seen = result.measures[0]
        assert seen.target.taken == size, result.contender
        assert size < seen.source.sent < size + 20_000, result.contender  # and the manifests
        assert seen.target.of("PUT manifest") == 5, result.contender
        assert seen.processor > 0
        assert seen.peak > 1_000_000


def test_a_line_takes_a_round_trip_for_the_handshake_and_one_for_each_request() -> None:
    with (
        storage() as folder,
        registry(folder / "far") as far,
        line(far.address, Link(50)) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False) as client,
    ):
        times = []
        for _ in range(2):
            started = time.monotonic()
            client.get("/v2/").raise_for_status()
            times.append(time.monotonic() - started)
        assert times[0] > 0.1
        assert times[1] > 0.05


def test_what_is_found_becomes_a_table_bars_and_a_picture(results: list[Result]) -> None:
    found = Found(results)
    assert {len(row) for row in table(found)} == {len(COLUMNS)}
    said = {row.what: row.good for row in bars(found)}
    assert said["1. of the floor's time, 20 ms"] is None  # this workflow was not measured
    assert picture(results).count('class="floor" x=') == 1


def test_a_get_of_a_manifest_misses_the_bar_of_heads_only(results: list[Result]) -> None:
    copied = results[0]
    work = replace(copied.work, title=NOTHING, link=Link(20))
    found = Found([Result(work, WORKFLOW, copied.measures)])
    said = {row.what: row.good for row in bars(found)}
    assert said["3. GETs of a manifest, both sides"] is False
    assert said["3. nothing new in 500, 20 ms"] is True


def test_what_takes_too_long_is_ended_and_told_so() -> None:
    spending = Spending({"PATH": "/usr/bin:/bin"}, limit=0.2)
    with pytest.raises(NotDoneError, match=r"took longer than 0.2 s"), spending.measured():
        spending.run("sleep", "20")
    assert spending.wall < 10


def test_much_that_is_said_does_not_hold_up_who_says_it() -> None:
    spending = Spending({"PATH": "/usr/bin:/bin"}, limit=10)
    with spending.measured():
        spending.run("sh", "-c", "head -c 300000 /dev/zero >&2; echo done")
    assert spending.wall < 10


CHOSEN = {"tls": r"1 tiny image, 50|unchanged, 0 ms", "lines": r"keeps uploads, 50|layers of"}


@pytest.mark.sweep
@pytest.mark.parametrize("name", CHOSEN)
def test_rows_over_tls_are_measured_and_judged(name: str) -> None:
    _, rows, _ = tls_rows.TABLES[name]
    with storage() as folder:
        works = [w for w in rows(folder, tls_rows.SMALL) if re.search(CHOSEN[name], w.name)]
        ways = [replace(w, ways=tuple({w.ways[0], w.ways[-1]} - {over_tls.BEFORE})) for w in works]
        right = [w for w in ways if not w.title.startswith(tls_rows.WRONG)]
        found = over_tls.measured(folder, right, 1)
    assert [each.contender for each in found if not each.whole] == []
    assert {len(line) for line in tls_rows.lines(found)} == {len(tls_rows.COLUMNS)}
    goals = [tls_rows.Goal(right[0].name, "puts", "", 1), tls_rows.Goal("?", "puts", "", 1)]
    goals += [tls_rows.Goal(right[0].name, "up", tls_rows.SIZE, 1e9)]
    assert [row.good for row in tls_rows.bars(found, goals)] == [True] * 3
    assert picture(found).count('class="ours" x=') == len(right)


def test_a_line_counts_and_cuts_connections() -> None:
    with (
        storage() as folder,
        registry(folder / "far") as far,
        counted(far.address, Link(down=100)) as (address, told),
        httpx.Client(base_url=f"http://{address}", trust_env=False) as client,
    ):
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                client.get("/v2/")
        seen = told()
    assert seen["connections"] == 2
    assert seen["down"] == 200
    assert seen["up"] > 100
