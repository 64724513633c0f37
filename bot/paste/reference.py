"""One text that somebody wrote for an image: which image it names, or what was meant.

Between the grammar (image.py) and the guesses (correction.py): here is decided which of the two
a text gets. Nothing here looks at more than one text; extract/ finds them in longer ones.
"""

from dataclasses import replace
from typing import Final

from bot.core.bad_image import BadImage, Correction, Mistake
from bot.core.image import DEFAULT_TAG, BadReference, ImageRef
from bot.paste.correction import correct, is_surely_wrong

# What is taken away or undone here is no part of any name, so nothing is guessed.
_SILENT: Final = frozenset(
    {
        *(Mistake.INVISIBLE, Mistake.WEB_PAGE, Mistake.COMMAND_LINE, Mistake.QUOTES),
        *(Mistake.SCHEME, Mistake.TARGET_PREFIX, Mistake.MIRROR_PREFIX, Mistake.PUNCTUATION),
    }
)


def read_image(text: str, *, target_host: str) -> ImageRef | BadImage:
    """The image that a text names, or why not and what was probably meant."""
    correction = correct(text, target_host=target_host)
    if correction is not None and is_unambiguous(correction):
        return correction.image
    if correction is not None and is_surely_wrong(correction.mistake):
        return BadImage(text, None, _to_be_confirmed(correction))
    try:
        return ImageRef.parse(text)
    except BadReference as error:
        return BadImage(text, error.problem, correction)


def is_unambiguous(correction: Correction) -> bool:
    """Whether a correction is taken without a word, since the meaning is sure.

    A letter, a colon or a blank that was changed may hide another image, and people learn how
    one is written by being asked once: the others are for the person to confirm.
    """
    return _SILENT.issuperset((correction.mistake, *correction.more))


def _to_be_confirmed(correction: Correction) -> Correction:
    """The same correction, named after the mistake that the person has to know about."""
    mistakes = (correction.mistake, *correction.more)
    return replace(correction, mistake=next(m for m in mistakes if m not in _SILENT))


def likely_meaning(image: ImageRef, *, target_host: str) -> ImageRef | None:
    """What was probably meant by an image that is not there, from its name alone."""
    # Somebody who wrote nginx/1.27 wrote no tag: the one that was added hides the mistake.
    for text in (str(image), str(image).removesuffix(f":{DEFAULT_TAG}")):
        correction = correct(text, target_host=target_host)
        if correction is not None:
            return correction.image
    return None
