"""The digest that a tag had before it was overwritten: it may stay under a tag of its own.

The config says so by `fresh.keep`. The run leaves it at the target, see
bot/workflow/mirror/previous.py, which has the same names.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

TAG_CHARACTERS: Final = 128


@dataclass(frozen=True, slots=True)
class Previous:
    """What a run reports: how the tag of the previous digest ends, or why it has none."""

    ending: str = ""
    refusal: str = ""


def ending_of(at: datetime) -> str:
    """How the tag ends for a digest that is overwritten at this time: `before-2026-11-30`."""
    return f"before-{at.astimezone(UTC):%Y-%m-%d}"


def previous_tag(tag: str, ending: str) -> str:
    """The tag for the digest that `tag` had. The cut leaves the date whole."""
    return f"{tag[: TAG_CHARACTERS - 1 - len(ending)]}-{ending}"
