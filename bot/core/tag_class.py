"""Whether a tag is expected to be updated upstream, as far as its spelling shows.

Only the people who publish an image know what they mean by a tag, so this is a convention.
"""

import re
from enum import StrEnum
from typing import Final

from bot.core.image import ImageRef

_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([._+-].*)?")


class TagClass(StrEnum):
    """The kinds of tags. The config has an interval for each of the first two."""

    FLOATING = "floating"
    """`latest`, `stable`, `1.27`: updated with each release."""
    VERSION = "version"
    """`1.27.3`: not meant to be updated."""
    DIGEST = "digest"
    """An image with a digest, which never changes."""


def tag_class(image: ImageRef) -> TagClass:
    """The class of an image's tag. With a digest, the tag does not count."""
    if image.digest is not None:
        return TagClass.DIGEST
    return TagClass.VERSION if is_version(image.tag or "") else TagClass.FLOATING


def is_version(tag: str) -> bool:
    """Whether a tag is a full version with three numbers: 1.27.3, v2.0.0-rc1."""
    return _VERSION.fullmatch(tag) is not None
