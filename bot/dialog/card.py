"""The card of a request: a pure function of stored facts.

`card` returns what the chat should show now, and the chat lane edits the message to it. The result
is in result.py, the card of a draft in draft_card.py, answers to commands in answers.py. This
module must not build sentences: see message.py.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.events import Proof
from bot.core.failures import Failure, FailureKind
from bot.core.ids import BOT_ITSELF, PersonId
from bot.core.image import DEFAULT_TAG, DOCKER_HUB, ImageRef
from bot.core.request import Request
from bot.core.retry import Trouble, TroubleKind
from bot.core.transfer import State, Transfer
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.causes import cause, denied, trouble_words
from bot.dialog.image_names import label_of, name_list, short_digest, short_name
from bot.dialog.message import Button, Message, Moment, Phrase, Value, say
from bot.dialog.offer_card import is_declined, is_offer, offer_lines, offer_note
from bot.dialog.removal import is_removal, removal_lines, removal_note
from bot.dialog.view import View
from bot.dialog.waiting import (
    held_in,
    is_alarm,
    lines_within,
    open_page,
    row_characters,
    rows_of,
    shape,
    waiting_buttons,
    waiting_in,
    waiting_lines,
    waiting_note,
)

IMAGE_LINES_SHARE: Final = 0.825
"""Of a message, for a list of images. Further images are only counted."""
LINE_CHARACTERS: Final = 112
"""Estimated characters of a line without the image's name and the text of a service or person."""
BAR_WIDTH: Final = 10
NEAR_RETRY: Final = timedelta(minutes=1)
"""A next try that is nearer is shown without the time of day."""
SUGGESTION_BUTTONS: Final = 12
"""Rows of suggestions: a phone shows few."""
_ENDED_BADLY: Final = frozenset(
    {State.FAILED, State.REJECTED, State.EXPIRED, State.REPLACED, State.CANCELLED}
)
_ANSWERED: Final = _ENDED_BADLY - {State.CANCELLED}
"""The states for which the result gives the reason and the next step."""
Note = Callable[[Transfer, View], Phrase]


