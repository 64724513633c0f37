"""Which repository was most likely meant by one that does not exist.

It is compared with the official images and with those that are listed. Only the last part of a name
is compared, since people forget owners and registries. A person chooses in the end.
"""

from collections.abc import Collection
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from bot.core.image import DOCKER_HUB, OFFICIAL_PREFIX, ImageRef, split_reference
from bot.paste.official_images import OFFICIAL_IMAGES

_ALIKE: Final = 0.8  # five letters with two of them swapped
_MOST: Final = 2
_COMPARED: Final = 60  # characters, so that long names take no more time


def nearest_names(image: ImageRef, listed: Collection[str]) -> tuple[ImageRef, ...]:
    """The image with other repositories, the most likely first. `listed` are images in full."""
    known: dict[str, dict[str, None]] = {}
    if image.registry == DOCKER_HUB and image.repository.startswith(OFFICIAL_PREFIX):
        known = {name: {f"{DOCKER_HUB}/{OFFICIAL_PREFIX}{name}": None} for name in OFFICIAL_IMAGES}
    for text in sorted(listed):
        name = split_reference(text)[0]
        known.setdefault(_last(name), {})[name] = None
    alike = get_close_matches(_last(image.repository), known, n=_MOST, cutoff=_ALIKE)
    found = (ImageRef.parse_or_none(name) for last in alike for name in known[last])
    others = (replace(one, tag=image.tag) for one in found if one is not None)
    return tuple(one for one in others if one.repository != image.repository)[:_MOST]


def _last(name: str) -> str:
    return name.rpartition("/")[2][:_COMPARED]
