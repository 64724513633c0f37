"""The text of image.list: one image a line, and whatever its keepers wrote besides.

It works on bytes, since the file is theirs: comments, blank lines, order, line ends and lines
that are no UTF-8 stay as they are. Lines are only ever added, at the end; what is listed in
another spelling (`nginx:1.26`) counts as listed.
"""

from collections.abc import Iterable
from typing import Final

from bot.core.image import BadReference, ImageRef

_BOM: Final = b"\xef\xbb\xbf"
_BLANKS: Final = bytes.maketrans(b"\t\v\f", b"   ")


def listed_images(content: bytes) -> tuple[ImageRef, ...]:
    """The images of the lines that name one, in their order; any other line is passed over."""
    read = (_read(text) for text in _texts(content))
    return tuple(image for image in read if image is not None)


def unlisted(content: bytes, images: Iterable[ImageRef]) -> tuple[ImageRef, ...]:
    """Those of the images that no line names, in the given order, each once."""
    # Not one line is parsed: the few images in all their spellings are looked for among the many
    # lines, so that 100,000 of them take some hundredths of a second for any number of images.
    wanted = {
        image: frozenset(spelling.encode("ascii") for spelling in image.spellings())
        for image in images
    }
    spellings = frozenset().union(*wanted.values())
    listed = spellings.intersection(_texts(content))
    return tuple(image for image, spelt in wanted.items() if listed.isdisjoint(spelt))


def with_images(content: bytes, images: Iterable[ImageRef]) -> bytes:
    """The list with a line for each image that it lacks; the old bytes stay in front."""
    new = unlisted(content, images)
    if not new:
        return content
    line_end = _line_end(content)
    joint = b"" if content in (b"", _BOM) or content.endswith(b"\n") else line_end
    return content + joint + b"".join(str(image).encode("ascii") + line_end for image in new)


def _line_end(content: bytes) -> bytes:
    """As the last whole line ends."""
    whole, newline, _ = content.rpartition(b"\n")
    return b"\r\n" if newline and whole.endswith(b"\r") else b"\n"


def _texts(content: bytes) -> list[bytes]:
    """What each line says without the blanks around it and its comment, which follows a blank.

    A line that is nothing but a comment stays as it is.
    """
    lines = content.removeprefix(_BOM).translate(_BLANKS).splitlines()
    return [line.partition(b" #")[0].strip() for line in lines]


def _read(text: bytes) -> ImageRef | None:
    try:
        return ImageRef.parse(text.decode("ascii"))
    except (UnicodeDecodeError, BadReference):
        return None
