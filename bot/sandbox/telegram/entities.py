"""Telegram's HTML: what parse_mode=HTML accepts, and the server's errors for the rest.

As strict as the real server, so that tests find a text that is not escaped. Offsets and lengths
are in UTF-16 code units (https://core.telegram.org/bots/api#messageentity).
"""

import html
import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>"']+)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
_END = re.compile(r"\s*>")
# Telegram knows only these named entities. Any other stays in the text as it is.
_CHARACTER = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_COMMAND = re.compile(r"(?<![^\s(])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![A-Za-z0-9_/])")


class MarkupError(ValueError):
    """Its text is the server's, without "Bad Request: can't parse entities: "."""


def length(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def commands_in(text: str) -> list[Entity]:
    """Return the bot_command entities that a client would send with this text."""
    return [
        {"type": "bot_command", "offset": length(text[: found.start()]), "length": len(found[0])}
        for found in _COMMAND.finditer(text)
    ]


def parsed(markup: str) -> tuple[str, list[Entity]]:
    """Return the plain text and its entities. Raises MarkupError for what the server refuses."""
    parser = _Parser(markup)
    while parser.at < len(markup):
        parser.step()
    if parser.open:
        tag = parser.open[-1].tag
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{tag}"')
    return trimmed("".join(parser.text), parser.entities)


@dataclass(slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int


@dataclass(slots=True)
class _Parser:
    markup: str
    at: int = 0
    offset: int = 0  # of the text so far, in UTF-16 code units
    text: list[str] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def step(self) -> None:
        if self.markup.startswith("</", self.at):
            self._end_tag()
        elif self.markup[self.at] == "<":
            self._start_tag()
        elif found := _CHARACTER.match(self.markup, self.at):
            self._take(html.unescape(found[0]), found.end())
        else:
            self._take(self.markup[self.at], self.at + 1)

    def _take(self, text: str, end: int) -> None:
        self.text.append(text)
        self.offset += length(text)
        self.at = end

    def _byte(self) -> int:
        return len(self.markup[: self.at].encode())

    def _start_tag(self) -> None:
        name = _NAME.match(self.markup, self.at + 1)
        tag = name[0].lower() if name else ""
        if tag not in _TAGS:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {self._byte()}')
        end = name.end() if name else self.at
        attributes: dict[str, str] = {}
        while not (closing := _END.match(self.markup, end)):
            found = _ATTRIBUTE.match(self.markup, end)
            if not found:
                raise MarkupError(f"Unclosed start tag at byte offset {self._byte()}")
            value = found[2] or found[3] or found[4] or ""
            attributes[found[1].lower()] = html.unescape(value)
            end = found.end()
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise MarkupError(
                f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte()}'
            )
        self.open.append(_Open(tag, attributes, self.offset))
        self.at = closing.end()

    def _end_tag(self) -> None:
        end = self.markup.find(">", self.at)
        if end < 0:
            raise MarkupError(f"Unclosed end tag at byte offset {self._byte()}")
        name = self.markup[self.at + 2 : end].strip().lower()
        if not self.open:
            raise MarkupError(f"Unexpected end tag at byte offset {self._byte()}")
        tag = self.open[-1].tag
        if name and name != tag:
            raise MarkupError(
                f"Unmatched end tag at byte offset {self._byte()}, "
                f'expected "</{tag}>", found "</{name}>"'
            )
        self._close(self.open.pop())
        self.at = end + 1

    def _close(self, start: _Open) -> None:
        size = self.offset - start.offset
        if size == 0:
            return
        entity: Entity = {"type": _TAGS[start.tag], "offset": start.offset, "length": size}
        match start.tag:
            case "a" if "href" in start.attributes:
                entity["url"] = start.attributes["href"]
            case "a":
                return
            case "blockquote" if "expandable" in start.attributes:
                entity["type"] = "expandable_blockquote"
            case "tg-emoji":
                entity["custom_emoji_id"] = start.attributes.get("emoji-id", "")
            case "code" if start.attributes.get("class", "").startswith("language-"):
                entity["language"] = start.attributes["class"].removeprefix("language-")
            case "pre":
                self._absorb_code(entity)
        self.entities.append(entity)

    def _absorb_code(self, pre: Entity) -> None:
        """<pre><code class="language-x"> is one entity."""
        if not self.entities or self.entities[-1]["type"] != "code":
            return
        code = self.entities[-1]
        if (code["offset"], code["length"]) == (pre["offset"], pre["length"]):
            self.entities.pop()
            if "language" in code:
                pre["language"] = code["language"]


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Remove white space at both ends, as the server does, and adapt the entities."""
    shift = length(text) - length(text.lstrip())
    text = text.strip()
    end = length(text)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - shift, 0)
        last = min(entity["offset"] - shift + entity["length"], end)
        if first < last:
            kept.append(entity | {"offset": first, "length": last - first})
    for entity in kept:
        if entity["type"] == "code":
            entity.pop("language", None)
    return text, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))
