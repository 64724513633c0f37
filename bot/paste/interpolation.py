"""Variables in the names of images, as compose files and Dockerfiles write them.

Only what the file itself says is known: its defaults. Nothing is read from an environment.
"""

import re
from collections.abc import Mapping
from typing import Final

_DEEPEST: Final = 8
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r":?[-+?]")


def expand(text: str, known: Mapping[str, str], *, depth: int = 0) -> str | None:
    r"""The text with its variables replaced; None where one of them is not known.

    `$$` and `\$` are a dollar sign.
    """
    done: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        done.append(text[position:dollar].removesuffix("\\"))
        if text[dollar - 1 : dollar] == "\\" or text[dollar + 1 : dollar + 2] == "$":
            done.append("$")
            position = dollar + (1 if text[dollar - 1 : dollar] == "\\" else 2)
            continue
        end, value = _variable(text, dollar + 1, known, depth)
        if value is None:
            return None
        done.append(value)
        position = end
    return "".join((*done, text[position:]))


def _variable(
    text: str, start: int, known: Mapping[str, str], depth: int
) -> tuple[int, str | None]:
    """Where the variable that begins at `start`, behind its dollar sign, ends; and its value."""
    if not text.startswith("{", start):
        name = _NAME.match(text, start)
        return (name.end(), known.get(name[0])) if name else (start, None)
    end = _closing(text, start)
    name = _NAME.match(text, start + 1)
    if end is None or name is None or depth >= _DEEPEST:
        return start, None
    return end + 1, _braced(name[0], text[name.end() : end], known, depth)


def _closing(text: str, start: int) -> int | None:
    """Where the brace that opens at `start` is closed."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth == 0:
                return i
    return None


def _braced(name: str, rest: str, known: Mapping[str, str], depth: int) -> str | None:
    """The value of `${name rest}`: alone, with a default, or with something to use instead."""
    value = known.get(name)
    operator = _OPERATOR.match(rest)
    if operator is None:
        return value if not rest else None
    word = rest[operator.end() :]
    given = bool(value) if operator[0][0] == ":" else value is not None
    match operator[0][-1]:
        case "-":
            return value if given else expand(word, known, depth=depth + 1)
        case "+":
            return expand(word, known, depth=depth + 1) if given else ""
        case _:
            return value if given else None
