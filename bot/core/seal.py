"""The block of decisions that a commit or a dispatch carries, under a seal of the bot.

Any writer of the mirror repository can copy a line. So the workflow takes a block for a decision of
the bot only where the seal is right and the time is recent. bot/workflow/mirror/decision.py reads
it. A block holds no text that a person chose and no id of a service, since git forgets nothing.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from bot.core.ids import BatchId
from bot.core.image import ImageRef

IMAGES_PER_BLOCK: Final = 200
BLOCK_CHARACTERS: Final = 60_000
"""GitHub takes 65,535 characters of inputs for one dispatch:
https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event"""
ASKERS_NAMED: Final = 8
"""How many of those who asked for an image are named."""
_HEAD_AND_SEAL: Final = 200
"""More characters than the lines of a block take that are not about an image."""
_ASKER: Final = len("p:00000000, ")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedImage:
    """An image with the digest that was decided on, and what its line says.

    `asked` are the pseudonyms of those who asked for it. `approved` is the ground: `rule` and a
    pattern, pseudonyms of persons, or `kept` or `rollback` and a pseudonym. `previous` is how the
    tag ends that gets the digest before it, as in core/previous.py. Empty where none does.
    `removed`: its line leaves image.list. No run copies such an image.
    """

    image: ImageRef
    asked: Sequence[str]
    approved: str
    previous: str = ""
    removed: bool = False

    def line(self) -> str:
        """The line of the block."""
        asked = f"asked {', '.join(self.asked[:ASKERS_NAMED])}; " if self.asked else ""
        previous = f"previous {self.previous}; " if self.previous else ""
        word = "Removed" if self.removed else "Image"
        return f"{word}: {self.image}; {asked}{previous}approved {self.approved}"

    @property
    def longest(self) -> int:
        """The most characters of its line, also if more people ask for it meanwhile."""
        return len(self.line()) + _ASKER * (ASKERS_NAMED - min(len(self.asked), ASKERS_NAMED) + 1)


class Sealed(Protocol):
    """What has a line in a block: a decision, or what to look at (core/look.py)."""

    def line(self) -> str: ...

    @property
    def longest(self) -> int:
        """The most characters of its line."""


def sealed_block(batch: BatchId, at: datetime, images: Iterable[Sealed], *, key: bytes) -> str:
    """The lines of a batch with their seal. `at` is the time in UTC that its validity begins."""
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"Batch: {batch}", f"Time: {time}", *(image.line() for image in images)]
    text = "".join(f"{line}\n" for line in lines)
    seal = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{text}Seal: {seal}"


def fitting(images: Sequence[Sealed]) -> int:
    """How many of the images, from the first on, one block holds. At least one."""
    left = BLOCK_CHARACTERS - _HEAD_AND_SEAL
    for number, image in enumerate(images[:IMAGES_PER_BLOCK]):
        left -= image.longest
        if left < 0:
            return max(1, number)
    return min(len(images), IMAGES_PER_BLOCK)
