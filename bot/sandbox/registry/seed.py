"""The stand-in images of the sandbox's source registry.

With them copying is real (layers, indexes, digests), and no third-party software is shipped. Each
holds a README that says what it is, and some bytes that do not compress. The same names always
give the same digests. registries.py runs the registry.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.sandbox.registry.storage import Storage

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

REGISTRIES = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")

_README = """\
{name} is a stand-in.

It belongs to the sandbox of ImageTo Bot and only has the shape of the image of this name:
platforms, layers and digests. It holds no software and cannot be run.
"""
_CREATED = "2026-01-01T00:00:00Z"
_KIB = 1024
_SERVERS = ("amd64", "arm64", "arm/v7")
_MANY = (*_SERVERS, "ppc64le", "s390x")


@dataclass(frozen=True, slots=True)
class StandIn:
    """An image to make. `size` is roughly its bytes per platform.

    `after` is the digest that its tags had before, empty for the first one.
    """

    repository: str
    tags: tuple[str, ...]
    size: int
    architectures: tuple[str, ...] = _SERVERS
    docker: bool = False
    after: str = ""


STAND_INS = (
    StandIn("docker.io/library/nginx", ("1.26",), 180 * _KIB),
    StandIn("docker.io/library/nginx", ("1.27", "latest"), 190 * _KIB),
    StandIn("docker.io/library/redis", ("7",), 120 * _KIB),
    StandIn("docker.io/library/alpine", ("3.20",), 30 * _KIB, _MANY),
    StandIn("docker.io/library/busybox", ("1.36", "latest"), 20 * _KIB, _MANY),
    StandIn("docker.io/library/hello-world", ("linux",), 10 * _KIB, ("amd64",), docker=True),
    StandIn("docker.io/bitnami/nginx", ("1.27",), 260 * _KIB, ("amd64", "arm64")),
    StandIn("gcr.io/distroless/static", ("nonroot",), 40 * _KIB, _MANY),
    StandIn("ghcr.io/stefanprodan/podinfo", ("6.7.0",), 90 * _KIB),
    StandIn("quay.io/prometheus/node-exporter", ("v1.8.2",), 70 * _KIB, _MANY),
    StandIn("registry.k8s.io/pause", ("3.10",), 12 * _KIB, _MANY),
    StandIn("registry.k8s.io/coredns/coredns", ("v1.11.3",), 80 * _KIB, ("amd64", "arm64")),
)


@dataclass(frozen=True, slots=True)
class StandInManifest:
    """A manifest or index, with its tags if any."""

    data: bytes
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class StandInContent:
    """The blobs and manifests of one image, the index last."""

    blobs: list[bytes] = field(default_factory=list)
    manifests: list[StandInManifest] = field(default_factory=list)


def seed(storage: Storage) -> None:
    """Put all stand-ins into the folder of a registry."""
    for stand_in in STAND_INS:
        _put(storage, stand_in.repository, build(stand_in))


def move(storage: Storage, name: str, *, after: str) -> str:
    """Put another image under this tag, as a publisher does. Return its digest."""
    repository, _, tag = name.rpartition(":")
    parts = build(StandIn(repository, (tag,), 20 * _KIB, _SERVERS, after=after))
    _put(storage, repository, parts)
    return _digest(parts.manifests[-1].data)


def build(stand_in: StandIn) -> StandInContent:
    """Make the blobs and manifests of one image, the same bytes every time."""
    parts = StandInContent()
    if stand_in.docker:
        manifest = _manifest(stand_in, stand_in.architectures[0], parts)
        parts.manifests.append(StandInManifest(manifest, stand_in.tags))
        return parts
    entries = []
    for architecture in stand_in.architectures:
        manifest = _manifest(stand_in, architecture, parts)
        parts.manifests.append(StandInManifest(manifest))
        described = _described(OCI_MANIFEST, manifest)
        entries.append(described | {"platform": _platform(architecture)})
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    parts.manifests.append(StandInManifest(_json(index), stand_in.tags))
    return parts


def _manifest(stand_in: StandIn, architecture: str, parts: StandInContent) -> bytes:
    """Put the layers and the config of one platform into `parts` and return its manifest."""
    docker = stand_in.docker
    archives = list(_layers(stand_in, architecture))
    layers = [gzip.compress(archive, mtime=0) for archive in archives]
    config = _json(_config(architecture, archives))
    parts.blobs += [*layers, config]
    layer_type = DOCKER_LAYER if docker else OCI_LAYER
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": _described(DOCKER_CONFIG if docker else OCI_CONFIG, config),
            "layers": [_described(layer_type, layer) for layer in layers],
        }
    )


def _layers(stand_in: StandIn, architecture: str) -> Iterator[bytes]:
    """Yield a layer that all versions and platforms of a repository share, then one of its own."""
    name = stand_in.repository
    yield _archive({"README": _README.format(name=name).encode(), "base": _noise(name, 4 * _KIB)})
    own = f"{name}:{stand_in.tags[0]} {architecture}{stand_in.after}"
    yield _archive({"content": _noise(own, stand_in.size)})


def _config(architecture: str, archives: Sequence[bytes]) -> dict[str, object]:
    return {
        "created": _CREATED,
        **_platform(architecture),
        "config": {"Labels": {"org.opencontainers.image.description": "A stand-in, no software"}},
        "rootfs": {"type": "layers", "diff_ids": [_digest(archive) for archive in archives]},
        "history": [{"created": _CREATED, "created_by": "sandbox"} for _ in archives],
    }


def _platform(architecture: str) -> dict[str, str]:
    name, _, variant = architecture.partition("/")
    platform = {"os": "linux", "architecture": name}
    return platform | {"variant": variant} if variant else platform


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _noise(name: str, size: int) -> bytes:
    """Return bytes that look random and are always the same for a name."""
    return hashlib.shake_128(name.encode()).digest(size)


def _json(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _described(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(data), "digest": _digest(data)}


def _put(storage: Storage, repository: str, parts: StandInContent) -> None:
    for data in parts.blobs:
        storage.blob(repository, data)
    for document in parts.manifests:
        storage.manifest(repository, document.data, document.tags)
