"""One reference as a person wrote it: which image it names, or what was probably meant.

core/image.py has the grammar, correction.py the corrections. This module decides which of the two
counts, and whether a correction is taken without asking. Longer texts are read by `extract`.
"""

from dataclasses import replace
from typing import Final

from bot.core.bad_image import BadImage, Correction, Mistake
from bot.core.image import DEFAULT_TAG, BadReference, ImageRef
from bot.paste.correction import correct, is_surely_wrong

# These corrections only remove what is not part of any name, so nothing is guessed.
_SILENT: Final = {
    *(Mistake.INVISIBLE, Mistake.WEB_PAGE, Mistake.COMMAND_LINE, Mistake.QUOTES),
    *(Mistake.SCHEME, Mistake.TARGET_PREFIX, Mistake.MIRROR_PREFIX, Mistake.PUNCTUATION),
}


def read_image(text: str, *, target_host: str) -> ImageRef | BadImage:
    """The image that a text names, or why it names none and what was probably meant."""
    correction = correct(text, target_host=target_host)
    if correction is not None and is_unambiguous(correction):
        return correction.image
    if correction is not None and is_surely_wrong(correction.mistake):
        mistakes = (correction.mistake, *correction.more)
        to_confirm = next(mistake for mistake in mistakes if mistake not in _SILENT)
        return BadImage(text, None, replace(correction, mistake=to_confirm))
    try:
        return ImageRef.parse(text)
    except BadReference as error:
        return BadImage(text, error.problem, correction)


def is_unambiguous(correction: Correction) -> bool:
    """Whether a correction is taken without asking, since the meaning is sure.

    Where a letter, a colon or a blank was changed, another image may have been meant. Then the
    person has to confirm.
    """
    return {correction.mistake, *correction.more} <= _SILENT


def likely_meaning(image: ImageRef, *, target_host: str) -> ImageRef | None:
    """What was probably meant by an image that does not exist, by its name alone, or None."""
    # The text `nginx/1.27` has no tag. The default tag that was added hides the mistake.
    for text in (str(image), str(image).removesuffix(f":{DEFAULT_TAG}")):
        correction = correct(text, target_host=target_host)
        if correction is not None:
            return correction.image
    return None
