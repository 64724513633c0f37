"""One text that somebody wrote for an image: which image it names, or what was meant.

Between the grammar (image.py) and the guesses (correction.py): here is decided which of the two
a text gets. Nothing here looks at more than one text; extract/ finds them in longer ones.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bot.core.image import BadReference, ImageRef, Problem
from bot.paste.correction import Correction, Mistake, certain, correct

# What is taken away or undone here is no part of any name, so nothing is guessed.
_SILENT: Final = frozenset(
    {
        *(Mistake.INVISIBLE, Mistake.WEB_PAGE, Mistake.COMMAND_LINE, Mistake.QUOTES),
        *(Mistake.SCHEME, Mistake.TARGET_PREFIX, Mistake.MIRROR_PREFIX, Mistake.PUNCTUATION),
    }
)


class Gap(StrEnum):
    """What a file leaves open about an image. The words are under `problem-<value>`, too."""

    VARIABLE = "variable"
    """A variable without a default, which only the person knows."""
    NO_TAG = "no-tag"
    """The chart or the manifest chooses the tag, so that `latest` would be another image."""


@dataclass(frozen=True, slots=True)
class BadImage:
    """A text that is no image we take, why, and what was probably meant."""

    text: str
    problem: Problem | Gap | None
    correction: Correction | None


def read_image(text: str, *, target_host: str) -> ImageRef | BadImage:
    """The image that a text names, or why not and what was probably meant."""
    correction = correct(text, target_host=target_host)
    if correction is not None and silent(correction):
        return correction.image
    if correction is not None and certain(correction.mistake):
        return BadImage(text, None, _to_be_confirmed(correction))
    try:
        return ImageRef.parse(text)
    except BadReference as error:
        return BadImage(text, error.problem, correction)


def silent(correction: Correction) -> bool:
    """Whether a correction is taken without a word, since the meaning is sure.

    A letter, a colon or a blank that was changed may hide another image, and people learn how
    one is written by being asked once: the others are for the person to confirm.
    """
    return _SILENT.issuperset((correction.mistake, *correction.more))


def _to_be_confirmed(correction: Correction) -> Correction:
    """The same correction, named after the mistake that the person has to know about."""
    mistakes = (correction.mistake, *correction.more)
    return replace(correction, mistake=next(m for m in mistakes if m not in _SILENT))
