"""The `refill` command: everything in image.list goes to an empty target again.

It reads the list, and leaves a wish for each image. What is copied is decided where the wish is
carried out, see engine/refill.py. Lines without a decision are told, for the maintainer.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.adapters.store import approved_names
from bot.clients import make_repository
from bot.config import Secrets, Settings
from bot.core.errors import RefusedError
from bot.core.image import ImageRef
from bot.core.image_list import listed_images
from bot.engine.decided import Rules
from bot.engine.ports.wishes import Wish, WishKind
from bot.wishes import wish_all


async def refill_target(settings: Settings, secrets: Secrets, say: Callable[[str], None]) -> None:
    """Wish for every listed image with a decision, and name the others.

    Raises TransientError and RefusedError of GitHub and of the database.
    """
    repository = make_repository(settings, secrets)
    try:
        content = (await repository.read_list()).content
    finally:
        repository.close()
    images = list(dict.fromkeys(listed_images(content)))
    database = Path(settings.database)
    going, lacking = await asyncio.to_thread(_split, images, database)
    for image in lacking:
        why = "there is no record of a decision on its digest"
        say(f"{image}: {why}. Ask for it by /mirror {image}")
    wishes = [Wish(WishKind.REFILL, str(image)) for image in going]
    rules = Rules(settings.policy_in_force(), settings.allow_lists().admins)
    async for line in wish_all(database, wishes, rules):
        say(f"not copied: {line}" if isinstance(line, RefusedError) else line)
    say(f"{len(going)} of {len(images)} images have a decision. They are copied while a bot runs.")


def _split(images: list[ImageRef], database: Path) -> tuple[list[ImageRef], list[ImageRef]]:
    """The images on which a decision is kept, and the others."""
    kept = approved_names(database)
    by_tag = {(name, tag) for name, tag, _ in kept}
    by_digest = {(name, digest) for name, _, digest in kept}
    going: list[ImageRef] = []
    lacking: list[ImageRef] = []
    for image in images:
        name = f"{image.registry}/{image.repository}"
        tagged = image.tag is None or (name, image.tag) in by_tag
        known = tagged and (image.digest is None or (name, image.digest) in by_digest)
        (going if known else lacking).append(image)
    return going, lacking
