"""The images of a compose file, by the Compose specification: those of its services.

What a service builds is no image to pull, but the images that its build starts from are.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bot.core.bad_image import Gap
from bot.paste import dockerfile
from bot.paste.finding import MENTION_LENGTH_LIMIT, Mention
from bot.paste.image_values import Within, is_no_image, span_of
from bot.paste.interpolation import expand
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode

_CONTEXT: Final = "docker-image://"
_OWN: Final = re.compile(
    r"x-.*|version|name|include|services|networks|volumes|configs|secrets|models"
)
"""https://github.com/compose-spec/compose-spec/blob/main/spec.md"""


def services_of(root: Node) -> list[MappingNode]:
    """The services of a document, none where it is no compose file."""
    services = root.named.get("services") if isinstance(root, MappingNode) else None
    pairs = services.pairs if isinstance(services, MappingNode) else []
    return [service for _, service in pairs if isinstance(service, MappingNode)]


def others_of(root: Node) -> Node:
    """A document without what the specification defines, since pipelines have services, too."""
    pairs = root.pairs if isinstance(root, MappingNode) else []
    others = MappingNode()
    for key, value in pairs:
        if isinstance(key, ScalarNode) and not _OWN.fullmatch(key.value):
            others.add(key, value)
    return others


def of_service(text: str, service: MappingNode) -> Iterator[Mention]:
    """The images of one service: its own where it is not built, else those of its build."""
    image, named = service.text("image"), service.named
    if image is not None and "build" not in named:
        yield from _named(text, image)
    if isinstance(build := named.get("build"), MappingNode):
        yield from _of_build(text, build)
    volumes = named.get("volumes")
    for volume in volumes.items if isinstance(volumes, SequenceNode) else ():
        kind = volume.text("type") if isinstance(volume, MappingNode) else None
        source = volume.text("source") if isinstance(volume, MappingNode) else None
        if kind is not None and kind.value == "image" and source is not None:
            yield from _named(text, source)


def _of_build(text: str, build: MappingNode) -> Iterator[Mention]:
    """The images that a Dockerfile within the file and other contexts name."""
    contexts = dict(_contexts(build.named.get("additional_contexts")))
    if (inline := build.text("dockerfile_inline")) is not None:
        within = Within(text, inline)
        for mention in dockerfile.mentions(inline.value, contexts):
            spans = tuple(s for span in mention.spans for s in within.spans(span))
            yield replace(mention, spans=spans)
    for context in contexts.values():
        _, scheme, image = context.value.partition(_CONTEXT)
        if scheme:
            yield from _named(text, replace(context, value=image))


def _contexts(node: Node | None) -> Iterator[tuple[str, ScalarNode]]:
    """The contexts of a build besides its own, by name: a mapping, or a list of `name=value`."""
    if isinstance(node, MappingNode):
        yield from ((key, v) for key, v in node.named.items() if isinstance(v, ScalarNode))
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, ScalarNode):
            yield item.value.partition("=")[0], item


def _named(text: str, image: ScalarNode) -> Iterator[Mention]:
    if len(image.value) > MENTION_LENGTH_LIMIT:
        return
    resolved = expand(image.value, {})
    if resolved is None:
        yield Mention(image.value, span_of(text, image), Gap.VARIABLE, line=image.line)
    elif resolved and not is_no_image(resolved):
        yield Mention(resolved.strip(), span_of(text, image), line=image.line)
