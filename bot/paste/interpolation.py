"""Variables in the names of images, in compose files and in Dockerfiles.

Follows the Compose specification on interpolation and the Dockerfile reference on ARG. Only the
defaults in the file itself are known. Nothing is read from an environment.
"""

import re
from collections.abc import Mapping
from typing import Final

_DEEPEST: Final = 8
_DOLLAR: Final = "\ue001"
_UNKNOWN: Final = "\ue002"
_VARIABLE: Final = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-+?])([^${}]*))?\})"
)
"""A variable without variables in its default: the innermost ones are replaced first."""


def expand(text: str, known: Mapping[str, str]) -> str | None:
    r"""The text with its variables replaced, or None where one of them is not known.

    `known` are the values of variables. `$$` and `\$` are a dollar sign.
    """
    text = re.sub(r"\$\$|\\\$", _DOLLAR, text)
    for _ in range(_DEEPEST):
        text, count = _VARIABLE.subn(lambda found: _value(found, known), text)
        if not count:
            break
    return None if "$" in text or _UNKNOWN in text else text.replace(_DOLLAR, "$")


def _value(found: re.Match[str], known: Mapping[str, str]) -> str:
    value = known.get(found[1] or found[2])
    is_given = bool(value) if found[3] else value is not None
    if found[4] == "+":
        return found[5] if is_given else ""
    if found[4] == "-" and not is_given:
        return found[5]
    is_open = value is None or (found[4] == "?" and not is_given)
    return _UNKNOWN if is_open or value is None else value.replace("$", _DOLLAR)
