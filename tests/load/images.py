"""The images of the load in the sandbox's source: small and real, each with its own digest.

All tags of a repository share one layer and one config. An annotation makes their manifests
differ. So seeding and copying takes a few requests per image.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpx

from bot.sandbox.registry.seed import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST

TAGS = 20
_BLOBS = (json.dumps({"os": "linux", "architecture": "amd64"}).encode(), b"a layer of the load")


@dataclass(frozen=True)
class LoadImage:
    """`name` is that of image.list. `repository` includes the registry, as in the sandbox."""

    repository: str
    tag: str

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def manifest(self) -> bytes:
        config, layer = _BLOBS
        told = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _described(OCI_CONFIG, config),
            "layers": [_described(OCI_LAYER, layer)],
            "annotations": {"org.opencontainers.image.ref.name": self.name},
        }
        return json.dumps(told).encode()

    @property
    def digest(self) -> str:
        return _digest(self.manifest)


def images(number: int) -> tuple[LoadImage, ...]:
    """Return images that the sandbox's policy approves: all are of docker.io/library."""
    return tuple(
        LoadImage(f"docker.io/library/load{position // TAGS}", f"1.{position % TAGS}")
        for position in range(number)
    )


def named(name: str) -> LoadImage:
    repository, _, tag = name.rpartition(":")
    return LoadImage(repository, tag)


async def put(client: httpx.AsyncClient, wanted: Iterable[LoadImage], filled: set[str]) -> None:
    """Push them by `client`. Repositories in `filled` already have the blobs."""
    for image in wanted:
        if image.repository not in filled:
            for blob in _BLOBS:
                await _put_blob(client, image.repository, blob)
            filled.add(image.repository)
        answer = await client.put(
            f"/v2/{image.repository}/manifests/{image.tag}",
            content=image.manifest,
            headers={"Content-Type": OCI_MANIFEST},
        )
        answer.raise_for_status()


async def missing(client: httpx.AsyncClient, wanted: Sequence[LoadImage]) -> list[str]:
    """Return those that the registry lacks, or holds with another digest."""
    found = []
    for image in wanted:
        address = f"/v2/{image.repository}/manifests/{image.tag}"
        head = await client.head(address, headers={"Accept": OCI_MANIFEST})
        if head.headers.get("Docker-Content-Digest") != image.digest:
            found.append(image.name)
    return found


async def _put_blob(client: httpx.AsyncClient, repository: str, blob: bytes) -> None:
    upload = await client.post(f"/v2/{repository}/blobs/uploads/")
    upload.raise_for_status()
    place = client.base_url.join(upload.headers["Location"])
    sent = await client.put(place.copy_merge_params({"digest": _digest(blob)}), content=blob)
    sent.raise_for_status()


def _described(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
