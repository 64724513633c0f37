"""Variables in the names of images, in compose files and in Dockerfiles.

Follows the Compose specification on interpolation and the Dockerfile reference on ARG. Only the
defaults in the file itself are known. Nothing is read from an environment.
"""

import re
from collections.abc import Mapping
from typing import Final

_DEEPEST: Final = 8
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r":?[-+?]")


def expand(text: str, known: Mapping[str, str], *, depth: int = 0) -> str | None:
    r"""The text with its variables replaced, or None where one of them is not known.

    `known` are the values of variables. `$$` and `\$` are a dollar sign.
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
    """The end of the variable that starts at `start`, after its dollar sign, and its value."""
    if not text.startswith("{", start):
        name = _NAME.match(text, start)
        return (name.end(), known.get(name[0])) if name else (start, None)
    end = _closing(text, start)
    name = _NAME.match(text, start + 1)
    if end is None or name is None or depth >= _DEEPEST:
        return start, None
    return end + 1, _braced(name[0], text[name.end() : end], known, depth)


def _closing(text: str, start: int) -> int | None:
    """The position of the brace that closes the one at `start`."""
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
    """The value of `${name rest}`, whose operator may be `-`, `+` or `?`, or None."""
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
