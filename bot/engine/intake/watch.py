"""Use cases of those who want to be told when an image is updated."""

from typing import Protocol, assert_never

from bot.core.fresh import Watch
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
            return watches.watched(await context.unit.watches_of(context.person.id))
        case BeginWatch(images, bad):
            each = [await _watch(context, image) for image in images]
            return answers.together(each, bad, command=CommandName.WATCH)
        case EndWatch(images, bad):
            each = [await _unwatch(context, image) for image in images]
            return answers.together(each, bad, command=CommandName.UNWATCH)
        case never:
            assert_never(never)


async def _unwatch(context: Context[WatchUnit], image: ImageRef) -> Message:
    dropped = await context.unit.drop_watch(context.person.id, image)
    return answers.single_line("unwatched" if dropped else "unwatch-none", image=str(image))


async def _watch(context: Context[WatchUnit], image: ImageRef) -> Message:
    """Store that the person is told in this chat when an update of the image has arrived."""
    installation = context.installation
    refusal = watches.unwatchable(image, installation.policy, kept_fresh=installation.kept_fresh)
    if refusal is not None:
        return refusal
    own = await context.unit.watches_of(context.person.id)
    limit = installation.policy.watch_limit
    if len(own) >= limit and image not in [each.image for each in own]:
        return answers.single_line("watch-limit", image=str(image), number=limit)
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
