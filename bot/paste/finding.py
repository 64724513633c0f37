"""What is looked for in a text and what was found: the values that this package passes around.

A reader (lines, dockerfile, manifests) says where a text names an image and as what; it does
not say which image that is. Finding that out, once for each text, is `Meanings`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bot.core.bad_image import BadImage, Gap
from bot.core.image import DEFAULT_TAG, ImageRef
from bot.paste.reference import read_image

PASTE_SIZE_LIMIT: Final = 1024 * 1024
"""Bytes of a file, or characters of a message."""
IMAGES_PER_PASTE: Final = 500
MENTION_LENGTH_LIMIT: Final = 1024
"""Characters of one text: the longest reference is half as long, a page's address is not."""
_DIGEST: Final = re.compile(r"(?:docker\.io/)?(?:library/)?sha[0-9]{1,3}:\w*", re.IGNORECASE)
_DEFAULT: Final = re.compile(rf"(?:[:=]|%3A){DEFAULT_TAG}\b|/tags?/{DEFAULT_TAG}\b", re.IGNORECASE)
_MOST_TEXTS: Final = 2000  # a tenth of a millisecond each: what one paste may cost to read


class FileKind(StrEnum):
    TEXT = "text"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    """Manifests of any kind, and whatever else names images as they do."""
    HELM = "helm"
    DOCKERFILE = "dockerfile"


class Flaw(StrEnum):
    """Why a paste could not be read as a whole. The words are under `file-<value>`."""

    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    """Nested too deep, or too many documents: a bomb, or made by a machine for a machine."""
    TOO_MANY = "too-many"
    """More images than one request may hold; the first of them were taken."""
    NOT_TEXT = "not-text"
    BROKEN = "broken"
    """YAML by its name, but it cannot be parsed, and names no image line by line either."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The images that a paste names."""

    kind: FileKind
    images: tuple[ImageRef, ...] = ()
    """Each once, in the order of their first mention."""
    bad: tuple[BadImage, ...] = ()
    """Surely meant as images, but not readable as they stand, or only by a correction."""
    certain: bool = True
    """False: they were sifted out of prose, so the person should see them first."""
    flaw: Flaw | None = None
    untagged: tuple[ImageRef, ...] = ()
    """Those of the images that are named without a tag wherever they are, so that the default
    was taken."""


class Part(StrEnum):
    """Which part of an image's name stands at a place of a file."""

    WHOLE = "whole"
    NAME = "name"
    """Registry and repository."""
    REGISTRY = "registry"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of the text hold a part of an image's name."""

    start: int
    end: int
    part: Part = Part.WHOLE


@dataclass(frozen=True, slots=True)
class Mention:
    """A text that names an image, and the places to change so that it names another."""

    text: str
    spans: tuple[Span, ...] = ()
    gap: Gap | None = None
    uncertain: bool = False
    """It may be something else: what cannot be read or corrected is passed over."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a reader saw in a text."""

    kind: FileKind
    mentions: tuple[Mention, ...] = ()
    certain: bool = True
    flaw: Flaw | None = None


@dataclass(slots=True)
class MentionReader:
    """The texts of mentions and what they mean, each read once and only so many of them."""

    target_host: str
    exhausted: bool = False
    _known: dict[str, ImageRef | BadImage] = field(default_factory=dict)

    def of(self, mention: Mention) -> ImageRef | BadImage | None:
        """What a mention means; None for a loose one that means nothing."""
        if mention.gap is not None:
            return BadImage(mention.text, mention.gap, None)
        if len(mention.text) > MENTION_LENGTH_LIMIT or is_bare_digest(mention.text):
            return None
        read = self._read(mention.text)
        if mention.uncertain and isinstance(read, BadImage) and read.correction is None:
            return None
        return read

    def _read(self, text: str) -> ImageRef | BadImage | None:
        if text not in self._known:
            if len(self._known) >= _MOST_TEXTS:
                self.exhausted = True
                return None
            self._known[text] = read_image(text, target_host=self.target_host)
        return self._known[text]


def finding_of(scan: ScanResult, meanings: MentionReader) -> Finding:
    """What the mentions of a scan come to."""
    images: dict[ImageRef, None] = {}
    bad: dict[str, BadImage] = {}
    said: set[ImageRef] = set()
    flaw = scan.flaw
    for mention in scan.mentions:
        read = meanings.of(mention)
        if isinstance(read, BadImage):
            bad.setdefault(read.text, read)
        elif read is not None:
            images.setdefault(read)
            if _says_tag(mention.text):
                said.add(read)
        if meanings.exhausted or len(images) > IMAGES_PER_PASTE or len(bad) > IMAGES_PER_PASTE:
            flaw = Flaw.TOO_MANY
            break
    kept = tuple(images)[:IMAGES_PER_PASTE]
    return Finding(
        scan.kind,
        kept,
        tuple(bad.values())[:IMAGES_PER_PASTE],
        scan.certain,
        flaw,
        tuple(i for i in kept if i.tag == DEFAULT_TAG and not i.digest and i not in said),
    )


def _says_tag(text: str) -> bool:
    """Whether a text that means `latest` says so; the page of an image may, too."""
    return _DEFAULT.search(text) is not None


def is_bare_digest(text: str) -> bool:
    """Whether a text is a digest alone, which reads as an image called sha256, too."""
    return _DIGEST.fullmatch(text) is not None


def has_tag(text: str) -> bool:
    """Whether a text says its tag or digest itself."""
    return "@" in text or ":" in text.rpartition("/")[2]


def in_order(mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    """As they stand in the text; those without a place come last."""
    return tuple(
        sorted(mentions, key=lambda m: m.spans[0].start if m.spans else PASTE_SIZE_LIMIT * 2)
    )
