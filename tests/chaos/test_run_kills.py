"""kill -9 of a run before and after each of its requests: no half image, and the next run repairs.

A runner can be lost at any moment. Each test kills the script and its child processes at one
moment, for an image that the target lacks. The moments are those of a run without a kill.
"""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from mirror_fronts import left_to_skopeo
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
    """Kills the run at one of its moments. Without one it only counts them."""

    runs: RunWorld
    at: int | None = None
    seen: int = 0

    def __call__(self, _line: str) -> None:
        if self.seen == self.at:
            self.runs.kill()
        self.seen += 1


async def moments(runs: RunWorld, *, by_skopeo: bool) -> int:
    """Return how many moments a run without a kill has. From now on skopeo copies, if it should."""
    if by_skopeo:
        left_to_skopeo(runs.world)
    name = f"alive-{'skopeo' if by_skopeo else 'itself'}"
    digest = await runs.signed(name)
    counted = Killer(runs)
    runs.moment = counted
    ran = await runs.run([image(name)])
    assert (SKOPEO in ran.output) == by_skopeo, ran.output
    assert await runs.held(name, digest) == "all", ran.output
    assert await runs.attached(name, digest) == "all", ran.output
    return counted.seen


async def killed(runs: RunWorld, at: int, *, by_skopeo: bool) -> tuple[str, str, list[str]]:
    """The name and digest of an image whose run was killed, the moment, and the broken promise."""
    name = f"killed-{'skopeo' if by_skopeo else 'itself'}-{at}"
    digest = await runs.signed(name)
    runs.moment = Killer(runs, at)
    ran = await runs.run([image(name)])
    assert ran.code == -signal.SIGKILL, f"moment {at} did not come: {ran.output}"
    held = await runs.held(name, digest)
    wrong = [] if held in ("all", "nothing") else [f"{name}: the target holds {held}"]
    signed = await runs.attached(name, digest)
    wrong += [] if signed in ("all", "not all") else [f"{name}: the target holds {signed}"]
    if any(s["state"] == "success" for s in ran.posted) and held != "all":
        wrong.append(f"{name}: success is told, the target holds {held}")
    return name, digest, wrong


async def kill_all(runs: RunWorld, every: Sequence[int], *, by_skopeo: bool) -> list[str]:
    digests, wrong = {}, []
    for at in every:
        name, digests[name], broken = await killed(runs, at, by_skopeo=by_skopeo)
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
