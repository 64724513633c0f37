"""An image that a mapping gives in parts: which of its keys hold the parts, and what they make.

Charts, resources and lists of tools call the parts by many names. Here the end of a key says which
part it holds, and what stands before that says to which image the part belongs: `webImage` and
`webTag` are parts of one image. What all images share stands elsewhere: see `Surroundings`.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self

from bot.paste.yaml_tree import MappingNode, Node, ScalarNode


class Role(StrEnum):
    """Which part of an image's name a key holds. `NAME` may also be the label of anything."""

    REGISTRY = "registry"
    REPOSITORY = "repository"
    IMAGE = "image"
    NAME = "name"
    TAG = "tag"
    VERSION = "version"
    DIGEST = "digest"
    SUFFIX = "suffix"  # what a chart adds to a tag, such as the flavour or the architecture
    OWNER = "owner"


_ENDING: Final = re.compile(
    r"(.*?)(registry|repository|repo|image|tag|version|digest|sha256|sha|name)", re.IGNORECASE
)
_ROLES: Final = {"repo": Role.REPOSITORY, "sha256": Role.DIGEST, "sha": Role.DIGEST}
_EXACT: Final = (
    {"newname": Role.IMAGE, "newtag": Role.TAG}  # of kustomize, whose `name` is replaced
    | dict.fromkeys("suffix prefix tagsuffix tagprefix".split(), Role.SUFFIX)
    | dict.fromkeys("flavor flavour variant arch edition".split(), Role.SUFFIX)
    | dict.fromkeys("namespace org organization project owner".split(), Role.OWNER)
)
"""Keys of kustomize, and keys that charts add."""
SHARED: Final = "default"
"""What the keys of a registry, an owner and a tag for all images begin with."""
_NOTHING: Final = "<none>"
"""What Docker prints for a tag or a digest that an image does not have."""


def role_of(key: str) -> tuple[str, Role] | None:
    """The image that a key is about, empty for the mapping's own, and the part that it holds."""
    if exact := _EXACT.get(key.lower()):
        return "", exact
    found = _ENDING.fullmatch(key)
    if found is None:
        return None
    before, ending = found[1], found[2].lower()
    role = _ROLES.get(ending) or Role(ending)
    stem = before.lower().rstrip("._-")
    owner = stem.removesuffix("image").rstrip("._-")
    if role is Role.IMAGE:
        return stem, role
    begins = not before or before[-1] in "._-" or key[len(before)].isupper() or owner != stem
    if not begins or (role is Role.NAME and stem and owner == stem):
        return None
    return owner, Role.IMAGE if role is Role.NAME and stem else role


@dataclass(slots=True)
class Parts:
    """The parts of one image in a mapping, each with its key. `empty` are keys without a value."""

    given: dict[Role, ScalarNode] = field(default_factory=dict)
    keys: dict[Role, str] = field(default_factory=dict)
    empty: set[Role] = field(default_factory=set)

    def add(self, role: Role, key: str, value: ScalarNode) -> None:
        """Add a part. Of two keys for the same part the first with a value counts."""
        if not value.value.strip() or value.is_null or value.value == _NOTHING:
            self.empty.add(role)
        elif role not in self.given:
            self.given[role] = value
            self.keys[role] = key

    def text(self, role: Role) -> str:
        """The value of a part, empty where it is not given."""
        return self.given[role].value.strip() if role in self.given else ""

    @property
    def used(self) -> set[int]:
        """The ids of the values, without a `name` that may be a label beside another name."""
        has_more = len(self.given.keys() & {Role.NAME, Role.IMAGE, Role.REPOSITORY}) > 1
        return {id(v) for role, v in self.given.items() if role is not Role.NAME or not has_more}

    def names(self, *roles: Role) -> bool:
        """Whether the mapping has a key for one of the parts, with a value or without."""
        return any(role in self.given or role in self.empty for role in roles)


