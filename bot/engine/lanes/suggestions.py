"""Suggests images in place of one that its source lacks. Used by checks and by /lookup."""

import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.engine.ports.registries import Tags
from bot.paste.nearest_names import nearest_names
from bot.paste.nearest_tags import nearest_tags
from bot.paste.reference import likely_meaning

log = logging.getLogger(__name__)

SUGGESTIONS: Final = 3


async def suggest_images(
    registries: Tags, image: ImageRef, *, target_host: str, listed: Collection[str] = ()
) -> tuple[ImageRef, ...]:
    """Images that exist and were probably meant: a corrected name, similar tags, or similar names.

    `listed` are the images in image.list. Empty where the registry does not answer. Its errors are
    never raised.
    """
    try:
        likely_one = likely_meaning(image, target_host=target_host)
        if likely_one is not None and await registries.source_digest(likely_one) is not None:
            return (likely_one,)
        if image.digest is not None or image.tag is None:
            return await _by_tag_alone(registries, image)
        near = await _by_tags(registries, image)
        return near or await _by_names(registries, image, listed)
    except (TransientError, RefusedError) as trouble:
        log.info("no suggestions for %s: %s", image, trouble)
        return ()


async def _by_tags(registries: Tags, image: ImageRef) -> tuple[ImageRef, ...]:
    """The image with its nearest tags. None of them where the repository does not exist."""
    try:
        there = await registries.tags(image)
    except RefusedError:
        return ()
    near = nearest_tags(image.tag or "", there, count=SUGGESTIONS)
    return tuple(replace(image, tag=tag) for tag in near)


async def _by_names(
    registries: Tags, image: ImageRef, listed: Collection[str]
) -> tuple[ImageRef, ...]:
    """Images of similar names, with the tag that was asked for or those nearest to it."""
    found: list[ImageRef] = []
    for other in nearest_names(image, listed):
        exists = await registries.source_digest(other) is not None
        found += [other] if exists else await _by_tags(registries, other)
    return tuple(found[:SUGGESTIONS])


async def _by_tag_alone(registries: Tags, image: ImageRef) -> tuple[ImageRef, ...]:
    """The image as its tag is now, where its digest is gone."""
    if image.tag is None:
        return ()
    now = replace(image, digest=None)
    return (now,) if await registries.source_digest(now) is not None else ()
