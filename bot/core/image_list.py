"""The text of image.list: one image a line, and whatever its keepers wrote besides.

It works on bytes, since the file is theirs: comments, blank lines, order, line ends and lines
that are no UTF-8 stay as they are. Lines are only ever added, at the end; what is listed in
another spelling (`nginx:1.26`) counts as listed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bot.core.image import BadReference, ImageRef

_BOM: Final = b"\xef\xbb\xbf"
_COMMENT: Final = re.compile(rb"(?:^|\s)#")  # it begins the line, or stands behind a blank


def entries(content: bytes) -> tuple[ImageRef, ...]:
    """The images of the lines that name one, in their order; any other line is passed over."""
    read = (_read(text) for text in _texts(content))
    return tuple(image for image in read if image is not None)


def missing(content: bytes, images: Iterable[ImageRef]) -> tuple[ImageRef, ...]:
    """Those of the images that no line names, in the given order, each once."""
    # Not one line is parsed: all spellings of the few images against the texts of the many
    # lines. For 100,000 lines that takes a tenth of the time.
    listed = frozenset(_texts(content))
    return tuple(
        image
        for image in dict.fromkeys(images)
        if not any(spelling.encode("ascii") in listed for spelling in image.spellings())
    )


def add(content: bytes, images: Iterable[ImageRef]) -> bytes:
    """The list with a line for each image that it lacks; the old bytes stay in front."""
    new = missing(content, images)
    if not new:
        return content
    line_end = _line_end(content)
    joint = b"" if content in (b"", _BOM) or content.endswith(b"\n") else line_end
    return content + joint + b"".join(str(image).encode("ascii") + line_end for image in new)


def _line_end(content: bytes) -> bytes:
    """As the last whole line ends."""
    whole, newline, _ = content.rpartition(b"\n")
    return b"\r\n" if newline and whole.endswith(b"\r") else b"\n"


def _texts(content: bytes) -> Iterator[bytes]:
    """What each line says, without its comment and the blanks around it."""
    for line in content.removeprefix(_BOM).splitlines():
        text = _COMMENT.split(line, 1)[0] if b"#" in line else line
        yield text.strip()


def _read(text: bytes) -> ImageRef | None:
    try:
        return ImageRef.parse(text.decode("ascii"))
    except (UnicodeDecodeError, BadReference):
        return None
