"""Writes images into the folder of a docker-registry, as the registry itself stores them.

It takes a tenth of the time of pushing them. The registry reads the folder for each answer, so it
may be running. The layout is that of `docker/registry/v2`, which distribution describes in
registry/storage/paths.go.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Storage:
    """The folder that is `rootdirectory` in the registry's config."""

    folder: Path

    @property
    def _root(self) -> Path:
        return self.folder / "docker" / "registry" / "v2"

    def blob(self, repository: str, data: bytes) -> None:
        """Store a layer or a config, and make it known in the repository."""
        hexed = self._stored(data)
        self._link(f"{repository}/_layers/sha256/{hexed}", hexed)

    def manifest(self, repository: str, data: bytes, tags: tuple[str, ...] = ()) -> None:
        """Store a manifest or an index under its digest, and make the tags name it."""
        hexed = self._stored(data)
        manifests = f"{repository}/_manifests"
        self._link(f"{manifests}/revisions/sha256/{hexed}", hexed)
        for tag in tags:
            self._link(f"{manifests}/tags/{tag}/index/sha256/{hexed}", hexed)
            self._link(f"{manifests}/tags/{tag}/current", hexed)

    def tags(self) -> list[tuple[str, str]]:
        """Return each "repository:tag" with the digest that it names, sorted."""
        names, found = self._root / "repositories", []
        for link in names.glob("**/_manifests/tags/*/current/link"):
            manifests, digest = link.parents[3], link.read_text("ascii")
            kept = manifests / "revisions" / digest.replace(":", "/") / "link"
            if kept.exists():  # else the manifest was deleted
                repository = manifests.parent.relative_to(names).as_posix()
                found.append((f"{repository}:{link.parents[1].name}", digest))
        return sorted(found)

    def attestations(self, name: str) -> list[dict[str, Any]]:
        """Return what is attested of "repository:tag" by cosign's tag. No signature is checked."""
        digest = dict(self.tags()).get(name, "")
        beside = f"{name.rpartition(':')[0]}:{digest.replace(':', '-')}.att"
        found = dict(self.tags()).get(beside)
        if found is None:
            return []
        layers = json.loads(self._read(found))["layers"]
        envelopes = [json.loads(self._read(layer["digest"])) for layer in layers]
        return [json.loads(base64.b64decode(each["payload"])) for each in envelopes]

    def _read(self, digest: str) -> bytes:
        hexed = digest.partition(":")[2]
        return (self._root / "blobs" / "sha256" / hexed[:2] / hexed / "data").read_bytes()

    def _stored(self, data: bytes) -> str:
        hexed = hashlib.sha256(data).hexdigest()
        path = self._root / "blobs" / "sha256" / hexed[:2] / hexed / "data"
        if not path.exists():
            _write(path, data)
        return hexed

    def _link(self, place: str, hexed: str) -> None:
        _write(self._root / "repositories" / place / "link", f"sha256:{hexed}".encode())


def _write(path: Path, data: bytes) -> None:
    """Replace the file at once: a tag may be read while it moves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name("new")
    new.write_bytes(data)
    new.replace(path)
