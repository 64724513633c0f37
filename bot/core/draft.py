"""What was found in a message, until the person says what of it is meant.

A request starts as a draft where its images came from a file, are many, or were corrected: its
card lists them and asks. Pure values; which buttons change them how is decided here.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

from bot.core.bad_image import BadImage
from bot.core.image import ImageRef

IMAGES_TAKEN_WITHOUT_ASKING: Final = 3
"""So many images of a message are mirrored without asking back."""
IMAGES_PER_PAGE: Final = 8
"""Images on a page of the choice: a row of buttons each, which fits a phone."""
DRAFT_LIFETIME: Final = timedelta(hours=24)
"""After so long without an answer a draft is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`left_out` are positions in `images` that were unticked; `page` the page of the choice.

    `bad` are the texts that cannot be taken as they stand; where one has a correction, the
    image that was probably meant is among `images`. `file` is the name of the file that it was
    all found in, empty for a message.
    """

    images: tuple[ImageRef, ...] = ()
    left_out: frozenset[int] = frozenset()
    page: int | None = None
    bad: tuple[BadImage, ...] = ()
    file: str = ""

    @property
    def chosen(self) -> tuple[ImageRef, ...]:
        return tuple(x for i, x in enumerate(self.images) if i not in self.left_out)

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.images) // IMAGES_PER_PAGE))

    @property
    def corrected(self) -> tuple[BadImage, ...]:
        return tuple(bad for bad in self.bad if bad.correction is not None)

    def turned(self, page: int) -> Self:
        """With the choice open at a page; a page that is not there is the last one."""
        return replace(self, page=min(max(page, 0), self.pages - 1))

    def ticked(self, position: int) -> Self:
        """With one image ticked that was not, or the reverse; None of it for one not there."""
        if position >= len(self.images):
            return self
        return replace(self, left_out=self.left_out ^ {position})


def draft_of(
    images: tuple[ImageRef, ...], bad: tuple[BadImage, ...] = (), *, file: str = ""
) -> Draft:
    """A draft of what was read, with the likely meanings of what was misspelt behind it."""
    meant = (bad.correction.image for bad in bad if bad.correction is not None)
    return Draft(images=tuple(dict.fromkeys([*images, *meant])), bad=bad, file=file)


def neighbour_pages(page: int, pages: int) -> tuple[int, ...]:
    """The pages before and behind one, round and round; only one where there are just two."""
    return tuple(dict.fromkeys(to % pages for to in (page - 1, page + 1)))
