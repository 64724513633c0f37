"""Puts the parts of an image together, and says where they stand so that they can be changed.

A part that stands beside an image and was not used is named as passed over. A name that would be a
guess becomes a question.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.core.bad_image import Gap
from bot.core.image import DOCKER_HUB_HOSTS, has_host
from bot.paste.finding import Mention, Part, Span, has_tag, passed_over
from bot.paste.image_parts import SHARED, Parts, Role, Surroundings, parts_of, suffix_of
from bot.paste.image_values import Look, is_no_image, is_template, look_of, span_of
from bot.paste.interpolation import expand
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.tokens import known_host
from bot.paste.yaml_tree import MappingNode, ScalarNode

_ELSEWHERE: Final = re.compile(r"[a-z]+:|[.@/]", re.IGNORECASE)
"""How the repository of a chart or of source code begins."""
_VERSIONS: Final = (Role.TAG, Role.DIGEST, Role.VERSION)


@dataclass(frozen=True, slots=True)
class Place:
    """Where parts stand: what they are about, and what the file says around them.

    `owner`: what the keys say of the image, empty for `image` itself. `in_image`: the mapping is
    the value of a key about images. `is_listed`: it is one of several, whose `name` is the one that
    is replaced, as in kustomize. `default`: a registry for where the mapping's own is empty.
    `is_versioned`: the version is given for all images. `is_pushed`: several parts are what a
    pipeline pushes. `tail`: the end of all names.
    """

    around: Surroundings
    owner: str = ""
    in_image: bool = False
    is_listed: bool = False
    default: str = ""
    is_versioned: bool = False
    is_pushed: bool = False
    tail: str = ""


@dataclass(frozen=True, slots=True)
class _Name:
    """A name without what stands in front of it, and the scalar that can be changed.

    `tail` is the end of the name that another scalar gives. `is_alone`: it has no other parts.
    """

    text: str
    main: ScalarNode
    tail: str = ""
    is_alone: bool = False
    spans: tuple[Span, ...] = ()
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class PartsReader:
    """Reads the parts of images in one file. `variables` are those that the file itself sets."""

    text: str
    variables: Mapping[str, str]

    def of_mapping(self, node: MappingNode, place: Place) -> Iterator[tuple[Parts, list[Mention]]]:
        """The images that the keys of a mapping make, each with the parts that it took."""
        found = parts_of(node)
        shared = found.get(SHARED, Parts())
        if not shared.names(Role.IMAGE):
            found.pop(SHARED, None)
        for owner, parts in found.items():
            where = replace(
                place,
                owner=owner,
                in_image=place.in_image and not owner,
                default=shared.text(Role.REGISTRY),
            )
            if read := list(self.read(parts, where)):
                yield parts, read

    def read(self, parts: Parts, place: Place) -> Iterator[Mention]:
        """The image that the parts make, and the parts that were passed over."""
        repository, image = self._named_by(parts, place)
        main, path = repository or image, parts.text(Role.REPOSITORY)
        given = (r for r, n in parts.given.items() if r is not Role.NAME and is_template(n.value))
        is_known = path in OFFICIAL_IMAGES or known_host(path.partition("/")[0])
        if path.startswith("/") and parts.names(Role.TAG):  # its registry is elsewhere
            yield self._passed(parts, Role.REPOSITORY)
        elif main is None:
            yield from [self._passed(parts, Role.REPOSITORY)] if is_known else ()
        elif template := next(given, None):
            yield self._passed(parts, template)
        elif not is_no_image(_text(main)):
            odd = self._odd(parts, place) if repository is None and place.owner else None
            name = self._in_front(_base(main, repository, image, parts, place.tail), parts, place)
            if odd is None and place.is_pushed and not name.is_alone:
                odd = self._passed(parts, next(iter(parts.keys)))
            yield from [odd] if odd is not None else self._versioned(name, parts, place)

    def _passed(self, parts: Parts, role: Role) -> Mention:
        return passed_over(parts.keys[role], line=parts.given[role].line)

    def _named_by(self, parts: Parts, place: Place) -> tuple[ScalarNode | None, ScalarNode | None]:
        """The repository and the image's own name, where the parts are those of an image."""
        repository = parts.given.get(Role.REPOSITORY)
        if repository is not None and _ELSEWHERE.match(_text(repository)):
            repository = None
        image = parts.given.get(Role.IMAGE)
        if image is None and place.in_image and not place.owner:
            image = parts.given.get(Role.NAME)
        if repository is None or image is not None or place.in_image:
            return repository, image
        known = Role.VERSION in parts.given and has_host(_text(repository))
        is_image = known or parts.names(Role.TAG, Role.REGISTRY, Role.DIGEST)
        return (repository if is_image else None), None

    def _odd(self, parts: Parts, place: Place) -> Mention | None:
        """What to say of a word or an untagged name under a key such as `webImage`."""
        image = parts.given[Role.IMAGE]
        if parts.names(*_VERSIONS, Role.REGISTRY):
            return None
        match look_of(_text(image)):
            case Look.WORD:
                return self._passed(parts, Role.IMAGE)
            case Look.UNTAGGED:
                name = place.around.before(_text(image))
                return Mention(name, (), Gap.NO_TAG, line=image.line)
            case _:
                return None

    def _in_front(self, name: _Name, parts: Parts, place: Place) -> _Name:
        """The name with its registry, wherever the file gives it."""
        around, registry = place.around, parts.given.get(Role.REGISTRY)
        doubt = Gap.REGISTRY if has_host(name.text) else None  # it would get a second one
        if (owner := parts.text(Role.OWNER)) and not name.is_alone and "/" not in name.text:
            host = parts.text(Role.REGISTRY).rstrip("/")
            text = "/".join(filter(None, (host, owner, name.text)))
            return replace(name, text=text, gap=Gap.REGISTRY)
        if around.replaces and not name.is_alone:
            return replace(name, text=around.before(name.text), gap=doubt)
        if registry is not None:
            return self._at(registry, name, doubt)
        part = Part.WHOLE if name.is_alone or has_tag(name.text) else Part.NAME
        as_it_is = replace(name, spans=span_of(self.text, name.main, part, name.tail))
        if doubt:
            return as_it_is
        if place.default:
            return replace(name, text=f"{place.default}/{name.text}")
        if around.hub is not None and name.is_alone and not set(name.text) & set("/:@"):
            # The hub is common to all images, so it is not changed for one of them.
            tag = f":{around.hub[1]}" if around.hub[1] else ""
            text = f"{around.hub[0]}/{name.text}{tag}"
            return replace(name, text=text, gap=None if tag else Gap.NO_TAG)
        is_hub = around.registry in DOCKER_HUB_HOSTS and not around.owner
        is_own = is_hub or ("/" in name.text and not around.registry)
        if (around.registry or around.owner) and not is_own:
            is_sure = around.is_sure and not name.is_alone
            return replace(
                name, text=around.before(name.text), gap=None if is_sure else Gap.REGISTRY
            )
        is_open = not is_hub and Role.REPOSITORY in parts.empty and not parts.names(Role.IMAGE)
        return replace(as_it_is, gap=Gap.REGISTRY if is_open else None)

    def _at(self, registry: ScalarNode, name: _Name, doubt: Gap | None) -> _Name:
        host = _text(registry).rstrip("/")
        if name.text.startswith(f"{host}/"):
            return name
        head = span_of(self.text, registry, Part.REGISTRY)
        part = Part.PATH if has_tag(name.text) else Part.REPOSITORY
        rest = span_of(self.text, name.main, part, name.tail)
        spans = (*head, *rest) if head and rest else ()
        return replace(name, text=f"{host}/{name.text}", spans=spans, gap=doubt)

    def _versioned(self, name: _Name, parts: Parts, place: Place) -> Iterator[Mention]:
        """The name with its tag and digest, and the parts that were not used."""
        whole, gap, spans = name.text, name.gap, name.spans
        if not has_tag(whole):
            # `version` is a tag only beside other parts, else it is that of a program.
            is_beside = place.in_image or parts.given.keys() & {Role.REPOSITORY, Role.REGISTRY}
            tag = parts.text(Role.TAG) or (parts.text(Role.VERSION) if is_beside else "")
            whole += suffix_of(tag, parts.text(Role.DIGEST))
        resolved = expand(whole, self.variables) if "$" in whole else whole
        is_matched = place.is_listed and name.main is parts.given.get(Role.NAME)
        if (is_matched and not name.is_alone) or place.owner == SHARED:
            spans = ()
        # Where something else gives the tag, `latest` is not meant.
        is_versioned = place.is_versioned or parts.names(*_VERSIONS)
        is_kustomized = parts.keys.get(Role.IMAGE, "").lower() == "newname"
        is_open = is_versioned or place.owner or not name.is_alone or is_kustomized
        if not resolved:
            resolved, gap = whole, Gap.VARIABLE
        elif gap is None and is_open and not has_tag(resolved):
            if version := parts.text(Role.VERSION):
                resolved = f"{resolved} {version}"  # which is a question
                spans = span_of(self.text, name.main) if spans else ()
            else:
                gap = Gap.NO_TAG
        yield Mention(resolved, spans, gap, line=name.main.line)
        for role in (*_VERSIONS, Role.REPOSITORY, Role.SUFFIX) if gap is None else ():
            value = parts.text(role).removeprefix("v").rstrip("/")
            if value not in resolved and "$" not in value and not _ELSEWHERE.match(value):
                yield self._passed(parts, role)


def _text(node: ScalarNode | None) -> str:
    return node.value.strip() if node is not None else ""


def _base(
    main: ScalarNode,
    repository: ScalarNode | None,
    image: ScalarNode | None,
    parts: Parts,
    tail: str,
) -> _Name:
    """The name that the repository and the image's own name make."""
    path, own = _text(repository), _text(image)
    if tail:
        return _Name(f"{path.rstrip('/')}/{tail}", main, tail)
    if image is not None and (repository is None or has_host(own) or has_tag(own)):
        others = (Role.REGISTRY, Role.TAG, Role.DIGEST, Role.VERSION)
        return _Name(own, image, is_alone=not any(role in parts.given for role in others))
    if image is None or path == own or path.endswith(f"/{own}"):
        return _Name(path, main)
    return _Name(f"{path.rstrip('/')}/{own}", main, own)
