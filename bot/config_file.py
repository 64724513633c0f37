"""Reads the YAML of the config with the line of each key, and lists every mistake in it.

It must not know what a key means: config.py has the keys, config_types.py the kinds of values.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.core.errors import ConfigError

FILE_LIMIT: Final = 1 << 20
_WORDS: Final = 1000
_MISTAKES: Final = 20
"""How many mistakes are listed. The others are counted."""
_NESTING: Final = 50
_CERTIFICATE: Final = re.compile(
    "-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
_KEY_IN_TEXT: Final = re.compile(r"([a-z_]+(?:\.[a-z0-9_]+)+): ")
UNREADABLE: Final = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
"""What the libraries raise on well-formed YAML, such as a 13th month or a list inside itself."""
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed YAML. `name`: of its file. `lines`: from 1, by the path of keys that leads there."""

    data: object
    name: str
    lines: Mapping[Key, int] = field(default_factory=dict)
    repeated: Mapping[Key, int] = field(default_factory=dict)
    """Keys that stand twice in one section, with the line of the second. YAML forbids them."""

    def at(self, key: Key) -> str:
        """The file, the line where it is known, and the key: `config.yaml:4: telegram.chats: `."""
        line = self.line_of(key)
        place = f"{self.name}:{line}" if line else self.name
        text = ".".join(str(part) for part in key)
        return f"{place}: {text}: " if text else f"{place}: "

    def line_of(self, key: Key) -> int:
        """The line of the key, or of the section that lacks it. 0 where it is not known."""
        near = next((key[:n] for n in range(len(key), 0, -1) if key[:n] in self.lines), None)
        return self.repeated.get(key, 0 if near is None else self.lines[near])


def read_certificates(path: str) -> str:
    """The certificates of a PEM file, without what else it holds, such as a key. "" for no path.

    Raises ConfigError with one line for a file that cannot be read or holds none.
    """
    if not path:
        return ""
    try:
        found = _CERTIFICATE.findall(Path(path).read_text(encoding="utf-8", errors="replace"))
        text = "\n".join(found)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ConfigError(one_line(f"ca_bundle: {path} holds no certificates in PEM")) from None
    except OSError as error:
        raise ConfigError(one_line(f"ca_bundle: {path} cannot be read: {error.strerror}")) from None
    return text


def read_document(path: Path) -> Document:
    """Raises ConfigError with one line for a file that cannot be read or is no YAML."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
        if len(content) > FILE_LIMIT:
            raise ConfigError(f"{path}: is larger than {FILE_LIMIT} bytes")
        return _parsed(content, str(path))
    except OSError as error:
        advice = "Copy config.example.yaml and fill it in."
        raise ConfigError(f"{path}: {error.strerror}. {advice}") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(one_line(_no_yaml(path, error))) from error
    except (yaml.YAMLError, *UNREADABLE) as error:
        raise ConfigError(one_line(f"{path}: is not valid YAML: {error}")) from error


def _parsed(content: bytes, name: str) -> Document:
    loader = yaml.SafeLoader(content)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(None, name)
        keys = _Keys()
        keys.visit(root)
        return Document(loader.construct_document(root), name, keys.lines, keys.repeated)
    finally:
        loader.dispose()


class _Keys:
    """The lines of all keys. A node is visited once, since aliases may lead round in a circle."""

    def __init__(self) -> None:
        self.lines: dict[Key, int] = {}
        self.repeated: dict[Key, int] = {}
        self._seen = set[int]()

    def visit(self, node: yaml.Node, key: Key = ()) -> None:
        if id(node) in self._seen or len(key) > _NESTING:
            return
        self._seen.add(id(node))
        for name, value, mark in _entries(node):
            path = (*key, name)
            if path in self.lines:
                self.repeated[path] = mark.line + 1
                continue
            self.lines[path] = mark.line + 1
            self.visit(value, path)


def _entries(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node, yaml.Mark]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield str(name.value), value, name.start_mark
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield number, value, value.start_mark


def _no_yaml(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{path}:{mark.line + 1}" if mark else f"{path}"
    problem = error.problem or error.context or ""
    if "'\\t'" in problem:
        problem = "there is a tab. Write spaces"
    return f"{place}: is not valid YAML: {problem}"


def as_yaml(data: object) -> str:
    """The data as a person would write it, for a new file."""
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))


def one_line(text: str) -> str:
    """The text on one line: a key or a parser's message may contain line breaks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WORDS]


