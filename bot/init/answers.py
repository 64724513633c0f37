"""Where the answers of `init` come from: a person at a terminal, or a file."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import click

from bot.core.errors import BotError, ConfigError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: its name in a file of answers. `default`: the answer where none is given."""

    key: str
    text: str
    default: str | None = None
    secret: bool = False


class Answers(Protocol):
    @property
    def repeats(self) -> bool:
        """Whether a question can be asked again after a wrong answer."""

    def ask(self, question: Question) -> str:
        """The answer. Raises ConfigError where there is none."""

    def confirm(self, key: str, text: str) -> bool: ...


class Terminal:
    """A person who types. Secrets are not shown."""

    repeats = True

    def ask(self, question: Question) -> str:
        answer = click.prompt(
            question.text,
            default=question.default,
            hide_input=question.secret,
            show_default=bool(question.default),
        )
        return str(answer).strip()

    def confirm(self, key: str, text: str) -> bool:
        del key
        return click.confirm(text, default=True)


class FileOfAnswers:
    """The keys of a YAML file. `name` is its name in errors."""

    repeats = False

    def __init__(self, name: str, found: object) -> None:
        if not isinstance(found, Mapping):
            raise ConfigError(f"{name}: should hold keys such as telegram_token:")
        self._name = name
        self._found = {str(key): value for key, value in found.items()}

    def ask(self, question: Question) -> str:
        value = self._found.get(question.key, question.default)
        if value is None:
            raise ConfigError(f"{self._name}: {question.key} is missing: {question.text}")
        if not isinstance(value, str):  # YAML reads 0123 as 83
            raise ConfigError(f"{self._name}: {question.key} should be in quotation marks")
        return value.strip()

    def confirm(self, key: str, text: str) -> bool:
        del text
        return self._found.get(key, True) is True


async def asked(
    answers: Answers,
    question: Question,
    check: Callable[[str], Awaitable[T]],
    say: Callable[[str], None],
) -> T:
    """What `check` makes of the answer. Where it raises ValueError or BotError, asks anew.

    Raises ConfigError with the key where that is not possible.
    """
    while True:
        text = answers.ask(question)  # blocks, since Ctrl-C cannot end a thread that waits
        try:
            return await check(text)
        except (ValueError, BotError) as error:
            if not answers.repeats:
                raise ConfigError(f"{question.key}: {error}") from error
            say(f"  {error}")
