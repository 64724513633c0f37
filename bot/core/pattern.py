"""Patterns of the config's rules: which names and tags each covers, in any spelling of a name.

A pattern is completed as a reference is (bot/core/image.py), so that `nginx` and
`docker.io/library/nginx` cover the same images. `*` matches within a component of the path, `**`
across components. Nothing here knows of rules or verdicts.
"""

import re
from functools import lru_cache
from typing import Final

from bot.core.image import DOCKER_HUB, DOCKER_HUB_HOSTS, OFFICIAL_PREFIX, is_host

_HUB_NAMES: Final = (
    "dockerhub",
    "docker-hub",
    "docker.com",
    "hub.docker.com",
    "registry.docker.io",
)
REGISTRY_NAMES: Final = {
    **dict.fromkeys((*_HUB_NAMES, "registry.hub.docker.com"), DOCKER_HUB),
    "docker": DOCKER_HUB,
    "gcr": "gcr.io",
    "ghcr": "ghcr.io",
    "k8s": "registry.k8s.io",
    "mcr": "mcr.microsoft.com",
    "quay": "quay.io",
}
"""What people write for a registry, and its name in references."""
_SCHEME: Final = re.compile(r"[A-Za-z]+://")
_HUB_PAGE: Final = re.compile(r"hub\.docker\.com/(?:_|r|repository/docker)/")
_WRITABLE: Final = re.compile(r"[A-Za-z0-9._/:*-]*[A-Za-z0-9._*-]")
_ANYTHING: Final = "\0"
"""Stands for whatever a wildcard may match. No pattern contains it."""


def normalised_registry(name: str) -> str:
    """The name of a registry as references have it: in lower case, Docker Hub by one name."""
    folded = name.lower()
    return DOCKER_HUB if folded in DOCKER_HUB_HOSTS else folded


def corrected_registry(name: str) -> str | None:
    """What to write for a name that no reference can have as its registry. None: it can.

    Empty where nobody can say what was meant.
    """
    folded = name.lower()
    if folded in REGISTRY_NAMES:
        return REGISTRY_NAMES[folded]
    return None if is_host(folded) else ""


def split_pattern(pattern: str) -> tuple[str, str | None]:
    """The pattern of the name, and that of the tag, or None where it has none."""
    start = pattern.rfind("/") + 1
    name, colon, tag = pattern[start:].partition(":")
    return pattern[:start] + name, tag if colon else None


def normalised(pattern: str) -> str:
    """The pattern with the registry and `library/` that Docker adds to short names.

    A first component with a wildcard stands for the registry, so it is left as it is.
    """
    head, slash, rest = pattern.partition("/")
    if "**" in head or ("*" in head and (slash or head == "*")):
        return pattern
    if not slash or not is_host(head):
        head, rest = DOCKER_HUB, pattern
    head = normalised_registry(head)
    if head == DOCKER_HUB and "/" not in rest and not rest.startswith("*"):
        rest = OFFICIAL_PREFIX + rest
    return f"{head}/{rest}"


def corrected(pattern: str) -> str | None:
    """The normalised pattern that was meant. None where it matches nothing and nobody can say.

    It is `normalised` itself where the pattern can match an image. Otherwise the pattern had a
    mistake, such as `https://` in front.
    """
    text = _HUB_PAGE.sub("", _SCHEME.sub("", pattern.strip())).partition("@")[0].removesuffix(":")
    name, tag = split_pattern(re.sub(r"/{2,}", "/", text.lstrip("/")))
    name = _with_known_registry(_with_all_components(name).lower())
    meant = normalised(name if tag is None else f"{name}:{tag}")
    return meant if _WRITABLE.fullmatch(meant) else None


def _with_all_components(name: str) -> str:
    """A whole registry or namespace where a name stops before an image: `quay.io`, `bitnami/`."""
    head, slash, rest = name.rstrip("/").partition("/")
    if name in ("*", f"{DOCKER_HUB}/*"):
        return name + "*"
    if name.endswith("/") and (not slash or (is_host(head) and "/" not in rest)):
        return name + "**"
    if not slash and "*" not in head and ("." in head or head.lower() in _HUB_NAMES):
        return f"{head}/**"
    return name.rstrip("/")


def _with_known_registry(name: str) -> str:
    head, slash, rest = name.partition("/")
    known = slash and (is_host(head) or head in _HUB_NAMES)
    return f"{REGISTRY_NAMES.get(head, head)}/{rest}" if known else name


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern, or a part of one, matches a text."""
    return _expression(pattern).fullmatch(text) is not None


def includes(wide: str, narrow: str) -> bool:
    """Whether the first pattern surely matches everything that the second one matches."""
    (wide_name, wide_tag), (name, tag) = split_pattern(wide), split_pattern(narrow)
    if wide_tag is not None and (tag is None or not _includes(wide_tag, tag)):
        return False
    return _includes(wide_name, name)


def _includes(wide: str, narrow: str) -> bool:
    """Whatever stands for a wildcard is matched by a wildcard, so any other text is too."""
    one = narrow.replace("**", "*").replace("*", _ANYTHING)
    many = narrow.replace("**", "*/*").replace("*", _ANYTHING)
    return fits(wide, one) and fits(wide, many)


def can_match_registry(pattern: str, registry: str) -> bool:
    """Whether a normalised pattern can match an image of this registry."""
    name, _ = split_pattern(pattern)
    head = name.partition("/")[0]
    if "**" in head:
        return fits(head.partition("**")[0] + "**", registry)
    return fits(head, registry)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(wild.get(piece, re.escape(piece)) for piece in pieces))
