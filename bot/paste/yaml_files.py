"""The images in compose files, Kubernetes manifests and values of Helm charts.

The keys show what a file is. In a compose file the images are those of its services, by the Compose
specification. In all other files every text under a key `image` counts at any depth, since nobody
can list all kinds of resources. A mapping that gives an image in parts counts as well.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from bot.core.bad_image import Gap
from bot.paste import image_lines
from bot.paste.finding import MENTION_LENGTH_LIMIT, FileKind, Mention, Part, Span, has_tag, in_order
from bot.paste.helm_settings import images_of_settings
from bot.paste.interpolation import expand
from bot.paste.tokens import TokenKind, token_kind
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, documents

_FLAG: Final = re.compile(r"--?[a-z0-9-]*(?:image|config-reloader)=(\S+)")
_IMAGE_KEY: Final = re.compile(r"(?:.*[._-])?image|[a-z][A-Za-z0-9]*Image", re.ASCII)
_SURE_KEYS: Final = frozenset({"imageName", "containerImage", "container", "uses"})
"""Keys that count only with a complete reference. Other files have other names there."""
_RELATED: Final = "RELATED_IMAGE"
_WHOLE_KEYS: Final = frozenset({"image", "Image"})
"""Docker and Amazon use the second one."""
_LONGEST_SPELLING: Final = 4 * MENTION_LENGTH_LIMIT
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_URL: Final = re.compile(r"[a-z]+://", re.IGNORECASE)


def file_kind_of(roots: Iterable[Node]) -> FileKind | None:
    """The kind of a file by the keys at the top of its documents, or None."""
    kind = None
    for root in roots:
        if not isinstance(root, MappingNode):
            continue
        if root.text("apiVersion") and root.text("kind"):
            return FileKind.KUBERNETES
        if _services(root):
            return FileKind.COMPOSE
        images = root.get("images")
        if isinstance(images, SequenceNode) and any(map(_is_kustomized, images.items)):
            kind = FileKind.KUBERNETES
    return kind


def compose_mentions(text: str, roots: Iterable[Node]) -> tuple[Mention, ...]:
    """The images of the services of a compose file, without those that are built."""
    found: list[Mention] = []
    for root in roots:
        for service in _services(root):
            image = service.text("image")
            if image is not None and service.get("build") is None:
                found += _composed(text, image)
    return in_order(found)


def _services(root: Node) -> list[MappingNode]:
    services = root.get("services") if isinstance(root, MappingNode) else None
    if not isinstance(services, MappingNode):
        return []
    given = [value for _, value in services.pairs]
    return [service for service in given if isinstance(service, MappingNode)]


def _composed(text: str, image: ScalarNode) -> Iterator[Mention]:
    if len(image.value) > MENTION_LENGTH_LIMIT:
        return
    resolved = expand(image.value, {})
    if resolved is None:
        yield Mention(image.value, spans_of(text, image), Gap.VARIABLE)
    elif resolved and not image_lines.is_no_image(resolved):
        yield Mention(resolved.strip(), spans_of(text, image))


def spans_of(text: str, scalar: ScalarNode, part: Part = Part.WHOLE) -> tuple[Span, ...]:
    """The span of a scalar without its quotes. Empty where the text is folded or escaped."""
    value = scalar.value.strip()
    if scalar.end - scalar.start > _LONGEST_SPELLING:  # many aliases may search there
        return ()
    start = text.rfind(value, scalar.start, scalar.end)
    return (Span(start, start + len(value), part),) if value and start >= 0 else ()


def mentions(text: str, roots: Iterable[Node]) -> tuple[Mention, ...]:
    """All images that a manifest or the values of a chart name, at any depth."""
    roots = list(roots)
    walk = _Walk(text, _global_registry(roots), _hub(roots), _is_pipeline(roots))
    found = [mention for root in roots for mention in walk.of(root)]
    return in_order(found)


def gives_images_in_parts(roots: Iterable[Node], found: Iterable[Mention]) -> bool:
    """Whether an image is given in parts, which is done only in values of charts."""
    parts = {place.part for mention in found for place in mention.spans}
    return not parts <= {Part.WHOLE} or _global_registry(roots) is not None


def _global_registry(roots: Iterable[Node]) -> ScalarNode | None:
    """`global.imageRegistry`, which replaces every registry in charts of Bitnami and others."""
    for root in roots:
        common = root.get("global") if isinstance(root, MappingNode) else None
        if isinstance(common, MappingNode) and (registry := common.text("imageRegistry")):
            return registry
    return None


def _hub(roots: Iterable[Node]) -> tuple[str, str] | None:
    """`global.hub` and `global.tag`, which Istio's charts add to names without a registry."""
    for root in roots:
        common = root.get("global") if isinstance(root, MappingNode) else None
        if isinstance(common, MappingNode) and (hub := common.text("hub")):
            tag = common.text("tag")
            return hub.value.strip(), tag.value.strip() if tag else ""
    return None


