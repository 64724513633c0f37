"""The answer to /list unused: the listed images that no known cluster runs. Nothing is deleted."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from bot.core.image import ImageRef
from bot.core.running import RunningImages
from bot.dialog.image_names import name_list, short_digest
from bot.dialog.message import Message, Moment, Phrase, say

REPOSITORIES_SHOWN: Final = 30
"""Each takes a line. Of the others the number is told."""
TAGS_SHOWN: Final = 12
CLUSTERS_NAMED: Final = 10


def unused_answer(
    found: Sequence[ImageRef],
    clusters: Sequence[RunningImages],
    now: datetime,
    *,
    listed: int,
    missing: int,
) -> Message:
    """`missing` images run and are not listed: a card offers them."""
    if not clusters:
        return Message((say("unused-unknown"),))
    lines = [say("unused-head", count=len(found), listed=listed)]
    lines.append(say("unused-clusters", clusters=name_list([_cluster(c, now) for c in clusters])))
    groups = _groups(found)
    lines += [_line(name, of) for name, of in groups[:REPOSITORIES_SHOWN]]
    if len(groups) > REPOSITORIES_SHOWN:
        lines.append(say("unused-more", count=len(groups) - REPOSITORIES_SHOWN))
    lines += [say("unused-kept")] if found else []
    lines += [say("unused-missing", count=missing)] if missing else []
    return Message(tuple(lines))


def _cluster(cluster: RunningImages, now: datetime) -> Phrase:
    time = Moment(cluster.at, now)
    return say("unused-cluster", name=cluster.name, time=time, count=len(cluster.images))


def _groups(images: Sequence[ImageRef]) -> list[tuple[str, list[ImageRef]]]:
    """By repository, in the order of names."""
    by_name = sorted(images, key=lambda image: (image.registry, image.repository, str(image)))
    grouped = groupby(by_name, key=lambda image: f"{image.registry}/{image.repository}")
    return [(name, list(of)) for name, of in grouped]


def _line(name: str, of: Sequence[ImageRef]) -> Phrase:
    tags = [image.tag or short_digest(image.digest or "") for image in of]
    return say("unused-line", image=name, count=len(of), tags=name_list(tags, most=TAGS_SHOWN))
