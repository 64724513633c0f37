"""YAML and JSON as a tree of texts with their positions, within limits.

The tree is built from events of PyYAML's parser, since its composer is recursive. An alias is the
same node once more, so aliases of aliases take no more memory than their text. Code that walks a
tree must visit each node once. Scalars stay as written: a tag 1.10 must not become the number 1.1.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import yaml

from bot.paste.finding import Flaw

DEEPEST_NESTING: Final = 100
MOST_DOCUMENTS: Final = 1000
MOST_EVENTS: Final = 200_000
_MOST_MERGED: Final = 8

# The loader in C is about ten times faster. Both read the same.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class ScalarNode:
    """A text and its position, from `start` to `end`, including quotes."""

    value: str
    start: int
    end: int
    is_plain: bool

    @property
    def is_null(self) -> bool:
        return self.is_plain and self.value in {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True, eq=False)
class SequenceNode:
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class MappingNode:
    """`is_flow`: it is written with braces, as in JSON.

    `named` are the values of all keys that are texts, also from mappings that are merged by `<<`.
    Of equal keys the last one counts.
    """

    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)
    is_flow: bool = False
    named: dict[str, "Node"] = field(default_factory=dict)

    def add(self, key: "Node", value: "Node") -> None:
        self.pairs.append((key, value))
        if isinstance(key, ScalarNode):
            self.named[key.value] = value

    def merge(self) -> int:
        """Take the keys of mappings that are merged, and return how many these have."""
        value = self.named.get("<<")
        given = value.items[:_MOST_MERGED] if isinstance(value, SequenceNode) else [value]
        merged = [node.named for node in given if isinstance(node, MappingNode)]
        for named in merged:
            self.named |= {key: value for key, value in named.items() if key not in self.named}
        return sum(map(len, merged))

    def text(self, key: str) -> ScalarNode | None:
        """The value of a key where it is a text and not empty, or None."""
        value = self.named.get(key)
        is_text = isinstance(value, ScalarNode) and value.value and not value.is_null
        return value if is_text and isinstance(value, ScalarNode) else None


Node = ScalarNode | SequenceNode | MappingNode


def grown(settings: Iterable[tuple[str, ScalarNode]]) -> MappingNode:
    """The mapping that settings such as `image.tag=1.27` make."""
    root = MappingNode()
    for key, value in settings:
        node = root
        *path, leaf = key.split(".")
        for part in path[:DEEPEST_NESTING]:
            inner = node.named.get(part)
            if not isinstance(inner, MappingNode):
                node.add(ScalarNode(part, 0, 0, is_plain=True), inner := MappingNode())
            node = inner
        node.add(ScalarNode(leaf, 0, 0, is_plain=True), value)
    return root


@dataclass
class Lines:
    """The lines of a text by position."""

    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [found.end() for found in re.finditer("\n", self.text)]

    def of(self, node: ScalarNode) -> int:
        """The line in which a scalar begins, from 1. 0 where there is no text."""
        return bisect_right(self._starts, node.start) + bool(self.text)


def documents(text: str) -> list[Node] | Flaw:
    """The root of each document of a text, or why it cannot be read."""
    builder = _Builder()
    flaw = builder.read(text)
    if flaw is Flaw.BROKEN and (lines := _lines_of_json(text)):
        builder = _Builder()
        flaw = next((bad for start, line in lines if (bad := builder.read(line, start))), None)
    if flaw is None and builder.has_stray_alias:
        flaw = Flaw.BROKEN
    return flaw or builder.roots


def _lines_of_json(text: str) -> list[tuple[int, str]]:
    """Each line with its position, where every line is a JSON object of its own. Else nothing."""
    found: list[tuple[int, str]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if bare and not (bare.startswith("{") and bare.endswith("}")):
            return []
        found += [(start, line)] if bare else []
        start += len(line)
    return found if len(found) > 1 else []


@dataclass(slots=True)
class _Builder:
    roots: list[Node] = field(default_factory=list)
    has_stray_alias: bool = False
    _open: list[SequenceNode | MappingNode] = field(default_factory=list)
    _keys: list[Node | None] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _events: int = 0
    _offset: int = 0

    def read(self, text: str, offset: int = 0) -> Flaw | None:
        """Add the documents of a text that begins at `offset`. Returns why it cannot be read."""
        self._offset = offset
        try:
            loader = _LOADER(text)
            while self._is_within_limits():  # yaml.parse asks the parser twice for each event
                if isinstance(event := loader.get_event(), yaml.StreamEndEvent):
                    return None
                self.take(event)
        except (yaml.YAMLError, UnicodeError):
            return Flaw.BROKEN
        return Flaw.TOO_DEEP

    def _is_within_limits(self) -> bool:
        return (
            len(self._open) <= DEEPEST_NESTING
            and len(self.roots) <= MOST_DOCUMENTS
            and self._events <= MOST_EVENTS
        )

    def take(self, event: yaml.Event) -> None:
        """Add an event to the tree."""
        self._events += 1
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.ScalarEvent) and start and end:  # the most frequent comes first
            begin, end_at = start.index + self._offset, end.index + self._offset
            self._add(ScalarNode(event.value, begin, end_at, not event.style), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(MappingNode(is_flow=bool(event.flow_style)), event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._keys.pop()
            if isinstance(done, MappingNode) and "<<" in done.named:
                self._events += done.merge()
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(SequenceNode(), event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._named(str(event.anchor)), None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _named(self, anchor: str) -> Node:
        if anchor not in self._anchors:
            self.has_stray_alias = True
            return ScalarNode("", 0, 0, is_plain=True)
        return self._anchors[anchor]

    def _begin(self, node: SequenceNode | MappingNode, anchor: str | None) -> None:
        self._add(node, anchor)
        self._open.append(node)
        self._keys.append(None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.roots.append(node)
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, SequenceNode):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = node
        else:
            parent.add(key, node)
            self._keys[-1] = None
