"""Reads the tables of docs/faults.md and compares a row with what was measured.

A row names faults and calls in backticks. "others" means the calls that no other row of the same
fault names. Texts that people see are in quotes. The rest is a fixed set of phrases.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fault_calls import CALLS
from fault_measures import Measure

PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
OTHERS: Final = "others"
NOTHING: Final = "nothing"
LATE: Final = 4.0
"""Tolerance in seconds: lanes take turns, and messages are rate limited."""
AGAIN: Final = {
    "never": None,
    "at once": (0.0, 1.0),
    "in 2 s": (1.5, 2.5),
    "in 1 s": (1.0, 1.0),
    "in 30 s": (30.0, 30.0),
    "in 60 s": (60.0, 75.0),
    "in 90 s": (90.0, 90.0),
    "at the reset": (590.0, 600.0),
}
"""The wait that each phrase means, in seconds from one try to the next."""
ENDS: Final = {
    "well": {"well"},
    "well, perhaps said twice": {"well", "twice"},
    "without it": {"missing", "without"},
    "the file is asked for again": {"asked for again"},
    "fails": {"fails"},
}


@dataclass(frozen=True, slots=True)
class Row:
    service: str
    faults: tuple[str, ...]
    calls: tuple[str, ...]
    sees: tuple[str, ...]
    perhaps: bool
    again: str
    end: str


def rows(page: Path = PAGE) -> list[Row]:
    """Return every row of every service's table."""
    found: list[Row] = []
    service = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            service = _service(line.removeprefix("## "))
        elif line.startswith("| `") and service:
            faults, calls, sees, again, end = (c.strip() for c in line.strip("|").split("|"))
            words = tuple(re.findall(r"“([^”]+)”", sees))
            perhaps = sees.startswith("perhaps ")
            assert words or sees == NOTHING, f"what is seen? {line}"
            assert again in AGAIN, f"tried again when? {line}"
            assert end in ENDS, f"how does it end? {line}"
            found.append(Row(service, _names(faults), _names(calls), words, perhaps, again, end))
    return found


def _service(title: str) -> str:
    return {"Telegram": "telegram", "GitHub": "github", "The source": "source"}.get(
        title, "target" if title == "The target" else ""
    )


def _names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell)) or (OTHERS,)


def row_of(table: list[Row], service: str, call: str, fault: str) -> Row | str:
    """Return the one row for a call and a fault, or what is wrong with the table."""
    about = [row for row in table if row.service == service and fault in row.faults]
    named = [row for row in about if call in row.calls]
    if not named:
        named = [row for row in about if OTHERS in row.calls]
    if len(named) == 1:
        return named[0]
    return f"{service}: {len(named)} rows are about `{call}` with `{fault}`"


def untrue(row: Row, measure: Measure) -> list[str]:
    """Return what in the row is not true."""
    where = f"{measure.call.service} `{measure.call.name}` with `{measure.fault}`"
    told = "\n".join(measure.seen)
    wrong = [
        f"nobody reads “{words}”" for words in row.sees if words not in told and not row.perhaps
    ]
    shown = " ".join(row.sees)
    wrong += [
        f"people read of {kind}"
        for kind in measure.troubles - measure.call.before
        if measure.sign(kind) not in shown
    ]
    wrong += _wrong_wait(row, measure.waited)
    if measure.end.partition(":")[0] not in ENDS[row.end]:
        wrong.append(f"it ends {measure.end!r}")
    return [f"{where}: {what}, against {row}" for what in wrong]


def _wrong_wait(row: Row, waited: float | None) -> list[str]:
    expected = AGAIN[row.again]
    if expected is None or waited is None:
        return [] if expected is waited else [f"the next try is after {waited} s"]
    least, most = expected
    good = least - 0.01 <= waited <= most + LATE
    return [] if good else [f"the next try is after {waited} s"]


def names() -> set[tuple[str, str]]:
    return {(call.service, call.name) for call in CALLS}
