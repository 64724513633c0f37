"""One value of a file: is it an image, and where does it stand?

Shared by the readers of files. A value is read by its own look, its key decides what that means.
"""

import re
from dataclasses import replace
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from bot.core.bad_image import Gap
from bot.core.image import DOCKER_HUB, OFFICIAL_PREFIX, ImageRef, has_host
from bot.paste.finding import MENTION_LENGTH_LIMIT, Mention, Part, Span, has_tag, is_bare_digest
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.tokens import TAG_WORD, TokenKind, token_kind
from bot.paste.yaml_tree import ScalarNode

LONGEST_SPELLING: Final = 4 * MENTION_LENGTH_LIMIT
_NO_IMAGE: Final = re.compile(
    r"(?i)[./\\~]|(?:null|~|true|false|none|scratch)$"
    r"|[^:@]*\.(?:png|jpe?g|gif|svg|ico|webp|qcow2|iso|img|vmdk|raw)$"
    r"|(?:ubuntu|macos|windows)-(?:latest|[0-9.]+)(?:-[a-z0-9]+)*$"
)
"""Pictures, disks, paths, and the labels of machines that run jobs."""
_PLACEHOLDER: Final = re.compile(r"\{\{|<[^<>]*>|%\w+%|(?<!\$)\{[\w.]+\}|:[vV]?[XxNn]\.[XxYyNn]")
_VERSIONED: Final = re.compile(r"v?[0-9]|[A-Za-z]+-v?[0-9]")
"""How a tag begins that can be told from other words behind a colon."""
_PORT: Final = re.compile(r"[0-9]{2,5}")
_PORTS: Final = range(80, 65536)  # `redis:6379` may be a host, `redis:7` is an image
_NO_KEYS: Final = frozenset({"imagepullpolicy", "imagepullsecrets", "imageid", "imageids"})


class Look(Enum):
    """What a value looks like by itself."""

    WHOLE = auto()  # with a registry or an owner, and with a tag or a digest: under any key
    PAIR = auto()  # `nginx:1.27`, which some other pairs look like
    ODD = auto()  # `redis:6379` and `k8s:app`, which are images only where all else is
    UNTAGGED = auto()  # a registry or an owner, and a name
    WORD = auto()
    TEMPLATE = auto()  # what fills in the template decides
    NONE = auto()


def is_image_key(key: str) -> bool:
    """Whether the values under a key are images: `image`, `initImage`, `SIDECAR_IMAGES`."""
    lower = key.lower()
    return lower.endswith(("image", "images")) and lower not in _NO_KEYS


def is_no_image(text: str) -> bool:
    """Whether the value of a key `image` is a picture, a path or the label of a machine."""
    if not text or len(text) > MENTION_LENGTH_LIMIT or _NO_IMAGE.match(text):
        return True
    return "://" in text and token_kind(text) is not TokenKind.IMAGE


def is_template(text: str) -> bool:
    """Whether a value has a placeholder that is no variable with a default."""
    return _PLACEHOLDER.search(text) is not None


@lru_cache(maxsize=4096)  # files say the same often, and each value is looked at again
def look_of(text: str) -> Look:
    """What a value looks like by itself."""
    if is_template(text):
        return Look.TEMPLATE
    if is_no_image(text) or "://" in text or text.split(maxsplit=1) != [text]:
        return Look.NONE
    kind = token_kind(text)
    if kind is not TokenKind.IMAGE:
        return {TokenKind.PATH: Look.UNTAGGED, TokenKind.BARE: Look.WORD}.get(kind, Look.NONE)
    if not has_tag(text):
        return Look.UNTAGGED
    if "@" in text and "@sha" not in text:
        return Look.NONE  # an action of GitHub: `actions/checkout@v4`
    if "@" in text or has_host(text):
        return Look.WHOLE
    tag = text.rpartition(":")[2]
    if _PORT.fullmatch(tag) and int(tag) in _PORTS:
        return Look.ODD
    is_pair = "/" not in text and (_VERSIONED.match(tag) or TAG_WORD.search(tag))
    return Look.PAIR if is_pair else Look.WHOLE if "/" in text else Look.ODD


def span_of(
    text: str, scalar: ScalarNode, part: Part = Part.WHOLE, tail: str = ""
) -> tuple[Span, ...]:
    """The span of a scalar without its quotes. Empty where the text is folded or escaped."""
    value = scalar.value.strip()
    if scalar.end - scalar.start > LONGEST_SPELLING:  # many aliases may search there
        return ()
    start = text.rfind(value, scalar.start, scalar.end)
    return (Span(start, start + len(value), part, tail),) if value and start >= 0 else ()


class Within:
    """Finds where a part of a scalar's value is in the file.

    Indentation and escapes move the value, so the same occurrence of the same words is taken.
    """

    def __init__(self, text: str, scalar: ScalarNode) -> None:
        self._text = text
        self._scalar = scalar
        self._places: dict[str, dict[int, int]] = {}

    def spans(self, span: Span) -> tuple[Span, ...]:
        """The span in the file. Empty where the file has the words another number of times."""
        words = self._scalar.value[span.start : span.end]
        if words not in self._places:
            inner = _positions(self._scalar.value, words, 0, len(self._scalar.value))
            outer = _positions(self._text, words, self._scalar.start, self._scalar.end)
            is_same = len(inner) == len(outer)
            self._places[words] = dict(zip(inner, outer, strict=True)) if is_same else {}
        start = self._places[words].get(span.start)
        return () if start is None else (replace(span, start=start, end=start + len(words)),)


def _positions(text: str, words: str, start: int, end: int) -> list[int]:
    found = []
    while (start := text.find(words, start, end)) >= 0:  # faster than a pattern
        found.append(start)
        start += len(words)
    return found


def with_owner(mention: Mention) -> Mention:
    """A mention, as a question where Docker Hub has no image of such a name, or no official one.

    A file that gives one word alone means an image that it builds, or leaves the registry to
    others. Anybody can give such a name to another image.
    """
    image = None if mention.gap is not None else ImageRef.parse_or_none(mention.text)
    if image is None or image.registry != DOCKER_HUB or OFFICIAL_PREFIX in mention.text:
        return mention
    name = image.repository.removeprefix(OFFICIAL_PREFIX)
    is_other = (
        name.removeprefix("v2/").count("/") == 1
        or name in OFFICIAL_IMAGES
        or is_bare_digest(mention.text)
    )
    return mention if is_other else replace(mention, gap=Gap.REGISTRY)
