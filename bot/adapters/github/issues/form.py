"""The form for a request, and the labels: what `setup` installs in the mirror repository.

https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from bot.adapters.words import LocaleWords
from bot.core.standing import Standing
from bot.dialog.language import Language
from bot.dialog.message import say

PATH: Final = ".github/ISSUE_TEMPLATE/mirror.yml"
"""GitHub reads it on the default branch alone."""
PREFIX: Final = "mirror: "
_FIELDS: Final = {"images": False, "file": True}
"""The fields of the form, and whether each holds a file."""


class Label(StrEnum):
    """How all requests of an issue stand: see core/standing.py."""

    WAITING = f"{PREFIX}{Standing.WAITING}"
    WORKING = f"{PREFIX}{Standing.WORKING}"
    FAILED = f"{PREFIX}{Standing.FAILED}"
    DONE = f"{PREFIX}{Standing.DONE}"

    @property
    def colour(self) -> str:
        return _COLOURS[self]


_COLOURS: Final = {
    Label.WAITING: "fbca04",
    Label.WORKING: "1d76db",
    Label.DONE: "0e8a16",
    Label.FAILED: "d93f0b",
}


def headings(words: LocaleWords) -> Mapping[str, bool]:
    """The headings of the form's fields in every language, and whether each is of a file."""
    return {
        words.plain(say(f"issue-form-{name}"), language): is_file
        for name, is_file in _FIELDS.items()
        for language in Language
    }


def form(words: LocaleWords, language: Language) -> bytes:
    """The form as a file of the repository. JSON is YAML."""

    def text(key: str) -> str:
        return words.plain(say(f"issue-form-{key}"), language)

    fields: list[dict[str, Any]] = [
        {
            "type": "textarea",
            "id": name,
            "attributes": {"label": text(name), "description": text(f"{name}-help")}
            | ({"render": "text"} if is_file else {}),
        }
        for name, is_file in _FIELDS.items()
    ]
    whole = {
        "name": text("name"),
        "description": text("description"),
        "title": text("title"),
        "body": fields,
    }
    return f"{json.dumps(whole, ensure_ascii=False, indent=2)}\n".encode()
