"""Every request about what belongs to an image, with every fault: no image fails by it.

The status says what did not go along. The target holds all of an attachment or nothing of it, and
when the image is asked for again, all of them are there.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final

import pytest
from registry_fixture import PASSWORD, World, registries, world
from run_calls import LASTING, RunCall, run_faults
from run_world import RunWorld, image, run_world

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

CALLS: Final = (
    RunCall("source", "tags", "GET /v2/{image}/tags/list"),
    RunCall("source", "shown", "HEAD /v2/{image}/manifests/sha256-"),
    RunCall("source", "read", "GET /v2/{image}/manifests/sha256-"),
    RunCall("target", "there", "HEAD /v2/{image}/manifests/sha256-"),
    RunCall("target", "joined", "GET /v2/{image}/manifests/sha256-"),
    RunCall("target", "stored", "PUT /v2/{image}/manifests/sha256-"),
)
API: Final = RunCall("source", "api", "GET /v2/{image}/referrers/")
QUICK: Final = (
    ("tags", "garbage"),
    ("shown", "status 503"),
    ("read", "cut"),
    ("read", "garbage"),
    ("joined", "status 500"),
    ("stored", "says immutable"),
    ("stored", "lost"),
)


@pytest.fixture
async def runs(world: World) -> AsyncIterator[RunWorld]:
    async with run_world(world) as made:
        yield made


async def thrown(
    runs: RunWorld, faults: Sequence[tuple[RunCall, str]], times: int, *, patience: int = 0
) -> list[str]:
    """Return what is wrong with images one of whose requests meets a fault."""
    names = [f"{call.name} {fault} {times}".replace(" ", "-") for call, fault in faults]
    digests = {}
    for name, (call, fault) in zip(names, faults, strict=True):
        digests[name] = await runs.signed(name)
        runs.faults.arm(where=call.service, what=fault, times=times, path=call.line(name))
    ran = await runs.run([image(name) for name in names], patience=patience)
    runs.faults.clear()
    wrong = [f"{word} is in the log" for word in (PASSWORD, "Traceback") if word in ran.output]
    again = await runs.run([image(name) for name in names])
    for name, digest in digests.items():
        first, then = (each.says(f"{image(name)}:1") for each in (ran, again))
        if not first.startswith(f"success: {digest} "):
            wrong.append(f"{name}: {first}")
        if "not attached: " not in first and "2 attached" not in first:
            wrong.append(f"{name} does not say what is missing: {first}")
        if then != f"success: {digest} skipped, 2 attached":
            wrong.append(f"{name} is not mended: {then}")
        held = await runs.held(name, digest), await runs.attached(name, digest)
        wrong += [] if held == ("all", "all") else [f"{name}: the target holds {held}"]
    return wrong


def told(tally: Counter[str], faults: int, wrong: Sequence[str]) -> None:
    tally["faults"] += faults
    tally["violations"] += len(wrong)
    assert not wrong, "\n".join(wrong)


@pytest.mark.sample
async def test_some_faults_cost_no_image(runs: RunWorld, tally: Counter[str]) -> None:
    faults = [(c, fault) for name, fault in QUICK for c in CALLS if c.name == name]
    told(tally, len(QUICK), await thrown(runs, faults, LASTING))


@pytest.mark.chaos
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_no_fault_that_lasts_costs_an_image(
    runs: RunWorld, call: RunCall, tally: Counter[str]
) -> None:
    faults = [(call, fault) for fault in run_faults(call.service)]
    told(tally, len(faults), await thrown(runs, faults, LASTING))


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_no_fault_that_passes_costs_an_image(
    runs: RunWorld, call: RunCall, tally: Counter[str]
) -> None:
    faults = [(call, fault) for fault in run_faults(call.service)]
    told(tally, len(faults), await thrown(runs, faults, 1, patience=80))


@pytest.mark.chaos
async def test_no_fault_of_the_api_costs_an_image(runs: RunWorld, tally: Counter[str]) -> None:
    """One image in a run, since a run asks a host without the API once."""
    faults = run_faults("source")
    throw = partial(thrown, runs, times=LASTING)
    told(tally, len(faults), [w for fault in faults for w in await throw([(API, fault)])])
