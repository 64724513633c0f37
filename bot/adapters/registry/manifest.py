"""Parses manifests, indexes and image configs. Pure, and no response is trusted.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from bot.adapters.registry.transport import RegistryResponse, one_line
from bot.core.errors import RefusedError

ACCEPT_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws"
)
"""The media types that may come. Without those of an index, registries send one of its images."""

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_PLATFORM_PART: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_ATTESTATION: Final = "unknown/unknown"
_COMMON_PLATFORM: Final = "linux/amd64"
_MAX_PLATFORMS: Final = 100
_MAX_SIZE: Final = 2**63 - 1  # bytes, the range of a database column
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?)[0-9]*(Z|[+-][0-9]{2}:[0-9]{2})"
)
_FIRST_YEAR: Final = 2013
"""The first year of Docker. Reproducible builds write 1970, 1980 or the year 1 as their date."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A manifest in an index. `platform` is empty for an attestation."""

    digest: str
    platform: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """An index has children. An image has blobs (bytes by digest), its config among them."""

    children: tuple[IndexEntry, ...] = ()
    blobs: Mapping[str, int] = field(default_factory=dict)
    config: str | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        # Windows images have several manifests of one platform, for its versions.
        return tuple(dict.fromkeys(child.platform for child in self.children if child.platform))

    @property
    def child_digests(self) -> tuple[str, ...]:
        """Without repetition: one manifest may be listed for several platforms."""
        return tuple(dict.fromkeys(child.digest for child in self.children))

    def common_child(self) -> str | None:
        """The digest for the most common platform, else the first one. None without children."""
        named = [child for child in self.children if child.platform]
        common = [child for child in named if child.platform == _COMMON_PLATFORM] or named
        return common[0].digest if common else None


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """`platform` is empty and `created` None if the config does not name them."""

    platform: str = ""
    created: datetime | None = None


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def head_digest(answer: RegistryResponse, registry: str, *, wanted: str | None) -> str:
    """The digest in the response to a HEAD. Raises RefusedError if there is none.

    `wanted`: the requested digest, and any other one is refused.
    """
    expect_ok(answer, registry)
    digest: str = answer.headers.get("docker-content-digest", "")
    if not digest:
        raise RefusedError(f"{registry} does not say which digest the image has")
    if not is_digest(digest):
        raise RefusedError(f"{registry} names an invalid digest: {one_line(digest, 80)}")
    if wanted is not None and digest != wanted:
        raise RefusedError(f"{registry} was asked for {wanted} and answers with {digest}")
    return digest


def says_nothing(answer: RegistryResponse) -> bool:
    """Whether the response to a HEAD may be wrong: some servers do not know the method."""
    if answer.status == HTTPStatus.OK:
        return "docker-content-digest" not in answer.headers
    return answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


def with_digest(answer: RegistryResponse, registry: str) -> RegistryResponse:
    """The response to a GET with the digest of its body, whatever its headers say.

    Raises RefusedError unless the body is a manifest whose digest is that of its bytes.
    """
    if _parse(answer.body, registry).get("schemaVersion") == 1:
        raise RefusedError(f"{registry} does not say which digest the image has")
    digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    parse_manifest(answer, registry, digest)
    headers = httpx.Headers(answer.headers)
    headers["docker-content-digest"] = digest
    return RegistryResponse(answer.status, headers)


def parse_manifest(answer: RegistryResponse, registry: str, digest: str) -> Manifest:
    """The manifest of that digest. Raises RefusedError if it is another one or unreadable."""
    expect_ok(answer, registry)
    data = _parse(answer.body, registry)
    if data.get("schemaVersion") == 1:
        return Manifest()  # its digest does not cover its signature, and it has no sizes
    if not matches_digest(answer.body, digest):
        raise RefusedError(f"{registry} sends a manifest that does not match its digest")
    try:
        return _index(data["manifests"]) if "manifests" in data else _image(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(registry) from error


def parse_config(answer: RegistryResponse, digest: str) -> ImageConfig:
    """The config in the blob of that digest, or an empty one if it is not an image config."""
    if answer.status != HTTPStatus.OK or not matches_digest(answer.body, digest):
        return ImageConfig()
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ImageConfig()
    if not isinstance(data, dict):
        return ImageConfig()
    try:
        platform = _platform(data)
    except (KeyError, TypeError, ValueError):
        platform = ""
    return ImageConfig(platform, _timestamp(data.get("created")))


def total_size(manifest: Manifest, children: Collection[Manifest | None]) -> int | None:
    """Bytes of all blobs, each counted once. None if a child of an index is not known."""
    images = children if manifest.children else [manifest]
    blobs: dict[str, int] = {}
    for image in images:
        if image is None or not image.blobs:
            return None
        blobs |= image.blobs
    total = sum(blobs.values())
    return total if blobs and total <= _MAX_SIZE else None


def matches_digest(body: bytes, digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    return hashlib.new(algorithm, body).hexdigest() == value


def expect_ok(answer: RegistryResponse, registry: str) -> None:
    if answer.status != HTTPStatus.OK:
        error_text = _error_text(answer.body)
        line = f"{registry} answers {answer.status} {_phrase(answer.status)}".rstrip()
        raise RefusedError(f"{line}: {error_text}" if error_text else line)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _error_text(body: bytes) -> str:
    """The first error of the body.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """
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


def _unreadable(registry: str) -> RefusedError:
    return RefusedError(f"{registry} sends a manifest that cannot be read")


def _index(entries: Any) -> Manifest:
    if not isinstance(entries, list):
        raise TypeError
    manifest = Manifest(
        tuple(IndexEntry(_digest(e["digest"]), _child_platform(e)) for e in entries)
    )
    if len(manifest.platforms) > _MAX_PLATFORMS:
        raise ValueError
    return manifest


def _child_platform(entry: dict[str, Any]) -> str:
    name = _platform(entry["platform"]) if entry.get("platform") else ""
    return "" if name == _ATTESTATION else name


def _platform(data: dict[str, Any]) -> str:
    parts = [data["os"], data["architecture"]]
    if data.get("variant"):
        parts.append(data["variant"])
    if not all(_PLATFORM_PART.fullmatch(part) for part in parts):
        raise ValueError
    return "/".join(parts)


def _image(manifest: dict[str, Any]) -> Manifest:
    config = manifest["config"]
    blobs = {_digest(blob["digest"]): blob["size"] for blob in (config, *manifest["layers"])}
    sizes = blobs.values()
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) > _MAX_SIZE:
        raise ValueError
    return Manifest(blobs=blobs, config=config["digest"])


def _digest(text: str) -> str:
    if not is_digest(text):
        raise ValueError
    return text


def _timestamp(text: object) -> datetime | None:
    found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        timestamp = datetime.fromisoformat(found[1] + found[2]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return timestamp if timestamp.year >= _FIRST_YEAR else None