def mistakes(error: ValidationError | None, document: Document, model: type[BaseModel]) -> str:
    """One line for each mistake, by line of the file: where, what is wrong, what to write.

    `model` is the one that raised the error. None: only the keys that stand twice.
    """
    found = list[tuple[Key, str | ErrorDetails]](
        (key, "stands twice in its section: remove one") for key in document.repeated
    )
    found += _wrong_values(error, model) if error else []
    found.sort(key=lambda mistake: document.line_of(mistake[0]))
    shown = [
        one_line(document.at(key) + (what if isinstance(what, str) else _words(what, model)))
        for key, what in found[:_MISTAKES]
    ]
    if more := len(found) - len(shown):
        shown.append(f"{document.name}: {more} more mistakes")
    return "\n".join(shown)


def _wrong_values(
    error: ValidationError, model: type[BaseModel]
) -> Iterator[tuple[Key, str | ErrorDetails]]:
    """The keys that pydantic names, each with what. What only follows from another is left out."""
    errors = error.errors(include_url=False)
    places = [tuple(part for part in each["loc"] if part != "[key]") for each in errors]
    lacking = {each["loc"][:-1] for each in errors if each["type"] == "missing"}
    odd = [each for each in errors if each["type"] == "extra_forbidden"]
    meant = {_meant(each, model) for each in odd if each["loc"][:-1] in lacking}
    for key, each in zip(places, errors, strict=True):
        if each["type"] == "missing" and key in meant:
            continue
        begun = (place[: len(key)] for place in places if place != key)
        if each["type"] == "too_short" and key in begun:  # what was in it is told by itself
            continue
        yield (key, each) if key else _split(_words(each, model))


def _split(words: str) -> tuple[Key, str]:
    """The key at the begin of the words. A check over several sections can name it only there."""
    found = _KEY_IN_TEXT.match(words)
    if found is None:
        return (), words
    key = tuple(int(part) if part.isdigit() else part for part in found[1].split("."))
    return key, words[found.end() :]


def _words(error: ErrorDetails, model: type[BaseModel]) -> str:
    match error["type"]:
        case "extra_forbidden":
            return _no_key(error["loc"], model)
        case "missing":
            return "is missing: config.example.yaml explains it"
        case "tuple_type":
            return "should be a list, such as [1003, 1004]"
        case "model_type" | "dict_type":
            return "should be a section with keys of its own"
        case "too_short":
            return "should name at least one"
        case "bool_type":
            return "should be true or false"
        case "int_type" | "float_type":
            return "should be a number without quotation marks"
        case "string_type":
            return "should be a text"
        case _:
            return error["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _no_key(loc: Key, model: type[BaseModel]) -> str:
    """What is wrong with a key that its section does not have."""
    name, section = str(loc[-1]), ".".join(str(part) for part in loc[:-1])
    if meant := _nearest(loc, model):
        return f"is no key. Did you mean {meant}?"
    elsewhere = next((parent for parent, key in _keys_of(model) if key == name), None)
    if elsewhere is not None:
        return f"belongs to the section {elsewhere}" if elsewhere else "belongs to no section"
    here = ", ".join(_keys_beside(loc, model))
    return f"is no key of {section or 'the config'}, which has {here}"


def _meant(error: ErrorDetails, model: type[BaseModel]) -> Key:
    return (*error["loc"][:-1], _nearest(error["loc"], model))


def _nearest(loc: Key, model: type[BaseModel]) -> str:
    """The key that was probably meant, or nothing."""
    name, here = str(loc[-1]).lower(), _keys_beside(loc, model)
    begun = [key for key in here if len(name) > 2 and key.startswith(name[:4])]  # noqa: PLR2004 - not `by`
    return next(iter(get_close_matches(name, here, n=1) or begun), "")


def _keys_beside(loc: Key, model: type[BaseModel]) -> list[str]:
    section = ".".join(part for part in loc[:-1] if isinstance(part, str))
    return [key for parent, key in _keys_of(model) if parent == section]


def _keys_of(model: type[BaseModel], parent: str = "") -> Iterator[tuple[str, str]]:
    """Each key with the section that it belongs to, such as `telegram`, `chats`."""
    for name, each in model.model_fields.items():
        yield parent, name
        kinds = (each.annotation, *getattr(each.annotation, "__args__", ()))
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys_of(kind, f"{parent}.{name}".lstrip("."))
