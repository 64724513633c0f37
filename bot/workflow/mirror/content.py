"""What an image consists of, and how the target gets what it lacks of it, without skopeo.

A manifest that the target has by its digest is read there: it costs no pull, and all that it names
is at the target too. The others are read at the source, once in a run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from .manifest import BLOBS, MANIFEST_BYTES, Manifest, NotMovedError, OddError
from .reference import SHA256
from .registry import Repository
from .traffic import Traffic

MANIFESTS = 256  # of one image, all levels together
LEVELS = 4  # of indexes below indexes


@dataclass(frozen=True)
class Part:
    """One manifest of an image. `held` says whether the target has it."""

    manifest: Manifest
    held: bool


class Content:
    """The manifests and blobs of one image. What was read is kept for the next try."""

    def __init__(self, traffic: Traffic, source: Repository, target: Repository) -> None:
        self._traffic, self._source, self._target = traffic, source, target
        self._parts: dict[str, Part] = {}

    def top(self, digest: str, permit: Callable[[], None]) -> Part:
        """Return the manifest of a digest. `permit` is called before a pull.

        Raises NotMovedError.
        """
        if not SHA256.fullmatch(digest):
            raise OddError("its digest is not of SHA-256")
        if digest not in self._parts and not self._at_target(digest):
            permit()
            self._read(digest)
        return self._parts[digest]

    def known(self, digest: str, manifest: Manifest) -> None:
        """Take a manifest that was read at the source."""
        self._parts[digest] = Part(manifest, held=False)

    def parts(self, digest: str) -> dict[str, Part]:
        """Return all manifests of an image that begins at this digest. Raises NotMovedError."""
        if digest not in self._parts:
            self._parts[digest] = Part(self._target.fetch(digest), held=True)
        return {key: part for level in self._levels(digest) for key, part in level.items()}

    def copy(self, digest: str) -> int:
        """Bring all that is below the top to the target. Returns the bytes of the whole image."""
        levels = self._levels(digest)
        every = {key: part for level in levels for key, part in level.items()}
        lacking = _blobs(part for part in every.values() if not part.held)
        self._traffic.copy_blobs(lacking, self._source, self._target)
        for level in reversed(levels[1:]):
            new = [key for key, part in level.items() if not part.held]
            list(self._traffic.asking(self._target.host).map(self._store, new))
        return sum(_blobs(every.values()).values())

    def forget_stored(self) -> None:
        """Let everything be looked for at the target again, and stored."""
        self._traffic.forget(_blobs(self._parts.values()))
        for digest in self._parts:
            for known in (self._traffic.stored, self._traffic.held):
                known.forget((self._target.name, digest))

    def size(self, digest: str) -> int:
        """Return the bytes of what the target has. Raises NotMovedError."""
        return sum(_blobs(self.parts(digest).values()).values())

    def _levels(self, digest: str) -> list[dict[str, Part]]:
        """Read an image from its top down. The sizes in an index are summed before it is read."""
        levels, announced = [{digest: self._parts[digest]}], 0
        while below := _children(levels):
            announced += sum(below.values())
            many = sum(map(len, levels)) + len(below) > MANIFESTS
            if many or announced > MANIFEST_BYTES or len(levels) >= LEVELS:
                raise OddError("its manifests are not everyday ones")
            asking = self._traffic.asking(self._source.host)
            found = asking.map(self._child, below, below.values())
            levels.append(dict(zip(below, found, strict=True)))
        parts = chain.from_iterable(level.values() for level in levels)
        if len(_blobs(parts)) > BLOBS:
            raise OddError("its manifests are not everyday ones")
        return levels

    def _child(self, digest: str, size: int) -> Part:
        if digest not in self._parts and not self._at_target(digest):
            try:
                self._read(digest, size)
            except NotMovedError as why:
                raise self._source.broken(why, digest) from None
        return self._parts[digest]

    def _at_target(self, digest: str) -> bool:
        """Read a manifest at the target, if it is there. Raises NotMovedError in trouble."""
        key = self._target.name, digest  # tags of one digest ask for it once
        try:
            manifest = self._traffic.held.get(key, lambda: self._target.fetch(digest))
        except OddError:
            raise
        except NotMovedError as why:
            if why.passing:
                raise
            return False
        self._parts[digest] = Part(manifest, held=True)
        return True

    def _read(self, digest: str, size: int = 0) -> None:
        key = self._source.name, digest  # another source may not have it, or be silent
        manifest = self._traffic.manifests.get(key, lambda: self._source.fetch(digest, size))
        self._parts[digest] = Part(manifest, held=False)

    def _store(self, digest: str) -> None:
        """Store a child. Two tags of one digest store it once."""
        manifest = self._parts[digest].manifest
        key = self._target.name, digest
        self._traffic.stored.get(key, lambda: self._target.put(digest, manifest))


def _blobs(parts: Iterable[Part]) -> dict[str, int]:
    return dict(chain.from_iterable(part.manifest.blobs.items() for part in parts))


def _children(levels: Sequence[Mapping[str, Part]]) -> dict[str, int]:
    """Return the bytes of each manifest below the last level that no level has yet."""
    found = chain.from_iterable(part.manifest.children.items() for part in levels[-1].values())
    return {key: size for key, size in found if not any(key in level for level in levels)}
