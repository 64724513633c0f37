"""The card of a draft: which images were found, and the question which of them are meant.

A pure function of stored facts. After the confirmation, card.py renders the same message.
"""

from typing import Final

from bot.core.bad_image import BadImage
from bot.core.draft import DRAFT_LIFETIME, IMAGES_PER_PAGE, Draft, neighbour_pages
from bot.core.gathering import Cut
from bot.core.ids import is_private
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.card import IMAGE_LINES_SHARE, untagged_line
from bot.dialog.image_names import short_name
from bot.dialog.message import Button, Message, Phrase, say
from bot.dialog.view import View
from bot.paste import IMAGES_PER_PASTE

UNREADABLE_SHOWN: Final = 10
PASTED_CHARACTERS: Final = 80


def draft_card(request: Request, draft: Draft, view: View) -> Message:
    """What the chat should show of a draft now."""
    head = _head(request, draft, view)
    if request.cancelled_at is None:
        head = say("draft-asks", head=head, count=len(draft.images))
    lines = [head, *_listed(draft, view), *unreadable_lines(draft.bad)]
    lines += untagged_line(request, draft.images)
    if len(draft.images) >= IMAGES_PER_PASTE:
        lines.append(say("draft-most", count=IMAGES_PER_PASTE))
    if draft.cut is not None and request.cancelled_at is None:
        lines.append(_cut_line(draft.cut, request))
    if request.cancelled_at is not None:
        late = request.cancelled_at - request.opened_at >= DRAFT_LIFETIME
        return Message((*lines, say("draft-expired" if late else "card-cancelled")))
    if draft.page is None:
        return Message(tuple(lines), _question_buttons(request, draft))
    return Message((*lines, say("draft-choosing")), _choice_buttons(request, draft, draft.page))


def _cut_line(cut: Cut, request: Request) -> Phrase:
    """What may be missing, and how to send it so that it arrives here."""
    private = is_private(request.place.chat) and cut is not Cut.LONG
    return say(f"draft-cut-{cut}-private" if private else f"draft-cut-{cut}")


def _head(request: Request, draft: Draft, view: View) -> Phrase:
    one = "draft-head-file" if draft.file else "draft-head"
    return say(
        "draft-head-files" if draft.more_files else one,
        request=str(request.id),
        person=view.name(request.person),
        count=len(draft.images),
        file=draft.file,
        more=draft.more_files,
    )


def _listed(draft: Draft, view: View) -> list[Phrase]:
    """A line for each image that was not corrected. Corrections have their own lines."""
    corrected = {bad.correction.image for bad in draft.corrected if bad.correction is not None}
    images = [image for image in draft.images if image not in corrected]
    lines: list[Phrase] = []
    room = view.room.share(IMAGE_LINES_SHARE) // 2
    for position, image in enumerate(images):
        room -= len(str(image)) + 1
        if room < 0:
            lines.append(say("draft-more", count=len(images) - position))
            break
        lines.append(say("draft-line", image=str(image)))
    return lines


def unreadable_lines(found: tuple[BadImage, ...]) -> list[Phrase]:
    """Why each text names no image that we take, with what was probably meant."""
    lines = [_unreadable_line(bad) for bad in found[:UNREADABLE_SHOWN]]
    if len(found) > UNREADABLE_SHOWN:
        lines.append(say("bad-more", count=len(found) - UNREADABLE_SHOWN))
    return lines


def _unreadable_line(bad: BadImage) -> Phrase:
    text = bad.text if len(bad.text) <= PASTED_CHARACTERS else bad.text[:PASTED_CHARACTERS] + "…"
    if bad.correction is not None:
        reason = say(f"mistake-{bad.correction.mistake}")
        return say("bad-meant", text=text, reason=reason, image=str(bad.correction.image))
    return say("bad-line", text=text, reason=say(f"problem-{bad.problem}"))


def _question_buttons(request: Request, draft: Draft) -> tuple[tuple[Button, ...], ...]:
    count = len(draft.images)
    drop = callback_button(Verb.DROP, request.id)
    if count == 1:
        key = "button-yes" if draft.corrected else "button-mirror-it"
        return ((callback_button(Verb.ALL, request.id, label=say(key)), drop),)
    every = callback_button(Verb.ALL, request.id, label=say("button-all", count=count))
    choose = callback_button(Verb.PAGE, request.id, 0, label=say("button-choose"))
    return ((every, choose), (drop,))


def _choice_buttons(request: Request, draft: Draft, page: int) -> tuple[tuple[Button, ...], ...]:
    """A page of images to tick, and the buttons for other pages and to finish."""
    first = page * IMAGES_PER_PAGE
    rows: list[tuple[Button, ...]] = [
        (_image_button(request, draft, position, image),)
        for position, image in enumerate(draft.images[first : first + IMAGES_PER_PAGE], first)
    ]
    if draft.pages > 1:
        rows.append(
            tuple(_page_button(request, draft, to) for to in neighbour_pages(page, draft.pages))
        )
    go = [] if not draft.chosen else [
        callback_button(Verb.ALL, request.id, label=say("button-chosen", count=len(draft.chosen)))
    ]  # fmt: skip
    rows.append((*go, callback_button(Verb.DROP, request.id)))
    return tuple(rows)


def _image_button(request: Request, draft: Draft, position: int, image: ImageRef) -> Button:
    ticked = int(position not in draft.left_out)
    label = say("button-tick", image=short_name(image), ticked=ticked)
    return callback_button(Verb.TICK, request.id, position, label=label)


def _page_button(request: Request, draft: Draft, page: int) -> Button:
    return callback_button(
        Verb.PAGE, request.id, page, label=say("button-page", page=page + 1, pages=draft.pages)
    )
