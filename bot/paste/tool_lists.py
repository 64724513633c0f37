"""Lists whose keys are images: of `skopeo sync`, and of tools that map a source to its targets.

These are the only files in which a key counts.
"""

from collections.abc import Callable, Iterator
from typing import Final

from bot.core.bad_image import Gap
from bot.paste.finding import Mention, passed_over
from bot.paste.image_parts import has_host
from bot.paste.image_values import Look, look_of
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode

_LineOf = Callable[[ScalarNode], int]
_BY_REGEX: Final = "images-by-tag-regex"
_BY_VERSION: Final = "images-by-semver"


def of_skopeo(root: MappingNode, line_of: _LineOf) -> Iterator[Mention] | None:
    """The images of a file of `skopeo sync`: a registry, its repositories, and their tags."""
    registries = [
        (key, value)
        for key, value in root.pairs
        if isinstance(key, ScalarNode)
        and isinstance(value, MappingNode)
        and ("." in key.value or key.value.startswith("localhost"))
        and any(name in value.named for name in ("images", _BY_REGEX, _BY_VERSION))
    ]
    is_whole = bool(registries) and len(registries) == len(root.pairs)
    return _of_registries(registries, line_of) if is_whole else None


def _of_registries(
    registries: list[tuple[ScalarNode, MappingNode]], line_of: _LineOf
) -> Iterator[Mention]:
    for host, value in registries:
        images = value.get("images")
        for name, tags in images.pairs if isinstance(images, MappingNode) else ():
            if isinstance(name, ScalarNode):
                yield from _tagged(f"{host.value}/{name.value}", tags, line_of(name))
        for key in (_BY_REGEX, _BY_VERSION):
            chosen = value.get(key)
            for name, _ in chosen.pairs if isinstance(chosen, MappingNode) else ():
                if isinstance(name, ScalarNode):
                    yield passed_over(f"{key}.{name.value}", line=line_of(name))


def _tagged(name: str, tags: Node, line: int) -> Iterator[Mention]:
    given = tags.items if isinstance(tags, SequenceNode) else []
    for tag in given:
        if isinstance(tag, ScalarNode):
            joint = "@" if tag.value.startswith("sha256:") else ":"
            yield Mention(f"{name}{joint}{tag.value}", (), line=line)
    if not given:
        yield Mention(name, (), Gap.NO_TAG, line=line)


def _is_target(value: Node) -> bool:
    """Whether a value says where images go. The keys of annotations look like names of images."""
    first = value.items[0] if isinstance(value, SequenceNode) and value.items else value
    looks = {Look.UNTAGGED, Look.WHOLE}
    return isinstance(first, ScalarNode) and has_host(first.value) and look_of(first.value) in looks


def sources(mapping: MappingNode, line_of: _LineOf) -> Iterator[tuple[Node, Mention]]:
    """The keys that are images, each with the value that says where it goes.

    One key may have several tags: `nginx:1.27,1.28`.
    """
    for key, value in mapping.pairs:
        if not isinstance(key, ScalarNode) or isinstance(value, MappingNode):
            continue
        first, *others = key.value.split(",")
        look = look_of(first)
        if look in {Look.WHOLE, Look.PAIR}:
            name = first.partition("@")[0].rpartition(":")[0]
            for text in (first, *(f"{name}:{tag}" for tag in others)):
                yield value, Mention(text, (), line=line_of(key))
        elif look is Look.UNTAGGED and has_host(first) and _is_target(value):
            yield value, Mention(first, (), Gap.NO_TAG, line=line_of(key))