def _is_pipeline(roots: Iterable[Node]) -> bool:
    """Whether the file has jobs of GitLab CI, whose services are images."""
    return any(
        isinstance(job, MappingNode) and job.get("script") is not None
        for root in roots
        if isinstance(root, MappingNode)
        for _, job in root.pairs
    )


def _nodes(root: Node) -> Iterator[tuple[str, Node]]:
    """Each node of a tree once, with its key."""
    waiting: list[tuple[str, Node]] = [("", root)]
    seen: set[int] = set()
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield key, node
        match node:
            case SequenceNode(items=items):
                waiting += [(key, item) for item in reversed(items)]
            case MappingNode(pairs=pairs):
                waiting += [(_key(name), value) for name, value in reversed(pairs)]


def _key(node: Node) -> str:
    return node.value if isinstance(node, ScalarNode) else ""


@dataclass(frozen=True, slots=True)
class _Walk:
    text: str
    registry: ScalarNode | None = None
    hub: tuple[str, str] | None = None
    is_pipeline: bool = False
    is_inner: bool = False
    """The YAML is a text within YAML, so the spans in the file are not known."""

    def of(self, root: Node) -> Iterator[Mention]:
        for key, node in _nodes(root):
            match node:
                case MappingNode() if (repository := _repository(key, node)) is not None:
                    yield from self._in_parts(node, repository)
                case MappingNode():
                    yield from self._under_image(key, node)
                case SequenceNode() if key == "images":
                    yield from self._kustomized(node)
                case SequenceNode() if key == "services" and self.is_pipeline:
                    yield from self._serving(node)
                case SequenceNode() if key == "parameters":
                    yield from images_of_settings(_parameters(node))
                case ScalarNode(value=value) if (
                    key in _SURE_KEYS and token_kind(value) is TokenKind.IMAGE
                ):
                    # The image of a step of GitHub Actions. Its scheme stays when it is renamed.
                    image = replace(node, value=value.removeprefix("docker://"))
                    yield from self._whole(image, None)
                case ScalarNode() if key != "description":
                    yield from self._in_text(node)

    def _under_image(self, key: str, node: MappingNode) -> Iterator[Mention]:
        """`image: x`, in old charts with a `tag` beside it, or `image: {reference: x}`."""
        for name, image in node.pairs:  # all of them, since a key may be repeated
            if _key(name) in _WHOLE_KEYS and isinstance(image, ScalarNode) and not image.is_null:
                yield from self._whole(image, node.text("imageTag") or node.text("tag"))
        variable, given = node.text("name"), node.text("value")
        if variable is not None and given is not None and variable.value.startswith(_RELATED):
            yield from self._whole(given, None)
        if key == "image":
            inner = node.text("reference") or node.text("name")
            yield from self._whole(inner, None) if inner else ()

    def _whole(self, image: ScalarNode, tag: ScalarNode | None) -> Iterator[Mention]:
        name = image.value.strip()
        if tag is not None and not has_tag(name) and len(name) <= MENTION_LENGTH_LIMIT:
            spot = spans_of(self.text, image, Part.NAME)
            mention = image_lines.mention_of(f"{name}:{tag.value.strip()}", *spot)
        elif self.hub is not None and "/" not in name and not has_tag(name):
            # The hub is common to all images, so it is not changed for one of them.
            whole = "/".join((self.hub[0], name)) + (f":{self.hub[1]}" if self.hub[1] else "")
            mention = Mention(whole, (), None if self.hub[1] else Gap.NO_TAG)
        else:
            mention = image_lines.mention_of(name, *spans_of(self.text, image))
        if mention is not None:
            yield mention

    def _in_parts(self, node: MappingNode, repository: ScalarNode) -> Iterator[Mention]:
        name, registry = repository.value.strip(), node.text("registry")
        spots = spans_of(self.text, repository, Part.NAME)
        if registry is not None:
            name = f"{registry.value.strip()}/{name}"
            head = spans_of(self.text, registry, Part.REGISTRY)
            tail = spans_of(self.text, repository, Part.REPOSITORY)
            spots = (*head, *tail) if head and tail else ()
        if self.registry is not None:
            # The registry is common to all images, so no span is changed for one of them.
            name, spots = f"{self.registry.value.strip()}/{repository.value.strip()}", ()
        yield from _versioned(name, node, spots)

    def _serving(self, node: SequenceNode) -> Iterator[Mention]:
        """The services of a job of GitLab CI."""
        for item in node.items:
            image = item.text("name") if isinstance(item, MappingNode) else item
            if isinstance(image, ScalarNode):
                yield from self._whole(image, None)

    def _kustomized(self, node: SequenceNode) -> Iterator[Mention]:
        for item in node.items:
            if isinstance(item, ScalarNode) and token_kind(item.value) is TokenKind.IMAGE:
                yield from self._whole(item, None)
            if not isinstance(item, MappingNode) or not _is_kustomized(item):
                continue
            renamed, name = item.text("newName"), item.text("name")
            spots = spans_of(self.text, renamed, Part.NAME) if renamed else ()
            if shown := renamed or name:
                yield from _versioned(shown.value.strip(), item, spots)

    def _in_text(self, node: ScalarNode) -> Iterator[Mention]:
        """Images in a text: in a flag, or in YAML within the text."""
        if "\n" in node.value:
            whole = list(image_lines.mentions(self.text, node.start, node.end))
            yield from whole
            if not self.is_inner:
                known = {mention.text for mention in whole}
                yield from (m for m in _within(node.value) if m.text not in known)
        elif node.value.startswith("-") and (
            found := _FLAG.fullmatch(node.value[:MENTION_LENGTH_LIMIT])
        ):
            spots = spans_of(self.text, ScalarNode(found[1], node.start, node.end, node.is_plain))
            mention = image_lines.mention_of(found[1], *spots)
            if mention is not None:
                yield Mention(mention.text, spots, mention.gap, uncertain=True)


