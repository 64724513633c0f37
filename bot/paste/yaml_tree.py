"""YAML and JSON as a tree of texts with their positions, within limits.

The tree is built from events of PyYAML's parser, since its composer is recursive. An alias is the
same node once more, so aliases of aliases take no more memory than their text. Code that walks a
tree must visit each node once. Scalars stay as written: a tag 1.10 must not become the number 1.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    """A text and its position: from `start` to `end`, including quotes. `line` is from 1, or 0."""

    value: str
    start: int = 0
    end: int = 0
    is_plain: bool = True
    line: int = 0

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
                node.add(ScalarNode(part), inner := MappingNode())
            node = inner
        node.add(ScalarNode(leaf), value)
    return root


def documents(text: str) -> list[Node] | Flaw:
    """The root of each document of a text, or why it cannot be read."""
    builder = _Builder()
    flaw = builder.read(text)
    lines = text.splitlines(keepends=True) if flaw is Flaw.BROKEN else []
    bare = [line.strip() for line in lines]
    is_json = all(line.startswith("{") and line.endswith("}") for line in bare if line)
    if is_json and sum(map(bool, bare)) > 1:  # each line is an object of its own
        builder, start, flaw = _Builder(), 0, None
        for number, line in enumerate(lines):
            flaw = flaw or (builder.read(line, start, number) if bare[number] else None)
            start += len(line)
    return flaw or (Flaw.BROKEN if builder.has_stray_alias else builder.roots)


@dataclass(slots=True)
class _Builder:
    roots: list[Node] = field(default_factory=list)
    has_stray_alias: bool = False
    _open: list[SequenceNode | MappingNode] = field(default_factory=list)
    _keys: list[Node | None] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _events: int = 0
    _start: int = 0
    _line: int = 0

    def read(self, text: str, start: int = 0, line: int = 0) -> Flaw | None:
        """Add the documents of a text, which begins there. Returns why it cannot be read."""
        self._start, self._line = start, line + 1
        try:
            loader = _LOADER(text)
            while (
                len(self._open) <= DEEPEST_NESTING
                and len(self.roots) <= MOST_DOCUMENTS
                and self._events <= MOST_EVENTS
            ):  # yaml.parse asks the parser twice for each event
                if isinstance(event := loader.get_event(), yaml.StreamEndEvent):
                    return None
                self.take(event)
        except (yaml.YAMLError, UnicodeError):
            return Flaw.BROKEN
        return Flaw.TOO_DEEP

    def take(self, event: yaml.Event) -> None:
        """Add an event to the tree."""
        self._events += 1
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.ScalarEvent) and start and end:  # the most frequent comes first
            place = start.index + self._start, end.index + self._start
            line = start.line + self._line
            self._add(ScalarNode(event.value, *place, not event.style, line), event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            node = MappingNode(is_flow=bool(event.flow_style)) if is_mapping else SequenceNode()
            self._add(node, event.anchor)
            self._open.append(node)
            self._keys.append(None)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._keys.pop()
            if isinstance(done, MappingNode) and "<<" in done.named:
                self._events += done.merge()
        elif isinstance(event, yaml.AliasEvent):
            self.has_stray_alias |= event.anchor not in self._anchors
            self._add(self._anchors.get(str(event.anchor), ScalarNode("")), None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        parent, key = (self._open[-1], self._keys[-1]) if self._open else (None, None)
        if parent is None:
            self.roots.append(node)
        elif isinstance(parent, SequenceNode):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = node
        else:
            parent.add(key, node)
            self._keys[-1] = None
