"""Settings for the whole suite: how tests are spread over workers, and the tally of a run.

A test counts with `tally["kill points"] += 1`. The sums over all workers are printed at the end.
"""

import asyncio
import functools
import gc
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import certifi
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

_TALLY: Final = pytest.StashKey[Counter[str]]()
VIOLATIONS: Final = "violations"

# Neither a slow machine nor chance fails a test of hypothesis. `make chaos` throws other inputs.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", settings.get_profile("busy"), derandomize=False)
settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest tests, so that none of them is left for the end."""
    _keep_some_of_a_sweep(items)
    for mark in ("chaos", "e2e"):
        items.sort(key=lambda item: item.get_closest_marker(mark) is None)
    for item in items:
        if item.get_closest_marker("hypothesis"):  # what chance reaches does not count as covered
            item.add_marker("no_cover")


def _keep_some_of_a_sweep(items: list[pytest.Item]) -> None:
    """Take the mark `sweep` from as many cases of a test as it says in `kept`."""
    seen = Counter[str]()
    for item in items:
        sweep = item.get_closest_marker("sweep")
        if sweep and sweep.kwargs and not item.get_closest_marker("chaos"):
            test = item.nodeid.partition("[")[0]
            seen[test] += 1
            if seen[test] <= sweep.kwargs["kept"]:
                item.own_markers.remove(sweep)


def pytest_asyncio_loop_factories(
    item: pytest.Function,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give a module's tests the event loop that the module names: see virtual_time.py."""
    return {"loop": getattr(item.module, "LOOP_FACTORY", asyncio.new_event_loop)}


# The registries are Go programs. On one processor and with more memory they take half as much time.
os.environ |= {"GOMAXPROCS": "1", "GOGC": "400"}

# Collecting makes much that stays. Passes over it would take most of a worker's time until then.
gc.disable()


def pytest_collection_finish() -> None:
    """Keep the objects that exist by now out of the garbage collector's passes."""
    gc.freeze()
    gc.enable()


class Spread(LoadScopeScheduling):
    """Give a file that keeps something to one worker, and any other test to the next free one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _is_shared(self.config.rootpath / file) else nodeid


@functools.cache
def _is_shared(file: Path) -> bool:
    text = file.read_text("utf-8")
    return 'scope="module"' in text or "@cache" in text


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Trust one authority only: every HTTP client loads the list, and the full one takes 30 ms."""
    head, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----")
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(f"{head}{end}\n")
    os.environ["SSL_CERT_FILE"] = str(file)  # for child processes, and for clients that read it
    certifi.where = lambda: str(file)


@pytest.fixture
def ends() -> Iterator[None]:
    """Fail a test that would go on for hours. It has 90 s of CPU time, many times what it needs."""

    def give_up(*_: object) -> None:
        raise TimeoutError("no end in sight")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 90)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Counter[str]:
    return request.config.stash[_TALLY]


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = dict(session.config.stash[_TALLY])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a pytest-xdist worker that has finished."""
    node.config.stash[_TALLY].update(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    tally = config.stash[_TALLY]
    if not tally:
        return
    terminalreporter.section("thrown at the bot")
    for what, number in sorted(tally.items()):
        if what != VIOLATIONS:
            terminalreporter.write_line(f"{what}: {number:,}")
    terminalreporter.write_line(f"{VIOLATIONS}: {tally[VIOLATIONS]}")
