"""Tables that tools print, and tables of Markdown: which columns are names and which are tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.paste.finding import Mention, has_tag, passed_over
from bot.paste.tokens import TokenKind, token_kind

_GAP: Final = re.compile(r"[ ]{2,}|\t+")
_RULE: Final = re.compile(r"[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)*[ \t]*:?-{2,}:?[ \t]*\|?[ \t]*")
_HEADER: Final = re.compile(r"[^a-z0-9$<{@:]+")
_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}(?:@.*)?")
_NAMES: Final = ("REPOSITORY", "IMAGE", "IMAGES", "REF", "REFERENCE", "镜像", "镜像名", "镜像名称")
_TAGS: Final = ("TAG", "VERSION", "TAGS", "标签", "版本", "版本号")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of the rows below a header. `is_piped`: of Markdown."""

    name: int
    tag: int | None
    digest: int | None = None
    is_piped: bool = False

    def mentions(self, line: str) -> Iterator[Mention]:
        """The images of a row. Where its column has none, others in the row are passed over."""
        found = list(self._named(self.cells(line)))
        yield from found or (
            passed_over(word) for word in line.split() if token_kind(word) is TokenKind.IMAGE
        )

    def _named(self, cells: list[str]) -> Iterator[Mention]:
        tag, digest = (
            cells[n] if n is not None and n < len(cells) else "" for n in (self.tag, self.digest)
        )
        end = f"@{digest}" if tag in {"", "<none>"} and digest.startswith("sha") else f":{tag}"
        for name in re.split(r"[,\s]+", cells[self.name]):
            is_none = not name or not name.isascii() or "<" in name + end or _ID.fullmatch(name)
            if name.startswith("oci://"):
                yield passed_over(name)  # a chart
            elif not is_none and token_kind(name) not in {TokenKind.WORD, TokenKind.THING}:
                is_open = len(end) > 1 and not has_tag(name)
                yield Mention(name + end if is_open else name, uncertain=True)

    def has(self, line: str) -> bool:
        """Whether a line is a row of this table."""
        return len(self.cells(line)) > self.name and (not self.is_piped or "|" in line)

    def cells(self, line: str) -> list[str]:
        """The cells of a row. Split at every blank where a chat has made all gaps narrow."""
        if self.is_piped:
            return piped_cells(line)
        wide = _GAP.split(line.strip())
        is_wide = len(wide) > max(self.name, self.tag or 0, 1) and " " not in wide[self.name]
        return wide if is_wide else line.split()


def piped_cells(line: str) -> list[str]:
    """The cells of a row of Markdown, without what marks them as code."""
    return [cell.strip(" \t`*") for cell in line.strip().strip("|").split("|")]


def is_rule(line: str) -> bool:
    """Whether a line is what Markdown has below the header of a table."""
    return "|" in line and _RULE.fullmatch(line) is not None


def table_with_header(line: str, *, is_piped: bool = False) -> Table | None:
    """The table whose header a line is, or None."""
    wide = _GAP.split(line.strip())
    cells = wide if len(wide) > 1 else line.split()
    if is_piped:
        cells = [cell.upper() for cell in piped_cells(line)]
    elif not _HEADER.fullmatch(line) or not all(re.search(r"\w", cell) for cell in cells):
        return None
    name = next((cells.index(name) for name in _NAMES if name in cells), None)
    if name is None or len(cells) == 1:
        return None
    tag = next((cells.index(tag) for tag in _TAGS if tag in cells), None)
    digest = cells.index("DIGEST") if "DIGEST" in cells else None
    return Table(name, tag, digest, is_piped)
