"""Renders messages: turns phrases into text of a language, in Telegram's HTML.

The texts are in `locales/` (Fluent, https://projectfluent.org). They may contain HTML tags that
Telegram supports. Values are made safe and escaped here, so no caller may do it.
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

from bot.core.person_name import safe_text
from bot.dialog.image_names import name_list
from bot.dialog.language import Language
from bot.dialog.message import Message, Moment, Phrase, Rendered, Value, say

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 200
"""The limit of the answer to a button press, in characters.

https://core.telegram.org/bots/api#answercallbackquery
"""
TEXT_LIMIT: Final = 4096
"""The limit of a message, in UTF-16 code units after the tags are parsed.

https://core.telegram.org/bots/api#sendmessage
"""
REGISTRIES_NAMED: Final = 6
"""How many registries a sentence names. Of the others it says only the number."""
VALUE_LIMIT: Final = 1200
"""Characters of an escaped value: two of them and the text around fit into fluent's 2500."""
_TAG: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Maintainer:
    """Who runs the bot. `id` is their Telegram number, or 0 if not configured."""

    name: str
    id: int = 0


class LocaleWords:
    """Implements engine.ports.chat.Words.

    A key names a message of the file, or with a dot one of its attributes. The attribute `next`
    says what somebody can do, and is added as the next line. Each text can use the variables
    `maintainer` and `registries`.

    A key without text in a language is shown in English. A key without any text is shown as it is.
    Both are logged as errors.
    """

    def __init__(
        self,
        zone: tzinfo = UTC,
        *,
        maintainer: Maintainer | None = None,
        registries: Collection[str] = (),
    ) -> None:
        """`zone`: the time zone in which times are shown."""
        self._zone = zone
        self._bundles = {language: _bundle(language) for language in Language}
        self._known: dict[Language, dict[str, str | int]] = {language: {} for language in Language}
        named = name_list(sorted(registries) or [""], most=REGISTRIES_NAMED)
        for language in Language:
            self._known[language] = {
                "maintainer": self._format(_named(maintainer), language),
                "registries": self._format(named, language),
            }

    def render(self, message: Message, language: Language) -> Rendered:
        """The text in HTML, and the buttons. Lines over TEXT_LIMIT are cut off."""
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
        """The text without markup, for buttons and popups. At most ANSWER_LIMIT characters."""
        text = "\n".join(self._format(each, language) for each in self._with_next_step(phrase))
        # Before unescaping, only tags of the locale files match: values are escaped.
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
                return _escaped(safe_text(value))
            case _:
                return value


def _named(maintainer: Maintainer | None) -> Phrase:
    if maintainer is None:
        return say("maintainer-unnamed")
    if not maintainer.id:
        return say("maintainer-named", name=maintainer.name)
    return say("maintainer-linked", name=maintainer.name, id=str(maintainer.id))


def _clock(moment: Moment, zone: tzinfo) -> str:
    """The local time with its zone, and with the date unless it is today's."""
    local = moment.time.astimezone(zone)
    today = moment.seen is not None and local.date() == moment.seen.astimezone(zone).date()
    return f"{local:%H:%M %Z}" if today else f"{local:%Y-%m-%d %H:%M %Z}"


def _escaped(text: str) -> str:
    """A value in HTML, cut at VALUE_LIMIT: fluent would fail to format the whole message."""
    kept = text
    while len(shown := html.escape(kept)) > VALUE_LIMIT:
        kept = kept[: len(kept) * 3 // 4]
    return shown if kept == text else f"{shown}…"


def _fitting(lines: list[str]) -> list[str]:
    """As many lines as a message holds: Telegram would refuse a longer one at each retry."""
    room = TEXT_LIMIT - 2
    for position, line in enumerate(lines):
        room -= len(html.unescape(_TAG.sub("", line)).encode("utf-16-le")) // 2 + 1
        if room < 0:
            log.warning("a message of %d lines is cut at %d", len(lines), position)
            return [*lines[:position], "…"]
    return lines


def _bundle(language: Language) -> FluentBundle:
    text = resources.files("bot.locales").joinpath(f"{language}.ftl").read_text("utf-8")
    # Without isolation marks, since people would copy them together with a command.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(text))
    return bundle
