"""Counts a registry's requests and bytes from the registry's own access log.

The registries write the log anyway, so counting needs no proxy and costs nothing.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r'"([A-Z]+) (/v2/\S*) HTTP/[0-9.]+" (\d+) (\d+)')
_PUT_BLOB = re.compile(r"/blobs/uploads/.*[?&]digest=(sha256)(?::|%3A)([0-9a-f]{64})")


@dataclass(frozen=True)
class Traffic:
    """`made` counts requests as "METHOD kind". `sent` and `taken` are bytes of bodies."""

    made: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    taken: int = 0

    def of(self, *whats: str) -> int:
        return sum(self.made[what] for what in whats)

    @property
    def requests(self) -> int:
        return self.made.total()


def traffic(log: bytes, storage: Path) -> Traffic:
    """`storage` is the registry's own folder, since the log does not have the size of an upload."""
    made: Counter[str] = Counter()
    sent = taken = 0
    for method, path, status, size in _LINE.findall(log.decode(errors="replace")):
        made[f"{method} {_kind(path)}"] += 1
        if method == "GET" and status == "200":
            sent += int(size)
        put = _PUT_BLOB.search(path)
        if method == "PUT" and status == "201" and put:
            taken += _size(storage, put[1], put[2])
    return Traffic(made, sent, taken)


def _kind(path: str) -> str:
    if "/manifests/" in path:
        return "manifest"
    if "mount=" in path:
        return "mount"
    if "/blobs/uploads/" in path:
        return "upload"
    return "blob" if "/blobs/" in path else "other"


def _size(storage: Path, algorithm: str, name: str) -> int:
    blobs = storage / "docker" / "registry" / "v2" / "blobs"
    place = blobs / algorithm / name[:2] / name / "data"
    return place.stat().st_size if place.exists() else 0
