"""What a registry tells without handing out an image."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a registry tells of an image without the image itself.

    `platforms` as `os/architecture[/variant]`, empty where it was not told; `size` in bytes of
    all its blobs, each counted once, None where not all of them are known; `created` in UTC,
    None where it was not told or is the placeholder that reproducible builds write.
    """

    platforms: tuple[str, ...] = ()
    size: int | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class PullLimit:
    """How many pulls a registry still gives away, of how many; both as it says itself."""

    remaining: int
    limit: int
