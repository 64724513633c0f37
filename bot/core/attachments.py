"""What belongs to an image, such as signatures and attestations, as a run reports it.

The run carries it along, see bot/workflow/mirror/attachments.py.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Attachments:
    """How many are at the target, and why others are not. The refusal is empty where all are."""

    count: int = 0
    refusal: str = ""


NO_ATTACHMENTS: Final = Attachments()
