"""What `check` found: one line for each thing, as text for people or as JSON for programs."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bot.core.errors import BotError, TransientError
from bot.core.retry import TroubleKind
from bot.logs import visible

Say = Callable[[str], None]


class Outcome(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works today."""
    FAILED = "FAILED"
    NOT_TRIED = "not tried"
    """Nothing is proved. The text says why."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """`name`: what was checked. `advice`: what to do about a failure or a warning."""

    name: str
    outcome: Outcome
    text: str
    advice: str = ""

    def __str__(self) -> str:
        """Such as `telegram: FAILED: Telegram is out of reach; check the network`."""
        more = f"; {self.advice}" if self.advice else ""
        return f"{self.name}: {self.outcome}: {self.text}{more}"


CheckLines = AsyncIterator[CheckLine]


def ok(name: str, text: str) -> CheckLine:
    return CheckLine(name, Outcome.OK, text)


def warning(name: str, text: str, advice: str) -> CheckLine:
    return CheckLine(name, Outcome.WARNING, text, advice)


def failed(name: str, text: object, advice: str) -> CheckLine:
    return CheckLine(name, Outcome.FAILED, str(text), advice)


def not_tried(name: str, why: object) -> CheckLine:
    return CheckLine(name, Outcome.NOT_TRIED, str(why))


_NETWORK: Final = "check the network, or set HTTPS_PROXY"
_OUTSIDE: Final = {
    TroubleKind.UNREACHABLE: _NETWORK,
    TroubleKind.SILENT: _NETWORK,
    TroubleKind.UNREADABLE: "a proxy or a gateway may have answered: check the network",
    TroubleKind.BUSY: "try again later",
    TroubleKind.FAULTY: "try again later",
}


def unanswered(name: str, error: BotError, advice: str) -> CheckLine:
    """A call that failed. `advice`: what to do where the service itself refused."""
    kind = error.trouble.kind if isinstance(error, TransientError) else None
    told = advice if kind is None else _OUTSIDE.get(kind, advice)
    return failed(name, error, "" if told == _NETWORK and "the proxy " in str(error) else told)


async def part(name: str, lines: CheckLines) -> CheckLines:
    """These lines. An error ends them with a failure, and the other parts are still checked."""
    try:
        async for line in lines:
            yield line
    except BotError as error:
        yield unanswered(name, error, "read the line above")


class Report:
    """Says each line when it comes, or with `as_json` all of them at the end."""

    def __init__(self, say: Say, *, as_json: bool) -> None:
        self._say = say
        self._as_json = as_json
        self._found: list[CheckLine] = []

    def add(self, line: CheckLine) -> None:
        """Foreign words such as a chat's title are cleaned: a terminal obeys control characters."""
        line = replace(line, text=visible(line.text), advice=visible(line.advice))
        self._found.append(line)
        if not self._as_json:
            self._say(str(line))

    async def take(self, name: str, lines: CheckLines) -> None:
        """Add all of them. An error ends these lines, and becomes the last of them."""
        async for line in part(name, lines):
            self.add(line)

    def end(self) -> bool:
        """Whether nothing failed."""
        well = not any(each.outcome is Outcome.FAILED for each in self._found)
        if self._as_json:
            checks = [dict(_fields(each)) for each in self._found]
            self._say(json.dumps({"ok": well, "checks": checks}, ensure_ascii=False, indent=2))
        return well


def _fields(line: CheckLine) -> Iterator[tuple[str, str]]:
    yield from (("name", line.name), ("outcome", line.outcome.lower()))
    yield from (("text", line.text), ("advice", line.advice))