def parts_of(mapping: MappingNode) -> dict[str, Parts]:
    """The parts in a mapping, by the image that they are about. `""` is the mapping itself."""
    found: dict[str, Parts] = {}
    for key, value in mapping.named.items():
        role = role_of(key) if isinstance(value, ScalarNode) else None
        if role is not None and isinstance(value, ScalarNode):
            found.setdefault(role[0], Parts()).add(role[1], key, value)
    own, host = found.get("", Parts()), mapping.text("host")
    if host is not None and Role.TAG in own.given and own.names(Role.REPOSITORY, Role.NAME):
        own.add(Role.REGISTRY, "host", host)
    return found


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the mappings around an image say about the names of all images in them.

    `registry` may have a path, such as an owner. `replaces`: it counts even where an image has a
    registry of its own, as in Bitnami's charts. `is_sure`: charts use this key for all images.
    `hub` is a registry and a tag for names without a slash, as in Istio's charts. `has_version`:
    a resource says which version it is of, so an image without a tag is hardly `latest`.
    """

    registry: str = ""
    owner: str = ""
    replaces: bool = False
    is_sure: bool = True
    hub: tuple[str, str] | None = None
    has_version: bool = False

    def within(self, mapping: MappingNode) -> Self:
        """The same for what is inside a mapping, whose own keys come first."""
        common, inner = mapping.named.get("global"), self
        if not inner.has_version and mapping.text("version") is not None:
            inner = replace(inner, has_version=True)
        if isinstance(common, MappingNode):
            inner = inner.with_common(common)
        shared = parts_of(mapping)
        own, default = shared.get("", Parts()), shared.get(SHARED, Parts())
        if not own.names(Role.IMAGE, Role.REPOSITORY):  # else the parts of an image of its own
            inner = inner.with_shared(own, mapping.text("imageNamespace"))
        if own.names(Role.REPOSITORY) and not own.names(Role.IMAGE, Role.TAG, Role.NAME):
            inner = replace(inner.with_shared(own, own.given.get(Role.REPOSITORY)), is_sure=False)
        return inner.with_shared(default, default.given.get(Role.REPOSITORY))

    def with_common(self, common: MappingNode) -> Self:
        """The same with what a mapping `global` gives, under the keys that charts use."""
        inner = self
        found: list[Node | None] = [common.text("imageRegistry"), common.text("registry")]
        if isinstance(address := common.named.get("registry"), MappingNode):
            found += map(address.text, ("address", "url", "host", "server", "name"))
        if isinstance(image := common.named.get("image"), MappingNode):
            found.append(image.text("registry"))
        if registry := next((node for node in found if isinstance(node, ScalarNode)), None):
            inner = replace(inner, registry=registry.value.strip(), is_sure=True)
            inner = replace(inner, replaces=common.text("imageRegistry") is not None)
        if owner := common.text("imageNamespace"):
            inner = replace(inner, owner=owner.value.strip())
        if hub := common.text("hub"):
            tags = filter(None, (common.text("tag"), common.text("variant")))
            inner = replace(
                inner, hub=(hub.value.strip(), "-".join(node.value.strip() for node in tags))
            )
        return inner

    def with_shared(self, parts: Parts, owner: ScalarNode | None) -> Self:
        """The same with a registry and an owner that stand in front of names."""
        inner, registry = self, parts.text(Role.REGISTRY)
        if registry:
            is_sure = parts.keys[Role.REGISTRY].lower() != "registry"
            inner = replace(inner, registry=registry, replaces=False, is_sure=is_sure)
        return replace(inner, owner=owner.value.strip()) if owner else inner

    def before(self, name: str) -> str:
        """The name with what stands in front of all names."""
        owned = f"{self.owner}/{name}" if self.owner and "/" not in name else name
        return f"{self.registry.rstrip('/')}/{owned}" if self.registry else owned


_SHA: Final = re.compile(r"[0-9a-f]{64}")


def suffix_of(tag: str, digest: str) -> str:
    """`:tag` and `@digest` of both values. Charts also write a digest where others have a tag."""
    if tag.startswith("sha256:") and not digest:
        tag, digest = "", tag
    if digest:
        digest = f"@sha256:{digest}" if _SHA.fullmatch(digest) else f"@{digest}"
    return (f":{tag}" if tag else "") + digest