def _within(text: str) -> Iterator[Mention]:
    """The images of YAML within a text, such as the values in an Application of Argo CD."""
    roots = documents(text)
    if isinstance(roots, list):
        walk = _Walk("", _global_registry(roots), is_inner=True)
        yield from (
            found for root in roots if isinstance(root, MappingNode) for found in walk.of(root)
        )


def _parameters(node: SequenceNode) -> Iterator[str]:
    """The parameters of a chart in Argo CD, in the form of `--set`."""
    for item in node.items:
        name = item.text("name") if isinstance(item, MappingNode) else None
        value = item.text("value") if isinstance(item, MappingNode) else None
        if name is not None and value is not None:
            yield f"{name.value}={value.value.strip()[:MENTION_LENGTH_LIMIT]}"


def _is_kustomized(node: Node) -> bool:
    return isinstance(node, MappingNode) and any(map(node.text, ("newName", "newTag", "digest")))


def _repository(key: str, node: MappingNode) -> ScalarNode | None:
    """The repository of an image that a mapping gives in parts, or None.

    A `repository` with a URL is that of a chart and not of an image.
    """
    repository, in_image = node.text("repository"), _IMAGE_KEY.fullmatch(key) is not None
    parts = any(node.get(part) is not None for part in ("tag", "registry", "digest", "pullPolicy"))
    if repository is None and in_image and parts:
        repository = node.text("image") or node.text("name")
    elif not in_image and not parts:
        return None
    if repository is None or image_lines.is_no_image(repository.value):
        return None
    return None if _URL.match(repository.value) else repository


def _versioned(name: str, node: MappingNode, spots: tuple[Span, ...]) -> Iterator[Mention]:
    """The name with the tag and the digest of its mapping, which may be under several keys."""
    tag = node.text("tag") or node.text("newTag") or node.text("imageTag")
    digest = node.text("digest") or node.text("sha")
    suffix = f":{tag.value.strip()}" if tag else ""
    if digest is not None:
        value = digest.value.strip()
        suffix += f"@sha256:{value}" if _DIGEST.fullmatch(value) else f"@{value}"
    whole = f"{name}{suffix}"
    if image_lines.is_no_image(whole):
        return
    if "$" in whole:
        yield Mention(whole, spots, Gap.VARIABLE)
    elif not has_tag(whole):
        yield Mention(whole, spots, Gap.NO_TAG)
    else:
        yield Mention(whole, spots)
