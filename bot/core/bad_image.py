"""A text that names no image that we take: why, and which image was probably meant.

Only the values. The rules that find them are in bot/paste/.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.image import ImageRef, Problem


class Mistake(StrEnum):
    """What was done wrong. The words are in `locales/`, under `mistake-<value>`."""

    INVISIBLE = "invisible"
    """Characters that no screen shows, as web pages have them between letters."""
    WEB_PAGE = "web-page"
    SOURCE_PAGE = "source-page"
    """The page of a source repository, whose image is only probably called the same."""
    COMMAND_LINE = "command-line"
    QUOTES = "quotes"
    SCHEME = "scheme"
    FULL_WIDTH = "full-width"
    BLANK = "blank"
    TARGET_PREFIX = "target-prefix"
    MIRROR_PREFIX = "mirror-prefix"
    """The name that a public mirror has for an image of another registry."""
    UPPERCASE = "uppercase"
    PUNCTUATION = "punctuation"
    SLASH_FOR_COLON = "slash-for-colon"
    WRONG_LIBRARY = "wrong-library"
    TAG_JOINED = "tag-joined"
    """The version stands right behind the name: `mysql-5.7`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The first mistake that was found, what was probably meant, and what else was wrong."""

    mistake: Mistake
    image: ImageRef
    more: tuple[Mistake, ...] = ()


class Gap(StrEnum):
    """What a file leaves open about an image. The words are under `problem-<value>`, too."""

    VARIABLE = "variable"
    """A variable without a default, which only the person knows."""
    NO_TAG = "no-tag"
    """The chart or the manifest chooses the tag, so that `latest` would be another image."""


@dataclass(frozen=True, slots=True)
class BadImage:
    """A text that is no image we take, why, and what was probably meant."""

    text: str
    problem: Problem | Gap | None
    correction: Correction | None
