"""The port of wishes: what commands on the host leave to the bot that runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class WishKind(StrEnum):
    """What a command on the host wants. The words stand in the file of wishes."""

    PAUSE = "pause"
    """Lift the pause."""
    BLOCK = "block"
    """Lift the block of a normalised pattern."""
    FORGET = "forget"
    """Delete what is kept of a person."""
    REFILL = "refill"
    """Copy a listed image anew at the digest that was decided last."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`about` is a pattern, the id of a person or an image, and empty for a pause."""

    kind: WishKind
    about: str = ""


class Wishes(Protocol):
    """Reads wishes. Both methods raise OSError."""

    def take(self) -> Sequence[Wish] | None:
        """What was wished, oldest first. The same again until `done`. None: nothing was."""

    def done(self) -> None:
        """Forget what `take` returned last. What was wished since then stays."""
