"""The list of tags that admins keep fresh or call floating, with a button to take each back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.core.approvals import KeptTag
from bot.core.decision import Decision
from bot.core.draft import IMAGES_PER_PAGE, neighbour_pages
from bot.core.ids import PersonId
from bot.core.image import ImageRef
from bot.dialog.buttons import Verb, callback_button, tag_key
from bot.dialog.image_names import name_list, short_name
from bot.dialog.message import Button, Message, Moment, Phrase, Value, say

Names = Mapping[PersonId, str]


def kept_page(
    tags: Sequence[KeptTag],
    page: int,
    names: Names,
    now: datetime,
    *,
    everywhere: bool,
    in_force: Collection[ImageRef],
) -> Message:
    """A page of the list. A number beyond the end means the last page.

    `everywhere`: it is not limited to what was asked for in one chat. `in_force` are the tags that
    enough admins of now keep fresh.
    """
    where = "" if everywhere else "-here"
    if not tags:
        return Message((say(f"kept-none{where}"),))
    pages = -(-len(tags) // IMAGES_PER_PAGE)
    page = min(page, pages - 1)
    shown = tags[page * IMAGES_PER_PAGE : (page + 1) * IMAGES_PER_PAGE]
    lines = [say(f"kept-head{where}", count=len(tags))]
    for tag in shown:
        lines += _lines(tag, names, now, in_force=tag.image in in_force)
    rows = [(_button(tag, page),) for tag in shown]
    turns = tuple(_turn(other, pages) for other in neighbour_pages(page, pages))
    return Message(tuple(lines), (*rows, turns) if pages > 1 else tuple(rows))


def _lines(tag: KeptTag, names: Names, now: datetime, *, in_force: bool) -> list[Phrase]:
    key = "kept-fresh" if in_force else "kept-fresh-idle"
    grounds = [(key, tag.keeping), ("kept-floating", tag.floating)]
    return [_line(key, tag.image, made, names, now) for key, made in grounds if made]


def _line(
    key: str, image: ImageRef, made: Sequence[Decision], names: Names, now: datetime
) -> Phrase:
    people = [names.get(d.person, "") if d.person is not None else "" for d in made]
    known = [name for name in people if name]
    who: Value = name_list(known) if known else say("by-nobody-known")
    return say(key, image=str(image), people=who, time=Moment(made[-1].at, now))


def _button(tag: KeptTag, page: int) -> Button:
    label = say("button-unkeep", image=short_name(tag.image))
    return callback_button(Verb.UNKEEP, page, tag_key(tag.image), label=label)


def _turn(page: int, pages: int) -> Button:
    label = say("button-page", page=page + 1, pages=pages)
    return callback_button(Verb.KEPT, page, label=label)
