"""What admins hear about lines of image.list on which nobody decided here."""

from collections.abc import Sequence
from typing import Final

from bot.core.image import ImageRef
from bot.dialog.message import Message, Phrase, say

IMAGES_SHOWN: Final = 10


def hand_written(asked: Sequence[ImageRef], denied: Sequence[ImageRef]) -> Message:
    """`asked`: images about which an admin would have been asked. `denied`: by the rules."""
    lines = [
        *_part(say("hand-written-asked", count=len(asked)), asked),
        *_part(say("hand-written-denied", count=len(denied)), denied),
    ]
    return Message((*lines, say("hand-written-next"))) if asked else Message(tuple(lines))


def _part(head: Phrase, images: Sequence[ImageRef]) -> list[Phrase]:
    if not images:
        return []
    shown = [say("hand-written-line", image=str(image)) for image in images[:IMAGES_SHOWN]]
    lines = [head, *shown]
    if len(images) > IMAGES_SHOWN:
        lines.append(say("outdated-more", count=len(images) - IMAGES_SHOWN))
    return lines
