"""Renders messages in Telegram's HTML (https://core.telegram.org/bots/api#html-style)."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.telegram import TELEGRAM
from bot.adapters.words import LocaleWords, without_markup
from bot.dialog.language import Language
from bot.dialog.message import ButtonKind, Message, Phrase, Text

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 200
"""The limit of the answer to a button press, in characters.

https://core.telegram.org/bots/api#answercallbackquery
"""
TEXT_LIMIT: Final = 4096
"""The limit of a message, in UTF-16 code units after the tags are parsed.

https://core.telegram.org/bots/api#sendmessage
"""
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
        """The text in HTML, and the buttons. Lines over TEXT_LIMIT are cut off."""
        lines = [_linked(line) for line in self.lines(message, language)]
        buttons = tuple(
            tuple((self.plain(button.label, language), button.kind, button.value) for button in row)
            for row in message.buttons
        )
        return Rendered("\n".join(_fitting(lines)), buttons)

    def plain(self, phrase: Phrase, language: Language) -> str:
        """At most ANSWER_LIMIT characters."""
        return super().plain(phrase, language)[:ANSWER_LIMIT]

    def popup(self, text: Text | None) -> str:
        """The answer to a press. Empty for none."""
        return "" if text is None else self.plain(text.message.lines[0], text.language)


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
