"""Addresses of web pages about images, and the image of each page.

Only the address is read, nothing is fetched. The result may not be a valid reference yet, since an
address contains what people typed: correction.py corrects it further.
"""

import re
from typing import Final
from urllib.parse import parse_qs, unquote

from bot.core.image import DOCKER_HUB

_PAGE: Final = re.compile(
    r"(?:https?://)?(?:www\.)?(hub\.docker\.com|github\.com|quay\.io|gallery\.ecr\.aws"
    r"|console\.cloud\.google\.com|mcr\.microsoft\.com)"
    r"/([^?#]*)(?:\?([^#]*))?(?:#.*)?",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NO_IMAGES: Final = frozenset({"search", "u", "orgs", "repositories", "explore", "extensions"})
_NO_OWNERS: Final = frozenset({"orgs", "users", "marketplace"})
_LANGUAGE: Final = re.compile(r"[a-z]{2}-[a-z]{2}", re.IGNORECASE)

Query = dict[str, list[str]]


def image_on_page(text: str) -> str | None:
    """The image whose page a text is the address of. None for any other text."""
    page = _PAGE.fullmatch(text)
    if page is None:
        return None
    parts, query = _parts(page[2]), parse_qs(page[3] or "")
    match page[1].lower():
        case "hub.docker.com":
            return _on_docker_hub(parts, query)
        case "github.com":
            return _on_github(parts, query)
        case "quay.io":
            return _on_quay(parts, query)
        case "gallery.ecr.aws":
            return "/".join(("public.ecr.aws", *parts)) if len(parts) > 1 else None
        case "console.cloud.google.com":
            return _on_google_cloud(parts)
        case _:
            return _on_microsoft(parts)


def image_of_source_page(text: str) -> str | None:
    """The image that a source repository on GitHub has, if it has one. None for other texts."""
    page = _PAGE.fullmatch(text)
    if page is None or page[1].lower() != "github.com":
        return None
    match _parts(page[2]):
        case [owner, name, *_] if owner.lower() not in _NO_OWNERS:
            return _on_ghcr(owner, name.removesuffix(".git"))
        case _:
            return None


def _parts(path: str) -> list[str]:
    return [part for part in unquote(path).split("/") if part]


def _on_docker_hub(parts: list[str], query: Query) -> str | None:
    match parts:
        case ["_", name, *_]:
            return _tagged(f"{DOCKER_HUB}/{name}", query.get("name"))
        case ["r", name] | ["r", name, "tags"]:
            return _tagged(f"{DOCKER_HUB}/{name}", query.get("name"))
        case ["r", owner, name, *_] | ["repository", "docker", owner, name, *_]:
            return _tagged(f"{DOCKER_HUB}/{owner}/{name}", query.get("name"))
        case ["layers", owner, name, tag, "images", *_]:
            return f"{DOCKER_HUB}/{owner}/{name}:{tag}"
        case ["layers", _, owner, name, tag, "images", *_]:  # as it was until 2022
            return f"{DOCKER_HUB}/{owner}/{name}:{tag}"
        case [first, *_] if first not in {*_NO_IMAGES, "r", "layers", "repository"}:
            return "/".join([DOCKER_HUB, *parts])  # used as if it were the registry
        case _:
            return None


def _on_github(parts: list[str], query: Query) -> str | None:
    match parts:
        case [owner, _, "pkgs", "container", *name] if name:
            return _tagged(_on_ghcr(owner, *_package(name)), query.get("tag"))
        case ["orgs" | "users", owner, "packages", "container", "package", *name] if name:
            return _on_ghcr(owner, *_package(name))
        case _:
            return None


def _package(name: list[str]) -> list[str]:
    """The name without the number of a version, which the address of a version contains."""
    return name[:-1] if len(name) > 1 and name[-1].isdecimal() else name


def _on_ghcr(*parts: str) -> str:
    """The name at ghcr.io, in lower case up to the tag. GitHub's addresses have capitals."""
    name, colon, tag = "/".join(("ghcr.io", *parts)).partition(":")
    return name.lower() + colon + tag


def _on_quay(parts: list[str], query: Query) -> str | None:
    match parts:
        case ["repository", owner, name, "manifest", digest]:
            return f"quay.io/{owner}/{name}@{digest}"
        case ["repository", owner, name, *_]:
            return _tagged(f"quay.io/{owner}/{name}", query.get("tag"))
        case _:
            return None


def _on_google_cloud(parts: list[str]) -> str | None:
    match parts:
        case ["gcr", "images", project, region, *name] if name:
            host = "gcr.io" if region.upper() == "GLOBAL" else f"{region.lower()}.gcr.io"
            return "/".join((host, project, *name)).partition("@")[0]
        case ["artifacts", "docker", project, place, repository, name, *_]:
            return f"{place}-docker.pkg.dev/{project}/{repository}/{name}"
        case _:
            return None


def _on_microsoft(parts: list[str]) -> str | None:
    """Its registry has the same host, so only addresses with a language are pages."""
    match parts:
        case [language, "product", *name] if name and _LANGUAGE.fullmatch(language):
            pass
        case [language, "artifact", "mar", *name] if name and _LANGUAGE.fullmatch(language):
            pass
        case _:
            return None
    name = name[:-1] if len(name) > 1 and name[-1] in {"about", "tags"} else name
    return "/".join(("mcr.microsoft.com", *name))


def _tagged(name: str, tags: list[str] | None) -> str:
    """The name with the tag that the page shows, if it shows one."""
    shown = tags is not None and ":" not in name and _TAG.fullmatch(tags[0])
    return f"{name}:{shown[0]}" if shown else name
