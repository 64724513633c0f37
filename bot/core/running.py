"""What clusters run, beside image.list: which listed images nobody runs, and what is not listed.

A list of a cluster is kept by its name with the day, so that several clusters count together.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.ids import ChatId
from bot.core.image import ImageRef

COUNTS_FOR: Final = timedelta(days=90)
"""An older list says nothing of today."""
CLUSTERS_KEPT: Final = 20
"""Of one chat. The oldest list goes for a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningImages:
    """What one cluster runs. `name` is what people of this chat call it. `at` is in UTC."""

    chat: ChatId
    name: str
    at: datetime
    images: tuple[ImageRef, ...]


class Named:
    """Images by name and tag, and by name and digest: where one of the two is known, it is it."""

    def __init__(self, images: Iterable[ImageRef]) -> None:
        self._parts = {part for image in images for part in _parts(image)}

    def __contains__(self, image: ImageRef) -> bool:
        return any(part in self._parts for part in _parts(image))


def _parts(image: ImageRef) -> list[tuple[str, str, str]]:
    ends = [f":{image.tag}"] if image.tag else []
    ends += [f"@{image.digest}"] if image.digest else []
    return [(image.registry, image.repository, end) for end in ends]


def unused(listed: Iterable[ImageRef], clusters: Collection[RunningImages]) -> list[ImageRef]:
    """The listed images that no cluster runs, each once."""
    running = Named(image for cluster in clusters for image in cluster.images)
    return [image for image in dict.fromkeys(listed) if image not in running]


def missing(listed: Iterable[ImageRef], cluster: RunningImages) -> list[ImageRef]:
    """What the cluster runs and no line names, each once."""
    known = Named(listed)
    return [image for image in dict.fromkeys(cluster.images) if image not in known]


def counting(clusters: Sequence[RunningImages], now: datetime) -> list[RunningImages]:
    """Those that still say something of today."""
    return [each for each in clusters if now - each.at < COUNTS_FOR]
