"""What a text names and which images these are: the values that this package passes around.

The module for a kind of file gives a `ScanResult`: where the text names images, and in which words.
`MentionReader` finds out which images these are. `Finding` is the result for other packages.
"""

import re
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
"""Characters of one mention. References are shorter, but addresses of pages may be long."""
_DIGEST: Final = re.compile(r"(?:docker\.io/)?(?:library/)?sha[0-9]{1,3}:\w*", re.IGNORECASE)
_DEFAULT: Final = re.compile(rf"(?:[:=]|%3A){DEFAULT_TAG}\b|/tags?/{DEFAULT_TAG}\b", re.IGNORECASE)
_MOST_TEXTS: Final = 2000  # different ones in a paste, at a tenth of a millisecond each


class FileKind(StrEnum):
    """What kind of file a text is. TEXT is everything else, such as messages and lists."""

    TEXT = "text"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"  # manifests of any kind, and other YAML with the same keys
    HELM = "helm"
    DOCKERFILE = "dockerfile"


class Flaw(StrEnum):
    """Why a text could not be read completely. The text for people is under `file-<value>`."""

    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"  # nested too deep, or too many documents
    TOO_MANY = "too-many"  # more images than a request may have: the first of them were taken
    NOT_TEXT = "not-text"
    BROKEN = "broken"  # no line names an image, and it is no YAML, as its name says


@dataclass(frozen=True, slots=True)
class Finding:
    """The images that a text names, each once, in the order of their first mention.

    `bad`: meant as images, but not valid, or only valid after a correction. `certain` is False
    where the images come from prose, so that the person has to confirm them. `untagged`: the images
    that are never named with a tag, so that the default was taken. `charts`: those that are Helm
    charts, as `oci://` or Helm says.
    """

    kind: FileKind
    images: tuple[ImageRef, ...] = ()
    bad: tuple[BadImage, ...] = ()
    certain: bool = True
    flaw: Flaw | None = None
    untagged: tuple[ImageRef, ...] = ()
    charts: tuple[ImageRef, ...] = ()


class Part(StrEnum):
    """Which part of an image's name a span of a file contains."""

    WHOLE = "whole"
    NAME = "name"  # registry and repository
    REGISTRY = "registry"
    REPOSITORY = "repository"
    PATH = "path"  # the repository with the tag and the digest


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a text, which contain a part of an image's name."""

    start: int
    end: int
    part: Part = Part.WHOLE
    tail: str = ""
    """The end of the part that the file gives elsewhere, and that does not change."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that name an image, and the spans to change so that they name another image.

    `gap` is what the file does not say about the image. `uncertain`: the words may be something
    else, and are skipped if they are no valid reference. `line` of a file, from 1, or 0.
    """

    text: str
    spans: tuple[Span, ...] = ()
    gap: Gap | None = None
    uncertain: bool = False
    line: int = 0
    is_chart: bool = False


def passed_over(what: str, *, line: int = 0) -> Mention:
    """What was not read: words of a message, or a key of a file with its line, never its value."""
    text = f"{line}: {what}" if line else what
    return Mention(text[:MENTION_LENGTH_LIMIT], (), Gap.PASSED_OVER, line=line)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The mentions of images in a text. See `Finding` for `certain`."""

    kind: FileKind
    mentions: tuple[Mention, ...] = ()
    certain: bool = True
    flaw: Flaw | None = None


@dataclass(slots=True)
class MentionReader:
    """Reads mentions. Equal texts are read once, and only a limited number of different ones.

    `exhausted`: there were more texts than that.
    """

    target_host: str
    exhausted: bool = False
    _known: dict[str, ImageRef | BadImage] = field(default_factory=dict)

    def of(self, mention: Mention) -> ImageRef | BadImage | None:
        """The image of a mention, or why it has none. None for an uncertain mention without one."""
        if mention.gap is not None:
            return BadImage(mention.text, mention.gap, None)
        if len(mention.text) > MENTION_LENGTH_LIMIT or is_bare_digest(mention.text):
            return None
        if mention.text not in self._known and len(self._known) >= _MOST_TEXTS:
            self.exhausted = True
            return None
        if mention.text not in self._known:
            self._known[mention.text] = read_image(mention.text, target_host=self.target_host)
        read = self._known[mention.text]
        is_doubtful = mention.uncertain and isinstance(read, BadImage) and read.correction is None
        return None if is_doubtful else read


def finding_of(scan: ScanResult, meanings: MentionReader) -> Finding:
    """The images of all mentions of a text, up to IMAGES_PER_PASTE."""
    images: dict[ImageRef, None] = {}
    bad: dict[str, BadImage] = {}
    passed: dict[str, BadImage] = {}
    tagged, charts = set[ImageRef](), set[ImageRef]()
    flaw = scan.flaw
    for mention in scan.mentions:
        read = meanings.of(mention)
        if isinstance(read, BadImage):
            (passed if mention.gap is Gap.PASSED_OVER else bad).setdefault(read.text, read)
        elif read is not None:
            images.setdefault(read)
            if _DEFAULT.search(mention.text):  # the address of a page may contain it, too
                tagged.add(read)
            if mention.is_chart:
                charts.add(read)
        if meanings.exhausted or len(images) > IMAGES_PER_PASTE or len(bad) > IMAGES_PER_PASTE:
            flaw = Flaw.TOO_MANY
            break
    kept = tuple(images)[:IMAGES_PER_PASTE]
    if images or bad or scan.kind is not FileKind.TEXT:
        bad |= passed  # otherwise they are only the words of a remark
    return Finding(
        scan.kind,
        kept,
        tuple(bad.values())[:IMAGES_PER_PASTE],
        scan.certain and not passed,
        flaw,
        tuple(i for i in kept if i.tag == DEFAULT_TAG and not i.digest and i not in tagged),
        tuple(i for i in kept if i in charts),
    )


def is_bare_digest(text: str) -> bool:
    """Whether a text is only a digest. It is also a valid reference to an image `sha256`."""
    return _DIGEST.fullmatch(text) is not None


def has_tag(text: str) -> bool:
    """Whether a text contains a tag or a digest."""
    return "@" in text or ":" in text.rpartition("/")[2]
