"""Turns phrases into text of a language, for the adapters of the services where people talk.

The texts are in `locales/` (Fluent, https://projectfluent.org). Their markup is a little HTML: b,
i, u, code, pre and a. A link to `person:` and an id stands for a person. Values are made safe and
escaped here, so no caller may do it. What a service makes of the markup is up to its adapter.
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

from bot.core.ids import PersonId
from bot.core.person_name import safe_text
from bot.dialog.image_names import name_list
from bot.dialog.language import Language
from bot.dialog.message import Message, Moment, Phrase, Value, say

log = logging.getLogger(__name__)

REGISTRIES_NAMED: Final = 6
"""How many registries a sentence names. Of the others it says only the number."""
VALUE_LIMIT: Final = 1200
"""Characters of an escaped value: two of them and the text around fit into fluent's 2500."""
TAG: Final = re.compile(r"<[^<>]*>")
"""A tag in the text of a locale file. Values are escaped, so they have none."""


@dataclass(frozen=True, slots=True)
class Maintainer:
    """Who runs the bot. `id`: None if not configured."""

    name: str
    id: PersonId | None = None


class LocaleWords:
    """The words of all languages.

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

    def lines(self, message: Message, language: Language) -> list[str]:
        """The lines of a message, in the markup of the locale files."""
        return [
            self._format(each, language)
            for line in message.lines
            for each in self._with_next_step(line)
        ]

    def plain(self, phrase: Phrase, language: Language) -> str:
        """The text without markup, for buttons and popups."""
        text = "\n".join(self._format(each, language) for each in self._with_next_step(phrase))
        return without_markup(text)

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
    if maintainer.id is None:
        return say("maintainer-named", name=maintainer.name)
    return say("maintainer-linked", name=maintainer.name, id=maintainer.id)


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


def without_markup(text: str) -> str:
    # Before unescaping, only tags of the locale files match: values are escaped.
    return html.unescape(TAG.sub("", text))


def _bundle(language: Language) -> FluentBundle:
    text = resources.files("bot.locales").joinpath(f"{language}.ftl").read_text("utf-8")
    # Without isolation marks, since people would copy them together with a command.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(text))
    return bundle
