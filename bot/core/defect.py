"""Defects: what only the maintainer can mend, and when they are told of it. Pure.

Each is told once. One that is gone for a while is forgotten, so that it is told again when it comes
back. That it is gone is not told: who mended it knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.batch import Batch
from bot.core.failures import FailureKind
from bot.core.retry import has_passed
from bot.core.transfer import State, Transfer

ENDING_SOON: Final = timedelta(days=14)
"""From when on the end of a token or a login is told, here and by `check`."""
NEARLY_FULL: Final = 0.9
"""The part of a quota from which it is told."""
QUEUED_LONG: Final = timedelta(minutes=15)
"""How long a run may wait for a runner."""
SETTLES: Final = timedelta(minutes=2)
"""How long a defect lasts before it is told: `setup` may be at work."""
TOLD_AT_ONCE: Final = 10
"""As many as fit into a message. The next look tells others."""
GONE_FOR: Final = timedelta(hours=1)
"""How long a defect is gone before it is forgotten: it may come and go."""


class DefectKind(StrEnum):
    """Its words are in bot/locales/, under `defect-<value>`."""

    GITHUB_TOKEN = "github-token"  # noqa: S105 - no token
    GITHUB_EXPIRY = "github-expiry"
    SOURCE_LOGIN = "source-login"
    TARGET_LOGIN = "target-login"
    TARGET_EXPIRY = "target-expiry"
    QUOTA = "quota"
    FULL = "full"
    WORKFLOW_MISSING = "workflow-missing"
    WORKFLOW_OFF = "workflow-off"
    WORKFLOW_DIFFERS = "workflow-differs"
    RUNNER = "runner"
    STATEMENTS = "statements"


@dataclass(frozen=True, slots=True)
class Defect:
    """`where`: the registry or the project, where there are several.

    The others are told in private alone. `until`: when something ends. `used` and `quota` in bytes.
    `line`: what a service answers.
    """

    kind: DefectKind
    where: str = ""
    until: datetime | None = None
    used: int = 0
    quota: int = 0
    url: str = ""
    line: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind} {self.where}".strip()


Found = Mapping[str, Defect | None]
"""What is known by the key of a defect: None where it is not there. Others are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDefect:
    """The stored facts of a defect. `told_at` and `gone_at` are None where it was not, or is not.

    All times are in UTC.
    """

    key: str
    since: datetime
    told_at: datetime | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What follows from a look: what to tell, and which facts to store and to forget."""

    tell: Sequence[Defect]
    save: Sequence[SeenDefect]
    drop: Sequence[str]


def look(seen: Mapping[str, SeenDefect], found: Found, now: datetime, *, quiet: bool) -> Looked:
    """Compare what was found with what is stored. While it is `quiet` nothing is told."""
    tell, save, drop = list[Defect](), list[SeenDefect](), list[str]()
    for key, defect in found.items():
        before = seen.get(key)
        if defect is None:
            if before is None:
                continue
            if before.told_at is None or (
                before.gone_at is not None and has_passed(GONE_FOR, before.gone_at, now)
            ):
                drop.append(key)
                continue
            after = before if before.gone_at else replace(before, gone_at=now)
        else:
            after = replace(before or SeenDefect(key=key, since=now), gone_at=None)
            may_tell = not quiet and len(tell) < TOLD_AT_ONCE
            if after.told_at is None and may_tell and has_passed(SETTLES, after.since, now):
                after = replace(after, told_at=now)
                tell.append(defect)
        if after != before:
            save.append(after)
    return Looked(tell, save, drop)


def together(*found: Found) -> Found:
    """All of them. What one of them found is there, whatever the others say."""
    merged: dict[str, Defect | None] = {}
    for one in found:
        merged |= {key: defect for key, defect in one.items() if defect or not merged.get(key)}
    return merged


def ends_soon(kind: DefectKind, until: datetime | None, now: datetime) -> Found:
    """`until`: when a token or a login ends, None for never."""
    defect = Defect(kind, until=until)
    return {defect.key: defect if until is not None and until - now < ENDING_SOON else None}


def nearly_full(quotas: Mapping[str, tuple[int, int]]) -> Found:
    """`quotas`: bytes used, and the most that may be, by the name of a project."""
    defects = [
        Defect(DefectKind.QUOTA, where=name, used=used, quota=quota)
        for name, (used, quota) in quotas.items()
    ]
    return {each.key: each if each.used >= NEARLY_FULL * each.quota else None for each in defects}


def silent_runner(batches: Iterable[Batch], now: datetime) -> Found:
    """Whether a run waits for a runner for long."""
    waiting = (
        Defect(DefectKind.RUNNER, url=batch.run_url)
        for batch in batches
        if batch.run_seen_at is not None and batch.run_began_at is None
        if has_passed(QUEUED_LONG, batch.run_seen_at, now)
    )
    return {str(DefectKind.RUNNER): next(waiting, None)}


def refused_statement(line: str) -> Found:
    """`line`: why the target takes no statement, empty where it does."""
    return {str(DefectKind.STATEMENTS): Defect(DefectKind.STATEMENTS, line=line) if line else None}


_AT_THE_TARGET: Final = {
    FailureKind.TARGET_LOGIN: DefectKind.TARGET_LOGIN,
    FailureKind.TARGET_QUOTA: DefectKind.FULL,
}


def refused_by_target(copies: Iterable[Transfer]) -> Found:
    """`copies`: those that ended, the latest first. The first that reached the target decides."""
    for copy in copies:
        kind = _AT_THE_TARGET.get(copy.failure.kind) if copy.failure else None
        if kind is not None or copy.state is State.MIRRORED:
            defects = map(Defect, _AT_THE_TARGET.values())
            return {each.key: each if each.kind is kind else None for each in defects}
    return {}
