"""The card of a request and the reply with its result: two pure projections of stored facts.

`card` is what the chat should show now; the engine edits the message until it does. Answers to
commands are in answers.py. No sentence is built here: see message.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.commands import Verb, button_data
from bot.core.correction import correct
from bot.core.facts import PersonId
from bot.core.failures import Failure, FailureKind
from bot.core.image import DEFAULT_TAG, ImageRef, Target
from bot.core.message import (
    COPY_LIMIT,
    Button,
    ButtonKind,
    Message,
    Phrase,
    Value,
    moment,
    say,
    size,
)
from bot.core.policy import Ground
from bot.core.request import Request
from bot.core.transfer import Proof, State, Transfer

ROOM: Final = 3300
"""Characters a list of images may take, of Telegram's 4096 a message; the rest is counted."""
LINE_ROOM: Final = 160
"""What a line takes beside its image, at most about this."""
BAR: Final = 10

Names = Mapping[PersonId, str]


@dataclass(frozen=True, slots=True)
class View:
    """What every projection needs beside the facts: names, where images go, and the time."""

    names: Names
    target: Target
    now: datetime

    def name(self, person: PersonId) -> str:
        return self.names.get(person, str(person))


def card(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """What the chat should show of a request now."""
    lines = [head(request, transfers, view), *listed(transfers, view), *_deciders(transfers, view)]
    if request.cancelled_at is not None:
        lines.append(say("card-cancelled"))
    waiting = any(transfer.state is State.WAITING for transfer in transfers)
    return Message(tuple(lines), (_decision_buttons(request),) if waiting else ())


def head(request: Request, transfers: Sequence[Transfer], view: View) -> Phrase:
    over = sum(transfer.state.over for transfer in transfers)
    filled = BAR * over // len(transfers)
    return say(
        "card-head",
        request=str(request.id),
        person=view.name(request.person),
        count=len(transfers),
        over=over,
        bar="▓" * filled + "░" * (BAR - filled),
    )


def _decision_buttons(request: Request) -> tuple[Button, ...]:
    return tuple(
        Button(say(f"button-{verb}"), ButtonKind.CALLBACK, button_data(verb, request.id))
        for verb in (Verb.APPROVE, Verb.REJECT)
    )


def _deciders(transfers: Sequence[Transfer], view: View) -> list[Phrase]:
    """Who approved, once each: the lines of the images go on to say other things."""
    people = dict.fromkeys(t.approved_by for t in transfers if t.approved_by is not None)
    return [say("card-approved-by", person=view.name(person)) for person in people]


def listed(transfers: Sequence[Transfer], view: View, room: int = ROOM) -> list[Phrase]:
    """A line an image, as many as `room` characters hold; what is left is counted by state."""
    lines: list[Phrase] = []
    for position, transfer in enumerate(transfers):
        room -= len(str(transfer.image)) + LINE_ROOM
        if room < 0:
            lines.append(_folded(transfers[position:]))
            break
        lines.append(line(transfer, view))
    return lines


def _folded(transfers: Sequence[Transfer]) -> Phrase:
    counts = Counter(transfer.state for transfer in transfers)
    values = {str(state): counts[state] for state in State}
    return say("card-folded", count=len(transfers), **values)


def line(transfer: Transfer, view: View) -> Phrase:
    """The line of one image: its icon, its name, and where it stands."""
    return say(f"line-{transfer.state}", image=str(transfer.image), note=_note(transfer, view))


def _note(transfer: Transfer, view: View) -> Phrase:
    match transfer.state:
        case State.WAITING:
            return say("note-waiting", shape=_shape(transfer))
        case State.COPYING:
            return say("note-copying", url=transfer.run_url, time=_elapsed(transfer, view))
        case State.MIRRORED:
            return _mirrored(transfer)
        case State.FAILED if transfer.failure is not None:
            return _failed(transfer.image, transfer.failure, view)
        case State.REJECTED:
            return _rejected(transfer, view)
        case _ if transfer.trouble:
            return say("note-trouble", trouble=transfer.trouble, tries=transfer.attempts)
        case State.APPROVED if transfer.approved_by is None:
            return say("note-approved-by-policy")
        case state:
            return say(f"note-{state}")


def _shape(transfer: Transfer) -> Phrase:
    values: dict[str, Value] = {"platforms": len(transfer.platforms)}
    if transfer.size is not None:
        return say("shape-sized", size=size(transfer.size), **values)
    return say("shape", **values)


def _elapsed(transfer: Transfer, view: View) -> Phrase:
    """Time since the run was seen, in steps of ten seconds: a card that flickers is no help."""
    started = transfer.copying_at or view.now
    seconds = max(0, int((view.now - started).total_seconds()))
    if seconds < 120:  # noqa: PLR2004 - two minutes still read well in seconds
        return say("time-seconds", count=seconds // 10 * 10)
    return say("time-minutes", count=seconds // 60)


def _mirrored(transfer: Transfer) -> Phrase:
    if transfer.copied_digest is None:
        return say("note-identical")
    key = "note-mirrored" if transfer.proof is Proof.TARGET else "note-mirrored-by-run"
    if transfer.size is None:
        return say(key)
    return say(f"{key}-sized", size=size(transfer.size))


def _rejected(transfer: Transfer, view: View) -> Phrase:
    if transfer.ended_by is not None:
        key = "note-rejected-because" if transfer.reason else "note-rejected"
        return say(key, person=view.name(transfer.ended_by), reason=transfer.reason)
    return denied(transfer.ground, transfer.reason, transfer.image.registry)


def denied(ground: Ground | None, reason: str, registry: str) -> Phrase:
    """Why the policy said no, in words."""
    if ground is Ground.REGISTRY:
        return say("denied-registry", registry=registry)
    return say("denied-because", reason=reason) if reason else say("denied")


def _failed(image: ImageRef, failure: Failure, view: View) -> Phrase:
    if failure.kind is FailureKind.MISSING:
        # Somebody who wrote nginx/1.27 wrote no tag: the one that was added hides the mistake.
        for text in (str(image), str(image).removesuffix(f":{DEFAULT_TAG}")):
            correction = correct(text, target_host=view.target.host)
            if correction is not None:
                return say("failure-missing-meant", image=str(correction.image))
    return cause(failure)


def cause(failure: Failure) -> Phrase:
    return say(f"failure-{failure.kind}", line=failure.line)


def result(request: Request, transfers: Sequence[Transfer], view: View) -> Message:
    """The one reply that tells the person how it ended, with what to type next."""
    arrived = [t for t in transfers if t.state is State.MIRRORED]
    others = [t for t in transfers if t.state is not State.MIRRORED]
    pulls = [pull(transfer, view) for transfer in arrived]
    key = "result-all" if not others else ("result-some" if arrived else "result-none")
    lines = [say(key, done=len(arrived), count=len(transfers), request=str(request.id))]
    lines += _pulls(pulls, ROOM // 2 if others else ROOM)
    lines += listed(others, view, ROOM // 2)
    lines += _next_steps(others, request)
    return Message(tuple(lines), _copy_buttons(pulls))


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


def pull(transfer: Transfer, view: View) -> str:
    return f"docker pull {view.target.name_of(transfer.image)}"


def _copy_buttons(commands: Sequence[str]) -> tuple[tuple[Button, ...], ...]:
    text = "\n".join(commands)
    if not text or len(text) > COPY_LIMIT:
        return ()
    return ((Button(say("button-copy"), ButtonKind.COPY, text),),)


def history(transfer: Transfer, view: View) -> list[Phrase]:
    """When what happened to one image, and by whom: for /status."""
    lines = [say("history-opened", time=moment(transfer.opened_at))]
    if transfer.approved_at is not None:
        time = moment(transfer.approved_at)
        by = transfer.approved_by
        lines.append(
            say("history-approved-by-policy", time=time)
            if by is None
            else say("history-approved", time=time, person=view.name(by))
        )
    if transfer.run_url:
        lines.append(say("history-run", url=transfer.run_url))
    if transfer.ended_at is not None:
        lines.append(say("history-ended", time=moment(transfer.ended_at)))
    return lines
