"""Renders messages as comments of GitHub: Markdown, with commands in place of buttons.

A line in the markup of the locale files (see adapters/words.py) becomes Markdown here. Its values
are foreign, and cannot act: see markdown.py.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from bot.adapters.github.issues.markdown import code, code_block, escaped, link
from bot.adapters.words import LocaleWords
from bot.core.ids import PersonId, RequestId
from bot.dialog.message import ButtonKind, Message, Phrase, Text
from bot.dialog.typed_buttons import command_of

COMMENT_LIMIT: Final = 60_000
"""Characters of a comment. GitHub takes 65,536, and a line is added later."""
_CODE_LINE: Final = re.compile(r"<(code|pre)>((?:(?!</?\1>).)*)</\1>", re.DOTALL)
_PIECE: Final = re.compile(
    r"<(?P<code>code|pre)>(?P<copied>.*?)</(?P=code)>"
    r'|<a href="(?P<url>[^"]*)">(?P<label>.*?)</a>'
    r"|(?P<tag></?[bi]>)"
    r"|(?P<text>(?:(?!</?(?:code|pre|a|b|i|u)\b)(?:<|[^<]+))+|</?u>)",
    re.DOTALL,
)
_PERSON: Final = "person:"
_LINKED: Final = re.compile(r'<a href="person:([^"]*)">')


def comment(lines: Sequence[str], logins: Mapping[str, str]) -> str:
    """The lines of a message. `logins` are those of the people whom it may mention, by person id.

    Lines that are nothing but code are one block, with GitHub's button to copy it. What is over
    COMMENT_LIMIT is left out.
    """
    paragraphs: list[str] = []
    room = COMMENT_LIMIT
    for paragraph in _paragraphs(lines, logins):
        room -= len(paragraph) + 1
        if room < 0:
            return "\n".join([*paragraphs, "", "…"])
        paragraphs.append(paragraph)
    return "\n".join(paragraphs)


def _paragraphs(lines: Sequence[str], logins: Mapping[str, str]) -> Iterator[str]:
    copied: list[str] = []
    for line in [*lines, ""]:
        if (found := _CODE_LINE.fullmatch(line)) is not None:
            copied.append(html.unescape(found[2]))
            continue
        if copied:
            yield f"\n{code_block(chr(10).join(copied))}\n"
        copied.clear()
        if line.strip():
            yield line_of(line, logins)


def line_of(line: str, logins: Mapping[str, str]) -> str:
    """One line of a locale file as Markdown."""
    return "".join(_pieces(line.strip(), logins))


def _pieces(line: str, logins: Mapping[str, str]) -> Iterator[str]:
    for piece in _PIECE.finditer(line):
        if piece["code"]:
            yield code(html.unescape(piece["copied"]))
        elif piece["label"] is not None:
            yield _linked(html.unescape(piece["url"]), html.unescape(piece["label"]), logins)
        elif piece["tag"]:
            yield piece["tag"]
        elif not piece["text"].endswith("u>"):
            yield escaped(html.unescape(piece["text"]), begins=piece.start() == 0)


def _linked(url: str, label: str, logins: Mapping[str, str]) -> str:
    """A link, or a person: mentioned where the login is known, and otherwise only named."""
    if not url.startswith(_PERSON):
        return link(escaped(label), url)
    login = logins.get(url.removeprefix(_PERSON))
    return escaped(label) if login is None else f"@{login}"


def commands(message: Message, label: Callable[[Phrase], str]) -> list[str]:
    """A list of the commands that do what the buttons would. `label` gives the text of one.

    The first line of a card names its request.
    """
    request = next(
        (v for line in message.lines[:1] for n, v in line.values if n == "request"), None
    )
    number = RequestId(int(request)) if isinstance(request, str) and request.isdecimal() else None
    lines = []
    for button in (button for row in message.buttons for button in row):
        if button.kind is ButtonKind.URL:
            lines.append(f"- {link(escaped(label(button.label)), button.value)}")
        elif button.kind is ButtonKind.CALLBACK and (command := command_of(button, number)):
            lines.append(f"- {escaped(label(button.label))}: {code(command)}")
    return lines


class IssueWords(LocaleWords):
    """The words of the locale files, as comments have them."""

    def people(self, text: Text) -> frozenset[PersonId]:
        """Whom a message links to."""
        shown = "\n".join(self.lines(text.message, text.language))
        return frozenset(PersonId(each) for each in _LINKED.findall(shown))

    def render(self, text: Text, logins: Mapping[str, str]) -> str:
        """The body of a comment. `logins` as in `comment`."""
        body = comment(self.lines(text.message, text.language), logins)
        listed = commands(text.message, lambda phrase: self.plain(phrase, text.language))
        return "\n".join([body, "", *listed]) if listed else body
