"""What was found in what a person sent together: a text, a file, or the files of an album."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.bad_image import BadImage, Gap
from bot.core.draft import Draft, draft_of
from bot.core.gathering import Cut
from bot.dialog import answers
from bot.dialog.command_values import CommandName
from bot.dialog.message import Message
from bot.paste import IMAGES_PER_PASTE, FileKind, Finding


@dataclass(frozen=True, slots=True)
class Piece:
    """A file by its name and its position among the files, or a text without a name.

    `finding` is None where the file could not be had.
    """

    name: str
    finding: Finding | None
    position: int = 0

    @property
    def names_images(self) -> bool:
        found = self.finding
        return found is not None and bool(found.images or any(bad.correction for bad in found.bad))


def found_together(pieces: Sequence[Piece]) -> Finding:
    """The images of all pieces, each once. Untagged are those that no piece names with a tag."""
    findings = [piece.finding for piece in pieces if piece.finding is not None]
    images = dict.fromkeys(image for found in findings for image in found.images)
    bad = {each.text: each for found in findings for each in found.bad}
    tagged = {image for f in findings for image in f.images if image not in f.untagged}
    kept = tuple(images)[:IMAGES_PER_PASTE]
    return Finding(
        FileKind.TEXT,
        kept,
        tuple(bad.values())[:IMAGES_PER_PASTE],
        certain=False,
        untagged=tuple(
            image
            for image in kept
            if image not in tagged and any(image in f.untagged for f in findings)
        ),
        charts=tuple(i for i in kept if any(i in f.charts for f in findings)),
    )


def draft_of_pieces(pieces: Sequence[Piece], *, cut: Cut | None) -> Draft:
    """The draft of what was found. It names each of several files that gave nothing."""
    found = found_together(pieces)
    useless = [] if len(pieces) == 1 else [_useless(p) for p in pieces if not p.names_images]
    files = [piece.name for piece in pieces if piece.name]
    return draft_of(found.images, (*useless, *found.bad), files=files, cut=cut)


def _useless(piece: Piece) -> BadImage:
    unread = piece.finding is None or piece.finding.flaw is not None
    return BadImage(piece.name, Gap.UNREAD_FILE if unread else Gap.EMPTY_FILE, None)


def why_nothing(pieces: Sequence[Piece]) -> Message:
    """Why no piece gave an image."""
    lines = dict.fromkeys(line for piece in pieces for line in _why(piece).lines)
    return Message(tuple(lines))


def _why(piece: Piece) -> Message:
    found = piece.finding
    if found is None:
        return answers.single_line("file-gone", file=piece.name)
    if found.flaw is not None:
        return answers.bad_file(found.flaw, piece.name)
    if found.bad:
        return answers.unreadable(found.bad, command=CommandName.MIRROR)
    return answers.nothing_found(file=piece.name)
