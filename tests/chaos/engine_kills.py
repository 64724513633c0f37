"""Points at which the tests kill the process: each write of the store, each outside call.

At the same points a call can be given a fault. `Killer` counts the points that a scenario passes
and ends the process at one of them. What a killed process still has running stops at its next
point.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from bot.core.errors import TransientError
from bot.core.ids import RequestId

WRITES: Final = frozenset(
    {
        "beat",
        "take",
        "save_cursor",
        "save_person",
        "move_chat",
        "open_request",
        "link",
        "add_card_version",
        "keep_decision",
        "pseudonyms",
        "save_draft",
        "save_file",
        "drop_file",
        "drop_files_of",
        "drop_files",
        "save_gathering",
        "drop_gathering",
        "add_heard_file",
        "take_heard_files",
        "save_request",
        "open_transfer",
        "save_transfer",
        "save_transfers",
        "save_batch",
        "save_looks",
        "drop_looks",
        "add_question",
        "save_question",
        "drop_question",
        "add_hold",
        "save_hold",
        "add_note",
        "save_note",
        "drop_note",
        "save_announcement",
        "save_private_cards",
        "drop_private_cards",
        "add_statement",
        "save_statement",
        "save_defect",
        "drop_defect",
        "greet",
        "track",
        "untrack",
        "save_tracked",
        "save_told_lines",
        "offer",
        "drop_kept_before",
        "bring_forward",
        "save_watch",
        "drop_watch",
        "drop_watches",
        "ask_for_removal",
        "keep_running",
        "add_follow",
        "drop_follows",
        "save_follows",
        "add_news",
        "take_news",
        "saw",
        "count_retry",
        "delete_before",
        "forget",
    }
)
SENDS: Final = frozenset({"send", "send_file"})


class Killed(BaseException):
    """Stands for `kill -9`: the program must not catch it."""


class Killer:
    """Ends the process at the points with these numbers, counted from 1.

    `passed` names every point so far. `unsaved` are messages that Telegram has accepted and the
    database does not know yet. A kill then permits one repeated message for each.
    """

    def __init__(self, at: Collection[int] = ()) -> None:
        self._at = frozenset(at)
        self.passed: list[str] = []
        self.kills = 0
        self.dead = False
        self.unsaved = 0
        self.repetitions = 0
        self.gone_on: Counter[int] = Counter()

    def point(self, name: str) -> None:
        if self.dead:
            raise Killed(name)
        self.passed.append(name)
        if len(self.passed) in self._at:
            self.kill(name)

    def kill(self, name: str) -> None:
        self.dead = True
        self.kills += 1
        self.repetitions += self.unsaved
        self.unsaved = 0
        raise Killed(name)

    def kill_after(self, points: int) -> None:
        """Kill once more, this many points from now."""
        self._at |= {len(self.passed) + points}

    def calm(self) -> None:
        """Kill no more."""
        self._at = frozenset()

    def revive(self) -> None:
        self.dead = False


@dataclass(frozen=True)
class Fault:
    """What a call meets instead of its answer. With `late` the effect takes place first."""

    error: Exception
    late: bool = False


class Faults:
    """Faults by the name of the call, each used once. The ports in `down` are unreachable."""

    def __init__(self) -> None:
        self.armed: dict[str, list[Fault]] = {}
        self.down: set[str] = set()
        self.thrown = 0

    def arm(self, call: str, fault: Fault) -> None:
        self.armed.setdefault(call, []).append(fault)

    def clear(self) -> None:
        self.armed.clear()
        self.down.clear()

    def next(self, port: str, call: str) -> Fault | None:
        if port in self.down:
            return Fault(TransientError(f"{port} is out of reach"))
        if not self.armed.get(call):
            return None
        self.thrown += 1
        return self.armed[call].pop(0)


class KillableStore:
    """Kill points in a transaction: before every write, before the commit and after it."""

    def __init__(self, store: Any, killer: Killer, faults: Faults) -> None:
        self._store = store
        self._killer = killer
        self._faults = faults

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["KillableUnit"]:
        killer = self._killer
        fault = self._faults.next("lock", "begin")
        if fault is not None:
            raise fault.error
        async with self._store.begin() as unit:
            killable = KillableUnit(unit, killer)
            yield killable
            if killable.written:
                killer.point(f"store: before the commit of {killable.written[-1]}")
                fault = self._faults.next("store", "commit")
                if fault is not None:
                    raise fault.error
        if killable.written:
            killer.unsaved = 0
            killer.gone_on.update(killable.gone_on)
            killer.point(f"store: after the commit of {killable.written[-1]}")


class KillableUnit:
    def __init__(self, unit: Any, killer: Killer) -> None:
        self._unit = unit
        self._killer = killer
        self.written: list[str] = []
        self.gone_on: list[int] = []

    def __getattr__(self, name: str) -> Any:
        if self._killer.dead:
            raise Killed(name)
        method = getattr(self._unit, name)
        return self._writing(name, method) if name in WRITES else method

    def _writing(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        async def write(*args: Any, **kwargs: Any) -> Any:
            self._killer.point(f"store: before {name}")
            if name == "link":
                await self._note_going_on(args[0])
            self.written.append(name)
            return await method(*args, **kwargs)

        return write

    async def _note_going_on(self, request: RequestId) -> None:
        """Record that a request's transfers are replaced, so that it gets another result."""
        if await self._unit.transfers_of(request):
            self.gone_on.append(request)


class KillableWishes:
    """Kill points around each call on the file of wishes, whose methods do not wait."""

    def __init__(self, wishes: Any, killer: Killer) -> None:
        self._wishes = wishes
        self._killer = killer

    def take(self) -> Any:
        if not self._wishes.waiting():
            return None
        self._killer.point("wishes: before take")
        taken = self._wishes.take()
        self._killer.point("wishes: after take")
        return taken

    def done(self) -> None:
        self._killer.point("wishes: before done")
        self._wishes.done()
        self._killer.point("wishes: after done")


class KillablePort:
    """Kill points and faults around every call: before it, and after its effect.

    At the second point the effect has taken place, but the answer is lost.
    """

    def __init__(self, port: Any, killer: Killer, faults: Faults) -> None:
        self._port = port
        self._killer = killer
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return self._calling(name, method) if asyncio.iscoroutinefunction(method) else method

    def _calling(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        where = type(self._port).__name__

        @wraps(method)
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._killer.point(f"{where}: before {name}")
            fault = self._faults.next(where, name)
            if fault is not None and not fault.late:
                raise fault.error
            answer = await method(*args, **kwargs)
            if name in SENDS:
                self._killer.unsaved += 1
            if fault is not None:  # a message that got no answer is sent again
                self._killer.repetitions += name in SENDS
                raise fault.error
            self._killer.point(f"{where}: after {name}")
            return answer

        return call
