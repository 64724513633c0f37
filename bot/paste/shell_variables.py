"""Variables of a shell script, as far as the same text sets them, also by loops.

Nothing is run. A variable that the text does not set stays as it is.
"""

import re
from collections.abc import Iterator
from typing import Final

from bot.paste.finding import MENTION_LENGTH_LIMIT
from bot.paste.joined_lines import BREAK

_NAME: Final = r"([A-Za-z_][A-Za-z0-9_]{0,60})"
_LOOP: Final = re.compile(rf"\bfor[ \t]+{_NAME}[ \t]+in[ \t]+([^;\n]+)")
_SET: Final = re.compile(
    rf"(?<![^\s;&])(?:(?:export|local|readonly)[ \t]+)?{_NAME}="
    r"(?:\"([^\"\n]+)\"|'([^'\n]+)'|\(([^()\n]+)\)|([^\s;&()\"']+))"
)
_VARIABLE: Final = re.compile(rf"\$(\{{)?{_NAME}(?(1)(?:\[[@*]\])?\}})")
_MOST_VALUES: Final = 500
_MOST_TEXTS: Final = 5000
_MOST_IN_ONE: Final = 3  # such as a registry, a name and a version


class Variables:
    """The variables that a text uses, and their values."""

    def __init__(self, text: str) -> None:
        self._used = {found[2] for found in _VARIABLE.finditer(text.replace(BREAK, ""))}
        self._values: dict[str, tuple[str, ...]] = {}
        self._shown: set[str] = set()
        self._made = 0

    def learn(self, line: str) -> tuple[str, bool]:
        """Store what a line sets. Returns the line without it, and whether it set anything."""
        if not self._used:
            return line, False
        rest = _SET.sub(self._take, _LOOP.sub(self._take, line))
        return rest, rest != line

    def _take(self, found: re.Match[str]) -> str:
        value = next(group for group in found.groups()[1:] if group)
        if found[1] not in self._used or "$(" in value or "`" in value:
            return found[0]
        words = [word.strip("\"'") for word in value.split()[:_MOST_VALUES]]
        self._values[found[1]] = tuple(text for word in words for text in self.texts(word))
        return " "

    def texts(self, text: str) -> list[str]:
        """All values of a text with variables. An unknown variable stays as it is."""
        texts = [text]
        for _ in range(_MOST_IN_ONE):
            known = (f for f in _VARIABLE.finditer(texts[0]) if f[2] in self._values)
            found = next(known, None)
            if found is None or self._made > _MOST_TEXTS:
                break
            self._shown.add(found[2])
            values = self._values[found[2]][: _MOST_VALUES // len(texts)]
            self._made += len(texts) * len(values)
            texts = [
                one.replace(found[0], value)
                for one in texts
                for value in values
                if len(one) + one.count(found[0]) * len(value) <= MENTION_LENGTH_LIMIT
            ] or [text]
        return texts

    def rest(self) -> Iterator[str]:
        """The values of variables that were set but not used by a command."""
        for name, values in self._values.items():
            if name not in self._shown:
                yield " ".join(values)