def card(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """What the chat should show of a request now."""
    lines = [card_head(request, transfers, view)]
    page = open_page(request, transfers, view.room)
    shown, room = list[Transfer](), view.room.share(IMAGE_LINES_SHARE)
    if page is not None:
        lines += [*offer_lines(page.transfers, view), *removal_lines(page.transfers)]
        lines += [*waiting_lines(request, page, view), *_version_warning(page.transfers)]
        shown, room = waiting_in(transfers), room - sum(map(row_characters, page.rows))
    # The reason of a failure is shown once: on the card, until the result has it.
    note = _note if request.told_at is None else _note_answered
    others = [t for t in transfers if t not in shown]
    lines += image_lines(with_new_suggestions(others, transfers), view, room, note=note)
    lines += _signatures(transfers)
    lines += _deciders(request, transfers, view)
    if held_in(request, transfers):
        lines.append(say("card-held", request=str(request.id)))
    named = [t.image for t in transfers if t.state is not State.FAILED]
    lines += [*untagged_line(request, named), *_joined(transfers, view)]
    if request.cancelled_at is not None:
        lines.append(say("card-cancelled"))
    rows = [] if page is None else waiting_buttons(request, page, view)
    if request.told_at is None:
        rows += suggestion_buttons(request, transfers)
    return Message(tuple(lines), tuple(rows))


def card_head(request: Request, transfers: Sequence[Transfer], view: View) -> Phrase:
    over = sum(transfer.state.is_final for transfer in transfers)
    filled = BAR_WIDTH * over // len(transfers)
    values: dict[str, Value] = {
        "request": str(request.id),
        "count": len(transfers),
        "over": over,
        "bar": "▓" * filled + "░" * (BAR_WIDTH - filled),
    }
    if is_offer(transfers):
        return say("card-head-offer", **values)
    if is_removal(transfers):
        return say("card-head-removal", person=view.name(request.person), **values)
    if request.person == BOT_ITSELF:
        return say("card-head-updated", **values)
    return say("card-head", person=view.name(request.person), **values)


def _version_warning(transfers: Sequence[Transfer]) -> list[Phrase]:
    """What an admin should know before they approve a version that was updated upstream."""
    alarms = sum(map(is_alarm, transfers))
    return [say("card-version-updated", count=alarms)] if alarms else []


def suggestion_buttons(request: Request, transfers: Sequence[Transfer]) -> list[tuple[Button, ...]]:
    """A row for each image that is suggested for a missing one, the likeliest first.

    `transfers` are all of the request: what it has already is not suggested, and nothing twice.
    """
    missing = [t for t in transfers if t.state is State.FAILED and t.meant]
    each = max(1, SUGGESTION_BUTTONS // max(1, len(missing)))
    known = {transfer.image for transfer in transfers if transfer not in missing}
    rows: list[tuple[Button, ...]] = []
    for transfer in missing[:SUGGESTION_BUTTONS]:
        choices = list(enumerate(transfer.meant))
        if transfer.failure is None or transfer.failure.kind is not FailureKind.OTHER_DIGEST:
            choices = [pair for pair in choices if pair[1] not in known]
        new = choices[:each]
        known |= {image for _, image in new}
        for position, image in new:
            label = _suggestion_label(transfer, image, len(missing))
            numbers = (request.id, transfer.id, position)
            rows.append((callback_button(Verb.SUGGESTION, *numbers, label=label),))
    return rows


def with_new_suggestions(
    transfers: Sequence[Transfer], request: Sequence[Transfer]
) -> list[Transfer]:
    """These transfers of a request, without suggestions that the request has already."""
    known = {t.image for t in request if t.state is not State.FAILED or not t.meant}
    return [
        replace(t, meant=tuple(image for image in t.meant if image not in known))
        if t.failure is not None and t.failure.kind is FailureKind.MISSING
        else t
        for t in transfers
    ]


def _suggestion_label(transfer: Transfer, image: ImageRef, count: int) -> Phrase:
    """Which image it is instead of is said where the buttons are for `count` images."""
    there = transfer.image
    if transfer.failure is None or transfer.failure.kind is not FailureKind.OTHER_DIGEST:
        same = (image.registry, image.repository) == (there.registry, there.repository)
        if count == 1 or not same:
            return say("button-meant", image=short_name(image))
        return say("button-meant", image=label_of(f"{short_name(there)} → {image.tag}"))
    if image.tag is None:
        name = short_name(replace(there, digest=None))
        return say("button-digest-alone", count=count, image=name)
    return say("button-tag-now", image=short_name(image))


def _signatures(transfers: Sequence[Transfer]) -> list[Phrase]:
    """Who signed images of which a rule demands it, and whose signature nobody looked for."""
    found: dict[tuple[str, str], list[Value]] = {}
    for each in transfers:
        if each.signer:
            found.setdefault((each.signed_by, each.signer), []).append(short_name(each.image))
    return [
        say("card-signed", by=by, images=name_list(images))
        if by
        else say("card-unchecked", signer=signer, images=name_list(images))
        for (by, signer), images in found.items()
    ]


def _deciders(request: Request, transfers: Sequence[Transfer], view: View) -> list[Phrase]:
    """Who approved, and who can approve the images that still wait."""
    people = dict.fromkeys(person for t in transfers for person in _approvers(t, view))
    names = [view.name(person) for person in people]
    lines = [say("card-approved-by", people=name_list(names))] if names else []
    waiting = any(transfer.state is State.WAITING for transfer in transfers)
    if waiting and view.admins and request.cancelled_at is None:
        lines.append(say("card-deciders", people=name_list(view.admins)))
    return lines


def _approvers(transfer: Transfer, view: View) -> Sequence[PersonId]:
    """Who approved an image that was let go on."""
    if transfer.approved_by is None:
        return ()
    progress = view.progress.get(transfer.id)
    return (transfer.approved_by,) if progress is None else progress.given


def untagged_line(request: Request, images: Sequence[ImageRef]) -> list[Phrase]:
    """Which images the person named without a tag, and which tag was taken."""
    bare = [short_name(i).removesuffix(f":{DEFAULT_TAG}") for i in images if i in request.untagged]
    return [say("card-untagged", images=name_list(bare), count=len(bare))] if bare else []


def _joined(transfers: Sequence[Transfer], view: View) -> list[Phrase]:
    """The images that are under way already, by the request that asked first."""
    going = [t for t in transfers if not t.state.is_final]
    firsts = {first.id: first for t in going if (first := view.firsts.get(t.id)) is not None}
    return [
        say(
            "card-joined",
            images=name_list(
                [short_name(t.image) for t in going if view.firsts.get(t.id) == first]
            ),
            request=str(first.id),
            person=view.name(first.person),
        )
        for first in firsts.values()
    ]


def image_lines(
    transfers: Sequence[Transfer],
    view: View,
    room: int,
    *,
    note: Note | None = None,
) -> list[Phrase]:
    """The lines of images, as many as `room` characters hold. The others are counted by state.

    Those that wait for a decision come first, in short lines where the long ones do not fit. Where
    not all fit, what ended badly is next.
    """
    others = [t for t in transfers if t.state is not State.WAITING]
    if estimated_characters(transfers) > room:
        others.sort(key=lambda transfer: transfer.state not in _ENDED_BADLY)
    rows = rows_of(waiting_in(transfers))
    sized = [
        *zip(rows, lines_within(rows, view, room), strict=True),
        *(((t,), (image_line(t, view, note), estimated_characters([t]))) for t in others),
    ]
    lines: list[Phrase] = []
    for position, (_, (line, size)) in enumerate(sized):
        room -= size
        if room < 0:
            lines.append(_summary([t for row, _ in sized[position:] for t in row]))
            break
        lines.append(line)
    return lines


def estimated_characters(transfers: Sequence[Transfer]) -> int:
    """An estimate of the characters that the lines of all these take."""
    return sum(LINE_CHARACTERS + len(str(t.image)) + _quoted_characters(t) for t in transfers)


def _quoted_characters(transfer: Transfer) -> int:
    meant = sum(len(str(image)) for image in transfer.meant[:1])
    cause = len(transfer.failure.line) if transfer.failure is not None else 0
    return meant + max(cause, len(transfer.reason))


def _summary(transfers: Sequence[Transfer]) -> Phrase:
    counts = Counter(transfer.state for transfer in transfers)
    under_way = sum(not state.is_final for state in counts.elements()) - counts[State.WAITING]
    bad = sum(counts[state] for state in _ENDED_BADLY)
    return say(
        "card-folded",
        count=len(transfers),
        mirrored=counts[State.MIRRORED],
        failed=bad,
        waiting=counts[State.WAITING],
        going=under_way,
    )


def image_line(transfer: Transfer, view: View, note: Note | None = None) -> Phrase:
    """The line of one image: its icon, name, known facts and state."""
    return say(
        "line-asked" if is_declined(transfer) else f"line-{transfer.state}",
        image=str(transfer.image),
        shape=shape(transfer),
        digest=_short_digest(transfer),
        note=(note or _note)(transfer, view),
    )


def _short_digest(transfer: Transfer) -> Value:
    """The start of the decided digest, unless the name of the image has it in full."""
    if not transfer.digest or transfer.image.digest is not None:
        return ""
    return say("line-digest", digest=short_digest(transfer.digest))


def _note_answered(transfer: Transfer, view: View) -> Phrase:
    see = transfer.state in _ANSWERED and not transfer.is_removal
    return say("note-see-answer") if see else _note(transfer, view)


def _note(transfer: Transfer, view: View) -> Phrase:
    note = offer_note(transfer, view) or removal_note(transfer, view)
    if note is not None:
        return note
    match transfer.state:
        case State.MIRRORED:
            return _mirrored(transfer)
        case State.FAILED if transfer.failure is not None:
            return _failed(transfer, transfer.failure)
        case State.REJECTED:
            return rejected(transfer, view)
        case State.REPLACED:
            return replaced(transfer)
        case _ if transfer.trouble is not None:
            return _retrying(transfer, transfer.trouble, view)
        case State.COPYING:
            return _copying(transfer, view)
        case State.APPROVED | State.SUBMITTED:
            return _queued(transfer, view)
        case State.WAITING:
            return waiting_note(transfer, view)
        case _:
            return _plain_note(transfer, view)


def _plain_note(transfer: Transfer, view: View) -> Phrase:
    if transfer.is_held and transfer.held_until is not None:
        digest, until = short_digest(transfer.digest or ""), Moment(transfer.held_until, view.now)
        return say("note-held", digest=digest, time=until)
    return say(f"note-{transfer.state}")


def _retrying(transfer: Transfer, trouble: Trouble, view: View) -> Phrase:
    if trouble.kind is TroubleKind.LOOKING:
        return trouble_words(trouble)
    values: dict[str, Value] = {"trouble": trouble_words(trouble), "tries": transfer.attempts}
    later = transfer.not_before
    if later is not None and later - view.now > NEAR_RETRY:
        return say("note-trouble-until", time=Moment(later, view.now), **values)
    return say("note-trouble", **values)


def _queued(transfer: Transfer, view: View) -> Phrase:
    later = transfer.not_before
    if transfer.requeue_cause is not None and later is not None and later > view.now:
        if transfer.requeue_cause.kind is FailureKind.PUT_OFF:
            registry, time = transfer.image.registry, Moment(later, view.now)
            if registry == DOCKER_HUB:
                return say("note-put-off-hub", time=time)
            return say("note-put-off", registry=registry, time=time)
        return say(
            "note-resumes", cause=cause(transfer.requeue_cause), time=Moment(later, view.now)
        )
    ahead = view.ahead.get(transfer.id, 0)
    if transfer.state is State.SUBMITTED:
        return say("note-submitted", ahead=ahead)
    key = "note-approved-by-policy" if transfer.approved_by is None else "note-approved"
    return say(key, ahead=ahead)


def _copying(transfer: Transfer, view: View) -> Phrase:
    if transfer.copying_at is None:
        return say("note-run-queued", url=transfer.run_url)
    time = _elapsed(transfer.copying_at, view)
    return say("note-copying", url=transfer.run_url, time=time)


def _elapsed(began: datetime, view: View) -> Phrase:
    """Time since a runner took the run, in steps of ten seconds: each change edits the card."""
    seconds = max(0, int((view.now - began).total_seconds()))
    if seconds < 120:  # noqa: PLR2004 - up to two minutes, seconds are easy to read
        return say("time-seconds", count=seconds // 10 * 10)
    return say("time-minutes", count=seconds // 60)


def _mirrored(transfer: Transfer) -> Phrase:
    if transfer.copied_digest is None:
        return say("note-identical")
    return say("note-mirrored" if transfer.proof is Proof.TARGET else "note-mirrored-by-run")


def rejected(transfer: Transfer, view: View) -> Phrase:
    """Who rejected an image and why: a person, or the policy."""
    if transfer.ended_by is not None:
        key = "note-rejected-because" if transfer.reason else "note-rejected"
        return say(key, person=view.name(transfer.ended_by), reason=transfer.reason)
    return denied(transfer.ground, transfer.reason, transfer.image.registry)


def replaced(transfer: Transfer) -> Phrase:
    """By which request's digest an image was replaced, where a person asked for that."""
    by = transfer.reason
    return say("note-replaced", by=by) if by else say("note-replaced-by-update")


def _failed(transfer: Transfer, failure: Failure) -> Phrase:
    if failure.kind is FailureKind.OTHER_DIGEST and len(transfer.meant) == 1:
        return say("failure-other-digest-alone")
    if failure.kind is FailureKind.MISSING and transfer.meant:
        return say("failure-missing-meant", image=str(transfer.meant[0]))
    return cause(failure)


def history(transfer: Transfer, view: View) -> list[Phrase]:
    """The events of one image, with their times and people, for /status."""
    lines = [say("history-opened", time=Moment(transfer.opened_at, view.now))]
    if transfer.approved_at is not None:
        time = Moment(transfer.approved_at, view.now)
        by = transfer.approved_by
        lines.append(
            say("history-approved-by-policy", time=time)
            if by is None
            else say("history-approved", time=time, person=view.name(by))
        )
    if transfer.run_url:
        lines.append(say("history-run", url=transfer.run_url))
    if transfer.ended_at is not None:
        lines.append(say("history-ended", time=Moment(transfer.ended_at, view.now)))
    return lines
