"""All languages say the same, each in its own words.

A message is read in every way that its selectors permit, with each variable's name in braces as
its value. That each key is used by the code, and each used key exists, is tested for English in
test_card.py. Here all languages are tested to have the same keys.
"""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from bot.core.failures import FailureKind
from bot.core.policy import ExceededLimit
from bot.dialog.command_values import CommandName
from bot.dialog.language import Language
from bot.dialog.questions import QuestionKind
from bot.paste import Flaw
from bot.sandbox.telegram.entities import commands_in, length, parsed

LOCALES = Path(__file__).parents[2] / "bot" / "locales"
CATEGORIES = {Language.EN: {"one", "other"}, Language.ZH_CN: {"other"}}
"""The plural categories that each language has (CLDR)."""
OTHERS = [language for language in Language if language is not Language.EN]

HAN = r"\u4e00-\u9fff"
STOPS = r"\uff0c\u3002\uff1a\uff1b\uff01\uff1f\uff08\uff09\u3001"
QUOTES = r"\u201c\u201d"  # English has them too
ELLIPSIS = r"\u2026"
NAMES = {
    "Actions", "B", "Docker", "Dockerfile", "GB", "GitHub", "Harbor", "Hub", "ID", "IPv6",
    "Kubernetes", "MB", "MiB", "Secret", "Telegram", "YAML", "chart", "compose", "containerd",
    "docker", "https",
    "image.list", "imageto-bot", "kB", "library", "setup",
}  # fmt: skip
"""What stays in Latin letters in Chinese sentences, apart from commands and settings."""


def source(language: Language) -> str:
    return (LOCALES / f"{language}.ftl").read_text("utf-8")


def entries(language: Language) -> list[ast.EntryType]:
    return FluentParser().parse(source(language)).body


MESSAGES = {
    language: {
        entry.id.name: entry for entry in entries(language) if isinstance(entry, ast.Message)
    }
    for language in Language
}


def readings(node: ast.BaseNode) -> list[str]:
    """Return every text that a pattern, or a part of one, can become."""
    match node:
        case ast.Pattern(elements=elements):
            return ["".join(parts) for parts in itertools.product(*map(readings, elements))]
        case ast.TextElement(value=text) | ast.StringLiteral(value=text):
            return [text]
        case ast.Placeable(expression=expression):
            return readings(expression)
        case ast.SelectExpression(variants=variants):
            return [text for variant in variants for text in readings(variant.value)]
        case ast.VariableReference(id=name):
            return [f"{{{name.name}}}"]
    raise AssertionError(f"a part that no message needs: {node!r}")


def patterns(message: ast.Message) -> dict[str, ast.Pattern]:
    """Return the patterns of a message and of its attributes, by key."""
    found = {f"{message.id.name}.{each.id.name}": each.value for each in message.attributes}
    return {message.id.name: message.value} | found if message.value else found


PATTERNS = {
    language: {
        key: pattern for message in messages.values() for key, pattern in patterns(message).items()
    }
    for language, messages in MESSAGES.items()
}
READINGS = {
    language: {key: readings(pattern) for key, pattern in found.items()}
    for language, found in PATTERNS.items()
}


class Parts(Visitor):
    """The variables of a pattern at any depth, and its selectors."""

    def __init__(self, pattern: ast.Pattern) -> None:
        self.variables: set[str] = set()
        self.selectors: list[ast.SelectExpression] = []
        self.visit(pattern)

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - theirs
        self.variables.add(node.id.name)

    def visit_SelectExpression(self, node: ast.SelectExpression) -> None:  # noqa: N802 - theirs
        self.selectors.append(node)
        self.generic_visit(node)


