"""The result of a request: the one reply that says how it ended, and what to type next.

A pure function of stored facts, like card.py. A person can choose the tool for the pull commands.
Then the chat lane edits the reply.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from bot.core.decision import Ground
from bot.core.failures import FailureKind
from bot.core.follow import range_above
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.request import PullFormat, Request
from bot.core.service import Room
from bot.core.transfer import RETRYABLE, State, Transfer
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.card import (
    IMAGE_LINES_SHARE,
    estimated_characters,
    image_lines,
    rejected,
    replaced,
    suggestion_buttons,
    with_new_suggestions,
)
from bot.dialog.image_names import label_of, name_list, short_name
from bot.dialog.message import Button, ButtonKind, Message, Phrase, say
from bot.dialog.removal import removal_head, removal_step
from bot.dialog.view import View
from bot.paste import Fixed, Rewritten

SINGLE_COPY_BUTTONS: Final = 6
"""Up to so many pull commands have a button each. Of more, each button copies several."""
PART_COPY_BUTTONS: Final = 24
"""The most buttons that copy several pull commands, in rows of four."""
LINES_SHOWN: Final = 5
"""Lines of a file that are named for one image."""
_PULLS: Final = {
    PullFormat.DOCKER: "docker pull {}",
    PullFormat.CONTAINERD: "ctr -n k8s.io images pull {}",
    PullFormat.KUBERNETES: "image: {}",
}


def result(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """What to type for each image that arrived, and why the others did not."""
    arrived = [t for t in transfers if t.state is State.MIRRORED]
    others = [t for t in transfers if t.state is not State.MIRRORED]
    pulls = [
        (t.image, pull_command(t, view, request.form, is_chart=request.is_chart(t.image)))
        for t in arrived
    ]
    charts = [text for image, text in pulls if request.is_chart(image)]
    lines = [_head(request, transfers, len(arrived))]
    most = view.room.share(IMAGE_LINES_SHARE)
    room = min(estimated_characters(others), most // 2)
    lines += pull_lines([text for _, text in pulls], most - room)
    if charts:
        lines.append(say("result-charts", command=_template(charts[0]), count=len(charts)))
    lines += _pull_refusals(arrived) + _were_there(arrived)
    lines += _previous(arrived) + _attachments(arrived)
    others = with_new_suggestions(others, transfers)
    lines += image_lines(others, view, room)
    lines += _next_steps(others, request, view)
    rows = _pull_buttons(pulls, view.room)
    rows += [_format_buttons(request)] if len(charts) < len(arrived) else []
    rows += suggestion_buttons(request, transfers)
    if any(_may_be_retried(t) for t in others):
        rows.append((callback_button(Verb.RETRY, request.id),))
    return Message(tuple(lines), tuple(rows))


def _head(request: Request, transfers: Sequence[Transfer], arrived: int) -> Phrase:
    if transfers[0].is_removal:
        return removal_head(transfers[0])
    every = arrived == len(transfers)
    key = "result-all" if every else ("result-some" if arrived else "result-none")
    return say(key, done=arrived, count=len(transfers), request=str(request.id))


_OTHER_NAME_WANTED: Final = frozenset({FailureKind.MISSING, FailureKind.OTHER_DIGEST})


def _may_be_retried(transfer: Transfer) -> bool:
    """Whether to try again is of use. For a rollback it would copy what the tag names now."""
    other = _is_missing(transfer) or transfer.ground in (Ground.ROLLBACK, Ground.REMOVAL)
    return transfer.state in RETRYABLE and not other


def _is_missing(transfer: Transfer) -> bool:
    """Whether the source lacks the image under this name, so that trying again is of no use."""
    return transfer.failure is not None and transfer.failure.kind in _OTHER_NAME_WANTED


def pull_lines(commands: Sequence[str], room: int) -> list[Phrase]:
    """As many commands as `room` characters hold, and the number of the others."""
    lines: list[Phrase] = []
    for position, command in enumerate(commands):
        room -= len(command)
        if room < 0:
            lines.append(say("pull-more", count=len(commands) - position))
            break
        lines.append(say("pull", command=command))
    return lines


def _were_there(arrived: Sequence[Transfer]) -> list[Phrase]:
    """The images that the target had already, so that nothing was copied."""
    names = [short_name(t.image) for t in arrived if t.copied_digest is None]
    return [say("result-there", count=len(names), images=name_list(names))] if names else []


def _previous(arrived: Sequence[Transfer]) -> list[Phrase]:
    """Where the digests are that were overwritten, and which could not be kept."""
    kept = [short_name(previous) for t in arrived if (previous := t.previous_image) is not None]
    refused = [short_name(t.image) for t in arrived if t.previous_refusal]
    lines = [say("result-previous", images=name_list(kept))] if kept else []
    if refused:
        lines.append(say("result-previous-refused", images=name_list(refused)))
    return lines


def _pull_refusals(arrived: Sequence[Transfer]) -> list[Phrase]:
    """Why the target lets nobody pull an image that it has. Each reason once."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for transfer in arrived:
        if transfer.pull_refusal:
            found[transfer.pull_refusal].append(short_name(transfer.image))
    shown = list(found.items())[:LINES_SHOWN]
    return [say("result-pull-refused", images=name_list(names), line=why) for why, names in shown]


def _attachments(arrived: Sequence[Transfer]) -> list[Phrase]:
    """How many signatures and the like came along, and with which images not all of them."""
    count = sum(t.attachments for t in arrived)
    refused = [short_name(t.image) for t in arrived if t.attachments_refusal]
    lines = [say("result-attached", count=count)] if count else []
    if refused:
        lines.append(say("result-attached-refused", images=name_list(refused)))
    return lines


