"""A text with each thing on one line, before the lines are read one by one.

Commands go on after a backslash, arrays of a shell have a line for each item, and people write a
version below its name. What only looks like a word of the text goes: marks of here-documents, and
the names of links.
"""

import re
from typing import Final

from bot.paste.web_addresses import image_on_page

BREAK: Final = "\ue000"
"""Stands where lines were joined, so that lines can still be counted."""

# Match only from the first blank of a run: trying each blank takes quadratic time.
_CONTINUED: Final = re.compile(r"(?<![ \t])[ \t]*(?:\\[ \t]{0,9}|[ \t][`^])\r?\n[ \t]{0,99}")
_LINK: Final = re.compile(r"\[([^]\[\n]{1,200})\]\((https?://[^)\s]{1,600})\)")
_COUNTED: Final = re.compile(r"(?m)^[ \t]{0,40}[0-9]{1,6}[ \t]+(?=[^\s:]+[/:]\S+$)")
"""A count of `uniq -c` before an image."""
_VERSION_BELOW: Final = re.compile(
    r"(?im)\n[ \t]*(?=(?:tag|version|版本号?|标签)[ \t]?[:：=][ \t]?\S+[ \t]*$)"
)
_ARRAY: Final = re.compile(r"=\([^()]*\)")
_COMMENT_OR_BREAK: Final = re.compile(r"(?:\s#[^\n]*)?\n")
_HEREDOC: Final = re.compile(r"<<-?[\"']?([A-Z_]{2,20})\b")
_CAPITALS: Final = re.compile(r"(?m)^[ \t]{0,20}([A-Z_]{2,20})[ \t]*$")


def joined(text: str, *, is_file: bool) -> str:
    """The text with joined lines. Only people, who are asked, write a version below its name."""
    text = _LINK.sub(_linked, _CONTINUED.sub(f" {BREAK}", text))
    text = _COUNTED.sub("", text)
    if not is_file:
        text = _VERSION_BELOW.sub(f" {BREAK}", text)
    ends = {found[1] for found in _HEREDOC.finditer(text)}
    text = _CAPITALS.sub(lambda line: "" if line[1] in ends else line[0], text)
    return _ARRAY.sub(lambda array: _COMMENT_OR_BREAK.sub(f" {BREAK}", array[0]), text)


def _linked(link: re.Match[str]) -> str:
    """The page of a link of Markdown where it shows an image, else the words of the link too."""
    return f" {link[2]} " if image_on_page(link[2]) else f" {link[1]} {link[2]} "
