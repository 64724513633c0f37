"""Kills at every point of every scenario over fakes: nothing is lost, nothing is done twice.

A scenario runs once to count its points, then once for each of them. `make sweeps` takes a few
points of each, `make chaos` those that differ, `make long` all of them, and pairs of kills.
test_process_kills.py kills the real process.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getmembers, getsource, iscoroutinefunction
from pathlib import Path

import pytest
from engine_kills import WRITES, Killer
from engine_overwrites import SCENARIOS
from engine_world import chaos_world
from invariants import Evidence, violations

from bot.adapters.store.unit import StoreUnit
from bot.core.transfer import State

EACH_IN_TEST = 2
PAIRS_IN_CHAOS = 2
PAIRS_IN_LONG = 40
_WRITING = "insert|update|delete|_add|_save|_save_all|_upsert|save_cursor"
_OUTSIDE = ("write_list", "dispatch", "send", "edit")
_EFFECTS = ("commit of", *_OUTSIDE)


@dataclass(frozen=True)
class Undisturbed:
    """A scenario without a kill: the points that it passes, and how each image ends."""

    points: list[str]
    ends: Mapping[str, State]


@pytest.fixture
async def undisturbed(name: str, tmp_path: Path) -> Undisturbed:
    """Assert that no promise is broken."""
    killer = Killer()
    async with chaos_world(tmp_path, killer) as w:
        await SCENARIOS[name](w)
        evidence = await w.evidence()
        assert violations(evidence) == []
    return Undisturbed(killer.passed, ends_of(evidence))


def ends_of(evidence: Evidence) -> dict[str, State]:
    """Return each image's state by its newest transfer."""
    return {str(transfer.image): transfer.state for transfer in evidence.transfers}


def differing(points: Sequence[str]) -> list[int]:
    """Choose the first points of each kind, and the second of outside effects.

    A poll that is repeated a hundred times is killed only once.
    """
    seen: Counter[str] = Counter()
    chosen = []
    for number, point in enumerate(points, 1):
        seen[point] += 1
        if "after" in point and not any(effect in point for effect in _EFFECTS):
            continue  # nothing has changed: the next point is the same
        if seen[point] <= (2 if any(effect in point for effect in _OUTSIDE) else 1):
            chosen.append(number)
    return chosen


@dataclass
class Range:
    """Where the kills of a scenario take place, and their effects."""

    name: str
    points: list[str]
    ends: Mapping[str, State]
    folder: Path
    tally: Counter[str]

    async def kill_at(self, chosen: Iterable[Sequence[int]]) -> None:
        found = {}
        for numbers in chosen:
            broken = await self._kill_at(numbers)
            if broken:
                found[", ".join(self.points[min(n, len(self.points)) - 1] for n in numbers)] = (
                    broken
                )
        self.tally["violations"] += sum(map(len, found.values()))
        assert found == {}

    async def _kill_at(self, numbers: Sequence[int]) -> list[str]:
        killer = Killer(numbers)
        async with chaos_world(self.folder, killer) as w:
            await SCENARIOS[self.name](w)
            assert killer.kills >= 1
            self.tally["kill points"] += killer.kills
            evidence = await w.evidence()
        ends = ends_of(evidence)
        return violations(evidence) + [
            f"{image} ends as {ends.get(image)}, without a kill as {end}"
            for image, end in self.ends.items()
            if ends.get(image) != end
        ]

    def pairs(self, count: int) -> list[list[int]]:
        """Kill once, and again within the next points that the new process passes."""
        chance = random.Random(f"{self.name} in pairs")  # noqa: S311 - the same each time
        firsts = chance.choices(differing(self.points), k=count)
        return [[first, first + chance.randint(1, 12)] for first in firsts]


@pytest.fixture
def where(name: str, undisturbed: Undisturbed, tmp_path: Path, tally: Counter[str]) -> Range:
    return Range(name, undisturbed.points, undisturbed.ends, tmp_path, tally)


_WRITES = r"\b(insert|update|delete|_add|_save|_save_all|_upsert|save_cursor)\(|_TAKE\b"


def test_every_method_of_the_store_that_writes_can_be_killed() -> None:
    """Tell from the method's source whether it writes."""
    writing = {
        name
        for name, method in getmembers(StoreUnit, iscoroutinefunction)
        if not name.startswith("_") and re.search(_WRITES, getsource(method))
    }
    assert writing == WRITES


@pytest.mark.sweep(kept=6)
@pytest.mark.sample
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_kill_here_and_there_breaks_no_promise(where: Range) -> None:
    chance = random.Random(where.name)  # noqa: S311 - the same each time
    some = chance.sample(differing(where.points), EACH_IN_TEST)
    await where.kill_at([[number] for number in some])


@pytest.mark.chaos
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_kill_at_any_point_breaks_no_promise(where: Range) -> None:
    await where.kill_at([[number] for number in differing(where.points)])


@pytest.mark.chaos
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_kill_during_the_recovery_from_a_kill_breaks_no_promise(where: Range) -> None:
    await where.kill_at(where.pairs(PAIRS_IN_CHAOS))


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
async def test_kills_at_simply_every_point_and_in_pairs_break_no_promise(where: Range) -> None:
    everywhere = [[number] for number in range(1, len(where.points) + 1)]
    await where.kill_at([*everywhere, *where.pairs(PAIRS_IN_LONG)])
