"""Measurements as a table, printed and written into docs/benchmarks.md, section by section."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

Programs of this repository measure these numbers and write them here. The heads of the modules of
`tests/load` and `tests/bench` say how each number is taken, and what stands in for what.
"""


@dataclass(frozen=True)
class Row:
    """`good` is None for a number without a bar."""

    what: str
    found: str
    bar: str = ""
    good: bool | None = None

    def __str__(self) -> str:
        verdict = {None: "", True: "yes", False: "**no**"}[self.good]
        return f"| {self.what} | {self.found} | {self.bar} | {verdict} |"


def below(what: str, found: float, limit: float, unit: str = "") -> Row:
    return Row(what, f"{found:,.4g}{unit}", f"under {limit:,.4g}{unit}", found < limit)


def table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def tell(title: str, words: str, rows: Sequence[Row], command: str, *, versions: str = "") -> bool:
    """Print and write the section. Return False where a bar was missed."""
    known = ", ".join(filter(None, [f"Python {platform.python_version()}", versions]))
    machine = (
        f"`{command}`, {os.cpu_count()} cores ({platform.machine()}),"
        f" {known}, load average at the end {os.getloadavg()[0]:.1f}."
    )
    bars = ["| what | measured | bar | met |", "|---|---|---|---|", *map(str, rows)]
    section = "\n".join([f"## {title}", "", words, "", machine, "", *bars, ""])
    print(section)  # noqa: T201 - a program's output
    page = PAGE.read_text("utf-8") if PAGE.exists() else HEAD
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    kept = old.sub("", page).rstrip("\n")
    PAGE.write_text(f"{kept}\n\n{section}", "utf-8")
    return all(row.good is not False for row in rows)
