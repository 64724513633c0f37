"""What all test files share: the tally of the faults, kills and inputs that a run has thrown.

A test counts by `tally["kill points"] += 1`; the sums of all workers are printed at the end.
"""

from collections import Counter
from typing import Any, Final

import pytest

_TALLY: Final = pytest.StashKey[Counter[str]]()
VIOLATIONS: Final = "violations"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Counter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Counter[str]:
    return request.config.stash[_TALLY]


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = dict(session.config.stash[_TALLY])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist is done: its counts join ours."""
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
