"""The images of the bench: made from a fixed seed, so that each run copies the same bytes.

Each layer is a real tar that docker can unpack. It is filled with pieces of this Python's own
library, which compress about as well as people's layers. Once an image is at the source, only what
the floor and the comparison need is kept of it, without bodies.
"""

import functools
import hashlib
import json
import random
import struct
import sysconfig
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.registry.storage import Storage

KINDS = "application/vnd.docker.distribution.manifest"
INDEX, MANIFEST = f"{KINDS}.list.v2+json", f"{KINDS}.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
MB = 1_000_000
TAGS = 10
FRONT = "docker.io/library"

Layer = tuple[str, int]
"""The seed of its bytes, and their approximate number. Equal layers are shared."""

Piece = tuple[bytes, bytes]
"""Plain, and compressed."""
PIECE, OWN = 1 << 16, 1 << 10
POOL = 24 * MB
KEPT = frozenset({".py", ".pyc", ".so"})


@dataclass(frozen=True)
class Recipe:
    """`platforms` has the layers of each platform. With more than one there is an index."""

    repository: str
    tag: str
    platforms: dict[str, tuple[Layer, ...]]


@dataclass(frozen=True)
class Image:
    """An image at the source. `manifests` are references, those of platforms first."""

    repository: str
    tag: str
    digest: str
    platforms: frozenset[str]
    blobs: dict[str, int]
    manifests: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"


def big(unit: int = MB) -> list[Recipe]:
    """Twenty images with shared bases, six of them for several platforms: 400 units of layers."""
    singles = [
        Recipe(
            f"{FRONT}/single{n}",
            "1",
            {
                "amd64": (
                    (f"base{n % 4}", 15 * unit),
                    (f"own{n}", 11 * unit),
                    (f"top{n}", 3 * unit),
                )
            },
        )
        for n in range(14)
    ]
    several = [
        Recipe(
            f"{FRONT}/several{n}",
            "1",
            {
                each: ((f"base-{each}", 12 * unit), (f"several{n}-{each}", 7 * unit))
                for each in ("amd64", "arm64", "s390x")[: 2 + n % 2]
            },
        )
        for n in range(6)
    ]
    return singles + several


def tiny(numbers: Iterable[int], *, moved: bool = False) -> list[Recipe]:
    """A layer of some bytes each, ten tags to a repository."""
    return [
        Recipe(
            f"{FRONT}/tiny{n // TAGS}",
            f"1.{n % TAGS}",
            {"amd64": ((f"tiny{n}{'-moved' if moved else ''}", 200),)},
        )
        for n in numbers
    ]


def publish(data: Path, recipes: Iterable[Recipe]) -> list[Image]:
    """Lay images into a registry's folder."""
    return [_image(Storage(data), recipe) for recipe in recipes]


def _image(storage: Storage, recipe: Recipe) -> Image:
    blobs: dict[str, int] = {}
    children = [
        (platform, _manifest(storage, recipe, platform, layers, blobs))
        for platform, layers in recipe.platforms.items()
    ]
    one = len(children) == 1
    top, kind = (children[0][1], MANIFEST) if one else (_index(children), INDEX)
    below = [] if one else [body for _, body in children]
    for body in below:
        storage.manifest(recipe.repository, body)
    storage.manifest(recipe.repository, top, (recipe.tag,))
    return Image(
        recipe.repository,
        recipe.tag,
        digest_of(top),
        frozenset(recipe.platforms),
        blobs,
        (*((digest_of(body), MANIFEST) for body in below), (recipe.tag, kind)),
    )


def _manifest(
    storage: Storage,
    recipe: Recipe,
    platform: str,
    layers: tuple[Layer, ...],
    blobs: dict[str, int],
) -> bytes:
    described, diffs = [], []
    for layer in layers:
        digest, diff, size = _facts(layer)
        storage.blob(recipe.repository, _layer(layer)[0])
        described.append({"mediaType": LAYER, "digest": digest, "size": size})
        diffs.append(diff)
        blobs[digest] = size
    config = json.dumps(
        {
            "architecture": platform,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": diffs},
        }
    ).encode()
    storage.blob(recipe.repository, config)
    blobs[digest_of(config)] = len(config)
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": described,
        }
    ).encode()


def distinct(images: Iterable[Image]) -> Iterator[tuple[str, str, int]]:
    """Yield each blob once, with a repository that has it and its size."""
    seen = set()
    for image in images:
        for digest, size in image.blobs.items():
            if digest not in seen:
                seen.add(digest)
                yield image.repository, digest, size


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@functools.cache
def _facts(layer: Layer) -> tuple[str, str, int]:
    packed, diff = _layer(layer)
    return digest_of(packed), diff, len(packed)


@functools.lru_cache(maxsize=16)
def _layer(layer: Layer) -> tuple[bytes, str]:
    """Return the compressed layer, of about the wanted size, and the digest of its tar."""
    seed, size = layer
    lot = random.Random(seed)  # noqa: S311 - bytes to copy, no secret
    chosen = [_packed(lot.randbytes(min(size, OWN)))]  # no two layers are the same
    while sum(len(packed) for _, packed in chosen) + PIECE < size:
        chosen += lot.choices(_pieces(), k=1 + size // (4 * PIECE))
    info = tarfile.TarInfo(f"data/{seed}")
    info.size = sum(len(plain) for plain, _ in chosen)
    end = bytes(-info.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
    return _gzip([_packed(info.tobuf()), *chosen, _packed(end)])


def _gzip(parts: list[Piece]) -> tuple[bytes, str]:
    """Join compressed pieces to one gzip stream (RFC 1952). They need not be compressed again."""
    plain = hashlib.sha256()
    check = size = 0
    for part, _ in parts:
        plain.update(part)
        check, size = zlib.crc32(part, check), size + len(part)
    end = struct.pack("<LL", check, size & 0xFFFFFFFF)
    body = b"".join(packed for _, packed in parts)
    return b"\x1f\x8b\x08" + bytes(7) + body + b"\x03\x00" + end, f"sha256:{plain.hexdigest()}"


@functools.cache
def _pieces() -> tuple[Piece, ...]:
    """Some are random, like files that are compressed already: the ratio is 2.6 to 1 in all."""
    library = Path(sysconfig.get_path("stdlib"))
    kept, size = [], 0
    for path in sorted(library.rglob("*")):
        if path.suffix in KEPT and path.is_file() and size < POOL:
            kept.append(path.read_bytes())
            size += len(kept[-1])
    whole = b"".join(kept)
    plain = [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]
    lot = random.Random("packed")  # noqa: S311 - bytes to copy, no secret
    plain += [lot.randbytes(PIECE) for _ in range(len(plain) // 11)]
    return tuple(map(_packed, plain))


def _packed(plain: bytes) -> Piece:
    """Return the piece with its part of a gzip stream, which refers to nothing before it."""
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return plain, squeeze.compress(plain) + squeeze.flush(zlib.Z_FULL_FLUSH)


def _index(children: list[tuple[str, bytes]]) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {
                    "mediaType": MANIFEST,
                    "digest": digest_of(body),
                    "size": len(body),
                    "platform": {"architecture": platform, "os": "linux"},
                }
                for platform, body in children
            ],
        }
    ).encode()
