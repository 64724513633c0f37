"""Rounds of faults: every call of a service with some of its faults, each round in its own world.

Faults that run into a time limit take real seconds, so their worlds run at the same time.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from fault_calls import CALLS, Call, faults_of
from fault_measures import UNCLEAR, Measure, measure
from fault_table import Row, row_of, untrue
from faults_world import SLOW, FaultsWorld, faults_world

VAIN: Final = frozenset({"silent", "unanswered", "endless"})
"""Faults that end when the caller's time limit is reached."""
REFUSALS: Final = frozenset({"status 400", "status 403", "status 413", "status 422"})
"""Telegram refuses the message for good, so no promise about messages can hold."""
AT_A_TIME: Final = 4
Pair = tuple[Call, str]


def pairs_of(service: str) -> list[Pair]:
    return [(c, fault) for fault in faults_of(service) for c in CALLS if c.service == service]


async def thrown(
    folder: Path, pairs: Sequence[Pair], table: Sequence[Row], tally: Counter[str]
) -> list[str]:
    """Inject each fault into its call. Return where the table is wrong and which promises broke."""
    quick = [pair for pair in pairs if pair[1] not in VAIN]
    vain = [pair for pair in pairs if pair[1] in VAIN]
    groups = [
        ([pair for pair in quick if _is_refused(*pair)], 5 * SLOW),
        ([pair for pair in quick if not _is_refused(*pair)], 5 * SLOW),
        *((vain[n : n + AT_A_TIME], SLOW) for n in range(0, len(vain), AT_A_TIME)),
    ]
    turn = asyncio.Lock()
    found = await asyncio.gather(
        *(
            _round(folder / str(n), group, table, read=read, turn=turn)
            for n, (group, read) in enumerate(groups)
            if group
        )
    )
    tally["faults"] += len(pairs)
    wrong = [words for each in found for words in each]
    tally["violations"] += len(wrong)
    return wrong


async def _round(
    folder: Path,
    pairs: Iterable[Pair],
    table: Sequence[Row],
    *,
    read: float,
    turn: asyncio.Lock,
) -> list[str]:
    wrong, unclear = [], 0
    async with faults_world(folder, read=read, turn=turn) as world:
        for number, (call, fault) in enumerate(pairs):
            found = await measure(world, call, fault, f"image-{number}")
            wrong += _checked(table, found)
            if _is_refused(call, fault):
                world.refuses()
            unclear += _repeated(world, call, fault)
        wrong += await world.violated(repetitions=unclear)
    return wrong


def _is_refused(call: Call, fault: str) -> bool:
    return call.service == "telegram" and fault in REFUSALS


def _checked(table: Sequence[Row], found: Measure) -> list[str]:
    row = row_of(list(table), found.call.service, found.call.name, found.fault)
    return [row] if isinstance(row, str) else untrue(row, found)


def _repeated(world: FaultsWorld, call: Call, fault: str) -> int:
    """Return how many messages may be there twice: one per lost answer of Telegram."""
    if call.service != "telegram" or fault not in UNCLEAR:
        return 0
    return len({heard.at for heard in world.heard if call.tries(heard.line)})
