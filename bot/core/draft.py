"""A draft: what was found in a message, until the person confirms which images are meant.

A request starts as a draft where its images came from a file, are many, or were corrected. Its
card lists them and asks. The values are immutable: each change gives a new draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

from bot.core.bad_image import BadImage
from bot.core.gathering import Cut
from bot.core.image import ImageRef

IMAGES_TAKEN_WITHOUT_ASKING: Final = 3
"""The most images of a message that are mirrored without asking."""
DRAFTS_OF_A_PERSON: Final = 20
"""Drafts that wait for one person, each perhaps with a file of 1 MiB."""
IMAGES_PER_PAGE: Final = 8
"""Images on one page of the choice. Each has a row of buttons, and a phone shows them all."""
DRAFT_LIFETIME: Final = timedelta(hours=24)
"""How long a draft waits for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The images found, and what the person has chosen so far.

    `left_out` are positions in `images` that are not ticked. `page` is the open page of the
    choice, from 0, or None. `bad` are the texts that name no image that we take. Where one has a
    correction, the corrected image is among `images`. `file` is the name of the file that they
    came from, empty for a message, and `more_files` the number of its other files. `cut`: why
    images may be missing.
    """

    images: tuple[ImageRef, ...] = ()
    left_out: frozenset[int] = frozenset()
    page: int | None = None
    bad: tuple[BadImage, ...] = ()
    file: str = ""
    more_files: int = 0
    cut: Cut | None = None

    @property
    def chosen(self) -> tuple[ImageRef, ...]:
        """The images that are ticked."""
        return tuple(x for i, x in enumerate(self.images) if i not in self.left_out)

    @property
    def pages(self) -> int:
        """The number of pages of the choice, at least 1."""
        return max(1, -(-len(self.images) // IMAGES_PER_PAGE))

    @property
    def corrected(self) -> tuple[BadImage, ...]:
        """The bad texts that have a correction."""
        return tuple(bad for bad in self.bad if bad.correction is not None)

    def turned(self, page: int) -> Self:
        """The draft with the choice open at a page. A number beyond the end means the last page."""
        return replace(self, page=min(max(page, 0), self.pages - 1))

    def ticked(self, position: int) -> Self:
        """The draft with the tick of one image changed. An unknown position changes nothing."""
        if position >= len(self.images):
            return self
        return replace(self, left_out=self.left_out ^ {position})


def draft_of(
    images: tuple[ImageRef, ...],
    bad: tuple[BadImage, ...] = (),
    *,
    files: Sequence[str] = (),
    cut: Cut | None = None,
) -> Draft:
    """A draft of the images that were read, followed by the corrections of bad ones."""
    meant = (bad.correction.image for bad in bad if bad.correction is not None)
    return Draft(
        images=tuple(dict.fromkeys([*images, *meant])),
        bad=bad,
        file=files[0] if files else "",
        more_files=max(0, len(files) - 1),
        cut=cut,
    )


def neighbour_pages(page: int, pages: int) -> tuple[int, ...]:
    """The previous and the next page, in a circle. With two pages there is just one other."""
    return tuple(dict.fromkeys(to % pages for to in (page - 1, page + 1)))
