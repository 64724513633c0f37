"""Lists whose keys are images, the only files in which a key counts."""

from collections.abc import Iterator

from bot.core.bad_image import Gap
from bot.core.image import has_host, is_host
from bot.paste.finding import Mention, passed_over
from bot.paste.image_values import Look, look_of
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode


def keyed(key: str, parent: str, mapping: MappingNode) -> Iterator[tuple[Node, Mention]]:
    """The images that keys of a mapping name, each with its value: where it goes, or its tags.

    `key` and `parent` are the keys above. `skopeo sync` has a registry and `images` there, or
    `images-by-...` with rules for tags. One key may have several tags: `nginx:1.27,1.28`.
    """
    is_skopeo = is_host(parent) and ("." in parent or parent.startswith("localhost"))
    for name, value in mapping.pairs:
        is_map = isinstance(value, MappingNode)
        if not isinstance(name, ScalarNode) or (is_map and look_of(name.value) is not Look.WHOLE):
            continue
        first, *others = name.value.split(",")
        look, line = look_of(first), name.line
        if is_map:
            yield name, passed_over(name.value, line=line)
        elif is_skopeo and key in {"images-by-tag-regex", "images-by-semver"}:
            yield value, passed_over(f"{key}.{name.value}", line=line)
        elif is_skopeo and key == "images":
            for mention in _tagged(f"{parent}/{name.value}", value, line):
                yield value, mention
        elif look in {Look.WHOLE, Look.PAIR}:
            image = first.partition("@")[0].rpartition(":")[0]
            for text in (first, *(f"{image}:{tag}" for tag in others)):
                yield value, Mention(text, (), line=line)
        elif look is Look.UNTAGGED and has_host(first) and _is_target(value):
            yield value, Mention(first, (), Gap.NO_TAG, line=line)


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
