"""Every word the bot says: turns messages into one language's text, as Telegram takes it.

The words are in `locales/` (Fluent, https://projectfluent.org). A pattern may hold the markup
that Telegram knows; the values put into it are escaped here and nowhere else.
"""

import html
import logging
from collections.abc import Callable
from importlib import resources
from typing import Final

from fluent.runtime import FluentBundle, FluentResource

from bot.core.message import Message, Phrase, Rendered, Value

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 200
"""Telegram's limit of the answer to a button press, in characters."""


class LocaleWords:
    """Implements engine.ports.Words for one language."""

    def __init__(self, language: str) -> None:
        text = resources.files("bot.locales").joinpath(f"{language}.ftl").read_text("utf-8")
        # Isolating marks would be copied along with a command: people paste what they copy.
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource(text))

    def render(self, message: Message) -> Rendered:
        lines = [self._format(line, html.escape) for line in message.lines]
        buttons = tuple(
            tuple((self.plain(button.label), button.kind, button.value) for button in row)
            for row in message.buttons
        )
        return Rendered("\n".join(lines), buttons)

    def plain(self, phrase: Phrase) -> str:
        return self._format(phrase, str)[:ANSWER_LIMIT]

    def _format(self, phrase: Phrase, escape: Callable[[str], str]) -> str:
        """The words of a phrase. A phrase without words shows its key: wrong, but not silent."""
        known = self._bundle.has_message(phrase.key)
        pattern = self._bundle.get_message(phrase.key).value if known else None
        if pattern is None:
            log.error("no words for %s", phrase.key)
            return escape(phrase.key)
        values = {name: self._value(value, escape) for name, value in phrase.values}
        text, errors = self._bundle.format_pattern(pattern, values)
        for error in errors:
            log.error("the words of %s: %s", phrase.key, error)
        return str(text)

    def _value(self, value: Value, escape: Callable[[str], str]) -> str | int:
        match value:
            case Phrase():
                return self._format(value, escape)
            case str():
                return escape(value)
            case _:
                return value
