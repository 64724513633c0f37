"""The card of a draft: what was found, and the question what of it is meant.

The same message becomes the card of the request once the person confirms. A pure projection.
"""

from typing import Final

from bot.core.bad_image import BadImage
from bot.core.draft import DRAFT_LIFETIME, IMAGES_PER_PAGE, Draft, neighbour_pages
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.dialog.buttons import Verb
from bot.dialog.card import ROOM, press, short, untagged_line
from bot.dialog.message import Button, Message, Phrase, say
from bot.dialog.view import View
from bot.paste import IMAGES_PER_PASTE

BAD_SHOWN: Final = 10
TEXT_SHOWN: Final = 80


def draft_card(request: Request, draft: Draft, view: View) -> Message:
    """What the chat should show of a draft now."""
    lines = [_head(request, draft, view), *_listed(draft), *bad_lines(draft.bad)]
    lines += untagged_line(request, draft.images)
    if len(draft.images) >= IMAGES_PER_PASTE:
        lines.append(say("draft-most", count=IMAGES_PER_PASTE))
    if request.cancelled_at is not None:
        late = request.cancelled_at - request.opened_at >= DRAFT_LIFETIME
        return Message((*lines, say("draft-expired" if late else "card-cancelled")))
    if draft.page is None:
        return Message(tuple(lines), _question(request, draft))
    return Message((*lines, say("draft-choosing")), _choice(request, draft, draft.page))


def _head(request: Request, draft: Draft, view: View) -> Phrase:
    return say(
        "draft-head-file" if draft.file else "draft-head",
        request=str(request.id),
        person=view.name(request.person),
        count=len(draft.images),
        file=draft.file,
    )


def _listed(draft: Draft) -> list[Phrase]:
    """Every image that stands as it was written; what was corrected has a line of its own."""
    corrected = {bad.correction.image for bad in draft.corrected if bad.correction is not None}
    images = [image for image in draft.images if image not in corrected]
    lines: list[Phrase] = []
    room = ROOM // 2
    for position, image in enumerate(images):
        room -= len(str(image)) + 1
        if room < 0:
            lines.append(say("draft-more", count=len(images) - position))
            break
        lines.append(say("draft-line", image=str(image)))
    return lines


def bad_lines(found: tuple[BadImage, ...]) -> list[Phrase]:
    """Why each text cannot be taken as it stands, with what was probably meant."""
    lines = [_bad_line(bad) for bad in found[:BAD_SHOWN]]
    if len(found) > BAD_SHOWN:
        lines.append(say("bad-more", count=len(found) - BAD_SHOWN))
    return lines


def _bad_line(bad: BadImage) -> Phrase:
    text = bad.text if len(bad.text) <= TEXT_SHOWN else bad.text[:TEXT_SHOWN] + "…"
    if bad.correction is not None:
        reason = say(f"mistake-{bad.correction.mistake}")
        return say("bad-meant", text=text, reason=reason, image=str(bad.correction.image))
    return say("bad-line", text=text, reason=say(f"problem-{bad.problem}"))


def _question(request: Request, draft: Draft) -> tuple[tuple[Button, ...], ...]:
    count = len(draft.images)
    drop = press(Verb.DROP, request.id)
    if count == 1:
        key = "button-yes" if draft.corrected else "button-mirror-it"
        return ((press(Verb.ALL, request.id, label=say(key)), drop),)
    every = press(Verb.ALL, request.id, label=say("button-all", count=count))
    choose = press(Verb.PAGE, request.id, 0, label=say("button-choose"))
    return ((every, choose), (drop,))


def _choice(request: Request, draft: Draft, page: int) -> tuple[tuple[Button, ...], ...]:
    """A page of images to tick, the way to the other pages, and the end of it."""
    first = page * IMAGES_PER_PAGE
    rows: list[tuple[Button, ...]] = [
        (_tick(request, draft, position, image),)
        for position, image in enumerate(draft.images[first : first + IMAGES_PER_PAGE], first)
    ]
    if draft.pages > 1:
        rows.append(tuple(_turn(request, draft, to) for to in neighbour_pages(page, draft.pages)))
    go = [] if not draft.chosen else [
        press(Verb.ALL, request.id, label=say("button-chosen", count=len(draft.chosen)))
    ]  # fmt: skip
    rows.append((*go, press(Verb.DROP, request.id)))
    return tuple(rows)


def _tick(request: Request, draft: Draft, position: int, image: ImageRef) -> Button:
    ticked = int(position not in draft.left_out)
    label = say("button-tick", image=short(image), ticked=ticked)
    return press(Verb.TICK, request.id, position, label=label)


def _turn(request: Request, draft: Draft, page: int) -> Button:
    return press(
        Verb.PAGE, request.id, page, label=say("button-page", page=page + 1, pages=draft.pages)
    )
