"""A look by a run: what GitHub's runner sees of an image whose source the bot cannot reach.

A look decides nothing. What it finds is decided on like what the bot finds by itself. The run marks
its answers by the key of the seal (core/seal.py), over the batch and its own number. So nobody
else's status counts, nor an answer for another batch. bot/workflow/mirror/looking.py writes them.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from bot.core.batch import Batch, status_context
from bot.core.failures import Failure, FailureKind, classify
from bot.core.ids import BatchId, TransferId
from bot.core.image import ImageRef
from bot.core.registry import ImageInfo
from bot.core.retry import (
    LONGEST_DELAY,
    TROUBLE_LINE_LIMIT,
    Retried,
    Trouble,
    TroubleKind,
    requeue_wait,
)

FRESH_FOR: Final = timedelta(minutes=10)
"""How long an answer counts. After that the image is looked at anew."""
GATHER_PERIOD: Final = timedelta(seconds=2)
"""Images that have to be looked at within this time share a run."""
BROKEN_CONNECTION: Final = frozenset({TroubleKind.UNREACHABLE, TroubleKind.SILENT})
"""The trouble that a runner elsewhere may not have."""
LOOKING: Final = Trouble(TroubleKind.LOOKING, "GitHub")
"""What the card of a transfer says while a run looks at its image."""
_MARKED: Final = re.compile(r"(.*) ([0-9a-f]{16})")
_FOUND: Final = re.compile(r"(sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96})) (same|none|other|unknown)")
_SIZED: Final = re.compile(r"([0-9]{1,18})((?: [A-Za-z0-9._/-]{1,99}){0,20})")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class LookBy(StrEnum):
    """Who looks at the images of a registry, by the config."""

    BOT = "bot"
    """The bot alone."""
    RUN = "run"
    """A run on GitHub alone."""


def who_looks(by: Mapping[str, LookBy], registry: str) -> LookBy | None:
    """Who looks at a registry, by the first pattern such as `*.io` that fits.

    None: the bot, and a run where the bot cannot connect.
    """
    name = registry.lower()
    return next((who for pattern, who in by.items() if fnmatchcase(name, pattern)), None)


class AtTarget(StrEnum):
    """What the target has under the name, beside what the source has."""

    SAME = "same"
    NONE = "none"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Retried):
    """The stored facts of a look, one for an image. Times are in UTC. None means "not yet".

    `transfer` waits for it, None where only a question does. `shape`: whether platforms and size
    are wanted. `digest` is empty where the source has no such image. Then `tags` are near to the
    one that is missing. `failure` says why there is no answer.
    """

    image: ImageRef
    asked_at: datetime
    transfer: TransferId | None = None
    shape: bool = True
    batch: BatchId | None = None
    answered_at: datetime | None = None
    digest: str = ""
    at_target: AtTarget = AtTarget.UNKNOWN
    platforms: tuple[str, ...] = ()
    size: int | None = None
    tags: tuple[str, ...] = ()
    failure: Failure | None = None

    def answers(self, since: datetime, now: datetime) -> bool:
        """Whether it answers who has asked `since`."""
        at = self.answered_at
        return at is not None and at >= since and abs(now - at) < FRESH_FOR

    @property
    def info(self) -> ImageInfo:
        return ImageInfo(self.platforms, self.size)

    def line(self) -> str:
        """Its line in the block that the run gets."""
        return f"Look: {self.image}{'; shape' if self.shape else ''}"

    @property
    def longest(self) -> int:
        return len(self.line()) + 1

    def contexts(self) -> tuple[str, str]:
        """The contexts of the two statuses that answer it. The second comes first."""
        return status_context("look", str(self.image)), status_context("more", str(self.image))

    def failed(self, failure: Failure, now: datetime) -> "Look":
        """After a failure. One that may pass is tried again like a copy, after the same waits."""
        wait = requeue_wait(failure.kind, self.attempts)
        if wait is None:
            return replace(self, answered_at=now, failure=failure)
        later = min(wait, LONGEST_DELAY)
        return replace(
            self, batch=None, failure=failure, attempts=self.attempts + 1, not_before=now + later
        )

    def told(
        self, statuses: Mapping[str, tuple[str, str]], batch: Batch, key: bytes, now: datetime
    ) -> "Look | None":
        """The look with its answer, by state and text of the run's statuses. None: none there."""
        first, second = self.contexts()
        said = _proved(first, statuses, batch, key)
        if said is None:
            return None
        state, words = said
        if state != "success":
            return self.failed(Failure(classify(words), words), now)
        found = _FOUND.fullmatch(words)
        other = found is not None and self.image.digest not in (None, found[1])
        if other or (found is None and words != "missing"):
            line = f"a status in an unknown form: {words}"[:TROUBLE_LINE_LIMIT]
            return self.failed(Failure(FailureKind.UNKNOWN, line), now)
        seen = replace(self, answered_at=now, failure=None)
        more = (_proved(second, statuses, batch, key) or ("", ""))[1]
        if found is None:
            return replace(seen, digest="", tags=tuple(filter(_TAG.fullmatch, more.split())))
        seen = replace(seen, digest=found[1], at_target=AtTarget(found[2]))
        shape = _SIZED.fullmatch(more)
        if shape is None:
            return seen
        return replace(seen, size=int(shape[1]) or None, platforms=tuple(shape[2].split()))


def _proved(
    context: str, statuses: Mapping[str, tuple[str, str]], batch: Batch, key: bytes
) -> tuple[str, str] | None:
    """State and words of a status, if this very run has marked it."""
    state, text = statuses.get(context, ("", ""))
    marked = _MARKED.fullmatch(text)
    if marked is None:
        return None
    words, mark = marked[1], marked[2]
    made = mark_of(batch.id, batch.run or 0, context, state, words, key=key)
    return (state, words) if hmac.compare_digest(made, mark) else None


def mark_of(batch: str, run: int, context: str, state: str, words: str, *, key: bytes) -> str:
    """The mark at the end of a status."""
    text = f"{batch}\n{run}\n{context}\n{state}\n{words}\n"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]
