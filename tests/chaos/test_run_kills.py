"""A run that is killed or stopped before and after each of its requests.

No half image stays under its name, nothing half-copied is called done, and the next run repairs. A
runner can be lost at any moment (kill -9 of the script and its children), or cancels the run
(SIGINT or SIGTERM to the step's shell). After a signal no file of the run stays either. Each test
ends a run at one moment, for an image that the target lacks. The moments are those of a whole run.
"""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from secrets import token_hex

import pytest
from mirror_fronts import NOTHING_MOVED, left_to_skopeo
from registry_fixture import World, registries, world
from run_world import RunWorld, image, run_world

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

SKOPEO = "skopeo takes over"
SPARED = 17
"""`make test` takes one of so many moments."""


@pytest.fixture
async def runs(world: World) -> AsyncIterator[RunWorld]:
    async with run_world(world) as made:
        yield made


@dataclass
class Killer:
    """Ends the run at one of its moments. Without one it only counts them."""

    runs: RunWorld
    at: int | None = None
    by: signal.Signals = signal.SIGKILL
    seen: int = 0

    def __call__(self, _line: str) -> None:
        if self.seen == self.at and self.by is signal.SIGKILL:
            self.runs.kill()
        elif self.seen == self.at:
            self.runs.signal(self.by)
        self.seen += 1


async def moments(runs: RunWorld, *, by_skopeo: bool) -> int:
    """Return how many moments a run without a kill has. With `by_skopeo`, skopeo copies all."""
    if by_skopeo:
        left_to_skopeo(runs.world, NOTHING_MOVED)
    name = f"alive-{token_hex(4)}"  # the registries serve several tests
    digest = await runs.signed(name)
    counted = Killer(runs)
    runs.moment = counted
    ran = await runs.run([image(name)])
    assert (SKOPEO in ran.output) == by_skopeo, ran.output
    assert await runs.held(name, digest) == "all", ran.output
    assert await runs.attached(name, digest) == "all", ran.output
    return counted.seen


async def killed(
    runs: RunWorld, at: int, by: signal.Signals, *, by_skopeo: bool
) -> tuple[str, str, list[str]]:
    """The name and digest of an image whose run was ended, and the broken promises."""
    name = f"{by.name.lower()}-{'skopeo' if by_skopeo else 'itself'}-{at}"
    digest = await runs.signed(name)
    killer = runs.moment = Killer(runs, at, by)
    ran = await runs.run([image(name)])
    assert killer.seen > at, f"moment {at} did not come: {ran.output}"
    if by is signal.SIGKILL:
        assert ran.code == -signal.SIGKILL, ran.output
    held = await runs.held(name, digest)
    wrong = [] if held in ("all", "nothing") else [f"{name}: the target holds {held}"]
    signed = await runs.attached(name, digest)
    wrong += [] if signed in ("all", "not all") else [f"{name}: the target holds {signed}"]
    if any(s["state"] == "success" for s in ran.posted) and held != "all":
        wrong.append(f"{name}: success is told, the target holds {held}")
    if by is not signal.SIGKILL:
        if ran.code not in (130, 0):  # 0: the signal came when all was done
            wrong.append(f"{name}: ended by {ran.code}: {ran.output}")
        wrong += [f"{name}: {each} stays" for each in runs.left_on_disk()]
        if any(s["state"] not in ("success", "pending") for s in ran.posted):
            wrong.append(f"{name}: a result is told of what was stopped: {ran.posted}")
    return name, digest, wrong


async def kill_all(
    runs: RunWorld, every: Sequence[int], *by: signal.Signals, by_skopeo: bool
) -> list[str]:
    """End a run at each of these moments, by these signals in turn."""
    digests, wrong = {}, []
    for at, how in zip(every, cycle(by or (signal.SIGKILL,))):
        name, digests[name], broken = await killed(runs, at, how, by_skopeo=by_skopeo)
        wrong += broken
    runs.moment = Killer(runs)
    runs.faults.clear()
    ran = await runs.run([image(name) for name in digests])
    for name, digest in digests.items():
        if (held := await runs.held(name, digest)) != "all":
            wrong.append(f"{name}: after the next run the target holds {held}: {ran.output}")
        if await runs.attached(name, digest) != "all":
            wrong.append(f"{name}: after the next run it is not signed: {ran.output}")
    return wrong


@pytest.mark.sample
async def test_a_run_killed_at_some_moments_leaves_nothing_half(
    runs: RunWorld, tally: Counter[str]
) -> None:
    count = await moments(runs, by_skopeo=False)
    told(
        tally,
        range(0, count, SPARED),
        await kill_all(runs, range(0, count, SPARED), by_skopeo=False),
    )


STOPS = signal.SIGINT, signal.SIGTERM


@pytest.mark.sample
async def test_a_run_stopped_at_some_moments_leaves_nothing_behind(
    runs: RunWorld, tally: Counter[str]
) -> None:
    every = range(1, await moments(runs, by_skopeo=False), SPARED)
    told(tally, every, await kill_all(runs, every, *STOPS, by_skopeo=False))


@pytest.mark.chaos
@pytest.mark.parametrize("by_skopeo", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_a_run_stopped_at_any_moment_leaves_nothing_behind(
    runs: RunWorld, tally: Counter[str], *, by_skopeo: bool
) -> None:
    every = range(0, await moments(runs, by_skopeo=by_skopeo), 2)
    told(tally, every, await kill_all(runs, every, *STOPS, by_skopeo=by_skopeo))


@pytest.mark.chaos
@pytest.mark.parametrize("by_skopeo", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_a_run_killed_at_any_moment_leaves_nothing_half(
    runs: RunWorld, tally: Counter[str], *, by_skopeo: bool
) -> None:
    count = await moments(runs, by_skopeo=by_skopeo)
    assert count > 30, "a copy has more requests than that"
    every = range(0, count, 2 if by_skopeo else 1)  # skopeo makes many requests of its own
    told(tally, every, await kill_all(runs, every, by_skopeo=by_skopeo))


def told(tally: Counter[str], kills: Sequence[int], wrong: Sequence[str]) -> None:
    tally["kill points"] += len(kills)
    tally["violations"] += len(wrong)
    assert list(wrong) == []
