"""What is wrong with a service for now, as data. Waiting may mend it, so it is no failure.

The words for each kind are in `locales/`, under `trouble-<kind>`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.dialog.message import Phrase, say

LINE_LIMIT: Final = 200


class TroubleKind(StrEnum):
    SILENT = "silent"
    """It did not answer in time."""
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """It asks us to wait."""
    FAULTY = "faulty"
    """It says itself that something is wrong with it."""
    UNREADABLE = "unreadable"
    """Its answer is none."""
    LOCKED_OUT = "locked-out"
    """It does not take the bot's token: the maintainer has to renew it."""
    CONTESTED = "contested"
    """Others keep writing the list."""
    BEHIND = "behind"
    """It does not show yet what was copied."""
    OTHER = "other"
    """None of these: the line is quoted."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`who` is the service as people call it; `line` is for the log, and quoted with OTHER."""

    kind: TroubleKind
    who: str = ""
    line: str = ""


def trouble_words(trouble: Trouble) -> Phrase:
    if trouble.kind is TroubleKind.OTHER:
        return say("trouble-other", line=trouble.line)
    if trouble.kind is TroubleKind.CONTESTED:
        return say("trouble-contested")
    return say(f"trouble-{trouble.kind}", who=trouble.who)
