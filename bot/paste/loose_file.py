"""Images in files of kinds that no other module reads, such as HCL, TOML, templates and scripts.

Only two things count: a value after a key about images, and a word that is an image in full. A
file has words of its own, such as passwords, so no other word of it is ever shown. What was passed
over is named by its line and its key.
"""

import re
from collections.abc import Iterator
from typing import Final

from bot.core.bad_image import Gap
from bot.paste.finding import MENTION_LENGTH_LIMIT, Mention, Span, passed_over
from bot.paste.image_values import Look, is_image_key, is_no_image, is_template, look_of
from bot.paste.official_images import OFFICIAL_IMAGES

_PAIR: Final = re.compile(
    r"(?P<key>[A-Za-z_][\w.-]{0,100})[\"']?"
    r"(?P<sign>[ \t]{0,40}(?::=|\?=|[:=])[ \t]{0,40}|[ \t]{1,4}(?=[\"']))"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`,;#{}()\[\]][^\s\"'`,;#()\[\]]{0,1023}|\{\{[^\n]{0,400})"
)
_WORD: Final = re.compile(r"[^\s\"'`,;()<>\[\]{}|=$#]{3,1024}")
_LINE: Final = re.compile(
    r"(?i:[ \t]*(?:-[ \t]+)?([\"']?)image\1[ \t]{0,4}:[ \t]{1,40}([\"']?)"
    r"(?P<image>[^\s\"'#]{1,1024})\2[ \t]{0,40},?(?:[ \t]+#[^\n]*)?\r?)"
    r"|\s*FROM\s+(?:--platform=\S+\s+)?(?P<base>\S+)(?:\s+(?:AS|as)\s+\S+)?\s*"
)
_NAMING: Final = frozenset({"name", "source", "ref", "reference", "from", "base"})
"""Keys whose value is an image where it has a tag."""
_SCHEME: Final = re.compile(r"^docker(?:-image)?://")
_TARGET: Final = re.compile(
    r"\s*[\"']?(tags?|target|dest|destination|dst|to|output|push)[\"']?\s*=|\s*(SAVE IMAGE)\b"
    r"|.{0,200}\b(?:docker|podman|nerdctl|ctr|crane)\s+(?:images?\s+|i\s+)?(push|tag)\s",
    re.IGNORECASE,
)
"""What is built or copied there is no image to pull."""
_SECRET: Final = re.compile(r"(?i)passw|secret|token|_key|apikey|credential|pwd")
_COMMENT: Final = re.compile(r"\s*(?:#|//|--|;)")
_LONGEST_LINE: Final = 4000


def mentions(text: str) -> Iterator[Mention]:
    """The images of all lines, with their spans."""
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if len(line) > _LONGEST_LINE:
            yield passed_over("-", line=number)
        elif not _COMMENT.match(line):
            yield from _of_line(line, start, number)
        start += len(line)


def of_image_line(line: str) -> Mention | None:
    """The image of a line that is only `image: x` or `FROM x`, or None."""
    found = _LINE.fullmatch(line)
    text = (found["image"] or found["base"]) if found else ""
    if is_no_image(text) or is_template(text):
        return None
    return Mention(text, (), Gap.VARIABLE if "$" in text else None, uncertain=True)


def _of_line(line: str, start: int, number: int) -> Iterator[Mention]:
    read = set[int]()
    for pair in _PAIR.finditer(line):
        is_naming = pair["key"].lower() in _NAMING and look_of(pair["value"]) is Look.PAIR
        if not is_image_key(pair["key"]) and not is_naming:
            continue
        value, begin = pair["value"].rstrip("\\"), pair.start("value")
        read.add(begin)
        before = line[: pair.start()].rstrip(" \t\"'")
        is_said = before[-1:].isalnum() and "=" not in pair["sign"]  # a sentence
        if is_said and look_of(value) in {Look.WORD, Look.NONE}:
            continue
        span = Span(start + begin, start + begin + len(value))
        yield from _of_image(pair["key"], value, span, number)
    for word in _WORD.finditer(line):
        before = line[: word.start()]
        if word.start() in read or ":" not in word[0]:
            continue
        words = _SCHEME.sub("", word[0])
        begin = start + word.start() + len(word[0]) - len(words)
        words, is_bare = words.rstrip(".:"), words == word[0]
        look, is_set = look_of(words), "$" in before[-1:]
        if look is Look.PAIR and is_bare:  # without a scheme
            if words.partition(":")[0] in OFFICIAL_IMAGES and not is_set:
                yield passed_over("-", line=number)
        elif look in {Look.WHOLE, Look.PAIR} and not is_set:
            target = _TARGET.match(line)
            if target or _SECRET.search(before):
                yield passed_over((target and target[target.lastindex or 0]) or "-", line=number)
            else:
                yield Mention(words, (Span(begin, begin + len(words)),), line=number)


def _of_image(key: str, value: str, span: Span, number: int) -> Iterator[Mention]:
    """What the value of a key about images names."""
    look, gap = look_of(value), Gap.VARIABLE if "$" in value else None
    is_open = look is Look.TEMPLATE or "${" in value
    if not is_open and (is_no_image(value) or len(value) > MENTION_LENGTH_LIMIT):
        return
    is_word = look is Look.WORD and key.lower() != "image"
    if is_open or is_word or (look is Look.NONE and gap is None):
        yield passed_over(key, line=number)
    elif look is Look.UNTAGGED and key not in {"image", "Image"}:  # of a script, with a tag later
        yield Mention(value, (), Gap.NO_TAG, line=number)
    else:
        yield Mention(value, (span,), gap, line=number)
