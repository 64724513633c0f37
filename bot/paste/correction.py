"""What a person most likely meant by a text that is no reference, or whose image does not exist.

A table of small rules, one for each mistake that people make. They are applied until none changes
the text. The result must be a reference. Some texts are valid references all the same, such as
`nginx/1.27`: see `is_surely_wrong`. Nothing here decides whether a correction is taken without
asking: that is in reference.py.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from bot.core.bad_image import Correction, Mistake
from bot.core.image import (
    DOCKER_HUB,
    OFFICIAL_PREFIX,
    ImageRef,
    is_host,
    source_name,
    split_reference,
)
from bot.paste.command_line import image_argument
from bot.paste.public_mirrors import name_at_source
from bot.paste.web_addresses import image_of_source_page, image_on_page

CorrectionRule = Callable[[str], str | None]

_ROUNDS: Final = 12  # ordinary texts need fewer, since each rule removes something
_UNCERTAIN: Final = frozenset({Mistake.PUNCTUATION, Mistake.SLASH_FOR_COLON, Mistake.WRONG_LIBRARY})
_GUESSES: Final = frozenset({Mistake.SLASH_FOR_COLON, Mistake.WRONG_LIBRARY})
# A name that was copied from such a place is right, so it is not corrected further.
_COPIED: Final = frozenset(
    {
        *(Mistake.WEB_PAGE, Mistake.SOURCE_PAGE, Mistake.COMMAND_LINE),
        *(Mistake.TARGET_PREFIX, Mistake.MIRROR_PREFIX),
    }
)


def is_surely_wrong(mistake: Mistake) -> bool:
    """Whether a text with this mistake is wrong even where it is a valid reference.

    Else it may name an image after all, so the correction is offered only if that does not exist.
    """
    return mistake not in _UNCERTAIN


def correct(text: str, *, target_host: str) -> Correction | None:
    """What was probably meant. None where nothing is wrong, or where the result is not valid.

    `target_host` is the registry that images are copied to. People paste names of it, too.
    """
    rules = _rules(target_host)
    meant, found = text, list[Mistake]()
    for _ in range(_ROUNDS):
        skipped = _GUESSES if _COPIED.intersection(found) else frozenset[Mistake]()
        tried = ((mistake, rule(meant)) for mistake, rule in rules if mistake not in skipped)
        step = next(((m, new) for m, new in tried if new is not None and new != meant), None)
        if step is None:
            break
        found.append(step[0])
        meant = step[1]
    image = ImageRef.parse_or_none(meant)
    if not found or image is None or image == ImageRef.parse_or_none(text) or _leads_nowhere(image):
        return None
    return Correction(found[0], image, tuple(found[1:]))


def _rules(target_host: str) -> tuple[tuple[Mistake, CorrectionRule], ...]:
    """The rules in the order in which they are tried.

    Mistakes that are surely wrong come before guesses. Upper case comes after everything that
    can hide where the tag begins.
    """
    return (
        (Mistake.INVISIBLE, partial(_INVISIBLE.sub, "")),
        (Mistake.WEB_PAGE, image_on_page),
        (Mistake.SOURCE_PAGE, image_of_source_page),
        (Mistake.COMMAND_LINE, image_argument),
        (Mistake.QUOTES, _without_quotes),
        (Mistake.SCHEME, partial(_SCHEME.sub, "")),
        (Mistake.FULL_WIDTH, _in_half_width),
        (Mistake.BLANK, _without_blank),
        (Mistake.TARGET_PREFIX, partial(_without_target, target_host.lower())),
        (Mistake.MIRROR_PREFIX, name_at_source),
        (Mistake.UPPERCASE, _in_lower_case),
        (Mistake.TAG_JOINED, split_off_tag),
        (Mistake.PUNCTUATION, _without_punctuation),
        (Mistake.SLASH_FOR_COLON, _with_colon),
        (Mistake.WRONG_LIBRARY, _without_library),
    )


_PAGES: Final = {"hub.docker.com", "github.com", "gallery.ecr.aws", "console.cloud.google.com"}


def _leads_nowhere(image: ImageRef) -> bool:
    """Whether the result is only a host, or a web page that shows no image."""
    if image.registry == DOCKER_HUB:  # `ghcr.io/`: no official image has a full stop in its name
        return image.repository.startswith(OFFICIAL_PREFIX) and "." in image.repository
    is_page = image.registry == "quay.io" and image.repository.startswith("repository/")
    return is_page or image.registry.removeprefix("www.") in _PAGES


_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
DASHES: Final = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-")
"""What phones and word processors make of a hyphen."""
_HALF_WIDTH: Final = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3002: ".", 0x3000: " "} | DASHES
_OPENING: Final = "\"'`(<[{“‘«‹「『《〈【（〔［｛＜＂＇"  # noqa: RUF001 - what people's keyboards write
_CLOSING: Final = "\"'`)>]}”’»›」』》〉】）〕］｝＞＂＇"  # noqa: RUF001 - likewise
_TRAILING: Final = ",.;:!?/…，。；：！？、" + _CLOSING  # noqa: RUF001 - likewise
_SCHEME: Final = re.compile(
    r"^(?:https?|docker|oci)://|^(?:https?://)?registry-1\.docker\.io/v2/(?=[^/])", re.IGNORECASE
)


def _without_quotes(text: str) -> str | None:
    return text.lstrip(_OPENING).rstrip(_CLOSING) if text.startswith(tuple(_OPENING)) else None


def _in_half_width(text: str) -> str:
    body = text.rstrip(_TRAILING)  # the end of a sentence is another mistake
    return body.translate(_HALF_WIDTH) + text[len(body) :]


def _without_punctuation(text: str) -> str:
    return text if "/..." in text or "/…" in text else text.rstrip(_TRAILING)


def _in_lower_case(text: str) -> str:
    """Everything but the tag, which may have capitals."""
    name, tag, digest = split_reference(text)
    return name.lower() + tag + digest.lower()


_VERSION: Final = re.compile(
    r"v?[0-9]+(?:[._-][A-Za-z0-9_.-]*)?|(?:latest|stable|edge|main|master|nightly|alpine|slim|nonroot"
    r"|debug|lts)(?:-[A-Za-z0-9_.-]*)?"
)
# Match only from the first blank of a run: trying each blank takes quadratic time.
_COLON: Final = re.compile(r"(?<![ \t])[ \t]*:[ \t]*")
_TWO_WORDS: Final = re.compile(r"(\S+)[ \t]+(\S+)")


def _without_blank(text: str) -> str | None:
    tight = _COLON.sub(":", text.strip())
    words = _TWO_WORDS.fullmatch(tight)
    if words is None:
        return tight
    if "." in words[1] and "/" not in words[1] and is_host(words[1]):
        return f"{words[1]}/{words[2]}"
    tagged = split_reference(words[1])[1:] != ("", "")
    is_tag = _VERSION.fullmatch(words[2].rstrip(_TRAILING))
    return None if tagged or is_tag is None else f"{words[1]}:{words[2]}"


_JOINED: Final = re.compile(
    r"(?P<name>[A-Za-z]+(?:-[A-Za-z]+)*?)[-_]?(?P<tag>v?[0-9]+(?:\.[0-9]+){1,2}(?:-[a-z0-9.]+)?)"
)
_AT_VERSION: Final = re.compile(r"(?P<name>[^\s:@]+)@(?P<tag>v?[0-9][A-Za-z0-9_.-]{0,127})")


def split_off_tag(text: str) -> str | None:
    """`mysql:5.7` of `mysql-5.7`, `mysql5.7` and `mysql@5.7`, else None.

    No official image of Docker Hub has a full stop in its name.
    """
    joined = _JOINED.fullmatch(text) or _AT_VERSION.fullmatch(text)
    return None if joined is None else f"{joined['name']}:{joined['tag']}"


def _with_colon(text: str) -> str | None:
    """`nginx/1.27` and `bitnami/nginx/latest`."""
    head, _, last = text.rpartition("/")
    if not head or not _VERSION.fullmatch(last) or "@" in head:
        return None
    bare = head.rpartition("/")[2] + "/" == OFFICIAL_PREFIX or ("/" not in head and is_host(head))
    return None if bare else f"{head}:{last}"


def _without_library(text: str) -> str | None:
    """Without `library/` where it is wrong. Only official images of Docker Hub have it."""
    head, slash, rest = text.partition("/")
    if not slash or not is_host(head):
        head, rest = DOCKER_HUB, text
    name = rest.removeprefix(OFFICIAL_PREFIX)
    if name == rest:
        return None
    if "/" in name:
        return f"{head}/{name}"
    return None if head == DOCKER_HUB else name


def _without_target(host: str, text: str) -> str | None:
    """The source's name, only where the rest is a name that a target gives."""
    if not host or not text.lower().startswith(f"{host}/"):
        return None
    rest = text[len(host) + 1 :]
    if rest.startswith(OFFICIAL_PREFIX):
        return rest
    path = rest
    while path:
        if (source := source_name(path)) is not None:
            return source
        path = path.partition("/")[2]  # the target's prefix may have several parts
    return None
