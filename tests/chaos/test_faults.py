"""Every call to a registry or to Telegram with every fault, against the tables of docs/faults.md.

A small fixed selection always runs, and `make chaos` runs all. GitHub's calls are in
test_faults_github.py: they are slow, and workers share the tests by file.
"""

from collections import Counter
from pathlib import Path

import pytest
from fault_calls import CALLS, faults_of
from fault_rounds import pairs_of, thrown
from fault_table import OTHERS, row_of, rows

SERVICES = ("telegram", "github", "source", "target")
QUICK = (
    ("telegram", "card", "lost"),
    ("telegram", "edit", "status 502"),
    ("telegram", "result", "retry-after 30"),
    ("telegram", "answer", "page 403"),
    ("telegram", "file", "status 400"),
    ("telegram", "updates", "malformed"),
    ("telegram", "press", "cut"),
    ("source", "check", "refused"),
    ("source", "login", "garbage"),
    ("source", "details", "status 500"),
    ("source", "lookup", "status 404"),
    ("target", "check", "retry-after 30"),
    ("target", "verify", "status 404"),
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def test_every_call_and_every_fault_is_in_exactly_one_row() -> None:
    table = rows()
    found = [
        row_of(table, service, call.name, fault)
        for service in SERVICES
        for call, fault in pairs_of(service)
    ]
    assert [words for words in found if isinstance(words, str)] == []


def test_no_row_is_about_what_does_not_exist() -> None:
    table = rows()
    for row in table:
        calls = {call.name for call in CALLS if call.service == row.service} | {OTHERS}
        assert set(row.calls) <= calls, row
        assert set(row.faults) <= set(faults_of(row.service)), row
    used = [
        row_of(table, service, call.name, fault)
        for service in SERVICES
        for call, fault in pairs_of(service)
    ]
    assert [row for row in table if row not in used] == []


@pytest.mark.sample
async def test_some_faults_of_each_kind_are_what_the_page_says(
    tmp_path: Path, tally: Counter[str]
) -> None:
    wanted = [
        (call, fault)
        for call in CALLS
        for s, c, fault in QUICK
        if (call.service, call.name) == (s, c)
    ]
    assert len(wanted) == len(QUICK)
    assert await thrown(tmp_path, wanted, rows(), tally) == []


@pytest.mark.chaos
@pytest.mark.parametrize("service", ["telegram", "source", "target"])
async def test_every_fault_of_a_service_is_what_the_page_says(
    service: str, tmp_path: Path, tally: Counter[str]
) -> None:
    assert await thrown(tmp_path, pairs_of(service), rows(), tally) == []