def _next_steps(others: Sequence[Transfer], request: Request, view: View) -> list[Phrase]:
    """What a person can do about each cause, once per cause."""
    steps = [_next_step(transfer, request, view) for transfer in others]
    return list(dict.fromkeys(step for step in steps if step is not None))


def _next_step(transfer: Transfer, request: Request, view: View) -> Phrase | None:
    number = str(request.id)
    if transfer.is_removal:
        return removal_step(transfer)
    match transfer.state:
        case State.FAILED if transfer.failure is not None:
            return say(f"failure-{transfer.failure.kind}{_choice(transfer)}.next", request=number)
        case State.REJECTED:
            return _step_after(rejected(transfer, view), number)
        case State.REPLACED:
            return _step_after(replaced(transfer), number)
        case State.EXPIRED:
            return say("note-expired.next", request=number)
        case _:
            return None


def _step_after(why: Phrase, request: str) -> Phrase:
    """The next step after a rejection: the same for all reasons of one person."""
    people = {name: value for name, value in why.values if name == "person"}
    return say(f"{why.key}.next", request=request, **people)


def _choice(transfer: Transfer) -> str:
    """The ending of the key where there are suggestions: the next step is to press a button."""
    kind = transfer.failure and transfer.failure.kind
    if kind is FailureKind.OTHER_DIGEST and len(transfer.meant) == 1:
        return "-alone"
    return "-meant" if kind is FailureKind.MISSING and transfer.meant else ""


def pull_command(
    transfer: Transfer,
    view: View,
    form: PullFormat = PullFormat.DOCKER,
    *,
    is_chart: bool = False,
) -> str:
    """The command, or the line of a file, that pulls the image from the target."""
    name = view.target.name_of(transfer.image)
    return _pull_chart(name, transfer.image.tag) if is_chart else _PULLS[form].format(name)


def _pull_chart(name: str, tag: str | None) -> str:
    """Helm writes `_` for the `+` of a version: https://helm.sh/docs/topics/registries/"""
    if tag is None:
        return f"helm pull oci://{name}"
    return f"helm pull oci://{name.removesuffix(f':{tag}')} --version {tag.replace('_', '+')}"


def _template(pull: str) -> str:
    """The command that prints the images of a chart, from the one that pulls it."""
    return f"{pull.replace('helm pull', 'helm template', 1)} | grep image:"


def _pull_buttons(pulls: Sequence[tuple[ImageRef, str]], room: Room) -> list[tuple[Button, ...]]:
    whole = "\n".join(text for _, text in pulls)
    every = [copy_button(say("button-copy"), whole)] if 0 < len(whole) <= room.copied else []
    if len(pulls) > SINGLE_COPY_BUTTONS:
        return _part_buttons([text for _, text in pulls], room)
    if len(pulls) == 1:
        return [tuple(every)] if every else []
    single = copy_buttons(pulls)
    if every:
        every = [copy_button(say("button-copy-all"), whole)]
    return in_rows([*single, *every], 2)


def _part_buttons(texts: Sequence[str], room: Room) -> list[tuple[Button, ...]]:
    """Buttons that each copy as many pull commands as it holds."""
    buttons, first = list[Button](), 0
    while first < len(texts) and len(buttons) < PART_COPY_BUTTONS:
        last = first + 1
        while last < len(texts) and len("\n".join(texts[first : last + 1])) <= room.copied:
            last += 1
        part = "\n".join(texts[first:last])
        if len(part) <= room.copied:
            buttons.append(copy_button(say("button-copy-part", first=first + 1, last=last), part))
        first = last
    return in_rows(buttons, 4)


def copy_buttons(pulls: Sequence[tuple[ImageRef, str]]) -> list[Button]:
    """A button per image that copies its pull command."""
    return [
        copy_button(say("button-copy-one", image=short_name(image)), text) for image, text in pulls
    ]


def in_rows(buttons: Sequence[Button], width: int) -> list[tuple[Button, ...]]:
    return [tuple(buttons[start : start + width]) for start in range(0, len(buttons), width)]


def copy_button(label: Phrase, text: str) -> Button:
    return Button(label, ButtonKind.COPY, text)


def _format_buttons(request: Request) -> tuple[Button, ...]:
    """The buttons that switch between tools. The current tool is marked."""
    return tuple(
        callback_button(
            Verb.FORM,
            *(request.id, form),
            label=say("button-form", form=say(f"form-{form}"), on=int(form is request.form)),
        )
        for form in PullFormat
    )


def _with_lines(fixed: Fixed) -> str:
    lines = ", ".join(f"L{line}" for line in fixed.lines[:LINES_SHOWN])
    return short_name(fixed.image) + (f" ({lines})" if lines else "")


def rewritten_caption(
    request: RequestId,
    file: str,
    back: Rewritten,
    *,
    changed: bool,
    arrived: Sequence[ImageRef] = (),
) -> Message:
    """The caption of the rewritten file. Without `changed`, the message that replaces the file.

    It offers to follow newer versions of what has `arrived`, as far as their tags are versions.
    """
    lines = [say("returned" if changed else "returned-nothing", request=str(request), file=file)]
    if back.others and changed:
        texts = list(map(label_of, back.others))
        lines.append(say("returned-others", count=len(texts), images=name_list(texts)))
    if back.fixed:
        names = [_with_lines(fixed) for fixed in back.fixed]
        lines.append(say("returned-fixed", count=len(names), images=name_list(names)))
    if back.passed:
        lines.append(say("returned-passed", places=name_list(back.passed)))
    if not any(map(range_above, arrived)):
        return Message(tuple(lines))
    return Message(tuple(lines), ((callback_button(Verb.FOLLOW, request),),))
