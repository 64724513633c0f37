"""One text that somebody wrote for an image: which image it names, or what was meant.

Between the grammar (image.py) and the guesses (correction.py): here is decided which of the two
a text gets. Nothing here looks at more than one text; extract/ finds them in longer ones.
"""

from dataclasses import dataclass

from bot.core.correction import Correction, certain, correct
from bot.core.image import BadReference, ImageRef, Problem


@dataclass(frozen=True, slots=True)
class BadImage:
    """A text that is no image we take, why, and what was probably meant."""

    text: str
    problem: Problem | None
    correction: Correction | None


def read_image(text: str, *, target_host: str) -> ImageRef | BadImage:
    """The image that a text names, or why not and what was probably meant."""
    correction = correct(text, target_host=target_host)
    if correction is not None and certain(correction.mistake):
        return BadImage(text, None, correction)
    try:
        return ImageRef.parse(text)
    except BadReference as error:
        return BadImage(text, error.problem, correction)
