"""The images of a card that wait for a decision: their pages, and the buttons that decide on them.

They are never folded into a count. Where they do not fit, the card has pages, and its buttons
decide on the images of the open page alone. `decided_on` names these: it is what a version of the
card keeps (core/card_version.py), so it must agree with what the lines show.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from bot.core.decision import Ground
from bot.core.draft import IMAGES_PER_PAGE, neighbour_pages
from bot.core.ids import BOT_ITSELF, PersonId
from bot.core.image import ImageRef
from bot.core.request import Request
from bot.core.service import Room
from bot.core.transfer import State, Transfer
from bot.dialog.buttons import Verb, callback_button, reason_key
from bot.dialog.image_names import (
    SHORT_DIGEST_CHARACTERS,
    label_of,
    name_list,
    short_digest,
    short_name,
)
from bot.dialog.message import Button, Phrase, Value, say, size
from bot.dialog.offer_card import is_offer, offer_buttons
from bot.dialog.removal import is_removal, removal_buttons
from bot.dialog.view import View

PAGE_SHARE: Final = 0.55
"""Of a message, for the lines of a page. The images that do not wait have the rest of the card."""
DIGESTS_SHARE: Final = 0.975
"""Of a message, for the full digests of a page."""
ROW_CHARACTERS: Final = 70
"""Estimated characters of a line without the image's name and its digests."""
RUN_FROM: Final = 4
"""So many tags that follow one another have one line, such as `6.8.1 … 6.8.40`."""
RUN_TO: Final = 40
RUN_TAG_CHARACTERS: Final = 16
"""Longer tags have a line each."""
DIGEST_CHARACTERS: Final = len("sha256:") + 64
_NUMBERED: Final = re.compile(r"(.*?)(0|[1-9][0-9]{0,8})", re.ASCII)
Row: TypeAlias = tuple[Transfer, ...]
"""What one line shows: an image, or a run of tags of one repository, the lowest first."""


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page of the images that wait. `number` counts from 0, `others` wait on other pages."""

    rows: tuple[Row, ...]
    number: int
    pages: int
    others: int

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        return tuple(transfer for row in self.rows for transfer in row)


def waiting_in(transfers: Iterable[Transfer]) -> list[Transfer]:
    return [transfer for transfer in transfers if transfer.state is State.WAITING]


def is_alarm(transfer: Transfer) -> bool:
    """Whether a version was updated upstream and an admin has to decide on that."""
    return transfer.state is State.WAITING and transfer.ground is Ground.UPDATED


def shows_in_full(transfer: Transfer) -> bool:
    """Whether digests are shown in full: it replaces another one, or it was rejected before."""
    asked = transfer.state is State.WAITING
    return asked and (transfer.replaces is not None or transfer.ground is Ground.REJECTED)


def open_page(request: Request, transfers: Sequence[Transfer], room: Room) -> WaitingPage | None:
    """The page of waiting images that the card shows. None where it asks for no decision."""
    found = waiting_in(transfers)
    if not found or request.cancelled_at is not None:
        return None
    rows = [(t,) for t in found] if request.choosing else rows_of(found)
    pages = _pages(rows, IMAGES_PER_PAGE if request.choosing else len(found), room)
    number = min(request.page, len(pages) - 1)
    others = len(found) - sum(map(len, pages[number]))
    return WaitingPage(pages[number], number, len(pages), others)


def decided_on(request: Request, transfers: Sequence[Transfer], room: Room) -> tuple[Transfer, ...]:
    """The images on which the buttons of the card decide."""
    page = open_page(request, transfers, room)
    return () if page is None else decided_among(request, page)


def held_in(request: Request, transfers: Sequence[Transfer]) -> list[Transfer]:
    """The images that wait until their digest is old enough, unless the request was cancelled."""
    return [t for t in transfers if t.is_held and request.cancelled_at is None]


def decided_among(request: Request, page: WaitingPage) -> tuple[Transfer, ...]:
    """Those of the page that have a tick, or all where nobody is choosing."""
    left_out = request.left_out if request.choosing else frozenset[int]()
    return tuple(t for t in page.transfers if t.id not in left_out)


def _pages(rows: Sequence[Row], most: int, room: Room) -> list[tuple[Row, ...]]:
    """The rows in pages of at most so many rows, whose lines and full digests fit."""
    pages: list[list[Row]] = [[]]
    for row in rows:
        longer = [*pages[-1], row]
        lines, digests = sum(map(row_characters, longer)), sum(map(_digest_characters, longer))
        long = lines > room.share(PAGE_SHARE) or digests > room.share(DIGESTS_SHARE)
        if (long or len(longer) > most) and pages[-1]:
            pages.append([])
        pages[-1].append(row)
    return [tuple(page) for page in pages]


def row_characters(row: Row) -> int:
    """An estimate of the characters that the line takes."""
    digests = 2 * DIGEST_CHARACTERS if shows_in_full(row[0]) else SHORT_DIGEST_CHARACTERS
    return ROW_CHARACTERS + len(str(row[0].image)) + digests


def _digest_characters(row: Row) -> int:
    return sum(len(text) + DIGEST_CHARACTERS + 2 for text in names_in(row))


def names_in(row: Row) -> list[str]:
    """What a list of digests calls the images of a row: those of a run by their tags alone."""
    if len(row) == 1:
        return [str(row[0].image)]
    return [str(transfer.image.tag) for transfer in row]


def rows_of(transfers: Sequence[Transfer]) -> list[Row]:
    """A row for each image. RUN_FROM tags or more that follow one another share a row."""
    runs = {row[0].id: row for row in _runs(transfers)}
    inner = {transfer.id for row in runs.values() for transfer in row[1:]}
    return [runs.get(t.id, (t,)) for t in transfers if t.id not in inner]


def _runs(transfers: Sequence[Transfer]) -> list[Row]:
    numbered = [(*split, t) for t in transfers if (split := _split_tag(t)) is not None]
    numbered.sort(key=lambda each: each[:3])
    found: list[Row] = []
    for _, family in groupby(numbered, key=lambda each: each[:2]):
        members = list(family)
        for _, run in groupby(enumerate(members), key=lambda each: each[1][2] - each[0]):
            row = tuple(member[3] for _, member in run)
            found += _cut(row) if len(row) >= RUN_FROM else []
    return found


def _cut(row: Row) -> list[Row]:
    """A run in parts that fit on a page."""
    return [row[first : first + RUN_TO] for first in range(0, len(row), RUN_TO)]


def _split_tag(transfer: Transfer) -> tuple[str, str, int] | None:
    """Repository, start of the tag and the number at its end. None where it joins no run."""
    image = transfer.image
    found = _NUMBERED.fullmatch(image.tag or "")
    if found is None or image.digest is not None or shows_in_full(transfer):
        return None
    if len(found[0]) > RUN_TAG_CHARACTERS:
        return None
    return repository_name(image), found[1], int(found[2])


def repository_name(image: ImageRef) -> str:
    return f"{image.registry}/{image.repository}"


# -- lines --------------------------------------------------------------------------------


def waiting_lines(request: Request, page: WaitingPage, view: View) -> list[Phrase]:
    """A line for each image or run of the page, and how many wait on the other pages."""
    chosen = decided_among(request, page)
    if request.rejecting is not None and chosen:
        return _asked_for_reason(request.rejecting, chosen, page, view)
    lines = [row_line(row, view) for row in page.rows]
    if page.others:
        lines.append(say("waiting-others", count=page.others))
    return lines


def _asked_for_reason(
    person: PersonId, chosen: Sequence[Transfer], page: WaitingPage, view: View
) -> list[Phrase]:
    """Only the images that the reason is for, and who is asked for it."""
    rows = [row for row in page.rows if row[0] in chosen]
    question = say("waiting-reason", person=view.name(person), count=len(chosen))
    return [*(row_line(row, view) for row in rows), question]


def row_line(row: Row, view: View) -> Phrase:
    """The line of an image that waits, or of a run."""
    first, last = row[0].image, row[-1].image
    if len(row) == 1:
        return say(
            "line-waiting", image=str(first), shape=shape(row[0]), note=waiting_note(row[0], view)
        )
    return say(
        "line-waiting-run",
        image=repository_name(first),
        first=str(first.tag),
        last=str(last.tag),
        count=len(row),
        who=_for_whom(row, view),
    )


def lines_within(rows: Sequence[Row], view: View, room: int) -> list[tuple[Phrase, int]]:
    """The line of each row and its characters. Short ones where not all fit into `room`."""
    long = sum(map(row_characters, rows)) > room
    return [
        _short_line(row[0])
        if long and len(row) == 1 and not shows_in_full(row[0])
        else (row_line(row, view), row_characters(row))
        for row in rows
    ]


def _short_line(transfer: Transfer) -> tuple[Phrase, int]:
    image, digest = str(transfer.image), short_digest(transfer.digest or "")
    words = say("line-waiting-short", image=image, digest=digest)
    return words, len(image) + len(digest) + len("⏳   ")


def decided_line(row: Row) -> Phrase:
    """The line of an image or of a run that was decided on just now."""
    first, last = row[0].image, row[-1].image
    if row[0].is_removal:
        return say("decided-line", image=str(first))
    if len(row) == 1:
        return say("digest-line", image=str(first), digest=short_digest(row[0].digest or ""))
    name = repository_name(first)
    return say("decided-run", image=name, first=str(first.tag), last=str(last.tag))


def waiting_note(transfer: Transfer, view: View) -> Phrase:
    """What is asked of an admin: a digest, and both in full where it replaces another one."""
    digest, who = transfer.digest or "", _for_whom((transfer,), view)
    if transfer.ground is Ground.REJECTED:
        return say("note-waiting-rejected", digest=digest, who=who)
    if transfer.ground is Ground.ROLLBACK and transfer.replaces is not None:
        return say("note-waiting-rollback", old=transfer.replaces, new=digest, who=who)
    if transfer.replaces is not None:
        return say("note-waiting-updated", old=transfer.replaces, new=digest, who=who)
    if _is_shown_in_full(transfer):
        return who
    return say("note-waiting-digest", digest=short_digest(digest), who=who)


def _for_whom(row: Row, view: View) -> Phrase:
    """For how many admins it waits, and who has approved already."""
    found = {view.progress.get(transfer.id) for transfer in row}
    progress = found.pop()
    if found:
        return say("waits-differing")
    if progress is None:
        return say("note-waiting")
    if not progress.given:
        return say("waits-for-several", needed=progress.needed)
    people = name_list([view.name(person) for person in progress.given])
    return say("waits-for-more", given=len(progress.given), needed=progress.needed, people=people)


def shape(transfer: Transfer) -> Phrase:
    """How many platforms an image has and how large it is, as far as that is known."""
    values: dict[str, Value] = {"platforms": len(transfer.platforms)}
    if transfer.size is not None:
        return say("shape-sized", size=size(transfer.size), **values)
    return say("shape", **values)


# -- buttons ------------------------------------------------------------------------------


def waiting_buttons(request: Request, page: WaitingPage, view: View) -> list[tuple[Button, ...]]:
    """The buttons that decide on the page, and those that choose some of it or turn it.

    They carry the version of the card in `view`.
    """
    chosen = decided_among(request, page)
    if request.rejecting is not None and chosen:
        return _reason_buttons(request, page, view)
    rows = [_tick(request, row[0]) for row in page.rows] if request.choosing else []
    if is_removal(chosen):
        rows.append(removal_buttons(view))
    elif is_offer(chosen):
        rows.append(offer_buttons(chosen, len(page.transfers) + page.others, view))
    elif chosen:
        rows += [_decisions(page, chosen, view), *_for_later(request, chosen, view)]
    rows += [row] if (row := _others(request, page, view)) else []
    if page.pages > 1:
        verb = Verb.CHOOSE if request.choosing else Verb.SHOW
        turns = neighbour_pages(page.number, page.pages)
        rows.append(tuple(_turn(request, page, verb, number) for number in turns))
    return rows


def _decisions(page: WaitingPage, chosen: Sequence[Transfer], view: View) -> tuple[Button, ...]:
    """Approve and reject, with the number of images unless there is just one to decide on."""
    count = len(chosen)
    reject = Verb.REASON if view.reasons else Verb.REJECT
    approve_key, reject_key = "button-approve-these", "button-reject-these"
    if count == len(page.transfers) + page.others == 1:
        approve_key, reject_key = "button-approve", "button-reject"
    return (
        callback_button(Verb.APPROVE, view.version, label=say(approve_key, count=count)),
        callback_button(reject, view.version, label=say(reject_key, count=count)),
    )


def _for_later(
    request: Request, chosen: Sequence[Transfer], view: View
) -> list[tuple[Button, ...]]:
    """On an alarm: approve, and say what holds for later digests of these tags."""
    alarms = sum(map(is_alarm, chosen))
    if request.person != BOT_ITSELF or not chosen or alarms not in (0, len(chosen)):
        return []
    verb = Verb.FLOATS if alarms else Verb.KEEP
    label = say(f"button-{verb}", count=len(chosen))
    return [(callback_button(verb, view.version, label=label),)]


def _others(request: Request, page: WaitingPage, view: View) -> tuple[Button, ...]:
    """The buttons that choose some of the images, and that show the digests in full."""
    if request.choosing:
        return (callback_button(Verb.SHOW, request.id, 0, label=say("button-back")),)
    choose = [callback_button(Verb.CHOOSE, request.id, 0)] if len(page.transfers) > 1 else []
    short = any(len(row) > 1 or not _is_shown_in_full(row[0]) for row in page.rows)
    digests = [callback_button(Verb.DIGESTS, view.version)] if short else []
    return (*choose, *digests)


def _is_shown_in_full(transfer: Transfer) -> bool:
    """Whether nothing is left to show: its name has the digest, or no digest is decided on."""
    named = transfer.image.digest is not None or transfer.is_removal
    return shows_in_full(transfer) or named


def _tick(request: Request, transfer: Transfer) -> tuple[Button, ...]:
    ticked = int(transfer.id not in request.left_out)
    label = say("button-tick", image=short_name(transfer.image), ticked=ticked)
    return (callback_button(Verb.PICK, request.id, transfer.id, label=label),)


def _turn(request: Request, page: WaitingPage, verb: Verb, number: int) -> Button:
    label = say("button-page", page=number + 1, pages=page.pages)
    return callback_button(verb, request.id, number, label=label)


def _reason_buttons(request: Request, page: WaitingPage, view: View) -> list[tuple[Button, ...]]:
    """The reasons of the config, no reason, and the way back."""
    reasons = [
        (
            callback_button(
                Verb.REJECT,
                *(view.version, reason_key(reason)),
                label=say("button-reason", reason=label_of(reason)),
            ),
        )
        for reason in view.reasons
    ]
    none = callback_button(Verb.REJECT, view.version, label=say("button-no-reason"))
    back = callback_button(Verb.SHOW, request.id, page.number, label=say("button-back"))
    return [*reasons, (none, back)]
