"""The one reply that tells how a request ended, with what to type next.

A pure projection like the card; the person can have the pulls written for another tool, and the
reply is then edited.
"""

from collections.abc import Sequence
from typing import Final

from bot.core.failures import Failure
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.request import PullFormat, Request
from bot.core.transfer import RETRYABLE, State, Transfer
from bot.dialog.buttons import Verb
from bot.dialog.card import (
    IMAGE_LINES_CHARACTERS,
    LABEL_CHARACTERS,
    callback_button,
    estimated_characters,
    image_lines,
    name_list,
    short_name,
    suggestion_buttons,
)
from bot.dialog.message import COPY_LIMIT, Button, ButtonKind, Message, Phrase, say
from bot.dialog.view import View
from bot.paste import Rewritten

SINGLE_COPY_BUTTONS: Final = 6
"""So many pulls have a button each, two in a row; more are copied several at a time."""
PART_COPY_BUTTONS: Final = 24
"""Buttons that copy several pulls, in rows of four."""
_PULLS: Final = {
    PullFormat.DOCKER: "docker pull {}",
    PullFormat.CONTAINERD: "ctr -n k8s.io images pull {}",
    PullFormat.KUBERNETES: "image: {}",
}


def result(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """How it ended: what to type for each image that arrived, and why the others did not."""
    arrived = [t for t in transfers if t.state is State.MIRRORED]
    others = [t for t in transfers if t.state is not State.MIRRORED]
    pulls = [(t.image, pull_command(t, view, request.form)) for t in arrived]
    key = "result-all" if not others else ("result-some" if arrived else "result-none")
    lines = [say(key, done=len(arrived), count=len(transfers), request=str(request.id))]
    room = min(estimated_characters(others), IMAGE_LINES_CHARACTERS // 2)
    lines += pull_lines([text for _, text in pulls], IMAGE_LINES_CHARACTERS - room)
    lines += image_lines(others, view, room)
    lines += _next_steps(others, request)
    rows = [*_copy_buttons(pulls), *([_format_buttons(request)] if arrived else [])]
    rows += suggestion_buttons(request, others)
    if any(t.state in RETRYABLE for t in others):
        rows.append((callback_button(Verb.RETRY, request.id),))
    return Message(tuple(lines), tuple(rows))


def pull_lines(commands: Sequence[str], room: int) -> list[Phrase]:
    """As many commands as `room` characters hold, the rest by number."""
    lines: list[Phrase] = []
    for position, command in enumerate(commands):
        room -= len(command)
        if room < 0:
            lines.append(say("pull-more", count=len(commands) - position))
            break
        lines.append(say("pull", command=command))
    return lines


def _next_steps(others: Sequence[Transfer], request: Request) -> list[Phrase]:
    """What a person can do about each kind of failure, once a kind."""
    kinds = dict.fromkeys(_kind(t.failure, t.meant) for t in others if t.failure is not None)
    return [say(f"failure-{kind}-next", request=str(request.id)) for kind in kinds]


def _kind(failure: Failure, meant: Sequence[ImageRef]) -> str:
    """Where buttons stand below, the next step is to press one of them."""
    return f"{failure.kind}-meant" if meant else str(failure.kind)


def pull_command(transfer: Transfer, view: View, form: PullFormat = PullFormat.DOCKER) -> str:
    """What people type, or write, to have the image from the target."""
    return _PULLS[form].format(view.target.name_of(transfer.image))


def _copy_buttons(pulls: Sequence[tuple[ImageRef, str]]) -> list[tuple[Button, ...]]:
    whole = "\n".join(text for _, text in pulls)
    every = [copy_button(say("button-copy"), whole)] if 0 < len(whole) <= COPY_LIMIT else []
    if len(pulls) > SINGLE_COPY_BUTTONS:
        return _part_buttons([text for _, text in pulls])
    if len(pulls) == 1:
        return [tuple(every)] if every else []
    single = [
        copy_button(say("button-copy-one", image=short_name(image)), text)
        for image, text in pulls
        if len(text) <= COPY_LIMIT
    ]
    if every:
        every = [copy_button(say("button-copy-all"), whole)]
    return _in_rows([*single, *every], 2)


def _part_buttons(texts: Sequence[str]) -> list[tuple[Button, ...]]:
    """Buttons that copy as many pulls at a time as Telegram lets one copy."""
    buttons, first = list[Button](), 0
    while first < len(texts) and len(buttons) < PART_COPY_BUTTONS:
        last = first + 1
        while last < len(texts) and len("\n".join(texts[first : last + 1])) <= COPY_LIMIT:
            last += 1
        part = "\n".join(texts[first:last])
        if len(part) <= COPY_LIMIT:
            buttons.append(copy_button(say("button-copy-part", first=first + 1, last=last), part))
        first = last
    return _in_rows(buttons, 4)


def _in_rows(buttons: Sequence[Button], width: int) -> list[tuple[Button, ...]]:
    return [tuple(buttons[start : start + width]) for start in range(0, len(buttons), width)]


def copy_button(label: Phrase, text: str) -> Button:
    return Button(label, ButtonKind.COPY, text)


def _format_buttons(request: Request) -> tuple[Button, ...]:
    """The switch between the tools; the one that is shown is marked."""
    return tuple(
        callback_button(
            Verb.FORM,
            *(request.id, form),
            label=say("button-form", form=say(f"form-{form}"), on=int(form is request.form)),
        )
        for form in PullFormat
    )


def rewritten_caption(request: RequestId, file: str, back: Rewritten, *, changed: bool) -> Message:
    """The caption of the file that goes back rewritten; what is said instead, if nothing is."""
    lines = [say("returned" if changed else "returned-nothing", request=str(request), file=file)]
    if back.others and changed:
        texts = [
            text if len(text) <= LABEL_CHARACTERS else f"…{text[-LABEL_CHARACTERS:]}"
            for text in back.others
        ]
        lines.append(say("returned-others", count=len(texts), images=name_list(texts)))
    if back.fixed:
        names = [short_name(image) for image in back.fixed]
        lines.append(say("returned-fixed", count=len(names), images=name_list(names)))
    return Message(tuple(lines))
