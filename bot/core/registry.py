"""What a registry says about an image and about its own limits. Values only.

The adapter in bot/adapters/registry/ reads them from untrusted answers.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the manifests and the config of an image say.

    `platforms` are written `os/architecture[/variant]` and are empty where unknown. `size` is in
    bytes, of all blobs, each counted once, or None where not all are known. `created` is in UTC,
    or None where it is missing or is the placeholder of reproducible builds.
    """

    platforms: tuple[str, ...] = ()
    size: int | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository. `pages` is how many requests it took.

    `is_whole`: none was left out. A list of over 100,000 tags is cut off.
    """

    tags: tuple[str, ...]
    pages: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class PullLimit:
    """The pulls that a registry says are left, out of its limit.

    See https://docs.docker.com/docker-hub/usage/pulls/ for Docker Hub's headers.
    """

    remaining: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The vulnerabilities that a Harbor's scanner found in an image, by severity.

    `other` are those of no known severity. `url` is the page of the image in Harbor.
    """

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    other: int = 0
    url: str = ""
