"""The parts of the documents that are written from the code, each between two markers.

`make docs` writes them, tests/test_docs.py compares them. Cells written by people stay in the page
and are found again by the first cell of their row. In a new row they are HOLE.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TRANSLATED: Final = ("using", "operating", "settings", "troubleshooting", "comparison")
PAIRS: Final = (
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *((ROOT / f"docs/{name}.md", ROOT / f"docs/zh-CN/{name}.md") for name in TRANSLATED),
)
"""Each page that people read in both languages: English, Chinese."""
PAGES: Final = (*(page for pair in PAIRS for page in pair), ROOT / "docs" / "design.md")
HOLE: Final = "TODO"
BLOCK: Final = re.compile(
    r"(<!-- (?P<name>[a-z-]+): begin -->\n)(?P<body>.*?)(?=<!-- (?P=name): end -->)", re.DOTALL
)

Cell = str | list[int] | None
"""A text is written. None keeps the old cell. Numbers replace those of the old cell."""
Row = Sequence[Cell]


def table(body: str, rows: Sequence[Row]) -> str:
    """Write a block's table with its old head and the cells that are kept.

    An old row is found by its first cell. If that has changed, it is found by its position, as
    long as no row was added or removed.
    """
    head, *old = rows_of(body)
    by_first = {row[0]: row for row in old}
    new = [head, ["---"] * len(head)]
    for place, row in enumerate(rows):
        before = by_first.get(str(row[0])) or (old[place] if len(old) == len(rows) else None)
        new.append([_filled(cell, before, column) for column, cell in enumerate(row)])
    return "".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |\n" for row in new)


def rows_of(body: str) -> list[list[str]]:
    """Return the rows of a table in Markdown, head first, without the rule below the head."""
    rows = [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        for line in body.splitlines()
        if line.startswith("|")
    ]
    return rows[:1] + rows[2:]


def _filled(cell: Cell, before: list[str] | None, column: int) -> str:
    if isinstance(cell, str):
        return cell
    old = before[column] if before is not None and column < len(before) else HOLE
    numbers = iter(cell or ())
    return re.sub(r"[0-9]+", lambda match: str(next(numbers, match[0])), old)
