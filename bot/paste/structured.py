"""The images in YAML and JSON: manifests, values of charts, pipelines, and lists of tools.

One walk reads them all, since nobody can list all kinds of resources. Three things name an image: a
key that is about images, parts under several keys (see parts_reader.py), and a value that is an
image in full. In files whose other keys have a known meaning, a value in full may be something
else. Then it is named as passed over. See tool_lists.py for keys, compose.py for services.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import islice
from typing import Final

from bot.core.bad_image import Gap
from bot.core.image import has_host
from bot.paste import compose, tool_lists
from bot.paste.command_line import image_argument
from bot.paste.finding import MENTION_LENGTH_LIMIT, Flaw, Mention, Span, passed_over
from bot.paste.image_parts import Surroundings
from bot.paste.image_values import Look, Within, is_image_key, look_of, span_of, with_owner
from bot.paste.interpolation import expand
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.parts_reader import PartsReader, Place
from bot.paste.tokens import TokenKind, token_kind
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, documents, grown

Reader = Callable[[str], Iterable[Mention]]

_FLAG: Final = re.compile(r"--?[A-Za-z0-9-]*(?:image|config-reloader)(?:=(\S+))?")
_ANY_FLAG: Final = re.compile(r"--?[A-Za-z0-9.-]+=(\S+)")
_ALIAS: Final = re.compile(r"([^\s$]+[:@][^\s$:@]+)\$[A-Za-z0-9][^\s${}]*")
"""`image$name`: the name that hub-mirror gives to the copy."""
_LABEL: Final = re.compile(r"[\u3400-\u9fff]+[0-9]*[:\uff1a][ \t]*|docker://")
_RENAMED: Final = re.compile(r"[^\s=]+=(\S+)")
_VARIABLE: Final = re.compile(r"[\w-]*image[\w-]*", re.IGNORECASE)
_MAYBE: Final = re.compile(r"[^\s:@]+[:@/]\S+")
_PAIR: Final = {"name", "tag"}  # all keys of an image in lists that people write
_LISTS: Final = frozenset("hub-mirror mirror mirrors mirrored repotags".split())
"""Keys of tools whose lists are images."""
_SOURCES: Final = frozenset("source src from uses container ref reference".split())
_TARGETS: Final = frozenset(
    "target targets destination dest dst to tags output repodigests imageid".split()
)
"""Keys of values that say where an image goes, or that say the same image once more."""
_KUBEADM: Final = {"dns": "coredns", "local": "etcd"}
"""What kubeadm adds to the `imageRepository` under these keys."""
_NO_SUBTREES: Final = set("machine auth auths credentials creds blockedimages description".split())
_WITHIN: Final = re.compile(r"\.[a-z]{2,}/[\w./-]+[:@]\w")
"""What a text with blanks has where an image in full is in it."""
_COMMAND: Final = re.compile(
    r"\b(?:docker|podman|nerdctl|ctr|crictl|skopeo|crane|regctl|kubectl|oc|helm|kind)\s+\S"
)
_DEEPEST_TEXT: Final = 3
_MOST_WITHIN: Final = 1000
"""Images of one text within a text."""


class Setting(Enum):
    """What the other keys of a document mean. LIST: nothing known, as in values and lists."""

    LIST = auto()
    MANIFEST = auto()
    PIPELINE = auto()
    SKAFFOLD = auto()
    CLOUD_BUILD = auto()


def setting_of(root: Node) -> Setting:
    """What a document is by the keys at its top."""
    if not isinstance(root, MappingNode):
        return Setting.LIST
    version = root.text("apiVersion")
    if version is not None and root.text("kind") is not None:
        return Setting.SKAFFOLD if version.value.startswith("skaffold/") else Setting.MANIFEST
    steps = root.named.get("steps")
    if isinstance(steps, SequenceNode) and root.named.get("kind") is None:
        given = [item for item in steps.items if isinstance(item, MappingNode)]
        if any(s.text("name") and not s.named.keys() & {"uses", "run", "image"} for s in given):
            return Setting.CLOUD_BUILD
    keys = ("jobs", "pipelines", "steps")
    is_pipeline = any(isinstance(root.named.get(key), MappingNode) for key in keys)
    if is_pipeline or isinstance(steps, SequenceNode) or root.named.get("stages") is not None:
        return Setting.PIPELINE
    jobs = (job for _, job in root.pairs if isinstance(job, MappingNode))
    return Setting.PIPELINE if any(job.named.get("script") for job in jobs) else Setting.LIST


def mentions(
    text: str, roots: Iterable[Node], *, within: Reader, depth: int = 0
) -> Iterator[Mention]:
    """All images that documents name, at any depth, in the order of the walk.

    `within` reads a text that is no document, such as a script. `depth`: how many texts the text
    is within, since files hold files.
    """
    for root in roots:
        setting, others = setting_of(root), root
        if setting is not Setting.MANIFEST and (services := compose.services_of(root)):
            others = compose.others_of(root)
            for service in services:
                yield from compose.of_service(text, service)
        setting = setting_of(others)
        variables = _variables(root) if setting is Setting.PIPELINE else {}
        walk = _Walk(text, setting, depth, PartsReader(text, variables), within)
        yield from map(with_owner, walk.of(others))


def _variables(root: Node) -> dict[str, str]:
    """The variables that a pipeline of GitLab sets for all of its jobs."""
    given = root.named.get("variables") if isinstance(root, MappingNode) else None
    known: dict[str, str] = {}
    for key, value in given.named.items() if isinstance(given, MappingNode) else ():
        node = value.text("value") if isinstance(value, MappingNode) else value
        if isinstance(node, ScalarNode) and len(node.value) <= MENTION_LENGTH_LIMIT:
            known[key] = node.value
    return {key: expand(value, known) or value for key, value in known.items()}


@dataclass(frozen=True, slots=True)
class _Spot:
    """A node with its key, the key around it, and what the file says around it."""

    key: str
    parent: str
    node: Node
    around: Surroundings


@dataclass(slots=True)
class _Walk:
    text: str
    setting: Setting
    depth: int
    reader: PartsReader
    within: Reader
    seen: set[int] = field(default_factory=set)

    def of(self, root: Node) -> Iterator[Mention]:
        waiting = [_Spot("", "", root, Surroundings())]
        while waiting:
            spot = waiting.pop()
            if id(spot.node) in self.seen:
                continue
            if not isinstance(spot.node, ScalarNode):
                self.seen.add(id(spot.node))
            inner: list[_Spot] = []
            if isinstance(spot.node, MappingNode):
                yield from self._mapping(spot, spot.node, inner)
            elif isinstance(spot.node, SequenceNode):
                yield from self._sequence(spot, spot.node, inner)
            else:
                yield from self._scalar(spot, spot.node)
            waiting += reversed(inner)

    def _mapping(self, spot: _Spot, node: MappingNode, inner: list[_Spot]) -> Iterator[Mention]:
        """The images that a mapping names by itself. Adds to `inner` what is inside it."""
        taken = set[int]()
        yield from self._in_parts(spot, node, taken)
        yield from self._variable(node, taken)
        if self.setting is Setting.LIST:
            for value, mention in tool_lists.keyed(spot.key, spot.parent, node):
                taken.add(id(value))
                yield mention
        around = spot.around.within(node)
        for name, value in node.pairs:
            key = name.value if isinstance(name, ScalarNode) else ""
            if id(value) not in taken and not self._is_left_out(key, spot.key):
                inner.append(_Spot(key, spot.key, value, around))

    def _is_left_out(self, key: str, parent: str) -> bool:
        is_built = self.setting is Setting.CLOUD_BUILD and key == "images" and not parent
        return is_built or key.lower() in _NO_SUBTREES

    def _in_parts(self, spot: _Spot, node: MappingNode, taken: set[int]) -> Iterator[Mention]:
        if self.setting is Setting.SKAFFOLD and spot.key in {"artifacts", "requires"}:
            taken |= {id(built) for built in [node.named.get("image")] if built is not None}
            return
        for parts, read in self.reader.of_mapping(node, self._place(spot, node)):
            taken |= parts.used
            yield from read
        for name, value in node.pairs:
            is_image = isinstance(name, ScalarNode) and name.value == "image"
            is_again = is_image and value is not node.named["image"]
            if is_again and isinstance(value, ScalarNode) and id(value) not in taken:
                yield from self._listed(_Spot("image", spot.key, value, spot.around), value)
        if spot.key == "image" and (inner := node.text("reference")) is not None:
            taken.add(id(inner))
            yield from self._listed(spot, inner)

    def _place(self, spot: _Spot, node: MappingNode) -> Place:
        is_pair = self.setting is Setting.LIST and {key.lower() for key in node.named} == _PAIR
        is_kubeadm = self.setting is Setting.MANIFEST and "imageRepository" in node.named
        return Place(
            spot.around,
            in_image=self._is_about_images(spot.key) or is_pair,
            is_listed=spot.key.lower().endswith("images"),
            is_versioned=self.setting is Setting.MANIFEST and spot.around.has_version,
            is_pushed=self.setting is Setting.PIPELINE,
            tail=_KUBEADM.get(spot.key, "") if is_kubeadm else "",
        )

    def _is_about_images(self, key: str) -> bool:
        if self.setting is Setting.CLOUD_BUILD and key == "steps":
            return True
        return is_image_key(key) or (self.setting is Setting.PIPELINE and key == "services")

    def _variable(self, node: MappingNode, taken: set[int]) -> Iterator[Mention]:
        """The images of a variable of a container, such as `RELATED_IMAGE_X` and `X_IMAGES`."""
        name, value = node.text("name"), node.text("value")
        if name is None or value is None or not _VARIABLE.fullmatch(name.value[:100]):
            return
        taken.add(id(value))
        yield from self._among(_Spot(name.value, "", value, Surroundings()), value)

    def _sequence(self, spot: _Spot, node: SequenceNode, inner: list[_Spot]) -> Iterator[Mention]:
        scalars = [item for item in node.items if isinstance(item, ScalarNode)]
        if spot.key == "parameters":
            inner.append(replace(spot, node=grown(self._settings(node))))
        if self._is_about_images(spot.key) or spot.key.lower() in _LISTS:
            for item in scalars:
                yield from self._listed(spot, item)
        elif spot.key.lower() not in _TARGETS:
            yield from self._items(spot, scalars)
        others = [item for item in node.items if not isinstance(item, ScalarNode)]
        inner += [replace(spot, node=item) for item in others]

    def _settings(self, node: SequenceNode) -> Iterator[tuple[str, ScalarNode]]:
        """The names and values of parameters, which need not be read again."""
        for item in node.items:
            name = item.text("name") if isinstance(item, MappingNode) else None
            value = item.text("value") if isinstance(item, MappingNode) else None
            if name is not None and value is not None and value.value.split() == [value.value]:
                self.seen.add(id(item))
                yield name.value, value

    def _items(self, spot: _Spot, items: list[ScalarNode]) -> Iterator[Mention]:
        """The texts of a list under any key: arguments of a program, or images in full."""
        looks = [_look(item.value) for item in items]
        is_list = self.setting is Setting.LIST and _are_images(items, looks)
        is_flagged = False
        for item, look in zip(items, looks, strict=True):
            flag = _FLAG.fullmatch(item.value[: 2 * MENTION_LENGTH_LIMIT])
            if is_list or (look is Look.WHOLE and self.setting is Setting.LIST) or is_flagged:
                yield from self._listed(spot, item)
            elif flag is not None and flag[1]:
                yield from self._listed(spot, item, flag.start(1))
            elif other := _ANY_FLAG.fullmatch(item.value[: 2 * MENTION_LENGTH_LIMIT]):
                if look_of(other[1]) is Look.WHOLE:
                    yield self._passed(spot, item)
            else:
                yield from self._scalar(spot, item)
            is_flagged = flag is not None and not flag[1]

    def _scalar(self, spot: _Spot, node: ScalarNode) -> Iterator[Mention]:
        """The images of a value that is no part of an image."""
        value, key = node.value, spot.key
        is_command = " " in value and _COMMAND.search(value) is not None
        if "\n" in value or value.startswith(("{", "[")) or is_command:
            yield from self._within(spot, node)
            return
        if key.lower() in _TARGETS:
            return
        if self._is_about_images(key):
            yield from self._among(spot, node)
            return
        if _WITHIN.search(value) and " " in value:
            words = re.findall(r"[^\s\"'`(),;=<>\[\]]+", value)
            if any(look_of(word.rstrip(".:")) is Look.WHOLE for word in words):
                yield self._passed(spot, node)
            return
        look, is_source = _look(value), key.lower() in _SOURCES
        if look is Look.UNTAGGED and has_host(value) and (is_source or is_image_key(spot.parent)):
            yield Mention(value, (), Gap.NO_TAG, line=node.line)
        if look not in {Look.WHOLE, Look.PAIR}:
            return
        is_named = key.lower().startswith("image") or is_source
        if is_named or (look is Look.WHOLE and self.setting is Setting.LIST):
            yield from self._listed(spot, node)
        else:
            yield self._passed(spot, node)

    def _passed(self, spot: _Spot, node: ScalarNode) -> Mention:
        name = ".".join(filter(None, (spot.parent, spot.key)))[-MENTION_LENGTH_LIMIT // 8 :]
        return passed_over(name or "-", line=node.line)

    def _listed(self, spot: _Spot, node: ScalarNode, start: int = 0) -> Iterator[Mention]:
        """One image, or a word that is one where only images stand."""
        words = _stripped(node.value[start:])[0]
        look, line = look_of(words), node.line
        gap = Gap.VARIABLE if "$" in words else None
        if "://" in words and token_kind(words) is TokenKind.IMAGE:
            yield Mention(words, (), line=line)
            return
        is_word = look is Look.WORD and spot.key != "image" and words not in OFFICIAL_IMAGES
        is_path = words.startswith((".", "/", "~")) or "/" not in words or not words.isascii()
        if look is Look.NONE and gap is None and is_path:
            return
        if look is Look.TEMPLATE or is_word or (look is Look.NONE and gap is None):
            yield self._passed(spot, node)
            return
        part = ScalarNode(words, node.start, node.end, node.is_plain)
        around = spot.around.before(words)
        if gap is None and not has_host(words) and around not in {words, f"docker.io/{words}"}:
            yield Mention(around, (), Gap.REGISTRY, line=line)
        else:
            yield Mention(words, span_of(self.text, part), gap, line=line)

    def _among(self, spot: _Spot, node: ScalarNode) -> Iterator[Mention]:
        """The images of a text that may list several: by commas, by lines, as `version=image`."""
        within = Within(self.text, node)
        for word in re.finditer(r"[^\s,;]+", node.value):
            words, start = _stripped(word[0])
            look = look_of(words)
            if look in {Look.WHOLE, Look.PAIR}:
                begin = word.start() + start
                inner = Span(begin, begin + len(words))
                yield Mention(words, within.spans(inner), line=node.line)
            elif look is Look.UNTAGGED:
                yield Mention(words, (), Gap.NO_TAG, line=node.line)
            elif "$" in words or look in {Look.TEMPLATE, Look.WORD}:
                yield self._passed(spot, node)
                return

    def _within(self, spot: _Spot, node: ScalarNode) -> Iterator[Mention]:
        """The images of a text within a text, such as the files in a ConfigMap."""
        self.seen.add(id(node))
        if self.depth >= _DEEPEST_TEXT:
            yield self._passed(spot, node)
            return
        is_other = _COMMAND.search(node.value) and "\n" not in node.value
        roots = Flaw.BROKEN if is_other else documents(node.value)
        found: Iterable[Mention]
        if isinstance(roots, list) and any(not isinstance(root, ScalarNode) for root in roots):
            found = mentions(node.value, roots, within=self.within, depth=self.depth + 1)
        else:
            found = self.within(node.value)
        is_block = self.text[node.start : node.start + 1] in {"|", ">"}
        first = node.line - (not is_block)
        within = Within(self.text, node)
        for mention in islice(found, _MOST_WITHIN):
            line = first + mention.line
            if mention.gap is Gap.PASSED_OVER:
                yield self._passed(spot, replace(node, line=line))
                continue
            spans = tuple(s for span in mention.spans for s in within.spans(span))
            is_known = len(spans) == len(mention.spans)
            yield replace(mention, spans=spans if is_known else (), line=line)


def _look(value: str) -> Look:
    return look_of(_stripped(value)[0]) if _MAYBE.match(value) else Look.NONE


def _are_images(items: list[ScalarNode], looks: list[Look]) -> bool:
    """Whether a list has images only: at least one in full, and names that surely are images."""
    full = [look in {Look.WHOLE, Look.PAIR} for look in looks]
    return any(full) and all(
        is_full or look_of(item.value) is Look.UNTAGGED or item.value in OFFICIAL_IMAGES
        for item, is_full in zip(items, full, strict=True)
    )


def _stripped(value: str) -> tuple[str, int]:
    """The image of a text without what tools write around it, and where it begins.

    `old=image` of Argo CD, `image$name` of hub-mirror, `docker pull image` as people paste it.
    """
    value = value.strip()
    if (command := image_argument(value)) is not None:
        return command, value.find(command)
    if renamed := _RENAMED.fullmatch(value):
        return renamed[1], renamed.start(1)
    label = _LABEL.match(value)
    start = label.end() if label else 0
    alias = _ALIAS.fullmatch(value, start)
    return (alias[1] if alias else value[start:]), start
