"""Reads manifests, and decides which ones this package copies without skopeo."""

import json
from dataclasses import dataclass

from .reference import DIGEST, SHA256
from .registry_http import UNREADABLE, Answer

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
KINDS = (
    *INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join((*KINDS, "application/vnd.docker.distribution.manifest.v1+prettyjws"))
CHILDREN = 64  # manifests in one index
BLOBS = 1000  # configs and layers of one image
MANIFEST_BYTES = 16 << 20  # of all manifests of one image
LARGEST_NUMBER = 2**63 - 1  # bytes: the bot stores it in 64 bits


class NotMovedError(Exception):
    """Why an image was not copied, in words for its status that begin with the side.

    `passing` says whether another try may succeed. `status` is the registry's, if it said anything.
    """

    def __init__(self, words: str, *, passing: bool = False, status: int = 0) -> None:
        super().__init__(words)
        self.passing, self.status = passing, status


class OddError(NotMovedError):
    """Something out of the ordinary, which skopeo has to copy. The words are for the log."""


@dataclass(frozen=True)
class Manifest:
    """One manifest, unchanged. An index has children, every other manifest has blobs."""

    body: bytes
    kind: str
    children: dict[str, int]  # digest of a manifest -> bytes, or 0
    blobs: dict[str, int]  # digest of a config or layer -> bytes

    @classmethod
    def read(cls, answer: Answer) -> "Manifest":
        """Read an answer. Raises OddError for what skopeo must copy, such as schema 1."""
        try:
            said = json.loads(answer.body)
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            below = said.get("manifests", ())
            children = {str(each["digest"]): int(each.get("size") or 0) for each in below}
            parts = [] if children else [said["config"], *said["layers"]]
            blobs = {str(part["digest"]): int(part["size"]) for part in parts}
            elsewhere = any(part.get("urls") for part in parts)
        except (*UNREADABLE, KeyError, TypeError, AttributeError):
            raise OddError("its manifest cannot be read") from None
        named = all(map(SHA256.fullmatch, children)) and all(map(DIGEST.fullmatch, blobs))
        few = len(children) <= CHILDREN and len(blobs) <= BLOBS
        sizes = (
            min((*blobs.values(), *children.values()), default=0) >= 0
            and sum(blobs.values()) <= LARGEST_NUMBER
        )
        plain = kind in KINDS and (kind in INDEXES) == bool(children) and not elsewhere
        if not (plain and named and few and sizes):
            raise OddError("its manifest is not an everyday one")
        return cls(answer.body, kind, children, blobs)
