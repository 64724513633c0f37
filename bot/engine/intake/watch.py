"""Use cases of those who want to be told when an image is updated."""

from typing import Protocol, assert_never

from bot.core.fresh import Watch
from bot.core.ids import is_private
from bot.core.image import ImageRef
from bot.dialog import answers, watches
from bot.dialog.command_values import BeginWatch, CommandName, EndWatch
from bot.dialog.message import Message
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.fresh import Watches


class WatchUnit(Watches, ContextUnit, Protocol):
    """What this use case reads and writes."""


async def change_watches(context: Context[WatchUnit], command: BeginWatch | EndWatch) -> Message:
    match command:
        case BeginWatch(()):
            return watches.watched(await _own(context))
        case BeginWatch(images, bad):
            each = [await _watch(context, image) for image in images]
            return answers.together(each, bad, command=CommandName.WATCH)
        case EndWatch(images, bad):
            each = [await _unwatch(context, image) for image in images]
            return answers.together(each, bad, command=CommandName.UNWATCH)
        case never:
            assert_never(never)


async def _unwatch(context: Context[WatchUnit], image: ImageRef) -> Message:
    dropped = await _drop(context, image)
    return answers.single_line("unwatched" if dropped else "unwatch-none", image=str(image))


async def _watch(context: Context[WatchUnit], image: ImageRef) -> Message:
    """Store that the person is told in this chat when an update of the image has arrived."""
    installation = context.installation
    refusal = watches.unwatchable(image, installation.policy, kept_fresh=installation.kept_fresh)
    if refusal is not None:
        return refusal
    limit = installation.policy.watch_limit
    own = {each.image for each in await _of_all_ids(context)}
    if len(own) >= limit and image not in own:
        return answers.single_line("watch-limit", image=str(image), number=limit)
    await _drop(context, image)
    await context.unit.save_watch(
        Watch(
            person=context.person.id,
            image=image,
            place=context.place,
            message=context.message,
            since=context.now,
        )
    )
    return watches.watching(image, listed=await context.unit.is_tracked(image))


async def _drop(context: Context[WatchUnit], image: ImageRef) -> bool:
    """End the human's watch of the image, by whichever id it was asked for."""
    ids = context.people.ids(context.person.id)
    return any([await context.unit.drop_watch(each, image) for each in ids])


async def _own(context: Context[WatchUnit]) -> list[Watch]:
    """What the human watches. What was said in private by another id is told in private alone."""
    me, private = context.person.id, is_private(context.place.chat)
    return [
        each
        for each in await _of_all_ids(context)
        if private or each.person == me or not is_private(each.place.chat)
    ]


async def _of_all_ids(context: Context[WatchUnit]) -> list[Watch]:
    ids = context.people.ids(context.person.id)
    return [each for person in ids for each in await context.unit.watches_of(person)]
