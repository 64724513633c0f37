"""Tables that tools print, such as `docker images`, `crictl images` or `kubectl get -o wide`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.paste.finding import Mention
from bot.paste.tokens import TokenKind, token_kind

_GAP: Final = re.compile(r"[ ]{2,}|\t+")
_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
_NAMES: Final = ("REPOSITORY", "IMAGE", "IMAGES", "REF")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of names and of tags in the rows below a header."""

    name: int
    tag: int | None

    def mentions(self, line: str) -> Iterator[Mention]:
        """The images of a row."""
        cells = self.cells(line)
        tag = cells[self.tag] if self.tag is not None and self.tag < len(cells) else None
        names = cells[self.name].split(",") if self.name < len(cells) else []
        for name in names:
            is_none = not name or "<" in name or _ID.fullmatch(name) or tag == "<none>"
            if not is_none and token_kind(name) is not TokenKind.WORD:
                yield Mention(f"{name}:{tag}" if tag else name, uncertain=True)

    def cells(self, line: str) -> list[str]:
        """The cells of a row. Split at every blank where a chat has made all gaps narrow."""
        wide = _GAP.split(line.strip())
        return wide if len(wide) > max(self.name, self.tag or 0, 1) else line.split()


def table_with_header(line: str) -> Table | None:
    """The table whose header a line is, or None."""
    if line != line.upper() or not any(name in line for name in _NAMES):
        return None
    cells = _GAP.split(line.strip())
    cells = cells if len(cells) > 1 else line.split()
    name = next((cells.index(name) for name in _NAMES if name in cells), None)
    if name is None or len(cells) == 1:
        return None
    return Table(name, cells.index("TAG") if "TAG" in cells else None)
