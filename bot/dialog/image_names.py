"""Short forms of names and digests, for labels of buttons and for lines about several images."""

from collections.abc import Sequence
from typing import Final

from bot.core.image import ImageRef
from bot.dialog.message import Phrase, Value, say

LABEL_CHARACTERS: Final = 40
IMAGES_NAMED: Final = 6
"""How many images are named in a line about several."""
SHORT_DIGEST_CHARACTERS: Final = len("sha256:") + 12


def short_name(image: ImageRef) -> str:
    """A short name for the label of a button: the end of a name distinguishes images."""
    return label_of(str(image).removeprefix("docker.io/").removeprefix("library/"))


def label_of(text: str) -> str:
    """The end of a text, as much as a button shows."""
    return text if len(text) <= LABEL_CHARACTERS else "…" + text[-LABEL_CHARACTERS:]


def short_digest(digest: str) -> str:
    """The start of a digest, as much as people compare by eye."""
    return digest[:SHORT_DIGEST_CHARACTERS]


def name_list(names: Sequence[Value], *, most: int = IMAGES_NAMED) -> Phrase:
    """The first names, and the number of the others."""
    words = names[0]
    for name in names[1:most]:
        words = say("images-also", images=words, image=name)
    more = len(names) - most
    return say("images-more", images=words, more=more) if more > 0 else say("images", images=words)
