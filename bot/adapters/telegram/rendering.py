"""Renders messages in Telegram's HTML (https://core.telegram.org/bots/api#html-style)."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.telegram import COPY_LIMIT, TELEGRAM, TEXT_LIMIT
from bot.adapters.words import LocaleWords, without_markup
from bot.dialog.language import Language
from bot.dialog.message import Button, ButtonKind, Message, Phrase, Text

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 200
"""The limit of the answer to a button press, in characters.

https://core.telegram.org/bots/api#answercallbackquery
"""
DATA_LIMIT: Final = 64
"""Bytes of callback data: https://core.telegram.org/bots/api#inlinekeyboardbutton"""
_OF_TELEGRAM: Final = re.compile(rf'(?<=<a href=")person:{TELEGRAM}:')
_OF_OTHERS: Final = re.compile(r'<a href="person:[^"]*">(.*?)</a>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in Telegram's HTML, and its rows of buttons: label, kind and value."""

    html: str
    buttons: tuple[tuple[tuple[str, ButtonKind, str], ...], ...] = ()


class TelegramWords(LocaleWords):
    """The words of the locale files, as Telegram takes them."""

    def render(self, message: Message, language: Language) -> Rendered:
        """The text in HTML, and the buttons.

        Lines over TEXT_LIMIT are cut off, and so is a button that carries too much.
        """
        lines = [_linked(line) for line in self.lines(message, language)]
        rows = (
            tuple((self.plain(b.label, language), b.kind, b.value) for b in row if _is_taken(b))
            for row in message.buttons
        )
        return Rendered("\n".join(_fitting(lines)), tuple(filter(None, rows)))

    def plain(self, phrase: Phrase, language: Language) -> str:
        """At most ANSWER_LIMIT characters."""
        return super().plain(phrase, language)[:ANSWER_LIMIT]

    def popup(self, text: Text | None) -> str:
        """The answer to a press. Empty for none."""
        return "" if text is None else self.plain(text.message.lines[0], text.language)


def _is_taken(button: Button) -> bool:
    """Whether Telegram takes what the button carries."""
    match button.kind:
        case ButtonKind.CALLBACK:
            return len(button.value.encode()) <= DATA_LIMIT
        case ButtonKind.COPY:
            return len(button.value) <= COPY_LIMIT
        case ButtonKind.URL:
            return True


def _linked(line: str) -> str:
    """With links to the people of Telegram. Those of other services have their name alone."""
    return _OF_OTHERS.sub(r"\1", _OF_TELEGRAM.sub("tg://user?id=", line))


def _fitting(lines: Sequence[str]) -> Sequence[str]:
    """As many lines as a message holds: Telegram would refuse a longer one at each retry."""
    room = TEXT_LIMIT - 2
    for position, line in enumerate(lines):
        room -= len(without_markup(line).encode("utf-16-le")) // 2 + 1
        if room < 0:
            log.warning("a message of %d lines is cut at %d", len(lines), position)
            return [*lines[:position], "…"]
    return lines
