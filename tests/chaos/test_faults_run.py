"""Every request of the workflow's script with every fault, against the table of docs/faults.md.

All images of a test belong to one run, and the trouble of one must not affect the others. After
any fault the target holds all of an image or nothing. The next run repairs what is missing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pytest
from fault_calls import faults_of
from registry_fixture import PASSWORD, Ran, World, registries, world
from run_calls import LASTING, RUN_CALLS, RunCall, run_faults
from run_table import ENDS, run_row, run_rows, unused
from run_world import RunWorld, image, run_world

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

QUICK = (
    ("manifest", "garbage"),
    ("manifest", "status 404"),
    ("layer", "cut"),
    ("layer", "status 503"),
    ("begin", "says no-project"),
    ("upload", "lost"),
    ("store", "says quota"),
    ("store", "refused"),
    ("compare", "status 404"),
    ("layer there", "malformed"),
)
CLEAR = frozenset(
    {"status 400", "status 401", "status 403", "status 404", "page 403", "page 404"}
    | {fault for call in RUN_CALLS for fault in run_faults(call.service) if fault[:5] == "says "}
) - {"says pull-limit"}
"""What no second request would change. It is final, also once."""
PATIENCE = 80
"""As shipped: the script waits for a fault to pass."""


@pytest.fixture
async def runs(world: World) -> AsyncIterator[RunWorld]:
    async with run_world(world) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Thrown:
    """An image one of whose requests meets a fault, once or during the whole run."""

    call: RunCall
    fault: str
    times: int

    @property
    def name(self) -> str:
        words = f"{self.call.name} {self.fault} {'once' if self.times == 1 else 'lasting'}"
        return words.replace(" ", "-")


def all_of(call: RunCall, times: int) -> list[Thrown]:
    return [Thrown(call, fault, times) for fault in run_faults(call.service)]


async def digests_of(runs: RunWorld, thrown: Sequence[Thrown]) -> dict[str, str]:
    """Put an image of its own in the source for each, and arm its fault."""
    found = {}
    for each in thrown:
        seed = partial(runs.world.seed, image(each.name), platforms=("amd64",))
        found[each.name] = await asyncio.to_thread(seed)
        line = each.call.line(each.name)
        runs.faults.arm(where=each.call.service, what=each.fault, times=each.times, path=line)
    return found


def said(ran: Ran, name: str) -> tuple[str, str]:
    status = ran.statuses[f"mirror/{image(name)}:1"]
    return status["state"], status["description"]


def untrue(ran: Ran, each: Thrown, held: str) -> str:
    """Return what in the table is not true."""
    row = run_row(run_rows(), each.call.service, each.call.name, each.fault)
    if isinstance(row, str):
        return row
    state, words = said(ran, each.name)
    copied = each.times == 1 and (state, held) == ENDS["copied"]
    final = each.times != 1 or each.fault in CLEAR
    end, told = (row.end, row.words) if final else ("copied", "")
    if copied or ((state, held) == ENDS[end] and told in words):
        return ""
    return f"{each.name}: {state} “{words}”, the target holds {held}, against {end} “{told}”"


async def mended(runs: RunWorld, digests: Mapping[str, str]) -> list[str]:
    """Return what the next run, which meets no fault, leaves undone."""
    if not digests:
        return []
    runs.faults.clear()
    ran = await runs.run([image(name) for name in digests])
    left = [name for name, digest in digests.items() if await runs.held(name, digest) != "all"]
    return [f"{name} is not mended: {said(ran, name)}" for name in left]


async def throw(runs: RunWorld, thrown: Sequence[Thrown], *, patience: int) -> list[str]:
    digests = await digests_of(runs, thrown)
    ran = await runs.run([image(name) for name in digests], patience=patience)
    held = {name: await runs.held(name, digest) for name, digest in digests.items()}
    wrong = [untrue(ran, each, held[each.name]) for each in thrown]
    wrong += [f"{word} is in the log" for word in (PASSWORD, "Traceback") if word in ran.output]
    left = {name: digest for name, digest in digests.items() if held[name] != "all"}
    return [*filter(None, wrong), *await mended(runs, left)]


def told(tally: Counter[str], thrown: int, wrong: Sequence[str]) -> None:
    tally["faults"] += thrown
    tally["violations"] += len(wrong)
    assert list(wrong) == []


def test_every_request_and_fault_of_a_run_is_in_one_row() -> None:
    rows = run_rows()
    found = [
        run_row(rows, call.service, call.name, fault)
        for call in RUN_CALLS
        for fault in run_faults(call.service)
    ]
    assert [words for words in found if isinstance(words, str)] == []
    assert unused(rows) == []


@pytest.mark.sample
async def test_some_faults_of_a_run_are_what_the_page_says(
    runs: RunWorld, tally: Counter[str]
) -> None:
    thrown = [
        Thrown(c, fault, LASTING) for name, fault in QUICK for c in RUN_CALLS if c.name == name
    ]
    assert len(thrown) == len(QUICK)
    told(tally, len(thrown), await throw(runs, thrown, patience=0))


LASTING_CALLS = [
    # A failing HEAD changes little, so only a few of them are mixed in.
    pytest.param(call, id=call.name, marks=[pytest.mark.long] if "HEAD" in call.path else [])
    for call in RUN_CALLS
]


@pytest.mark.chaos
@pytest.mark.parametrize("call", LASTING_CALLS)
async def test_every_fault_that_lasts_is_what_the_page_says(
    runs: RunWorld, call: RunCall, tally: Counter[str]
) -> None:
    thrown = all_of(call, LASTING)
    told(tally, len(thrown), await throw(runs, thrown, patience=0))


ONCE = ("refused", "cut", "garbage", "status 401", "status 404", "status 503")


@pytest.mark.chaos
async def test_none_of_some_faults_that_pass_is_seen(runs: RunWorld, tally: Counter[str]) -> None:
    thrown = [Thrown(call, fault, 1) for call in RUN_CALLS for fault in ONCE]
    told(tally, len(thrown), await throw(runs, thrown, patience=PATIENCE))


@pytest.mark.long
@pytest.mark.parametrize("call", RUN_CALLS, ids=lambda call: call.name)
async def test_no_fault_that_passes_is_seen(
    runs: RunWorld, call: RunCall, tally: Counter[str]
) -> None:
    thrown = all_of(call, 1)
    told(tally, len(thrown), await throw(runs, thrown, patience=PATIENCE))


# -- what a run asks once, or asks GitHub

LOGIN = "GET /v2/"
PASSES = (
    "refused", "lost", "cut", "silent", "unanswered", "page 502", "status 500", "status 503",
    "status 429", "retry-after 30",
)  # fmt: skip
OLD, NEW = "listed-before", "listed-now"
LIST, STATUS = "GET /repos/wei/mirror/contents/image.list", "POST /repos/wei/mirror/statuses/"
FINAL = frozenset(
    {
        "page 403", "page 404", "status 400", "status 401", "status 403", "status 404",
        "status 409", "status 422", "says permission",
    }
)  # fmt: skip
"""GitHub answers these the next time."""


async def login_stumbles(runs: RunWorld, fault: str) -> list[str]:
    """Return what is wrong with a run whose login met a fault."""
    name = "login"
    digest = await asyncio.to_thread(runs.world.seed, image(name), platforms=("amd64",))
    runs.faults.arm(where="target", what=fault, path=LOGIN)
    ran = await runs.run([image(name)], patience=PATIENCE)
    runs.faults.clear()
    good = ran.code == 0 and await runs.held(name, digest) == "all"
    return [] if good else [f"login, {fault}: {ran.output}"]


async def list_untold(runs: RunWorld, fault: str) -> list[str]:
    """Return what is wrong with a run that cannot read the earlier list from GitHub."""
    for name in (OLD, NEW):
        await asyncio.to_thread(runs.world.seed, image(name), platforms=("amd64",))
    commit = "b" * 40
    runs.world.github.lists[commit] = f"{image(OLD)}:1\n"
    runs.faults.arm(where="github", what=fault, path=LIST, times=LASTING)
    ran = await runs.run([image(OLD), image(NEW)], before=commit)
    runs.faults.clear()
    good = ran.code == 0 and f"`{image(NEW)}:1` | `success`" in ran.summary
    return [] if good else [f"list, {fault}: {ran.output}"]


async def status_stumbles(runs: RunWorld, fault: str) -> list[str]:
    """Return what is wrong with a run one of whose statuses met a fault."""
    name = f"{image(OLD)}:1"
    runs.faults.arm(where="github", what=fault, path=STATUS)
    ran = await runs.run([image(OLD)])
    runs.faults.clear()
    posted = f"mirror/{name}" in ran.statuses
    noted = f"the status of {name} could not be posted" in ran.output
    if fault in FINAL:
        good = (ran.code, posted, noted) == (1, False, True)
    else:
        good = (ran.code, posted, noted) == (0, True, False)
    return [] if good else [f"status, {fault}: {ran.output}"]


@pytest.mark.sample
async def test_a_login_or_github_that_stumbles_costs_no_image(
    runs: RunWorld, tally: Counter[str]
) -> None:
    wrong = await login_stumbles(runs, "status 503")
    wrong += await list_untold(runs, "status 502")
    wrong += await status_stumbles(runs, "lost")
    wrong += await status_stumbles(runs, "status 403")
    told(tally, 4, wrong)


@pytest.mark.chaos
async def test_a_login_that_meets_any_fault_that_passes_costs_no_image(
    runs: RunWorld, tally: Counter[str]
) -> None:
    wrong = [words for fault in PASSES for words in await login_stumbles(runs, fault)]
    told(tally, len(PASSES), wrong)


@pytest.mark.chaos
async def test_a_list_that_github_does_not_tell_costs_no_image(
    runs: RunWorld, tally: Counter[str]
) -> None:
    faults = faults_of("github")
    told(tally, len(faults), [w for fault in faults for w in await list_untold(runs, fault)])


@pytest.mark.chaos
async def test_a_status_is_posted_or_the_run_fails(runs: RunWorld, tally: Counter[str]) -> None:
    faults = faults_of("github")
    wrong = await list_untold(runs, "status 404")
    wrong += [words for fault in faults for words in await status_stumbles(runs, fault)]
    told(tally, len(faults), wrong)
