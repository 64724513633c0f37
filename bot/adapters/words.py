"""Every word the bot says: turns messages into a language's text, as Telegram takes it.

The words are in `locales/` (Fluent, https://projectfluent.org). A pattern may hold the markup
that Telegram knows; the values put into it are escaped, and kept to their line, here and nowhere
else.
"""

import html
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from importlib import resources
from typing import Final

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.resolver import Pattern

from bot.dialog.language import Language
from bot.dialog.message import Message, Moment, Phrase, Rendered, Value, say

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 200
"""Telegram's limit of the answer to a button press, in characters."""
TEXT_LIMIT: Final = 4096
"""Telegram's limit of a message, in UTF-16 units without the markup."""
REGISTRIES_NAMED: Final = 6
"""Registries that a sentence names. It counts the others."""
VALUE_LIMIT: Final = 1200
"""Characters of a value when escaped: two of them and their words fit where fluent takes 2500."""
_TAG: Final = re.compile(r"<[^<>]*>")
_UNRULY: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
"""What ends lines or turns the direction of text: a name with it could write lines of its own."""


@dataclass(frozen=True, slots=True)
class Maintainer:
    """Who runs the bot. `id` is their number at Telegram, 0 where it is not given."""

    name: str
    id: int = 0


class LocaleWords:
    """Implements engine.ports.chat.Words.

    All languages are read at start, so none can be missing later.

    A key names a message of the file, and with a dot one of its attributes. The attribute `next`
    says what somebody can do about what the message says: it follows the line by itself. A
    sentence can name whoever runs the bot, and the registries that images may come from.

    A key without words in a language is said in English. One without any words shows itself.
    Both are logged as errors.
    """

    def __init__(
        self,
        zone: tzinfo = UTC,
        *,
        maintainer: Maintainer | None = None,
        registries: Collection[str] = (),
    ) -> None:
        """`zone`: the time zone of the people who read times."""
        self._zone = zone
        self._bundles = {language: _bundle(language) for language in Language}
        self._known: dict[Language, dict[str, str | int]] = {language: {} for language in Language}
        named = ", ".join(sorted(registries)[:REGISTRIES_NAMED])
        for language in Language:
            self._known[language] = {
                "maintainer": self._format(_named(maintainer), language),
                "registries": html.escape(named),
                "more_registries": max(0, len(registries) - REGISTRIES_NAMED),
            }

    def render(self, message: Message, language: Language) -> Rendered:
        """The text with markup, and the buttons."""
        lines = [
            self._format(each, language)
            for line in message.lines
            for each in self._with_next_step(line)
        ]
        buttons = tuple(
            tuple((self.plain(button.label, language), button.kind, button.value) for button in row)
            for row in message.buttons
        )
        return Rendered("\n".join(_fitting(lines)), buttons)

    def plain(self, phrase: Phrase, language: Language) -> str:
        """Without markup, for places that take none. At most ANSWER_LIMIT characters."""
        text = "\n".join(self._format(each, language) for each in self._with_next_step(phrase))
        # While values are escaped, whatever looks like a tag is one of the words' own.
        return html.unescape(_TAG.sub("", text))[:ANSWER_LIMIT]

    def _with_next_step(self, line: Phrase) -> list[Phrase]:
        following = replace(line, key=f"{line.key}.next")
        return [line, following] if self._pattern(following.key, Language.EN) else [line]

    def _pattern(self, key: str, language: Language) -> Pattern | None:
        name, _, attribute = key.partition(".")
        if not self._bundles[language].has_message(name):
            return None
        message = self._bundles[language].get_message(name)
        return message.attributes.get(attribute) if attribute else message.value

    def _format(self, phrase: Phrase, language: Language) -> str:
        pattern = self._pattern(phrase.key, language)
        if pattern is None:
            log.error("no words for %s in %s", phrase.key, language)
            if language is Language.EN:
                return html.escape(phrase.key)
            return self._format(phrase, Language.EN)
        given = {name: self._value(value, language) for name, value in phrase.values}
        values = self._known[language] | given
        text, errors = self._bundles[language].format_pattern(pattern, values)
        for error in errors:
            log.error("the words of %s in %s: %s", phrase.key, language, error)
        return str(text)

    def _value(self, value: Value, language: Language) -> str | int:
        match value:
            case Phrase():
                return self._format(value, language)
            case Moment():
                return _clock(value, self._zone)
            case str():
                return _escaped(_UNRULY.sub(" ", value))
            case _:
                return value


def _named(maintainer: Maintainer | None) -> Phrase:
    if maintainer is None:
        return say("maintainer-unnamed")
    if not maintainer.id:
        return say("maintainer-named", name=maintainer.name)
    return say("maintainer-linked", name=maintainer.name, id=str(maintainer.id))


def _clock(moment: Moment, zone: tzinfo) -> str:
    """A time that people can read and sort, with its zone, since a chat may cross several."""
    local = moment.time.astimezone(zone)
    today = moment.seen is not None and local.date() == moment.seen.astimezone(zone).date()
    return f"{local:%H:%M %Z}" if today else f"{local:%Y-%m-%d %H:%M %Z}"


def _escaped(text: str) -> str:
    """A value as text, cut where the library would give up the whole message for its length."""
    kept = text
    while len(shown := html.escape(kept)) > VALUE_LIMIT:
        kept = kept[: len(kept) * 3 // 4]
    return shown if kept == text else f"{shown}…"


def _fitting(lines: list[str]) -> list[str]:
    """As many lines as a message holds: one too long would not be sent at all, ever."""
    room = TEXT_LIMIT - 2
    for position, line in enumerate(lines):
        room -= len(html.unescape(_TAG.sub("", line)).encode("utf-16-le")) // 2 + 1
        if room < 0:
            log.warning("a message of %d lines is cut at %d", len(lines), position)
            return [*lines[:position], "…"]
    return lines


def _bundle(language: Language) -> FluentBundle:
    text = resources.files("bot.locales").joinpath(f"{language}.ftl").read_text("utf-8")
    # Isolating marks would be copied along with a command: people paste what they copy.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(text))
    return bundle
