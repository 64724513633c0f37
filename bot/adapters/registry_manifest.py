"""What a manifest tells, and what it takes to be believed. Pure; every answer is untrusted."""

import hashlib
import json
import re
from http import HTTPStatus
from typing import Any, Final

from bot.adapters.registry_wire import Answer, one_line
from bot.core.facts import Shape
from bot.errors import Refused

ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws"
)
"""What a registry may answer with; without one of these it turns an index into one image."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_PLATFORM_PART: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_ATTESTATION: Final = "unknown/unknown"
_MOST_PLATFORMS: Final = 100
_LARGEST: Final = 2**63 - 1  # what a column of a database holds


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digest_of(answer: Answer, registry: str, *, wanted: str | None) -> str:
    """The digest that the answer to a HEAD names; `wanted` where it was asked for by digest."""
    _expect_manifest(answer, registry)
    digest: str = answer.headers.get("docker-content-digest", "")
    if not digest:
        raise Refused(f"{registry} does not say which digest the image has")
    if not is_digest(digest):
        raise Refused(f"{registry} names a digest that is none: {one_line(digest, 80)}")
    if wanted is not None and digest != wanted:
        raise Refused(f"{registry} was asked for {wanted} and answers with {digest}")
    return digest


def shape_of(answer: Answer, registry: str, digest: str) -> Shape:
    """What the manifest of that digest says of its image."""
    _expect_manifest(answer, registry)
    manifest = _parse(answer.body, registry)
    if manifest.get("schemaVersion") == 1:
        return Shape()  # its digest leaves out its own signature, and it names no sizes
    algorithm, _, value = digest.partition(":")
    if hashlib.new(algorithm, answer.body).hexdigest() != value:
        raise Refused(f"{registry} sends a manifest that is not the one of its digest")
    try:
        if "manifests" in manifest:
            return Shape(platforms=_platforms(manifest["manifests"]))
        return Shape(size=_size(manifest))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(registry) from error


def _expect_manifest(answer: Answer, registry: str) -> None:
    if answer.status != HTTPStatus.OK:
        words = _words(answer.body)
        said = f"{registry} answers {answer.status} {_phrase(answer.status)}".rstrip()
        raise Refused(f"{said}: {words}" if words else said)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _words(body: bytes) -> str:
    """What the registry says is wrong, by the error format of the distribution API."""
    try:
        first = json.loads(body)["errors"][0]
        return one_line(f"{first['code']}: {first['message']}")
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""


def _parse(body: bytes, registry: str) -> dict[str, Any]:
    try:
        manifest = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(registry) from error
    if not isinstance(manifest, dict):
        raise _unreadable(registry)
    return manifest


def _unreadable(registry: str) -> Refused:
    return Refused(f"{registry} sends a manifest that cannot be read")


def _platforms(entries: Any) -> tuple[str, ...]:
    if not isinstance(entries, list):
        raise TypeError
    named = (_platform(entry["platform"]) for entry in entries if entry.get("platform"))
    # Windows has several of one name, for its versions.
    found = tuple(dict.fromkeys(name for name in named if name != _ATTESTATION))
    if len(found) > _MOST_PLATFORMS:
        raise ValueError
    return found


def _platform(told: dict[str, Any]) -> str:
    parts = [told["os"], told["architecture"]]
    if told.get("variant"):
        parts.append(told["variant"])
    if not all(_PLATFORM_PART.fullmatch(part) for part in parts):
        raise ValueError
    return "/".join(parts)


def _size(manifest: dict[str, Any]) -> int:
    sizes = [blob["size"] for blob in (manifest["config"], *manifest["layers"])]
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) > _LARGEST:
        raise ValueError
    return sum(sizes)
