"""What was decided and asked for, read row by row for exports and for what-if questions.

It opens the file read-only and reads one state of it, so a bot may run meanwhile. Memory does not
grow with the number of rows.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bot.adapters.store import trouble_of
from bot.adapters.store.columns import time_text
from bot.adapters.store.connection import BUSY_SECONDS

_DECISIONS: Final = """
    SELECT d.at, d.image, d.digest, d.verdict, d.ground, d.rule, d.pseudonym AS by, d.reason,
        d.request, d.transfer, coalesce(t.ended, '') AS outcome, t.ended_at,
        t.copied_digest AS arrived, t.batch, b.sha AS 'commit', t.run_url AS run,
        (SELECT min(r.opened_at) FROM request_transfers l JOIN requests r ON r.id = l.request
            WHERE l.transfer = d.transfer) AS asked_at,
        (SELECT group_concat(DISTINCT p.pseudonym) FROM request_transfers l
            JOIN requests r ON r.id = l.request JOIN pseudonyms p ON p.person = r.person
            WHERE l.transfer = d.transfer) AS asked
    FROM decisions d
    LEFT JOIN transfers t ON t.id = d.transfer LEFT JOIN batches b ON b.id = t.batch
    WHERE d.at >= ? ORDER BY """
_ASKED: Final = """
    SELECT t.image, count(DISTINCT r.id) AS requests
    FROM requests r JOIN request_transfers l ON l.request = r.id
    JOIN transfers t ON t.id = l.transfer
    WHERE r.opened_at >= ? AND r.person != 'bot:0' AND coalesce(t.ground, '') != 'removal'
    GROUP BY t.image ORDER BY t.image"""


def decisions_since(
    path: Path, since: datetime, *, by_transfer: bool = False
) -> Iterator[dict[str, Any]]:
    """Each decision that was kept since then, the oldest first, with what came of it.

    `by_transfer`: those on one transfer follow one another. The columns are those of `_DECISIONS`,
    with texts of the database. `asked` has pseudonyms with commas between them. Raises
    TransientError where the file cannot be read.
    """
    order = "d.transfer, d.id" if by_transfer else "d.id"
    return _rows(path, _DECISIONS + order, since)


def images_asked_for_since(path: Path, since: datetime) -> Iterator[dict[str, Any]]:
    """Each image that people asked for since then, with the number of requests, by name."""
    return _rows(path, _ASKED, since)


def _rows(path: Path, query: str, since: datetime) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            for row in connection.execute(query, [time_text(since)]):
                yield dict(row)
    except sqlite3.DatabaseError as error:
        raise trouble_of(path, error) from error
