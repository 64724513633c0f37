"""The content of image.list: one image per line, and comments of the people who keep it.

Everything works on bytes, since the file belongs to people. Comments, blank lines, order, line ends
and lines that are no UTF-8 stay as they are. Lines are only added, at the end, with one exception:
`without` takes out whole lines, after an admin has decided that. An image that is listed in another
spelling, such as `nginx:1.26`, counts as listed.
"""

from collections.abc import Iterable
from typing import Final

from bot.core.image import ImageRef

_BOM: Final = b"\xef\xbb\xbf"
_BLANKS: Final = bytes.maketrans(b"\t\v\f", b"   ")


def listed_images(content: bytes) -> tuple[ImageRef, ...]:
    """The images of all lines that name one, in their order. Other lines are skipped."""
    read = (ImageRef.parse_or_none(text.decode("ascii", "replace")) for text in _texts(content))
    return tuple(image for image in read if image is not None)


def unlisted(content: bytes, images: Iterable[ImageRef]) -> tuple[ImageRef, ...]:
    """Those of the images that no line names, each once, in the given order."""
    # The lines are not parsed: all spellings of the few images are looked up in the set of lines.
    # So 100,000 lines take some hundredths of a second.
    wanted = {
        image: frozenset(spelling.encode("ascii") for spelling in image.spellings())
        for image in images
    }
    spellings = frozenset().union(*wanted.values())
    listed = spellings.intersection(_texts(content))
    return tuple(image for image, spelt in wanted.items() if listed.isdisjoint(spelt))


def with_images(content: bytes, images: Iterable[ImageRef]) -> bytes:
    """The content with a line added for each image that is not listed."""
    new = unlisted(content, images)
    if not new:
        return content
    line_end = _line_end(content)
    joint = b"" if content in (b"", _BOM) or content.endswith(b"\n") else line_end
    return content + joint + b"".join(str(image).encode("ascii") + line_end for image in new)


def without(content: bytes, images: Iterable[ImageRef]) -> bytes:
    """The content without the lines that name one of the images, in any spelling.

    Such a line goes with its comment and its line end. Every other byte stays.
    """
    spellings = {text.encode("ascii") for image in images for text in image.spellings()}
    bom = _BOM if content.startswith(_BOM) else b""
    lines = content.removeprefix(_BOM).splitlines(keepends=True)
    pairs = zip(lines, _texts(content), strict=True)
    return bom + b"".join(line for line, text in pairs if text not in spellings)


def _line_end(content: bytes) -> bytes:
    """The line end of the last complete line."""
    whole, newline, _ = content.rpartition(b"\n")
    return b"\r\n" if newline and whole.endswith(b"\r") else b"\n"


def _texts(content: bytes) -> list[bytes]:
    """Each line without blanks around it and without its comment, which follows a blank.

    A line that is only a comment stays as it is.
    """
    lines = content.removeprefix(_BOM).translate(_BLANKS).splitlines()
    return [line.partition(b" #")[0].strip() for line in lines]
