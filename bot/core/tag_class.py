"""What kind of name an image has: one that its makers move, one that they should not, or a digest.

Only the spelling is looked at: nobody can tell from outside what somebody means by a tag.
"""

import re
from enum import StrEnum
from typing import Final

from bot.core.image import ImageRef

_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([._+-].*)?")


class TagClass(StrEnum):
    FLOATING = "floating"
    """`latest`, `stable`, `1.27`: moves with each release."""
    VERSION = "version"
    """`1.27.3`: is not meant to move."""
    DIGEST = "digest"
    """Names the same bytes for ever."""


def tag_class(image: ImageRef) -> TagClass:
    if image.digest is not None:
        return TagClass.DIGEST
    return TagClass.VERSION if is_version(image.tag or "") else TagClass.FLOATING


def is_version(tag: str) -> bool:
    """Whether a tag names a full version, which its makers do not move: 1.27.3, v2.0.0-rc1."""
    return _VERSION.fullmatch(tag) is not None
