"""Use cases: list the tags that admins keep fresh or call floating, and take that back."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.approvals import KeptTag, kept_tags
from bot.core.decision import Verdict
from bot.core.ids import is_private
from bot.core.image import ImageRef
from bot.core.policy import decide
from bot.dialog import answers
from bot.dialog.buttons import ShowKept, TakeBack, tag_key
from bot.dialog.command_values import EndKeep
from bot.dialog.kept_tags import kept_page
from bot.dialog.message import Message, Phrase, Text, say
from bot.engine.decided import take_back
from bot.engine.intake.context import Context, ContextUnit
from bot.engine.ports.decisions import DecisionsOnNames, DecisionsOnTags, KeepsDecisions
from bot.engine.ports.outbox import NewNotes
from bot.engine.view_loader import names_of


class UnkeepUnit(DecisionsOnNames, DecisionsOnTags, ContextUnit, KeepsDecisions, Protocol):
    """What is read and written here."""


class UnkeepPressUnit(UnkeepUnit, NewNotes, Protocol):
    """The same for a press."""


async def end_keep(context: Context[UnkeepUnit], command: EndKeep) -> Message:
    """Take back what stands about the image's tag, or list all tags about which something does."""
    if command.image is None:
        return await _page(context, 0)
    ended = await take_back(context.unit, command.image, context.person.id, context.now)
    return answers.single_line("unkept" if ended else "unkeep-none", image=str(command.image))


async def press(context: Context[UnkeepPressUnit], pressed: ShowKept | TakeBack) -> Phrase | None:
    """Turn the page of the list, or take back what stands about one of its tags.

    The message is edited. The caller has checked that it is no card and no result.
    """
    said = None
    if isinstance(pressed, TakeBack):
        said = await _take_back(context, pressed)
    page = await _page(context, pressed.page)
    text = Text(page, context.language)
    await context.unit.add_note(context.place, text, reply_to=None, edits=context.message)
    return said


async def _take_back(context: Context[UnkeepPressUnit], pressed: TakeBack) -> Phrase:
    tags, _ = await _kept(context)
    images = {tag_key(tag.image): tag.image for tag in tags}
    image = images.get(pressed.tag)
    if image is None:
        return say("unkeep-before")
    await take_back(context.unit, image, context.person.id, context.now)
    return say("unkept", image=str(image))


async def _kept(context: Context[UnkeepUnit]) -> tuple[Sequence[KeptTag], set[ImageRef]]:
    """The tags that are listed, and which of them enough admins keep fresh.

    In private those of all chats, in a group those of what was asked there. But what was taken
    back in any chat has ended, and the admins of all chats count.
    """
    chat, made = context.place.chat, await context.unit.decisions_on_tags()
    tags = kept_tags(made)
    in_force = {tag.image for tag in tags if _is_in_force(context, tag)}
    if not is_private(chat):
        ends = [each for each in made if each.verdict is Verdict.DENY]
        tags = kept_tags([*await context.unit.decisions_on_tags(chat=chat), *ends])
    return tags, in_force


async def _page(context: Context[UnkeepUnit], page: int) -> Message:
    tags, in_force = await _kept(context)
    people = {d.person for tag in tags for d in (*tag.keeping, *tag.floating)}
    names = names_of(await context.unit.people({each for each in people if each is not None}))
    return kept_page(
        tags,
        page,
        names,
        context.now,
        everywhere=is_private(context.place.chat),
        in_force=in_force,
    )


def _is_in_force(context: Context[UnkeepUnit], tag: KeptTag) -> bool:
    """Whether enough admins of now keep the tag fresh, as its rule asks for."""
    rules = context.installation.rules
    needs = decide(rules.policy, tag.image).needs
    people = [d.person for d in tag.keeping if d.person is not None]
    return len(needs.counted(people, requesters=(), admins=rules.admins)) >= needs.count
