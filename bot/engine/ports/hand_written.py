"""The part of the store that knows which lines of image.list were written by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.image import ImageRef


class HandWritten(Protocol):
    """Lines about which the admins were told, and what tells them from others."""

    async def told_lines(self) -> set[str]:
        """The images of all these lines, as texts: parsing a long list takes a while."""

    async def save_told_lines(self, images: Collection[ImageRef], at: datetime) -> None:
        """Remember that they were told about. None of them may be there already."""

    async def drop_told_lines(self, names: Collection[str]) -> None:
        """Forget lines that left the list."""

    async def decided_lines(self, images: Sequence[ImageRef]) -> set[ImageRef]:
        """Those of these images that were approved here once, by a rule or by persons."""
