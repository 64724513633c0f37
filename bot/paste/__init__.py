"""The images in any text or file that people send, and that file with the target's names.

`extract`, `extract_file` and `rewrite` are for other packages, as is `reference` for one reference.

All input is untrusted, so size, depth and the number of texts are limited. Nothing raises, whatever
the input is. What cannot be read is reported as a `Flaw` beside what could be read.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bot.core.bad_image import BadImage
from bot.core.image import ImageRef, Target
from bot.paste.file_kind import scan
from bot.paste.finding import (
    IMAGES_PER_PASTE,
    MENTION_LENGTH_LIMIT,
    PASTE_SIZE_LIMIT,
    FileKind,
    Finding,
    Flaw,
    Mention,
    MentionReader,
    ScanResult,
    finding_of,
)
from bot.paste.free_text import possible_names
from bot.paste.reference import read_image
from bot.paste.rewriting import Fixed, rewrite_text

__all__ = [
    "IMAGES_PER_PASTE",
    "PASTE_SIZE_LIMIT",
    "REWRITABLE",
    "FileKind",
    "Finding",
    "Fixed",
    "Flaw",
    "Rewritten",
    "extract",
    "extract_file",
    "rewrite",
]

REWRITABLE: Final = frozenset(FileKind) - {FileKind.TEXT}
"""The kinds of files that can be sent back with the target's names."""

_WORD: Final = re.compile(r"(?=\S*[A-Za-z0-9])[^\s\u3040-\u30ff\u3400-\u9fff]+")
MOST_GUESSES: Final = 5  # a sentence with more such words is about something else

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHINESE: Final = "gb18030"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def extract(text: str, *, target_host: str, name: str = "") -> Finding:
    """The images that a text names. `name` is the name of its file, or empty for a message.

    `target_host` is the registry that images are copied to. People paste names of it, too.
    """
    if len(text) > PASTE_SIZE_LIMIT:
        return Finding(FileKind.TEXT, flaw=Flaw.TOO_LARGE)
    reader = MentionReader(target_host)
    finding = finding_of(scan(text, name), reader)
    if finding.images or finding.bad or finding.flaw or name:
        return finding
    guessed = {} if finding.certain else dict.fromkeys(possible_names(text))
    if len(guessed) <= MOST_GUESSES:  # official images that a sentence names: people confirm them
        mentions = tuple(Mention(word, uncertain=True) for word in guessed)
        found = finding_of(ScanResult(FileKind.TEXT, mentions, certain=False), reader)
        if found.images or found.bad:
            return found
    if len(text) <= MENTION_LENGTH_LIMIT and _WORD.fullmatch(text.strip()):
        # A message of one word is meant as an image, so report what is wrong with it.
        read = read_image(text.strip(), target_host=target_host)
        return Finding(FileKind.TEXT, bad=(read,)) if isinstance(read, BadImage) else finding
    return finding


def extract_file(content: bytes, *, target_host: str, name: str) -> Finding:
    """The images that a file names, read as UTF-8, as UTF-16 with its mark, or as GB 18030."""
    if len(content) > PASTE_SIZE_LIMIT:
        return Finding(FileKind.TEXT, flaw=Flaw.TOO_LARGE)
    decoded = _decoded(content)
    if decoded is None:
        return Finding(FileKind.TEXT, flaw=Flaw.NOT_TEXT)
    return extract(decoded[0], target_host=target_host, name=name or "file")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file to send back. See `Rewriting` for what was not changed in it."""

    content: bytes
    others: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    fixed: tuple[Fixed, ...] = ()


def rewrite(
    content: bytes, *, name: str, target: Target, images: Collection[ImageRef]
) -> Rewritten:
    """The same file with the target's names for the given images.

    All other bytes stay. A file that cannot be read comes back unchanged.
    """
    decoded = _decoded(content) if len(content) <= PASTE_SIZE_LIMIT else None
    if decoded is None:
        return Rewritten(content)
    text, mark, encoding = decoded
    found = scan(text, name or "file")
    if found.kind not in REWRITABLE:
        return Rewritten(content)
    changed = rewrite_text(text, found.mentions, target=target, images=images)
    content = mark + changed.text.encode(encoding)
    return Rewritten(content, changed.others, changed.passed, changed.fixed)


def _decoded(content: bytes) -> tuple[str, bytes, str] | None:
    """The text of a file, its byte order mark and its encoding, or None where it is no text.

    A text as Windows in China saves it counts if its bytes stay the same when it is written back.
    """
    marked = [(mark, name) for mark, name in _MARKS if content.startswith(mark)]
    for mark, encoding in marked or [(b"", "utf-8"), (b"", _CHINESE)]:
        try:
            text = content[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
        is_odd = encoding == _CHINESE and (
            _CONTROL.search(text) or text.encode(encoding) != content
        )
        return None if is_odd or "\0" in text else (text, mark, encoding)
    return None
