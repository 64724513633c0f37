"""Reads the table of docs/faults.md about runs: what a run reports when an image's requests fail.

fault_table.py reads the tables about the bot's own calls.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fault_table import PAGE
from run_calls import RUN_CALLS, run_faults

TITLE: Final = "## The run"
ANY, OTHERS = "any", "others"
ENDS: Final = {
    "copied": ("success", "all"),
    "error": ("error", "nothing"),
    "failure": ("failure", "nothing"),
    "failure, though it is there": ("failure", "all"),
}
"""How an image ends: the state of its status, and what the target holds then."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """`faults` and `calls` may be "any", or "others": those that no other row names."""

    service: str
    faults: tuple[str, ...]
    calls: tuple[str, ...]
    end: str
    words: str


def run_rows() -> list[RunRow]:
    text = PAGE.read_text(encoding="utf-8")
    part = text[text.index(TITLE) :].partition("\n## ")[0]
    rows = []
    for line in re.findall(r"^\| (?:source|target) \|.*", part, re.MULTILINE):
        service, faults, calls, end, says = (cell.strip() for cell in line.strip("|").split("|"))
        assert end in ENDS, line
        words = re.fullmatch(r"“([^”]+)”|", says)
        assert words is not None, line
        rows.append(RunRow(service, _names(faults), _names(calls), end, words[1] or ""))
    return rows


def _names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell)) or (cell,)


def run_row(rows: Sequence[RunRow], service: str, call: str, fault: str) -> RunRow | str:
    """Return the one row for a call and a fault, or what is wrong with the table."""
    about = [row for row in rows if row.service == service and call in row.calls]
    named = [row for row in about if fault in row.faults or ANY in row.faults]
    found = named or [row for row in about if OTHERS in row.faults]
    if len(found) == 1:
        return found[0]
    return f"{service}: {len(found)} rows are about `{call}` with `{fault}`"


def unused(rows: Sequence[RunRow]) -> list[RunRow]:
    """Return the rows that match no call and fault, or that name unknown ones."""
    used = [
        run_row(rows, call.service, call.name, fault)
        for call in RUN_CALLS
        for fault in run_faults(call.service)
    ]
    names = {call.name for call in RUN_CALLS}
    return [
        row
        for row in rows
        if row not in used
        or not set(row.calls) <= names
        or not set(row.faults) <= {*run_faults(row.service), ANY, OTHERS}
    ]
