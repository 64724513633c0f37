"""Why a text names no image that we take, and which image was probably meant.

These are values only. The rules that produce them are in bot/paste/.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.image import ImageRef, Problem


class Mistake(StrEnum):
    """What was written wrongly. Its text is in bot/locales/, under `mistake-<value>`."""

    INVISIBLE = "invisible"
    """Invisible characters, often copied from a web page."""
    WEB_PAGE = "web-page"
    SOURCE_PAGE = "source-page"
    """The page of a source repository. Its image probably has the same name."""
    COMMAND_LINE = "command-line"
    QUOTES = "quotes"
    SCHEME = "scheme"
    FULL_WIDTH = "full-width"
    BLANK = "blank"
    TARGET_PREFIX = "target-prefix"
    MIRROR_PREFIX = "mirror-prefix"
    """The name that a public mirror gives to an image of another registry."""
    UPPERCASE = "uppercase"
    PUNCTUATION = "punctuation"
    SLASH_FOR_COLON = "slash-for-colon"
    WRONG_LIBRARY = "wrong-library"
    TAG_JOINED = "tag-joined"
    """The version follows the name without a colon: `mysql-5.7`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The first mistake that was found, the image probably meant, and the other mistakes."""

    mistake: Mistake
    image: ImageRef
    more: tuple[Mistake, ...] = ()


class Gap(StrEnum):
    """What a file does not say about an image. Its text is under `problem-<value>` as well."""

    VARIABLE = "variable"
    """A variable without a default. Only the person knows its value."""
    NO_TAG = "no-tag"
    """The chart or the manifest chooses the tag, so `latest` may be another image."""
    CHART_VERSION = "chart-version"
    """A Helm chart is named without its version."""
    REGISTRY = "registry"
    """The file gives the registry elsewhere, or leaves it to others."""
    PASSED_OVER = "passed-over"
    """Words of a message, or a line and a key of a file, that were not read as an image."""
    UNREAD_FILE = "unread-file"
    """One of several files, which could not be had or read."""
    EMPTY_FILE = "empty-file"
    """One of several files, in which no image is named."""


@dataclass(frozen=True, slots=True)
class BadImage:
    """A text that names no image that we take.

    `problem` is None where the text is a valid reference but surely a mistake, such as the address
    of a web page. Then there is a `correction`.
    """

    text: str
    problem: Problem | Gap | None
    correction: Correction | None
