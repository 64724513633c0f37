"""Commands on the host that write to the database, beside a bot that may be running.

One process owns the database. So a command does its work itself where no bot runs. Otherwise it
leaves a wish in a file beside the database, which the running bot carries out within a second.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from bot.adapters.store import SqliteStore
from bot.adapters.store.lock import alone
from bot.core.errors import BotError, RefusedError, TakenError
from bot.core.hold import HoldKind, with_blocks
from bot.core.ids import BOT_ITSELF, PersonId
from bot.core.image import ImageRef
from bot.engine.decided import Rules
from bot.engine.ports.decisions import ForgetsPeople
from bot.engine.ports.holds import Holds
from bot.engine.refill import RefillUnit, refill

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0


class WishKind(StrEnum):
    """What a command on the host wants. The words stand in the file of wishes."""

    PAUSE = "pause"
    """Lift the pause."""
    BLOCK = "block"
    """Lift the block of a normalised pattern."""
    FORGET = "forget"
    """Delete what is kept of a person."""
    REFILL = "refill"
    """Copy a listed image anew at the digest that was decided last."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`about` is a pattern, the id of a person or an image, and empty for a pause."""

    kind: WishKind
    about: str = ""


class WishUnit(Holds, ForgetsPeople, RefillUnit, Protocol):
    """What wishes read and write."""


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
        _leave(_file(database), "".join(json.dumps(asdict(each)) + "\n" for each in wanted))
        yield "the bot that runs does it within a second: its log tells"


async def _carried_out(
    store: SqliteStore, wanted: Wish, rules: Rules, now: datetime
) -> str | RefusedError:
    try:
        async with store.begin() as unit:
            return await carry_out(unit, wanted, rules, now)
    except RefusedError as refusal:
        return refusal


async def carry_out(unit: WishUnit, wanted: Wish, rules: Rules, now: datetime) -> str:
    """Carry one wish out. Returns what was done. Raises RefusedError where there is nothing."""
    if wanted.kind is WishKind.FORGET:
        return await _forget(unit, PersonId(wanted.about))
    if wanted.kind is WishKind.REFILL:
        return await _refill(unit, wanted.about, rules, now)
    for hold in await unit.holds():
        if (hold.kind, hold.pattern) == (HoldKind(wanted.kind), wanted.about):
            lifted = replace(hold, lift_by=BOT_ITSELF, lift_at=now, lifted_at=now)
            await unit.save_hold(lifted)
            return f"{wanted.kind} {wanted.about}".rstrip() + " is lifted by the host"
    raise RefusedError(f"there is no {wanted.kind} {wanted.about}".rstrip())


async def _forget(unit: WishUnit, person: PersonId) -> str:
    if not await unit.forget(person):
        raise RefusedError(f"nothing is kept of {person}")
    return f"{person} is forgotten"


async def _refill(unit: WishUnit, text: str, rules: Rules, now: datetime) -> str:
    image = ImageRef.parse_or_none(text)
    if image is None:
        raise RefusedError(f"{text:.200} is no image")
    in_force = replace(rules, policy=with_blocks(rules.policy, await unit.holds()))
    digest = await refill(unit, image, in_force, now)
    return f"{image}: goes to the target again as {digest}"


async def carry_out_wishes(
    database: Path,
    store: SqliteStore,
    clock: Callable[[], datetime],
    restart: Callable[[], None],
    rules: Rules,
) -> None:
    """Look for wishes every second, without end. `restart`: what is kept has changed.

    After a kill or trouble they are carried out once more, which changes nothing that was done.
    """
    while True:
        try:
            if await _carried_out_some(_file(database), store, clock, rules):
                restart()
        except (BotError, OSError) as trouble:
            log.warning("wishes of the host have to wait: %s", trouble)
        except Exception:  # a bug in one wish must not end the bot
            log.exception("Unhandled exception in wishes of the host")
        await asyncio.sleep(LOOK_SECONDS)


async def _carried_out_some(
    path: Path, store: SqliteStore, clock: Callable[[], datetime], rules: Rules
) -> bool:
    """Whether there were wishes."""
    taken = _taken(path)
    if taken is None:
        return False
    for wanted in _wishes(taken.read_text("utf-8", errors="replace")):
        done = await _carried_out(store, wanted, rules, clock())
        if isinstance(done, RefusedError):
            log.warning("a wish of the host: %s", done)
        else:
            log.info("%s", done)
    taken.unlink()
    return True


def _taken(path: Path) -> Path | None:
    """The file of wishes under another name, so that what is wished meanwhile goes to a new one."""
    taken = path.with_name(f"{path.name}.taken")
    if path.exists() and not taken.exists():
        path.rename(taken)
    return taken if taken.exists() else None


def _wishes(text: str) -> Iterator[Wish]:
    for line in text.splitlines():
        try:
            read = json.loads(line)
            yield Wish(WishKind(read["kind"]), str(read["about"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("a wish of the host cannot be read: %.200s", line)


def _file(database: Path) -> Path:
    real = database.resolve()
    return real.with_name(f"{real.name}.wishes")


def _leave(path: Path, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
