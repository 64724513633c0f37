"""What manifests and configs tell, and what it takes to be believed.

Pure; every answer is untrusted, and nothing of one is passed on that was not checked.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from bot.adapters.registry.transport import Answer, one_line
from bot.core.errors import RefusedError

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
_COMMON: Final = "linux/amd64"
_MOST_PLATFORMS: Final = 100
_LARGEST: Final = 2**63 - 1  # what a column of a database holds
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?)[0-9]*(Z|[+-][0-9]{2}:[0-9]{2})"
)
_FIRST_YEAR: Final = 2013
"""Docker's own. Reproducible builds write 1970, 1980 or the year 1 instead of a date."""


@dataclass(frozen=True, slots=True)
class Child:
    """An entry of an index; `platform` is empty for an attestation."""

    digest: str
    platform: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """An index has children, an image has blobs (sizes by digest) and a config among them."""

    children: tuple[Child, ...] = ()
    blobs: Mapping[str, int] = field(default_factory=dict)
    config: str | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        # Windows has several of one name, for its versions.
        return tuple(dict.fromkeys(child.platform for child in self.children if child.platform))

    @property
    def parts(self) -> tuple[str, ...]:
        """The digests of the children; one may stand for several platforms."""
        return tuple(dict.fromkeys(child.digest for child in self.children))

    def common_part(self) -> str | None:
        """The platform that most people have, else the first; None where there is none."""
        named = [child for child in self.children if child.platform]
        common = [child for child in named if child.platform == _COMMON] or named
        return common[0].digest if common else None


@dataclass(frozen=True, slots=True)
class Config:
    """What the config of one image tells; `platform` is empty where it does not."""

    platform: str = ""
    created: datetime | None = None


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digest_of(answer: Answer, registry: str, *, wanted: str | None) -> str:
    """The digest that the answer to a HEAD names; `wanted` where it was asked for by digest."""
    expect_good(answer, registry)
    digest: str = answer.headers.get("docker-content-digest", "")
    if not digest:
        raise RefusedError(f"{registry} does not say which digest the image has")
    if not is_digest(digest):
        raise RefusedError(f"{registry} names a digest that is none: {one_line(digest, 80)}")
    if wanted is not None and digest != wanted:
        raise RefusedError(f"{registry} was asked for {wanted} and answers with {digest}")
    return digest


def manifest_of(answer: Answer, registry: str, digest: str) -> Manifest:
    """The manifest of that digest. Raises RefusedError where it is another one or unreadable."""
    expect_good(answer, registry)
    told = _parse(answer.body, registry)
    if told.get("schemaVersion") == 1:
        return Manifest()  # its digest leaves out its own signature, and it names no sizes
    if not is_content(answer.body, digest):
        raise RefusedError(f"{registry} sends a manifest that is not the one of its digest")
    try:
        return _index(told["manifests"]) if "manifests" in told else _image(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(registry) from error


def config_of(answer: Answer, digest: str) -> Config:
    """What is told in the blob of that digest; nothing where it is no config of an image."""
    if answer.status != HTTPStatus.OK or not is_content(answer.body, digest):
        return Config()
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Config()
    if not isinstance(told, dict):
        return Config()
    try:
        platform = _platform(told)
    except (KeyError, TypeError, ValueError):
        platform = ""
    return Config(platform, _moment(told.get("created")))


def size_of(manifest: Manifest, children: Collection[Manifest | None]) -> int | None:
    """Bytes of all blobs, each once. None unless all of an index's children are known."""
    images = children if manifest.children else [manifest]
    blobs: dict[str, int] = {}
    for image in images:
        if image is None or not image.blobs:
            return None
        blobs |= image.blobs
    total = sum(blobs.values())
    return total if blobs and total <= _LARGEST else None


def is_content(body: bytes, digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    return hashlib.new(algorithm, body).hexdigest() == value


def expect_good(answer: Answer, registry: str) -> None:
    if answer.status != HTTPStatus.OK:
        words = _words(answer.body)
        said = f"{registry} answers {answer.status} {_phrase(answer.status)}".rstrip()
        raise RefusedError(f"{said}: {words}" if words else said)


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


def _unreadable(registry: str) -> RefusedError:
    return RefusedError(f"{registry} sends a manifest that cannot be read")


def _index(entries: Any) -> Manifest:
    if not isinstance(entries, list):
        raise TypeError
    manifest = Manifest(tuple(Child(_digest(e["digest"]), _child_platform(e)) for e in entries))
    if len(manifest.platforms) > _MOST_PLATFORMS:
        raise ValueError
    return manifest


def _child_platform(entry: dict[str, Any]) -> str:
    name = _platform(entry["platform"]) if entry.get("platform") else ""
    return "" if name == _ATTESTATION else name


def _platform(told: dict[str, Any]) -> str:
    parts = [told["os"], told["architecture"]]
    if told.get("variant"):
        parts.append(told["variant"])
    if not all(_PLATFORM_PART.fullmatch(part) for part in parts):
        raise ValueError
    return "/".join(parts)


def _image(told: dict[str, Any]) -> Manifest:
    config = told["config"]
    blobs = {_digest(blob["digest"]): blob["size"] for blob in (config, *told["layers"])}
    sizes = blobs.values()
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) > _LARGEST:
        raise ValueError
    return Manifest(blobs=blobs, config=config["digest"])


def _digest(told: str) -> str:
    if not is_digest(told):
        raise ValueError
    return told


def _moment(told: object) -> datetime | None:
    found = _MOMENT.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1] + found[2]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= _FIRST_YEAR else None
