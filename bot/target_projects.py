"""The projects of the target that images go to. `setup` creates those that a Harbor lacks.

A push to a missing project fails like one with a wrong password: Harbor answers 401 to both.
"""

from collections.abc import Callable, Iterator
from typing import Final

from bot.adapters.registry.harbor import Harbor
from bot.config import Settings
from bot.core.errors import BotError, RefusedError
from bot.core.image import ImageRef

_BY_HAND: Final = "create it in Harbor under Projects, New project, and let the account push to it"


def probes(settings: Settings) -> Iterator[tuple[str, ImageRef]]:
    """Each project that images go to, with an image of that project that nobody has.

    Flat names below no prefix have no project: then it is the host, once.
    """
    target, seen = settings.target_registry(), set[str]()
    for registry in settings.policy.registries:
        image = ImageRef.parse(f"{registry}/library/imageto-bot-check:none")
        path = target.name_of(image).removeprefix(f"{target.host}/")
        name = path.partition("/")[0] if "/" in path else target.host
        if name not in seen:
            seen.add(name)
            yield name, image


async def create_projects(
    harbor: Harbor, settings: Settings, say: Callable[[str], None], *, dry_run: bool = False
) -> None:
    """Create what is missing, and say a line for each. Raises nothing: GitHub is set up by now."""
    try:
        if not await harbor.is_there():
            say("target: no Harbor answers, so its projects are left as they are")
            return
        for name, _ in probes(settings):
            await _create(harbor, name, say, dry_run=dry_run)
    except BotError as error:
        say(f"target: its projects are not known ({error}). `imageto-bot check` tries again")


async def _create(harbor: Harbor, name: str, say: Callable[[str], None], *, dry_run: bool) -> None:
    if await harbor.project(name) is not None:
        return
    if dry_run:
        say(f"project {name}: would be created in Harbor")
        return
    try:
        await harbor.create(name)
        say(f"project {name}: created in Harbor")
    except RefusedError as refusal:
        say(f"project {name}: {refusal}: {_BY_HAND}")
