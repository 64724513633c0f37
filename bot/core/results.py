"""The one reply that tells how a request ended, with what to type next.

A pure projection like the card; the person can have the pulls written for another tool, and the
reply is then edited.
"""

from collections.abc import Sequence
from typing import Final

from bot.core.buttons import Verb
from bot.core.cards import ROOM, listed, meant_buttons, press, short
from bot.core.facts import RequestId
from bot.core.image import ImageRef
from bot.core.message import COPY_LIMIT, Button, ButtonKind, Message, Phrase, say
from bot.core.request import Form, Request
from bot.core.transfer import State, Transfer
from bot.core.view import View

COPIES: Final = 6
"""Buttons that copy a single pull, two in a row; what is more is copied from the text."""
RETRIED: Final = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED})
_PULLS: Final = {
    Form.DOCKER: "docker pull {}",
    Form.CONTAINERD: "ctr -n k8s.io images pull {}",
    Form.KUBERNETES: "image: {}",
}


def result(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """How it ended: what to type for each image that arrived, and why the others did not."""
    arrived = [t for t in transfers if t.state is State.MIRRORED]
    others = [t for t in transfers if t.state is not State.MIRRORED]
    pulls = [(t.image, pull(t, view, request.form)) for t in arrived]
    key = "result-all" if not others else ("result-some" if arrived else "result-none")
    lines = [say(key, done=len(arrived), count=len(transfers), request=str(request.id))]
    lines += _pulls([text for _, text in pulls], ROOM // 2 if others else ROOM)
    lines += listed(others, view, ROOM // 2)
    lines += _next_steps(others, request)
    rows = [*_copy_buttons(pulls), *([_form_buttons(request)] if arrived else [])]
    rows += meant_buttons(request, others)
    if any(t.state in RETRIED for t in others):
        rows.append((press(Verb.RETRY, request.id),))
    return Message(tuple(lines), tuple(rows))


def _pulls(commands: Sequence[str], room: int) -> list[Phrase]:
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
    kinds = dict.fromkeys(t.failure.kind for t in others if t.failure is not None)
    return [say(f"failure-{kind}-next", request=str(request.id)) for kind in kinds]


def pull(transfer: Transfer, view: View, form: Form = Form.DOCKER) -> str:
    """What people type, or write, to have the image from the target."""
    return _PULLS[form].format(view.target.name_of(transfer.image))


def _copy_buttons(pulls: Sequence[tuple[ImageRef, str]]) -> list[tuple[Button, ...]]:
    whole = "\n".join(text for _, text in pulls)
    every = [copy(say("button-copy"), whole)] if 0 < len(whole) <= COPY_LIMIT else []
    if not 1 < len(pulls) <= COPIES:
        return [tuple(every)] if every else []
    single = [
        copy(say("button-copy-one", image=short(image)), text)
        for image, text in pulls
        if len(text) <= COPY_LIMIT
    ]
    if every:
        every = [copy(say("button-copy-all"), whole)]
    buttons = [*single, *every]
    return [tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2)]


def copy(label: Phrase, text: str) -> Button:
    return Button(label, ButtonKind.COPY, text)


def _form_buttons(request: Request) -> tuple[Button, ...]:
    """The switch between the tools; the one that is shown is marked."""
    return tuple(
        press(
            Verb.FORM,
            *(request.id, form),
            label=say("button-form", form=say(f"form-{form}"), on=int(form is request.form)),
        )
        for form in Form
    )


def returned(request: RequestId, others: int) -> Message:
    """The caption of the file that goes back rewritten; `others` are named as before in it."""
    lines = [say("returned", request=str(request))]
    if others:
        lines.append(say("returned-others", count=others))
    return Message(tuple(lines))
