"""Suggests images in place of one that its source lacks. Used by checks and by /lookup."""

import logging
from dataclasses import replace
from typing import Final

from bot.core.errors import RefusedError, TransientError
from bot.core.image import ImageRef
from bot.engine.ports.registries import Tags
from bot.paste.nearest_tags import nearest_tags
from bot.paste.reference import likely_meaning

log = logging.getLogger(__name__)

SUGGESTIONS: Final = 3


async def suggest_images(
    registries: Tags, image: ImageRef, *, target_host: str
) -> tuple[ImageRef, ...]:
    """Images that exist and were probably meant: a corrected name, or else similar tags.

    Empty where the registry does not answer. Its errors are never raised.
    """
    try:
        likely_one = likely_meaning(image, target_host=target_host)
        if likely_one is not None and await registries.source_digest(likely_one) is not None:
            return (likely_one,)
        if image.digest is not None or image.tag is None:
            return await _by_tag_alone(registries, image)
        near = nearest_tags(image.tag, await registries.tags(image), count=SUGGESTIONS)
    except (TransientError, RefusedError) as trouble:
        log.info("no suggestions for %s: %s", image, trouble)
        return ()
    return tuple(ImageRef(image.registry, image.repository, tag, None) for tag in near)


async def _by_tag_alone(registries: Tags, image: ImageRef) -> tuple[ImageRef, ...]:
    """The image as its tag is now, where its digest is gone."""
    if image.tag is None:
        return ()
    now = replace(image, digest=None)
    return (now,) if await registries.source_digest(now) is not None else ()
