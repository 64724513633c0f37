"""Every call to GitHub with every fault, against the tables of docs/faults.md."""

from collections import Counter
from pathlib import Path

import pytest
from fault_calls import CALLS
from fault_rounds import pairs_of, thrown
from fault_table import rows

PARTS = 4
"""Each shard is a world of its own, so that several workers share the work."""
QUICK = (
    ("workflow", "status 404"),
    ("read", "says secondary-limit-silent"),
    ("write", "lost"),
    ("find commit", "malformed"),
    ("find run", "says permission"),
    ("results", "status 401"),
    ("dispatch", "unanswered"),
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.sample
async def test_some_faults_of_each_kind_are_what_the_page_says(
    tmp_path: Path, tally: Counter[str]
) -> None:
    own = {call.name: call for call in CALLS if call.service == "github"}
    wanted = [(own[name], fault) for name, fault in QUICK]
    assert await thrown(tmp_path, wanted, rows(), tally) == []


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(PARTS))
async def test_every_fault_of_github_is_what_the_page_says(
    part: int, tmp_path: Path, tally: Counter[str]
) -> None:
    assert await thrown(tmp_path, pairs_of("github")[part::PARTS], rows(), tally) == []
