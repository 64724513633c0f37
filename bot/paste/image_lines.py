"""Lines of the form `image: x`, where the text cannot be parsed as YAML.

Such texts are templates of charts, parts of files, manifests within manifests, and the output of
`kubectl describe`.
"""

import re
from collections.abc import Iterator
from typing import Final

from bot.core.bad_image import Gap
from bot.paste.finding import MENTION_LENGTH_LIMIT, Mention, Span
from bot.paste.tokens import TokenKind, token_kind

_LINE: Final = re.compile(
    r"^[ \t]*(?:-[ \t]+)?([\"']?)image\1[ \t]{0,4}:[ \t]{1,40}([\"']?)([^\s\"'#{}]{1,1024})\2"
    r"[ \t]{0,40},?(?:[ \t]+#[^\n]*)?\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_NO_IMAGE: Final = re.compile(
    r"(?i)[./\\~]|(?:null|~|true|false)$|[^:@]*\.(?:png|jpe?g|gif|svg|ico|webp)$"
)


def is_no_image(text: str) -> bool:
    """Whether the value of a key `image` is a template, a picture or a path."""
    if not text or len(text) > MENTION_LENGTH_LIMIT or _NO_IMAGE.match(text):
        return True
    return "{{" in text or ("://" in text and token_kind(text) is not TokenKind.IMAGE)


def mention_of(text: str, *places: Span) -> Mention | None:
    """The mention in the value of a key `image`, or None. Defaults of variables are not read."""
    if is_no_image(text):
        return None
    return Mention(text, places, Gap.VARIABLE if "$" in text else None)


def mentions(text: str, start: int = 0, end: int | None = None) -> Iterator[Mention]:
    """The images of all such lines between two positions of a text."""
    for found in _LINE.finditer(text, start, len(text) if end is None else end):
        mention = mention_of(found[3], Span(found.start(3), found.end(3)))
        if mention is not None:
            yield mention