def in_both(
    language: Language, look: Callable[[Language, str], object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Apply `look` to each message of the language, and to the same ones in English."""
    keys = [key for key in READINGS[Language.EN] if key in READINGS[language]]
    return {key: look(language, key) for key in keys}, {key: look(Language.EN, key) for key in keys}


def test_every_language_has_its_file_and_every_file_its_language() -> None:
    assert {path.stem for path in LOCALES.glob("*.ftl")} == set(Language)


@pytest.mark.parametrize("language", Language)
def test_a_file_holds_messages_and_comments_alone(language: Language) -> None:
    # The library skips what it cannot parse as junk, so words would be missing.
    known = (ast.Message, ast.Comment)
    assert [entry for entry in entries(language) if not isinstance(entry, known)] == []


@pytest.mark.parametrize("language", Language)
def test_no_key_stands_twice(language: Language) -> None:
    keys = [entry.id.name for entry in entries(language) if isinstance(entry, ast.Message)]
    assert sorted(keys) == sorted(set(keys))


def outline(language: Language) -> list[str]:
    """Return the keys and the headings of sections, in order."""
    line = r"^(?:[a-z][a-z0-9-]*(?= =)| +\.[a-z]+(?= =)|# --.*)"
    return re.findall(line, source(language), re.MULTILINE)


@pytest.mark.parametrize("language", OTHERS)
def test_the_same_keys_stand_in_the_same_order(language: Language) -> None:
    assert outline(language) == outline(Language.EN)


@pytest.mark.parametrize("language", Language)
def test_every_message_has_words_and_attributes_that_are_said(language: Language) -> None:
    for key in MESSAGES[language]:
        assert any(text.strip() for text in READINGS[language].get(key, [])), key
    assert {key.partition(".")[2] for key in READINGS[language]} == {"", "next", "usage"}


REFUSALS = [
    *(f"failure-{kind}" for kind in FailureKind),
    *(f"limit-{limit}" for limit in ExceededLimit),
    *(f"{what}-{flaw}" for what in ("text", "file") for flaw in (Flaw.TOO_LARGE, Flaw.TOO_DEEP)),
    *(f"{kind}-unanswered" for kind in QuestionKind),
    *("denied", "denied-because", "denied-registry", "note-rejected", "note-rejected-because"),
    *("note-expired", "limit-minute", "watch-limit", "watch-off", "watch-fixed", "unwatch-none"),
    *("why-unknown", "rollback-none", "rollback-busy", "decisions-none-here", "decisions-more"),
    *("outside", "guest", "faceless", "admins-only", "not-yours", "no-request", "too-late"),
    *("nothing-found", "nothing-found-file", "file-broken", "file-not-text", "file-gone"),
    *("nothing-to-retry", "draft-over", "draft-empty", "draft-confirmed", "draft-unconfirmed"),
    *("already-taken", "button-unknown", "cannot-store", "cannot-store-press", "returned-nothing"),
]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", REFUSALS)
def test_every_failure_and_every_refusal_says_what_to_do_next(key: str, language: Language) -> None:
    assert f"{key}.next" in READINGS[language]


REFUSING = re.compile(
    r"\b(cannot|could not|not allow\w*|does not|is not|no such|too (many|large|late|deep\w*|much)"
    r"|at most|refus\w+|wrong|expired|dropped|no (image|request|record)|only an admin|malformed"
    r"|missing|not found|was (cancelled|replaced))\b",
    re.IGNORECASE,
)
COMMAND = re.compile(r"(?<![<\w])/[a-z]+\b")
PARTS = ("problem-", "mistake-", "state-", "trouble-", "command-")
"""Messages that stand within others."""
INFORMING = {
    *("note-mirrored-by-run", "bad-head", "why-undecided", "why-older", "decisions-none"),
    *("effect-first", "effect-others", "lookup-target-none", "lookup-target-unreadable"),
    *("outdated-untold", "hand-written-denied", "reload-refused", "why-previous-refused"),
    "result-charts",
}
"""They say no, but refuse nobody anything, or the lines around them say what to do."""


def test_what_says_no_says_what_to_do_next_or_names_a_command() -> None:
    english = READINGS[Language.EN]
    mute = {
        key
        for key, texts in english.items()
        if not key.startswith(PARTS)
        and "." not in key
        and f"{key}.next" not in english
        and any(map(REFUSING.search, texts))
        and not any(map(COMMAND.search, texts))
    }
    assert mute == INFORMING


@pytest.mark.parametrize("language", Language)
def test_every_command_says_how_it_is_typed(language: Language) -> None:
    for name in CommandName:
        (usage,) = READINGS[language][f"command-{name}.usage"]
        assert usage.split(" ")[0] == f"/{name}"


LONGEST_LINE = {Language.EN: 160, Language.ZH_CN: 80}


@pytest.mark.parametrize("language", Language)
def test_no_line_is_longer_than_people_read_at_a_glance(language: Language) -> None:
    for key, texts in READINGS[language].items():
        for line in (line for text in texts for line in text.splitlines()):
            sample = re.sub(r"\{\w+\}", "1234", re.sub(r"<[^<>]*>", "", line))
            assert len(sample) <= LONGEST_LINE[language], key


def variables(language: Language, key: str) -> set[str]:
    return Parts(PATTERNS[language][key]).variables


@pytest.mark.parametrize("language", OTHERS)
def test_a_message_takes_the_same_values_in_every_language(language: Language) -> None:
    there, english = in_both(language, variables)
    assert there == english


def tags(language: Language, key: str) -> set[str]:
    return {tag for text in READINGS[language][key] for tag in re.findall(r"<[^<>]*>", text)}


@pytest.mark.parametrize("language", OTHERS)
def test_a_message_has_the_same_markup_in_every_language(language: Language) -> None:
    there, english = in_both(language, tags)
    assert there == english


@pytest.mark.parametrize("language", Language)
def test_telegram_takes_every_reading(language: Language) -> None:
    for texts in READINGS[language].values():
        for text in texts:
            parsed(text)


def to_be_typed(language: Language, key: str) -> set[str]:
    """Return what is not translated: code, commands that a tap sends, requests, setting names."""
    found: set[str] = set()
    for markup in READINGS[language][key]:
        found.update(re.findall(r"<code>.*?</code>", markup))
        text, _ = parsed(re.sub(r"<code>.*?</code>", "", markup))
        commands = {(command["offset"], command["length"]) for command in commands_in(text)}
        spelled = re.finditer(r"/[a-z]+", text)
        found.update(m[0] for m in spelled if (length(text[: m.start()]), len(m[0])) in commands)
        found.update(re.findall(r"#\{\w+\}|\b[A-Z]+_[A-Z]+\b", text))
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_to_be_typed_is_the_same_in_every_language(language: Language) -> None:
    there, english = in_both(language, to_be_typed)
    assert there == english


def form(variant: ast.Variant) -> str:
    return variant.key.name if isinstance(variant.key, ast.Identifier) else variant.key.value


@pytest.mark.parametrize("language", Language)
def test_a_selector_has_the_forms_of_its_language(language: Language) -> None:
    for key, pattern in PATTERNS[language].items():
        for selector in Parts(pattern).selectors:
            words = {form(variant) for variant in selector.variants if not form(variant).isdigit()}
            assert words <= CATEGORIES[language], key
            assert [form(v) for v in selector.variants if v.default] == ["other"], key


def singled_out(language: Language, key: str) -> set[tuple[str, str]]:
    """Return the numbers that have a form of their own, with the variable that is counted."""
    return {
        (selector.selector.id.name, form(variant))
        for selector in Parts(PATTERNS[language][key]).selectors
        if isinstance(selector.selector, ast.VariableReference)
        for variant in selector.variants
        if form(variant).isdigit()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_a_number_with_a_meaning_of_its_own_keeps_it(language: Language) -> None:
    for key in PATTERNS[Language.EN].keys() & PATTERNS[language].keys():
        assert singled_out(Language.EN, key) <= singled_out(language, key), key


def latin_words(language: Language, key: str) -> set[str]:
    """Return the words in Latin letters that are no names."""
    found: set[str] = set()
    for markup in READINGS[language][key]:
        text = re.sub(r"<code>.*?</code>|<[^<>]*>", "", markup)
        text = re.sub(r"\{\w+\}|/[a-z]+|\b[A-Z]+_[A-Z]+\b", " ", text)
        found.update(re.findall(r"[A-Za-z](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", text))
    return found - NAMES


def test_no_english_is_left_in_chinese() -> None:
    left = {key: latin_words(Language.ZH_CN, key) for key in READINGS[Language.ZH_CN]}
    assert {key: words for key, words in left.items() if words} == {}


def test_what_is_said_in_english_words_is_said_in_chinese_ones() -> None:
    for key, texts in READINGS[Language.ZH_CN].items():
        if latin_words(Language.EN, key):
            assert any(re.search(f"[{HAN}]", text) for text in texts), key


def test_english_is_written_without_chinese_letters_and_punctuation() -> None:
    for key, texts in READINGS[Language.EN].items():
        assert not any(re.search(f"[{HAN}{STOPS}]", text) for text in texts), key


MISSET = {
    "no blank between Chinese and Latin": rf"[{HAN}][A-Za-z0-9{{/#]|[A-Za-z0-9}}][{HAN}]",
    "a blank between Chinese letters": rf"[{HAN}] +[{HAN}]",
    "a blank beside full-width punctuation": rf" [{STOPS}{QUOTES}]|[{STOPS}{QUOTES}{ELLIPSIS}] ",
    "half-width punctuation in Chinese": rf"[{HAN}] ?[,.;:!?()]|[,;:!?()] ?[{HAN}]",
    "half an ellipsis": rf"(?<!{ELLIPSIS}){ELLIPSIS}(?!{ELLIPSIS})",
}


@pytest.mark.parametrize("mistake", MISSET)
def test_chinese_is_set_as_people_in_china_set_it(mistake: str) -> None:
    for texts in READINGS[Language.ZH_CN].values():
        for markup in texts:
            # These values are Chinese themselves, or include their blanks.
            text = re.sub(r"<[^<>]*>", "", re.sub(r"<code>.*?</code>", "a", markup))
            for value in ("maintainer", "wait", "head"):
                text = text.replace(f"{{{value}}}", "\u4eba")
            assert not re.search(MISSET[mistake], text), text
