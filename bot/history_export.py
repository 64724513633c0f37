"""The `history` command: what was decided, one row or one line for each, for whoever audits it.

People stand there by pseudonym. A row is written as soon as it is read.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

from bot.adapters.store.past import decisions_since
from bot.config import Settings
from bot.core.decision import Ground, Verdict
from bot.core.errors import RefusedError
from bot.core.ids import BatchId, CommitSha
from bot.core.image import ImageRef, Target
from bot.core.statement import Stated, payloads
from bot.core.transfer import State

COLUMNS: Final = (
    *("at", "image", "digest", "verdict", "ground", "rule", "by", "reason", "request", "asked"),
    *("outcome", "arrived", "batch", "commit", "run"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
_NO_COPY: Final = frozenset({Ground.FLOATS, Ground.REMOVAL})
Row: TypeAlias = Mapping[str, Any]


def export(settings: Settings, since: datetime, form: str, out: TextIO) -> None:
    """Write the decisions since then. `form` is one of FORMS.

    Raises RefusedError without a database, and TransientError where it cannot be read.
    """
    database = Path(settings.database)
    if not database.exists():
        raise RefusedError(f"{database}: there is no database")
    if form == "in-toto":
        rows = decisions_since(database, since, by_transfer=True)
        verifier = settings.repository_address()
        write_statements(rows, settings.target_registry(), verifier, out)
    else:
        FORMS[form](decisions_since(database, since), out)


def write_csv(rows: Iterable[Row], out: TextIO) -> None:
    """As RFC 4180 has it, with a head. No cell begins like a formula."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_json(rows: Iterable[Row], out: TextIO) -> None:
    """An object on each line, without what is not known."""
    for row in rows:
        said = {name: row[name] for name in COLUMNS if row[name] not in (None, "")}
        if "asked" in said:
            said["asked"] = said["asked"].split(",")
        out.write(json.dumps(said, ensure_ascii=False) + "\n")


def write_statements(rows: Iterable[Row], target: Target, verifier: str, out: TextIO) -> None:
    """An unsigned in-toto statement on each line, for each decided digest that arrived.

    `rows` on one transfer follow one another. `verifier` is the address of the mirror repository.
    """
    for _, of in groupby(rows, key=lambda row: row["transfer"]):
        found = _stated(list(of), target, verifier)
        out.writelines(payloads(stated)[1].decode() + "\n" for stated in found)


def _stated(rows: list[Row], target: Target, verifier: str) -> Iterator[Stated]:
    """The statement on one transfer, if its digest was approved and arrived."""
    given = [
        row
        for row in rows
        if row["verdict"] == Verdict.APPROVE
        and row["outcome"] == State.MIRRORED
        and row["digest"] == row["arrived"]
        and row["ground"] not in _NO_COPY
    ]
    if not given:
        return
    last = given[-1]
    image = ImageRef.parse(last["image"])
    yield Stated(
        name=target.name_of(image),
        image=image,
        digest=last["digest"],
        verifier=verifier,
        ground=Ground(last["ground"]),
        rule=last["rule"],
        asked=(last["asked"] or "").split(",") if last["asked"] else (),
        approved=list(dict.fromkeys(row["by"] for row in given if row["by"])),
        asked_at=datetime.fromisoformat(last["asked_at"] or last["at"]),
        decided_at=datetime.fromisoformat(last["at"]),
        verified_at=datetime.fromisoformat(last["ended_at"]),
        batch=BatchId(last["batch"] or ""),
        commit=None if last["commit"] is None else CommitSha(last["commit"]),
        run=last["run"] or "",
        policy="",
    )


FORMS: Final[Mapping[str, Callable[[Iterable[Row], TextIO], None]]] = {
    "csv": write_csv,
    "json": write_json,
}
