"""What people call themselves, made safe to show on a line of the bot.

A name is chosen by its person, and stands on the head line of a card and in "Approved by …". So it
must not look like a part of that line, and must not disturb the text around it. `safe_text` serves
every text of outside, `safe_name` only names.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

NAME_CHARACTERS: Final = 40
"""A longer name would push the rest of its line out of sight."""
MARKS_ON_A_LETTER: Final = 2
"""Combining characters that a letter keeps. Vietnamese needs two, a tower of marks more."""
NAMELESS: Final = "?"
_INVISIBLE: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""What is blank without being a space: fillers, the grapheme joiner, the braille blank."""
_VARIATIONS: Final = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: https://www.unicode.org/charts/PDF/UFE00.pdf"""
_LINE_ENDS: Final = frozenset({"Cc", "Zl", "Zp"})
_HIDDEN: Final = frozenset({"Cf", "Cn", "Co", "Cs"})
"""Marks of direction, joiners and tags. Private and unknown characters may look like anything."""
_PARTS_OF_A_LINE: Final = re.compile(
    "[\u2500-\u25ff#\ufe5f\uff03:\u02d0\u2236\ua789\ufe13\ufe30\ufe55\uff1a]+"
)
"""The bar of a card, the number of a request, and the colon after a name, in all their shapes."""
_ISOLATE: Final = ("\u2068", "\u2069")
"""First strong isolate and its end: https://www.unicode.org/reports/tr9/"""


def safe_text(text: str) -> str:
    """The text on one line, without invisible characters, towers of marks or changes of direction.

    A text with letters that are read from right to left is isolated, so that it cannot turn the
    text around it.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(_visible(unicodedata.normalize("NFC", text)))
    return f"{_ISOLATE[0]}{shown}{_ISOLATE[1]}" if _is_right_to_left(shown) else shown


def safe_name(name: str) -> str:
    """A name that nobody can take for another part of the line. Never empty."""
    shown = _PARTS_OF_A_LINE.sub(" ", "".join(_visible(unicodedata.normalize("NFC", name))))
    shown = " ".join(shown.split())
    if len(shown) > NAME_CHARACTERS:
        shown = shown[: NAME_CHARACTERS - 1].rstrip() + "…"
    return shown or NAMELESS


def _visible(text: str) -> Iterator[str]:
    """The characters that are shown. What ends a line, and every kind of blank, is a space."""
    marks, last = MARKS_ON_A_LETTER, ""  # a mark at the start would sit on the word before
    for character in text:
        kind = unicodedata.category(character)
        if _is_invisible(character) or kind in {"Me", *_HIDDEN}:
            continue
        if kind in _LINE_ENDS and last == " ":
            continue
        is_blank = kind in _LINE_ENDS or kind == "Zs"
        if is_blank:
            marks = MARKS_ON_A_LETTER
        elif kind == "Mn":
            if marks >= MARKS_ON_A_LETTER:
                continue
            marks += 1
        else:
            marks = 0
        last = " " if is_blank else character
        yield last


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or any(ord(character) in each for each in _VARIATIONS)


def _is_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text)
