"""Use cases of those who want to be told when an image moves."""

from typing import assert_never

from bot.core.image import ImageRef
from bot.dialog import answers, watches
from bot.dialog.commands import Unwatch, Watch
from bot.dialog.message import Message
from bot.engine.intake.context import Case


async def heed(case: Case, command: Watch | Unwatch) -> Message:
    match command:
        case Watch(image):
            if image is not None:
                return await _watch(case, image)
            return watches.watched(await case.unit.watches_of(case.person.id))
        case Unwatch(image):
            dropped = await case.unit.drop_watch(case.person.id, image)
            return answers.one("unwatched" if dropped else "unwatch-none", image=str(image))
        case never:
            assert_never(never)


async def _watch(case: Case, image: ImageRef) -> Message:
    """Tell the person here, in this chat, whenever the image has moved and arrived."""
    house = case.house
    refusal = watches.unwatchable(image, house.policy, kept_fresh=house.kept_fresh)
    if refusal is not None:
        return refusal
    own = await case.unit.watches_of(case.person.id)
    limit = house.policy.watch_limit
    if len(own) >= limit and image not in [each.image for each in own]:
        return answers.one("watch-limit", number=limit)
    await case.unit.save_watch(
        watches.Watch(
            person=case.person.id,
            image=image,
            place=case.place,
            message=case.message,
            since=case.now,
        )
    )
    return watches.watching(image, listed=await case.unit.is_tracked(image))
