"""Commands on the host that write to the database, beside a bot that may be running.

One process owns the database. So a command does its work itself where no bot runs. Otherwise it
leaves a wish in a file beside the database, which the running bot carries out soon. It waits while
another bot may be doing the same work.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.store import SqliteStore
from bot.adapters.store.lock import alone
from bot.adapters.wish_file import WishFile
from bot.core.errors import RefusedError, TakenError
from bot.engine.decided import Rules
from bot.engine.lanes.wishes import carry_out
from bot.engine.ports.wishes import Wish


async def wish(database: Path, wanted: Wish, rules: Rules) -> str:
    """Carry the wish out, or leave it to the bot that runs. Returns a line for people.

    `rules` are those of the config. Raises RefusedError where there is nothing to do, and
    TransientError of the store.
    """
    (line,) = [line async for line in wish_all(database, [wanted], rules)]
    if isinstance(line, RefusedError):
        raise line
    return line


async def wish_all(
    database: Path, wanted: Sequence[Wish], rules: Rules
) -> AsyncIterator[str | RefusedError]:
    """The same for many wishes. Yields a line for each, or one where they are left to the bot."""
    try:
        async with alone(database, patience=0):
            store = await SqliteStore.open(database)
            try:
                for each in wanted:
                    yield await _carried_out(store, each, rules, datetime.now(UTC))
            finally:
                await store.close()
    except TakenError:
        WishFile(database).leave(wanted)
        yield "the running bot does it, mostly within a second. Its log says what came of it"


async def _carried_out(
    store: SqliteStore, wanted: Wish, rules: Rules, now: datetime
) -> str | RefusedError:
    try:
        async with store.begin() as unit:
            return await carry_out(unit, wanted, rules, now)
    except RefusedError as refusal:
        return refusal
