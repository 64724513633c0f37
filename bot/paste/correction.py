"""What a person most likely meant by a text that is no reference, or names nothing.

A table of small rewritings, each for one mistake that people make, applied until none fits;
what comes out must be a reference. Some of the texts read as references all the same
(`nginx/1.27`): whether to ask the person before or only after a look-up is `certain`. Nothing
here is ever taken in place of what was typed: a correction is shown, and the person decides.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from bot.core.bad_image import Correction, Mistake
from bot.core.image import (
    DOCKER_HUB,
    OFFICIAL_PREFIX,
    BadReference,
    ImageRef,
    is_host,
    source_name,
    split_reference,
)
from bot.paste.command_line import image_argument
from bot.paste.public_mirrors import name_at_source
from bot.paste.web_addresses import image_of_source_page, image_on_page

CorrectionRule = Callable[[str], str | None]

_ROUNDS: Final = 12  # each rule takes something away, so this is never reached by honest texts
_UNCERTAIN: Final = frozenset({Mistake.PUNCTUATION, Mistake.SLASH_FOR_COLON, Mistake.WRONG_LIBRARY})
_GUESSES: Final = frozenset({Mistake.SLASH_FOR_COLON, Mistake.WRONG_LIBRARY})
# Where a name was copied from a place that knows it, it is not guessed at any further.
_COPIED: Final = frozenset(
    {
        *(Mistake.WEB_PAGE, Mistake.SOURCE_PAGE, Mistake.COMMAND_LINE),
        *(Mistake.TARGET_PREFIX, Mistake.MIRROR_PREFIX),
    }
)


def is_surely_wrong(mistake: Mistake) -> bool:
    """Whether the text is wrong even where it reads as a reference.

    False: it may name an image after all, so the correction is for when that is missing.
    """
    return mistake not in _UNCERTAIN


def correct(text: str, *, target_host: str) -> Correction | None:
    """What was probably meant; None where nothing is wrong or nothing valid comes out.

    `target_host` is the registry that images go to: people paste what they pulled from it.
    """
    rules = _rules(target_host)
    meant, found = text, list[Mistake]()
    for _ in range(_ROUNDS):
        step = _first_step(meant, rules, copied=not _COPIED.isdisjoint(found))
        if step is None:
            break
        mistake, meant = step
        found.append(mistake)
    image = _read(meant)
    if not found or image is None or image == _read(text) or _leads_nowhere(image):
        return None
    return Correction(found[0], image, tuple(found[1:]))


def _rules(target_host: str) -> tuple[tuple[Mistake, CorrectionRule], ...]:
    """In the order in which mistakes are named.

    Those whose texts may read as references and are certain stand before those that are not;
    upper case comes after all that can hide where the tag begins.
    """
    return (
        (Mistake.INVISIBLE, _without_invisible),
        (Mistake.WEB_PAGE, image_on_page),
        (Mistake.SOURCE_PAGE, image_of_source_page),
        (Mistake.COMMAND_LINE, image_argument),
        (Mistake.QUOTES, _without_quotes),
        (Mistake.SCHEME, _without_scheme),
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


def _first_step(
    text: str, rules: tuple[tuple[Mistake, CorrectionRule], ...], *, copied: bool
) -> tuple[Mistake, str] | None:
    for mistake, rule in rules:
        if copied and mistake in _GUESSES:
            continue
        changed = rule(text)
        if changed is not None and changed != text:
            return mistake, changed
    return None


def _read(text: str) -> ImageRef | None:
    try:
        return ImageRef.parse(text)
    except BadReference:
        return None


_PAGES: Final = frozenset(
    {"hub.docker.com", "github.com", "gallery.ecr.aws", "console.cloud.google.com"}
)


def _leads_nowhere(image: ImageRef) -> bool:
    """Whether only a host was named, or a web page that shows no image is left."""
    match image.registry:
        case "docker.io":  # `ghcr.io/`; no official image has a full stop in its name
            return image.repository.startswith(OFFICIAL_PREFIX) and "." in image.repository
        case "quay.io":
            return image.repository.startswith("repository/")
        case host:
            return host.removeprefix("www.") in _PAGES


# Characters

_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HALF_WIDTH: Final = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3002: ".", 0x3000: " "}
_OPENING: Final = "\"'`(<[{“‘«‹「『《〈【（〔［｛＜＂＇"  # noqa: RUF001 - what people's keyboards write
_CLOSING: Final = "\"'`)>]}”’»›」』》〉】）〕］｝＞＂＇"  # noqa: RUF001 - likewise
_TRAILING: Final = ",.;:!?/…，。；：！？、" + _CLOSING  # noqa: RUF001 - likewise
_SCHEME: Final = re.compile(r"(?:https?|docker|oci)://", re.IGNORECASE)


def _without_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _without_quotes(text: str) -> str | None:
    return text.lstrip(_OPENING).rstrip(_CLOSING) if text.startswith(tuple(_OPENING)) else None


def _without_scheme(text: str) -> str:
    return _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text


def _in_half_width(text: str) -> str:
    body = text.rstrip(_TRAILING)  # what ends a sentence is another mistake
    return body.translate(_HALF_WIDTH) + text[len(body) :]


def _without_punctuation(text: str) -> str:
    return text.rstrip(_TRAILING)


def _in_lower_case(text: str) -> str:
    """Everything but the tag, where capitals are right."""
    name, tag, digest = split_reference(text)
    return name.lower() + tag + digest.lower()


# Tags in the wrong place

_VERSION: Final = re.compile(
    r"v?[0-9]+(?:[._-][A-Za-z0-9_.-]*)?"
    r"|(?:latest|stable|edge|main|master|nightly|alpine|slim|nonroot|debug|lts)"
    r"(?:-[A-Za-z0-9_.-]*)?"
)
# From the first blank of a run only: trying each of them makes long runs take for ever.
_COLON: Final = re.compile(r"(?<![ \t])[ \t]*:[ \t]*")
_TWO_WORDS: Final = re.compile(r"(\S+)[ \t]+(\S+)")


def _without_blank(text: str) -> str | None:
    tight = _COLON.sub(":", text.strip())
    words = _TWO_WORDS.fullmatch(tight)
    if words is None:
        return tight
    tagged = split_reference(words[1])[1:] != ("", "")
    is_tag = _VERSION.fullmatch(words[2].rstrip(_TRAILING))
    return None if tagged or is_tag is None else f"{words[1]}:{words[2]}"


_JOINED: Final = re.compile(
    r"(?P<name>[A-Za-z]+(?:-[A-Za-z]+)*?)[-_]?(?P<tag>v?[0-9]+(?:\.[0-9]+){1,2}(?:-[a-z0-9.]+)?)"
)


def split_off_tag(text: str) -> str | None:
    """`mysql-5.7`, `ubuntu22.04`: no official image has a full stop in its name."""
    joined = _JOINED.fullmatch(text)
    return None if joined is None else f"{joined['name']}:{joined['tag']}"


def _with_colon(text: str) -> str | None:
    """`nginx/1.27` and `bitnami/nginx/latest`."""
    head, _, last = text.rpartition("/")
    if not head or not _VERSION.fullmatch(last) or "@" in head:
        return None
    bare = head.rpartition("/")[2] + "/" == OFFICIAL_PREFIX or ("/" not in head and is_host(head))
    return None if bare else f"{head}:{last}"


def _without_library(text: str) -> str | None:
    """`library/` is for Docker Hub's official images alone, which have no other part."""
    head, slash, rest = text.partition("/")
    if not slash or not is_host(head):
        head, rest = DOCKER_HUB, text
    name = rest.removeprefix(OFFICIAL_PREFIX)
    if name == rest:
        return None
    if "/" in name:
        return f"{head}/{name}"
    return None if head == DOCKER_HUB else name


# The registry that images go to


def _without_target(host: str, text: str) -> str | None:
    """Only where the rest is how a target names a source, so that no other name is made up."""
    if not host or not text.lower().startswith(f"{host}/"):
        return None
    rest = text[len(host) + 1 :]
    if rest.startswith(OFFICIAL_PREFIX):
        return rest
    path = rest
    while path:
        if (source := source_name(path)) is not None:
            return source
        path = path.partition("/")[2]  # behind the target's prefix, which may have several parts
    return None
